"""What is wrong with rows of the source, counted by its kind: one line for nine thousand rows. Ids, never values."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from operator import add
from typing import Any, Self

MOST_IDS = 10_000
"""Ids that are held of one kind; its count goes on."""
_SHOWN = 3
_KEPT_KINDS = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault: in which relation, what its rows are like, and what comes of it or is to be done."""

    where: str
    what: str
    advice: str
    holds_back: bool = False
    """Whether its leads cannot be registered or decided until it is put right."""


@dataclass(slots=True)
class _Found:
    rows: int = 0
    ids: dict[str, None] = field(default_factory=dict)
    detail: str = ""
    """What is said of the first one that was found, such as how it is written."""


class Faults:
    """How many rows have a fault, by its kind, with ids of their leads: those that came first, `MOST_IDS` at most."""

    def __init__(self, *parts: "Faults") -> None:
        """Add up faults of different rows."""
        self._kinds: dict[Fault, _Found] = {}
        for part in parts:
            self._take(part, add)

    def add(self, fault: Fault, ids: Iterable[str] = (), *, rows: int = 1, detail: str = "") -> None:
        """Count some rows more, and note the ids of their leads."""
        found = self._kinds.setdefault(fault, _Found())
        found.rows += rows
        found.detail = found.detail or detail
        for lead_id in ids:
            if len(found.ids) >= MOST_IDS:
                break
            found.ids[lead_id] = None

    def __iadd__(self, other: "Faults") -> Self:
        """Count faults of other rows in."""
        return self._take(other, add)

    def __or__(self, other: "Faults") -> "Faults":
        """Join faults of rows that may have been counted in both: of each kind the larger count stays."""
        return Faults(self)._take(other, max)

    def _take(self, other: "Faults", count: Any) -> Self:  # noqa: ANN401 - add or max
        for fault, theirs in other._kinds.items():  # noqa: SLF001 - of the same class
            before = self._kinds[fault].rows if fault in self._kinds else 0
            self.add(fault, theirs.ids, rows=0, detail=theirs.detail)
            found = self._kinds[fault]
            found.rows = max(count(before, theirs.rows), len(found.ids))
        return self

    def __len__(self) -> int:
        """How many kinds there are."""
        return len(self._kinds)

    def __eq__(self, other: object) -> bool:
        """Whether the same was found, of the same leads."""
        return isinstance(other, Faults) and self._kinds == other._kinds

    __hash__ = None  # type: ignore[assignment] # it changes

    @property
    def hold_back(self) -> bool:
        """Whether one of them holds leads back."""
        return any(fault.holds_back for fault in self._kinds)

    def only(self, wanted: Callable[[Fault], bool]) -> "Faults":
        """Those of some kinds."""
        some = Faults()
        some._kinds = {fault: found for fault, found in self._kinds.items() if wanted(fault)}
        return some

    def lines(self, show: Callable[[str], str] = str) -> list[str]:
        """One line for each kind, with its count and up to three ids, as `show` writes them."""
        return [_line(fault, found, show) for fault, found in self._kinds.items()]

    def as_json(self) -> list[dict[str, Any]]:
        """For each kind its line, how many rows there are, the ids that are held, and whether it holds leads back."""
        return [
            {"problem": _line(fault, found), "rows": found.rows, "ids": list(found.ids), "holds_back": fault.holds_back}
            for fault, found in self._kinds.items()
        ]

    def to_keep(self) -> list[dict[str, Any]]:
        """Give what the ledger keeps: the hundred kinds with the most rows, and three ids of each."""
        most = sorted(self._kinds.items(), key=lambda kind: -kind[1].rows)[:_KEPT_KINDS]
        return [
            {"fault": asdict(fault), "rows": found.rows, "detail": found.detail, "ids": [*islice(found.ids, _SHOWN)]}
            for fault, found in most
        ]

    @classmethod
    def from_kept(cls, kept: Sequence[Mapping[str, Any]]) -> "Faults":
        """Read what the ledger has kept."""
        faults = cls()
        for each in kept:
            faults.add(Fault(**each["fault"]), each["ids"], rows=each["rows"], detail=each["detail"])
        return faults


def _line(fault: Fault, found: _Found, show: Callable[[str], str] = str) -> str:
    shown = list(dict.fromkeys(show(lead_id) for lead_id in islice(found.ids, _SHOWN)))
    among = ""
    if shown:
        ids = " and ".join(part for part in (", ".join(shown[:-1]), shown[-1]) if part)
        among = f", {'such as' if found.rows > len(shown) else 'of'} lead{'s' if len(shown) > 1 else ''} {ids}"
    rows = f"{found.rows:,} row{'' if found.rows == 1 else 's'}"
    return f"{fault.where}: {rows} {fault.what}{found.detail}{among}. {fault.advice}"
