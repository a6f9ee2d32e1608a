"""What a pipeline file, the environment or a block holds stands in no message about it."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from leadgate.addresses import check_address
from leadgate.config import PipelineConfig, parse_config
from leadgate.errors import ConfigError
from leadgate.model import Columns, ColumnType
from leadgate.policy.compiling import compile_policy
from tests.support.command import start_leadgate, wait_for
from tests.support.pipelines import PIPELINE, Practice

SECRET = "s3cr3t-K3Y"
TEXT = PIPELINE.format(
    leadbyte="https://acme.leadbyte.com",
    key="practice-key",
    source="sqlite:///source.db",
    ledger="sqlite:///leadgate.db",
)


def read(old: str, new: str, environ: Mapping[str, str]) -> PipelineConfig:
    """The file with one place changed, as it is read."""
    assert old in TEXT
    return parse_config(TEXT.replace(old, new, 1), "leadgate.yaml", environ)


def fault(old: str, new: str, environ: Mapping[str, str] | None = None) -> str:
    """What is said of the file with one place changed."""
    with pytest.raises(ConfigError) as caught:
        read(old, new, environ or {"KEY": SECRET})
    return str(caught.value)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("https://acme.leadbyte.com", "${KEY}"),
        ("https://acme.leadbyte.com", "https://${KEY}@acme.leadbyte.com"),
        ("deadline: 24h", "deadline: ${KEY}"),
        ("then: reject", "then: ${KEY}"),
        ("pipeline: acme", "pipeline: ${KEY} 1"),
        ("requests_per_second: 0", "requests_per_second: ${KEY}"),
        ("url: sqlite:///source.db", "url: sqlite:///source.db\n  time_zone: ${KEY}"),
        ("- name: verified", "- name: '${KEY}${KEY}${KEY}${KEY}${KEY}${KEY}${KEY}${KEY}${KEY}${KEY}${KEY}'"),
        ("policy:", "schedule: ${KEY}\npolicy:"),
        ("policy:", "examples: [{given: {score: ['${KEY}']}, expect: {verdict: '${KEY}'}}]\npolicy:"),
    ],
)
def test_a_value_from_the_environment_is_named_by_its_variable(old: str, new: str) -> None:
    """Whichever check it does not pass: the variable or the key is named, the value is not."""
    said = fault(old, new)
    assert SECRET not in said
    assert "${KEY}" in said or new.partition("\n")[2].partition(":")[0].strip() in said


@pytest.mark.parametrize(
    "new",
    [
        f"{SECRET}\n  api_key: {SECRET}2",
        f"!{SECRET}",
        f"*{SECRET}",
        f"@{SECRET}",
        f"%{SECRET}",
        f"|{SECRET}",
        f'"{SECRET}',
        f'"\\q{SECRET}"',
        f"!!int {SECRET}",
        f"!!binary {SECRET}",
        f"!!timestamp {SECRET}",
        f"[{SECRET}]",
        f"{SECRET}: {SECRET}",
        f"{SECRET} \u00e4",
    ],
)
def test_a_key_in_the_file_is_not_quoted(new: str) -> None:
    """Neither by YAML nor by us; the message has the line, or the key's path."""
    said = fault("practice-key", new)
    assert SECRET not in said
    assert "line" in said or "leadbyte.api_key" in said


def test_a_key_that_stands_twice_is_named_with_both_lines() -> None:
    """And neither of its values is."""
    assert fault("practice-key", f"{SECRET}\n  api_key: {SECRET}") == (
        "leadgate.yaml, line 5, column 3: is not readable as YAML: the key `api_key` stands twice, also in line 4: "
        "keep one of them."
    )


@pytest.mark.parametrize("part", ["name", "when", "because"])
def test_a_rule_from_the_environment_is_not_quoted(part: str) -> None:
    """A condition that does not compile is shown in a message, unless a variable holds a part of the rule."""
    lines = {"name": "opted-out", "when": "enrichment.opted_out &&", "because": "The person opted out."}
    lines[part] = "${KEY}" if part != "because" else "{${KEY}}"
    new = "\n      ".join(f"{key}: '{value}'" for key, value in lines.items())
    old = "name: opted-out\n      when: enrichment.opted_out\n      then: reject\n      because: The person opted out."
    config = read(old, f"{new}\n      then: reject", {"KEY": SECRET})
    columns = {"postcode": ColumnType.STRING, "phone_verified": ColumnType.BOOL, "score": ColumnType.DOUBLE}
    with pytest.raises(ConfigError) as caught:
        compile_policy(config.policy, columns_of(columns))
    assert SECRET not in str(caught.value)
    assert "policy.rules[1]: is no rule with the value of ${KEY}" in str(caught.value)


