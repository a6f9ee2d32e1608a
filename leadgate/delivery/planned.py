"""Keeping to a plan: a run sends the leads that it names, as it says, and no others."""

from collections.abc import Mapping, Sequence

from leadgate.model import OTHERWISE, Decided, Planned, State


class PlanKeeper:
    """Gives the leads of a plan to claim, and sorts out those that are not as planned any more."""

    def __init__(self, planned: Sequence[Planned]) -> None:
        self._planned = {lead.lead_id: lead for lead in planned}
        self._left = list(self._planned)
        self._position = {lead_id: number for number, lead_id in enumerate(self._left)}
        self.skipped: dict[str, str] = {}
        """Leads of the plan that are not sent, and why."""

    def next_ids(self, limit: int) -> list[str]:
        """The next leads to claim, in the order of the plan; empty when all were given."""
        ids, self._left = self._left[:limit], self._left[limit:]
        return ids

    def in_order(self, leads: Sequence[Decided]) -> list[Decided]:
        """Sort leads as the plan has them, so that what budgets let through falls on the same ones."""
        return sorted(leads, key=lambda lead: self._position[lead.claim.lead_id])

    def keep(self, ids: Sequence[str], decided: Sequence[Decided], states: Mapping[str, State]) -> list[Decided]:
        """Give those of the claimed leads that are as planned; of `ids` all others are skipped.

        `states` says where the ids are that could not be claimed.
        """
        by_id = {lead.claim.lead_id: lead for lead in decided}
        as_planned: list[Decided] = []
        for lead_id in ids:
            lead = by_id.get(lead_id)
            why = _changed(self._planned[lead_id], lead) if lead else _not_claimed(states.get(lead_id))
            if why:
                self.skipped[lead_id] = why
            elif lead:
                as_planned.append(lead)
        return as_planned

    def skip_rest(self, why: str) -> None:
        """Send none of the leads that were not claimed yet."""
        self.skipped |= dict.fromkeys(self._left, why)
        self._left = []


def _changed(planned: Planned, lead: Decided) -> str | None:
    now = lead.decision
    if now.paused:
        return "the pipeline is paused"
    if lead.data_hash != planned.data_hash:
        return "its data has changed"
    if now.capped and now.verdict != planned.verdict:
        return "safety.budgets have no room for its act"
    if (now.verdict, now.rule) != (planned.verdict, planned.rule):
        verdict = f"{now.verdict} by {now.decided_by or now.rule or OTHERWISE}"
        return f"it would be decided differently now: {verdict}, not {planned.verdict} by {planned.rule or OTHERWISE}"
    return None


def _not_claimed(state: State | None) -> str:
    if state is None:
        return "it is not among the leads that this run knows"
    if state is State.READY:
        return "it is ready, but not due now, or another run holds it"
    return f"it is {state} now"
