"""Faults of rows: what is counted, which ids are held, and what of it the ledger keeps."""

import json

from leadgate.model import MOST_IDS, Fault, Faults

TWICE = Fault("source.leads", "of leads that are on more than one", "The earliest counts.")
UNDATED = Fault("source.leads", "without a time", "Such leads wait.", holds_back=True)


def found(fault: Fault, *ids: str, rows: int = 0) -> Faults:
    """Faults of one kind."""
    faults = Faults()
    faults.add(fault, ids, rows=rows or len(ids))
    return faults


def test_ids_are_bounded_and_the_count_is_not() -> None:
    """However many pages are added up."""
    faults = Faults()
    for page in range(3):
        faults += found(UNDATED, *(f"{page}-{n}" for n in range(MOST_IDS - 1)))
    (kind,) = faults.as_json()
    assert (kind["rows"], len(kind["ids"])) == (3 * (MOST_IDS - 1), MOST_IDS)


def test_rows_that_may_have_been_counted_are_not_counted_twice() -> None:
    """The larger count stays, but never fewer rows than there are leads."""
    faults = found(UNDATED, "1", "2", rows=9)
    faults |= found(UNDATED, "2", "3")
    assert faults == found(UNDATED, "1", "2", "3", rows=9)
    faults = found(UNDATED, "1", "2")
    faults |= found(UNDATED, "2", "3")
    assert faults == found(UNDATED, "1", "2", "3")


def test_a_line_names_three_leads_at_most() -> None:
    """And says whether there are more."""
    lines = [found(TWICE, *ids).lines()[0] for ids in ("1", "12", "123", "1234")]
    assert [line.partition("on more than one")[2].partition(".")[0] for line in lines] == [
        ", of lead 1",
        ", of leads 1 and 2",
        ", of leads 1, 2 and 3",
        ", such as leads 1, 2 and 3",
    ]
    assert found(TWICE, rows=9191).lines() == [
        "source.leads: 9,191 rows of leads that are on more than one. The earliest counts."
    ]


def test_the_ledger_keeps_a_hundred_kinds_and_three_ids_of_each() -> None:
    """Those with the most rows, and all that is said of them."""
    faults = found(TWICE, *"12345", rows=500)
    for number in range(200):
        faults += found(Fault("source.leads", f"of kind {number}", "Correct them."), "1")
    kept = Faults.from_kept(json.loads(json.dumps(faults.to_keep())))
    assert len(kept) == 100
    assert kept.lines()[0] == faults.lines()[0]
    assert kept.as_json()[0]["ids"] == ["1", "2", "3"]


def test_one_kind_that_holds_leads_back_is_enough() -> None:
    """And none of the others does."""
    assert not found(TWICE, "1").hold_back
    assert Faults(found(TWICE, "1"), found(UNDATED, "2")).hold_back