def columns_of(enrichment: Mapping[str, ColumnType]) -> Columns:
    """The columns of a source."""
    return Columns(lead={}, enrichment={**enrichment, "opted_out": ColumnType.BOOL})


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql://user:p@s3c:r/3t@host/db", "port"),
        ("postgresql://user:p@s3c@host/db", "more than one @"),
        ("postgresql://user:p@s3c?x@host/db", "more than one @"),
        ("postgresql://user:p@host:s3c/db", "port"),
        ("postgresql://user:p@host:99999/db", "65535"),
        ("postgresql://user:p@host:0/db", "65535"),
        ("postgresql://user:p@host/db\n", "line break"),
        ("postgresql://user:p@host/db?connect_timeout=s3c", "connect_timeout"),
        ("mysql://user:p@host/db?ssl=true", "ssl_ca=FILE"),
        ("mysql://user:p@host/db?charset=s3c", "charset"),
        ("mysql://user:p@host/db?connect_timeout=s3c", "connect_timeout"),
        ("sqlite:///leads.db?timeout=s3c", "timeout"),
    ],
)
def test_no_part_of_a_wrong_address_is_quoted(address: str, said: str) -> None:
    """A password that is not escaped is cut in pieces, and each would be taken for a host, a port or a database."""
    with pytest.raises(ValueError, match=said) as caught:
        check_address(address)
    assert "s3c" not in str(caught.value)


@pytest.mark.parametrize("key", ['"abc"', "'abc'", "`abc`", "\u201cabc\u201d", '"abc', " 'abc'\n"])
def test_a_key_in_quotes_is_refused(key: str) -> None:
    """As files of variables give it to those who do not take the quotes off."""
    assert fault("practice-key", "${KEY}", {"KEY": key}) == (
        "leadgate.yaml: leadbyte.api_key: the value of ${KEY} stands in quotes, which would be sent as a part of the "
        "key: delete the quotes"
    )


@pytest.mark.parametrize("key", ["", " ", "a b", "a\nb", "k\u00e4y"])
def test_what_is_no_key_is_refused(key: str) -> None:
    """Before anything is sent, and by the variable's name."""
    assert "the value of ${KEY} is empty, or holds characters" in fault("practice-key", "${KEY}", {"KEY": key})


def test_blanks_around_a_key_do_not_count() -> None:
    """A line break at the end is what most ways to read a key from a file leave."""
    config = read("practice-key", "${KEY}", {"KEY": " abc\r\n"})
    assert getattr(config.leadbyte.api_key, "get_secret_value")() == "abc"  # noqa: B009 - a block has no value


@pytest.mark.parametrize(
    ("address", "insecure", "said"),
    [
        ("http://proxy.example", False, "in the clear"),
        ("http://proxy", False, "in the clear"),
        ("http://10.0.0.7:80", False, "in the clear"),
        ("http://localhost.example", False, "in the clear"),
        ("http://acme.leadbyte.com", True, "in the clear"),
        ("http://leadbyte.co.uk.", True, "in the clear"),
        ("http://acme.leadbyte.net", True, "in the clear"),
        ("http://ACME.LeadByte.com:8080", True, "in the clear"),
        ("https://host:abc", False, "port"),
        ("https://host:99999", False, "port"),
        ("https://host:0", False, "port"),
        ("https://host\n", False, "line break"),
        ("https://me:pw@host", False, "a user"),
        ("http://proxy.example", True, None),
        ("http://a.localhost", False, "in the clear"),
        ("http://localhost:1", False, None),
        ("http://127.9.9.9", False, None),
        ("http://[::1]:8", False, None),
        ("https://proxy", False, None),
    ],
)
def test_a_key_is_sent_in_the_clear_only_where_that_was_said(address: str, insecure: bool, said: str | None) -> None:
    """Never to LeadByte itself, and to this machine without a word."""
    new = f"insecure_http: {insecure}\n  base_url: ${{ADDRESS}}"
    environ = {"ADDRESS": address}
    if said is None:
        assert read("base_url: https://acme.leadbyte.com", new, environ).leadbyte.base_url == address
    else:
        assert said in fault("base_url: https://acme.leadbyte.com", new, environ)


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("https://acme.leadbyte.com", "https://${KEY}", "leadbyte.base_url"),
        ("table: lead_enrichment", "table: 'x_${KEY}'", "source.enrichment.table"),
        ("phone1: mobile", "phone1: ${KEY}", "update.phone1"),
        ("because: The person opted out.", "because: '${KEY}'", "policy.rules[1].because"),
        ("keep_facts: [score]", "keep_facts: ['${KEY}']", "policy.keep_facts[1]"),
        ("phone1: mobile", f"'{SECRET}': mobile", "update"),
    ],
)
def test_the_key_stands_nowhere_else(old: str, new: str, where: str) -> None:
    """There it would be shown by whatever does not find it, or kept with a decision."""
    text = TEXT.replace("practice-key", "${KEY}").replace(old, new, 1)
    with pytest.raises(ConfigError, match="holds LeadByte's key") as caught:
        parse_config(text, "leadgate.yaml", {"KEY": SECRET})
    assert f"leadgate.yaml: {where}: " in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(("section", "old"), [("source", "sqlite:///source.db"), ("ledger", "sqlite:///leadgate.db")])
