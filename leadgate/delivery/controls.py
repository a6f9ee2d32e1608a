"""Controls: leads that LeadByte said it queued, sent beside others to see what it says of one that has left.

Beside leads in doubt they are evidence. Beside leads that were never acted on, and whose update is taken in the same
request, they teach the words in which an account's LeadByte says that a lead has left.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from leadgate.config import PipelineConfig
from leadgate.leadbyte.wording import LONGEST_SHAPE, shape_of
from leadgate.ledger import Ledger
from leadgate.ledger.unknown import find_controls, find_untaught, note_control
from leadgate.model import Action, Answer, Certainty, Control, Lead, LeadRequest, Result
from leadgate.policy.writing import Update
from leadgate.source import Source

_UNKNOWN = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, eq=False)
class ControlRequest:
    """A control, and what is sent of it."""

    control: Control
    request: LeadRequest


class Heard(NamedTuple):
    """What was heard of a control; `shape` is that of words that LeadByte said of it alone and nobody understood."""

    asked: ControlRequest
    result: Result
    message: str
    shape: str


def heard_of(asked: ControlRequest, answer: Answer, *, beside_updated: bool = False) -> Heard:
    """Say what a control's answer shows; `beside_updated`: a lead that was never acted on was updated beside it."""
    is_own = answer.certainty is Certainty.REFUSED and not (answer.transient or answer.whole_request)
    shape = shape_of(answer.message, answer.lead_id)[:LONGEST_SHAPE] if is_own and not answer.gone else ""
    if answer.gone:
        result = Result.GONE
    elif answer.updated:
        result = Result.TAKEN
    else:
        result = Result.REFUSED if shape and beside_updated else Result.IN_DOUBT
    return Heard(asked, result, answer.message, shape)


class Controls:
    """The controls of one run."""

    def __init__(self, config: PipelineConfig, source: Source, ledger: Ledger) -> None:
        self._config, self._source, self._ledger = config, source, ledger
        self._update = Update(config.update, source.columns)
        self.wanted: str | None = None
        """The shape of words of which it is to be learned whether LeadByte says them of leads that have left."""

    def payloads(self, ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """What is sent to probe each lead; those with nothing to send are left out."""
        ids = list(ids)
        if self._config.delivery.unknown != "probe":
            return {}
        enrichments = self._source.enrichments(ids)
        leads = self._source.leads(ids) if self._update.reads_lead else {}
        written = {
            lead_id: self._update.write(leads.get(lead_id) or Lead(lead_id, _UNKNOWN), enrichments.get(lead_id)).fields
            for lead_id in ids
        }
        # A probe proves as much without a field, and must not empty one: the rows may have left since.
        with_values = {
            lead_id: {name: value for name, value in fields.items() if value != ""}
            for lead_id, fields in written.items()
        }
        return {lead_id: fields for lead_id, fields in with_values.items() if fields}

    def best(self, action: Action, since: datetime) -> list[ControlRequest]:
        """The best control for acts since an instant, as a list of one; empty where there is none."""
        return self._first(find_controls(self._ledger, action, since=since))

    def note(self, heard: Iterable[Heard]) -> None:
        """Record what controls have shown; of unknown words it is to be learned what they mean."""
        for asked, result, message, shape in heard:
            now = self._ledger.now()
            words = {"message": message, "shape": shape}
            note_control(self._ledger, asked.control, result, request_id=secrets.token_hex(8), **words, now=now)
            if shape and result is Result.IN_DOUBT:
                self.wanted = shape

    def take_lesson(self) -> list[ControlRequest]:
        """Give the control that is to go with the next updates, once, as a list of one; empty where none is."""
        if not self.wanted:
            return []
        shape, self.wanted = self.wanted, None
        before = self._ledger.now() - self._config.delivery.proven_after
        return self._first(find_untaught(self._ledger, shape, before=before))

    def _first(self, controls: Sequence[Control]) -> list[ControlRequest]:
        payloads = self.payloads(control.lead_id for control in controls)
        possible = [
            ControlRequest(c, LeadRequest(c.lead_id, payloads[c.lead_id])) for c in controls if c.lead_id in payloads
        ]
        return possible[:1]
