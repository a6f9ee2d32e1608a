"""`review:` in the pipeline file: what stands there, what each fault is told, and how a lead's address is made."""

import pytest

from leadgate.config.load import parse_config
from leadgate.errors import ConfigError
from tests.support.pipelines import PIPELINE

FILE = PIPELINE.format(leadbyte="http://127.0.0.1:9", key="k", source="sqlite:///s.db", ledger="sqlite:///l.db")
NO_ADDRESS = (
    "file: review.link: is no address of 500 characters at most, with letters, digits and ./:?&=%-_~+,;@#!$*' alone: "
    "write one like https://crm.example/leads/{id}"
)
NO_ID = "file: review.link: must hold {id} once, where the lead's id goes: https://crm.example/leads/{id}"
FAULTS = {
    "review: {link: https://crm.example/leads}": NO_ID,
    "review: {link: 'https://crm.example/{id}/{id}'}": NO_ID,
    "review: {link: 'https://crm.example/{id'}": NO_ID,
    "review: {link: 'crm.example/{id}'}": NO_ADDRESS,
    "review: {link: 'javascript:alert({id})'}": NO_ADDRESS,
    "review: {link: 'https://crm.example/{id}/{name}'}": NO_ADDRESS,
    "review: {link: 'https://crm.example/{id})[x'}": NO_ADDRESS,
    "review: {link: 'https://crm example/{id}'}": NO_ADDRESS,
    f"review: {{link: 'https://crm.example/{'x' * 500}/{{id}}'}}": NO_ADDRESS,
    "review: {link: 'https://${CRM}/{id}'}": (
        "file: review.link: is shown to people, and the value of ${CRM} never is: write it out"
    ),
    "review: {again: on_chnge}": (
        "file: review.again: 'on_chnge' is none of 'on_data', 'on_change' or 'never'; did you mean on_change?"
    ),
    "review: {again: sometimes}": "file: review.again: 'sometimes' is none of 'on_data', 'on_change' or 'never'",
    "review: {within: 2 days}": (
        "file: review.within: '2 days' is not a duration: write a whole number and s, m, h or d, such as 90s, 15m, "
        "24h or 7d"
    ),
    "review: {agin: never}": "file: review.agin: there is no such key; did you mean again?",
    "safety: {review_within: 48h}": (
        "file: safety.review_within: there is no such key any more; write it as `within` under review:, such as "
        "`review: {within: 48h}`"
    ),
}


@pytest.mark.parametrize("section", FAULTS)
def test_each_fault_is_told_at_its_place(section: str) -> None:
    """With what to write; nothing else is said."""
    with pytest.raises(ConfigError) as error:
        parse_config(f"{FILE}{section}\n", "file", {"CRM": "crm.example"})
    assert error.value.problems == [FAULTS[section]]


def test_a_leads_address_holds_its_id_and_nothing_of_it_can_break_out() -> None:
    """Whatever an id holds, it is one part of the address."""
    review = parse_config(f"{FILE}review: {{link: 'https://crm.example/leads?id={{id}}&x=1'}}\n", "file", {}).review
    assert review.link_to("4711") == "https://crm.example/leads?id=4711&x=1"
    assert review.link_to("a b/&)|'é") == "https://crm.example/leads?id=a%20b%2F%26%29%7C%27%C3%A9&x=1"
    assert parse_config(FILE, "file", {}).review.link_to("4711") is None
