"""The shape of `review:`: what becomes of leads that a person must decide."""

import re
from datetime import timedelta
from typing import Literal
from urllib.parse import quote

from pydantic import field_validator

from leadgate.config.section import Duration, Section

_LONGEST_LINK = 500
_ID = "{id}"
_ADDRESS = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9._~:/?#@!$&'*+,;=%-]*")
"""Nothing that Markdown, a terminal or a page would take for something else."""


class ReviewConfig(Section):
    """When leads in review are decided anew, how long a person may take, and where a person sees the lead.

    `again`: `on_data` when a value that rules or `update` read has changed, `on_change` also when the rules have,
    `never` only when somebody asks for it. A review that is open for longer than `within` is overdue. `link` is an
    address with `{id}` in the place of a lead's id.
    """

    again: Literal["on_data", "on_change", "never"] = "on_data"
    within: Duration | None = None
    link: str | None = None

    @field_validator("link")
    @classmethod
    def _is_an_address_with_an_id(cls, link: str | None) -> str | None:
        if link is None:
            return None
        if link.count(_ID) != 1:
            raise ValueError("must hold {id} once, where the lead's id goes: https://crm.example/leads/{id}")
        if len(link) > _LONGEST_LINK or not _ADDRESS.fullmatch(link.replace(_ID, "id")):
            raise ValueError(
                f"is no address of {_LONGEST_LINK} characters at most, with letters, digits and ./:?&=%-_~+,;@#!$*' "
                "alone: write one like https://crm.example/leads/{id}"
            )
        return link

    def link_to(self, lead_id: str) -> str | None:
        """Give the address at which a person sees a lead; None if the file has no `link`."""
        return self.link and self.link.replace(_ID, quote(lead_id, safe=""))

    def is_overdue(self, open_for: timedelta) -> bool:
        """Whether a review is open for longer than a person may take."""
        return self.within is not None and open_for > self.within
