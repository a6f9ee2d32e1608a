"""A simulated LeadByte: who is in quarantine, what it executed, and what it answers when all is well.

What it executed is the truth that the ledger is measured by. What befalls requests on their way is in door.py.
"""

import asyncio
import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.worlds.habits import Habits
from tests.worlds.tale import Tale

QUEUED = {"process": "processing", "reject": "rejection"}


@dataclass(frozen=True, slots=True)
class Item:
    """What one request asks for one lead."""

    lead_id: str
    writes: bool
    action: str | None

    def __str__(self) -> str:
        return " and ".join(filter(None, ("update" if self.writes else "", self.action or ""))) or "nothing"


@dataclass(slots=True)
class SentAct:
    """An act that left for LeadByte; `proved` once its answer proved that nothing was taken."""

    at: float
    action: str
    proved: bool = False


@dataclass(slots=True)
class Done:
    """What LeadByte did for one item: True taken, False not, None not asked. `there`: it was in quarantine."""

    item: Item
    updated: bool | None
    acted: bool | None
    there: bool


@dataclass(slots=True)
class Known:
    """The truth about one lead."""

    left_at: float | None = None
    executed: list[tuple[float, str]] = field(default_factory=list)
    sent: list[SentAct] = field(default_factory=list)
    updated_at: float | None = None
    """When an update was last taken while it was in quarantine."""


Reply = tuple[int, dict[str, str], str]


class LeadByte:
    """One of the possible LeadBytes."""

    def __init__(self, habits: Habits, random: Random, tale: Tale) -> None:
        self.habits, self._random, self._tale = habits, random, tale
        self.leads: dict[str, Known] = defaultdict(Known)
        self.bad: set[str] = set()
        self.poison: set[str] = set()
        self.double: Callable[[str], None] = lambda _lead_id: None
        """Called when an act is executed on a lead for the second time."""

    def take_in(self, lead_id: str) -> None:
        """Put a lead into quarantine."""
        self.leads[lead_id] = Known()
        if self._random.random() < self.habits.bad_leads:
            self.bad.add(lead_id)
        if self._random.random() < self.habits.poison:
            self.poison.add(lead_id)

    def has(self, lead_id: str) -> bool:
        """Whether a lead is in quarantine now, as a person sees it."""
        left_at = self.leads[lead_id].left_at
        return left_at is None or seconds_now() < left_at

    def move(self, lead_id: str) -> None:
        """Let a person or a timer of LeadByte's release a lead, beside us."""
        if self.leads[lead_id].left_at is None:
            self.leads[lead_id].left_at = seconds_now()
            self._tale.tell(lead_id, "LeadByte: a person or a timer released it")

    def apply(self, items: Sequence[Item]) -> list[Done]:
        """Do what is asked of each lead."""
        return [self._apply_to(item) for item in items]

    def _apply_to(self, item: Item) -> Done:
        habits, lead, there = self.habits, self.leads[item.lead_id], self.has(item.lead_id)
        is_bad = item.writes and item.lead_id in self.bad
        updated = (there or habits.updates_released) and not is_bad if item.writes else None
        if updated and there:
            lead.updated_at = seconds_now()
        acted = None
        if item.action:
            passes = habits.acts_again if not there else not lead.executed or habits.acts_while_queued
            # Who says nothing of acts takes none whose update it refuses: that `success: false` proves it is assumed.
            is_silent = habits.odd is None and updated is False
            acted = passes and habits.key == "may process" and not is_bad and not is_silent
            if acted:
                self._execute(item)
        return Done(item, updated, acted, there)

    def _execute(self, item: Item) -> None:
        lead = self.leads[item.lead_id]
        lead.executed.append((seconds_now(), str(item.action)))
        if lead.left_at is None:
            lead.left_at = seconds_now() + self._random.uniform(0, self.habits.queue_seconds)
        self._tale.tell(item.lead_id, f"LeadByte: executed {item.action}, no. {len(lead.executed)}")
        if len(lead.executed) > 1:
            self.double(item.lead_id)

    def answer(self, done: Sequence[Done], *, by_post: bool) -> Reply:
        """Say what was done, as documented where it is."""
        habits = self.habits
        lacking = [each for each in done if not each.there and not each.updated and not each.acted]
        if lacking and habits.refuses_all_for_one and not by_post:
            words = habits.gone or "Some records cannot be used"
            return told(404 if habits.gone else 422, {"status": "Error", "message": words})
        if by_post:
            words = self._words_of_act(done[0], "") or ""
            details = {done[0].item.lead_id: words} if words else {}
            return told(200, {"status": "Success", "message": "OK", "details": details})
        entries = [entry for each in done if (entry := self._entry(each))]
        body: dict[str, Any] = {"status": "Success", "message": "OK", "leads": entries}
        if any(each.item.action for each in done):
            words_of_all = [self._words_of_act(each, f"Quarantine ID '{each.item.lead_id}' ") for each in done]
            body["quaratineReleaseResults"] = [words for words in words_of_all if words]
        return told(200, body)

    def _entry(self, done: Done) -> dict[str, Any] | None:
        if done.updated is None:
            return None
        entry: dict[str, Any] = {"quarantineId": done.item.lead_id, "success": done.updated}
        if done.updated:
            return entry | {"message": "Quarantine lead updated"}
        if not done.there and self.habits.gone is None:
            return None
        return entry | {"message": self.habits.gone if not done.there else "postcode: is not valid"}

    def _words_of_act(self, done: Done, start: str) -> str | None:
        """The sentence about an act; None where there is none."""
        action, habits = done.item.action, self.habits
        if not action or (done.updated is False and not done.acted):
            return None  # that no act was taken is said by the update's `success: false`
        if not done.acted:
            if habits.key != "may process":
                return f"{start}is not permitted" if habits.key == "words" else None
            if done.there:
                return f"{start}was already queued for {QUEUED[action]}"
            return f"{start}{habits.gone}" if habits.gone else None
        if habits.odd != "":
            return habits.odd.format(id=done.item.lead_id) if habits.odd else None
        queued = f"queued for {QUEUED[action]}"
        return (start + queued if start else queued.capitalize()) + habits.remark


def told(status: int, body: dict[str, Any]) -> Reply:
    """An answer in LeadByte's JSON."""
    return status, {"Content-Type": "application/json"}, json.dumps(body)


def seconds_now() -> float:
    """Seconds since the world began."""
    return asyncio.get_running_loop().time()
