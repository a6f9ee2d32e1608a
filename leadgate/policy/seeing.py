"""What CEL sees of one lead: the values that were read, by name. The same for rules, waits and what is written."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from leadgate.model import ColumnType, Enrichment, Lead
from leadgate.model.values import fit
from leadgate.policy.language import Condition, Language
from leadgate.policy.names import Column, Names, a, joined, spell


@dataclass(frozen=True, slots=True)
class Seen:
    """What conditions see of one lead: values by name, and the same bound for CEL; what is missing is not there."""

    values: Mapping[str, Any]
    bound: Any

    def gap(self, condition: Condition, error: str | None) -> str:
        """Say why a condition has no answer: the calculation that failed, or the missing values it reads."""
        if error is not None:
            return error
        lacking = sorted(spell(name) for name in condition.names if name not in self.values) or ["a value"]
        return f"{joined(lacking)} {'is' if len(lacking) == 1 else 'are'} missing"


class Eyes:
    """Collects what some conditions read; `more` are columns that are wanted beside them."""

    def __init__(
        self, language: Language, names: Names, conditions: Iterable[Condition], more: Iterable[Column] = ()
    ) -> None:
        self._language = language
        read = {name for condition in conditions for name in condition.names}
        self._reads_now, self._reads_waited = "now" in read, "waited" in read
        self._is_timed = bool(self._reads_now or self._reads_waited or language.since)
        self._shares = language.shares
        by_any_name = names.by_variable | names.by_missing
        found = [*(by_any_name[name] for name in sorted(read & by_any_name.keys())), *more]
        # Seeing is done for every lead: what is the same for all of them is looked up here, once.
        self._columns = [(c, c.variable, c.relation == "lead") for c in dict.fromkeys(found)]
        self._missing = {name: names.by_missing[name].variable for name in read & names.by_missing.keys()}

    @property
    def columns(self) -> list[Column]:
        """The columns that are read, each once."""
        return [column for column, _, _ in self._columns]

    def nothing(self) -> Seen:
        """See a lead of which nothing is known."""
        constants = self.constants
        return Seen(constants, self._language.bind(constants))

    @property
    def constants(self) -> Mapping[str, timedelta]:
        """The days(n) that conditions hold, by the names they have in their trees."""
        return self._language.constants

    def see(
        self, lead: Lead, enrichment: Enrichment | None, *, late: bool, now: datetime | None
    ) -> tuple[Seen, list[str]]:
        """Collect what is read; the list says which values do not fit their columns."""
        values: dict[str, Any] = {"late": late, **self._language.constants}
        unfit: list[str] = []
        arrived = enrichment.columns if enrichment else {}
        for column, variable, of_lead in self._columns:
            raw = (lead.columns if of_lead else arrived).get(column.name)
            value = None if raw is None else fit(raw, column.type)
            if value is not None:
                values[variable] = value
                continue
            if raw is not None:
                unfit.append(f"{spell(variable)} does not hold {a(column.type)}, so it counts as missing")
        for name, variable in self._missing.items():
            values[name] = variable not in values
        if self._is_timed:
            self._see_times(values, lead, now)
        if self._shares:
            place = _place_of(lead.lead_id)
            values |= {name: place < share for name, share in self._shares.items()}
        return Seen(values, self._language.bind(values)), unfit

    def _see_times(self, values: dict[str, Any], lead: Lead, now: datetime | None) -> None:
        since, at = fit(lead.quarantined_at, ColumnType.TIMESTAMP), fit(now, ColumnType.TIMESTAMP)
        if self._reads_now:
            values["now"] = at
        if self._reads_waited and since and at:
            values["waited"] = at - since
        for name, variable in self._language.since.items():
            if at and variable in values:
                values[name] = (at - values[variable]).days


def _place_of(lead_id: str) -> float:
    """Give a lead's place from 0 to 1 among all, the same in every run and on every machine; 1 without an id."""
    if not lead_id:
        return 1.0
    return int.from_bytes(hashlib.blake2b(lead_id.encode("utf-8", "surrogatepass"), digest_size=6).digest()) / 2**48