def test_a_password_stands_nowhere_else(section: str, old: str) -> None:
    """Neither as it is written in the address, nor in a rule's name."""
    text = TEXT.replace(old, "${URL}", 1).replace("name: verified", "name: 'for ${WORD}'", 1)
    with pytest.raises(ConfigError, match=rf"rules\[\d\].name: holds the password .* under {section}.url") as caught:
        parse_config(text, "leadgate.yaml", {"URL": f"postgresql://u:{SECRET}@h/d", "WORD": SECRET})
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("postgresql://u:p%40ss-w0rd@h/d", "p@ss-w0rd"),
        ("postgresql://u@h/d?password=p%40ss-w0rd", "p@ss-w0rd"),
        ("postgresql://u@h/d?password=p%40ss-w0rd", "p%40ss-w0rd"),
    ],
)
def test_a_password_is_known_in_both_forms(url: str, word: str) -> None:
    """As it is written in an address, and as it is."""
    text = TEXT.replace("sqlite:///source.db", url, 1).replace("table: lead_enrichment", f"table: '{word}'", 1)
    with pytest.raises(ConfigError, match=r"enrichment\.table: holds the password") as caught:
        parse_config(text, "leadgate.yaml", {})
    assert word not in str(caught.value)


def test_a_password_that_is_a_word_of_the_file_does_no_harm() -> None:
    """Every file has those."""
    for word in ("enrichment", "deadline", "leadbyte", "postcode"):
        text = TEXT.replace("sqlite:///source.db", f"postgresql://u:{word}@h/d", 1)
        assert parse_config(text, "leadgate.yaml", {}).pipeline == "acme"


@pytest.mark.parametrize("where", ["api_key: practice-key", "url: sqlite:///source.db", "url: sqlite:///leadgate.db"])
def test_a_secret_that_is_written_as_a_key_is_not_quoted(where: str) -> None:
    """As when somebody writes a block's name in the wrong order."""
    said = fault(where, f"{where.partition(':')[0]}: {{{SECRET}: x}}")
    assert SECRET not in said
    assert where.partition(":")[0] in said


@pytest.mark.parametrize("number", ["0x" + "f" * 5000, "0o" + "7" * 5000, "9" * 4000])
def test_a_number_without_end_is_not_written_out(number: str) -> None:
    """Python itself refuses to."""
    assert len(fault("requests_per_second: 0", f"requests_per_second: {number}")) < 300


def test_a_name_from_the_environment_is_shown_by_its_variable(tmp_path: Path) -> None:
    """A table, a column, another file of rules: what is not found may be a secret that stands in the wrong place."""
    places = {
        "table: lead_enrichment": "table: '${KEY}'",
        "table: quarantined_leads": "table: 'main.${KEY}_x'",
        "url: sqlite:///leadgate.db": "url: sqlite:///${KEY}/leadgate.db",
        "pipeline: acme": "pipeline: ${KEY}",
        "quarantined_at: quarantined_at": "quarantined_at: '${KEY}'",
        "phone1: mobile": "phone1: '${KEY}'",
        "require: [postcode,": "require: ['${KEY}',",
        "keep_facts: [score]": "keep_facts: ['${KEY}']",
        "policy:": "policy:\n  shadow: ${KEY}.yaml",
    }
    practice = Practice(tmp_path, "http://127.0.0.1:9")
    whole = practice.file.read_text("utf-8")
    for old, new in places.items():
        assert old in whole, old
        practice.file.write_text(whole.replace(old, new, 1), "utf-8")
        for verb in ("check", "plan"):
            ended = wait_for(start_leadgate(verb, config=practice.file, env=os.environ | {"KEY": SECRET}))
            assert SECRET not in ended.stderr + ended.stdout
            assert "${KEY}" in ended.stderr, (new, ended.stderr)
    practice.close()
