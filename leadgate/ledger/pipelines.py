"""The pipelines of a ledger: the LeadByte account and source of each, and since when the ledger knows all its acts.

A person adds a pipeline. A run's account and source must be those written here.
"""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from secrets import token_hex

from sqlalchemy import Connection, Select, and_, select

from leadgate.addresses import shown
from leadgate.clock import CLOCKS_AGREE
from leadgate.errors import LedgerError
from leadgate.identity import Identity
from leadgate.ledger.forgotten import find_open_and_forgotten
from leadgate.ledger.ledger import Ledger, writes
from leadgate.ledger.schema import ENTRY, entries, forgotten, marks, pipelines, readings

_KEY_BYTES = 32
_FIRST = ""
"""The name of a row made by `leadgate init`, which the first pipeline that runs with the ledger takes."""


@dataclass(frozen=True, slots=True)
class KnownPipeline:
    """A pipeline as the ledger knows it; account or source is None until a run has found it in a Prefect block."""

    pipeline: str
    account: str | None
    source: str | None
    created_at: datetime
    may_have_acted_before: datetime | None
    """Acts before this instant may be missing from the ledger; None: it has known of every act."""
    has_seen_all: bool = True
    """Whether every lead of the source was gone through since: those that are found until then were there before."""

    def doubt_of(self, quarantined_at: datetime) -> datetime | None:
        """Since when a lead counts as maybe acted on by an act that the ledger does not know; None if it does not."""
        before = self.may_have_acted_before
        is_older = not self.has_seen_all or (before is not None and quarantined_at < before + CLOCKS_AGREE)
        return before if is_older else None


_KNOWN = [pipelines.c[field.name] for field in fields(KnownPipeline)]


def read_known_pipeline(ledger: Ledger) -> KnownPipeline | None:
    """What the ledger knows of its own pipeline; None before it does."""
    with ledger.reading() as connection:
        return _find(ledger, connection)


def read_pipelines(ledger: Ledger) -> list[str]:
    """The names of all pipelines that the ledger knows."""
    with ledger.reading() as connection:
        return _names(connection)


def check_pipeline(ledger: Ledger, named: Identity) -> None:
    """Raise LedgerError unless the ledger knows the pipeline, with the account and the source that its file names.

    What the file alone does not name is not compared. Until a run has registered leads, a slip may be corrected.
    """
    ledger.identity = named
    ledger.account = named.account or ""
    with ledger.reading() as connection:
        found = _find(ledger, connection)
        if found:
            ledger.account = ledger.account or found.account or ""
            _compare(ledger, connection, found, named)
        elif not connection.execute(_row(_FIRST)).first():
            raise _unknown(ledger, connection)


@writes
def add_pipeline(ledger: Ledger, named: Identity, *, first_time: bool, now: datetime) -> KnownPipeline:
    """Add a pipeline; unless it is the `first_time`, older leads count as maybe acted on.

    Raises LedgerError if the ledger knows it already.
    """
    made = KnownPipeline(ledger.pipeline, named.account, named.source, now, None if first_time else now, first_time)
    row = {field.name: getattr(made, field.name) for field in fields(made)} | {"hash_key": token_hex(_KEY_BYTES)}
    with ledger.transaction() as connection:
        connection.execute(pipelines.delete().where(pipelines.c.pipeline == _FIRST))
        insert = ledger.insert(pipelines).values(row).on_conflict_do_nothing()
        if connection.execute(insert.returning(pipelines.c.pipeline)).first():
            return made
        raise LedgerError(
            f"ledger {shown(ledger.engine.url)}: is there, and knows the pipeline {ledger.pipeline!r}: nothing is "
            "to be created. If an older copy of it was put back, type `leadgate ledger restored`."
        )


@writes
def keep_first_place(ledger: Ledger, *, now: datetime) -> bool:
    """Add the row that the first pipeline to run takes; return False if the ledger knows any pipeline."""
    with ledger.transaction() as connection:
        if _names(connection):
            return False
        row = {"pipeline": _FIRST, "created_at": now, "hash_key": token_hex(_KEY_BYTES)}
        connection.execute(ledger.insert(pipelines).values(row).on_conflict_do_nothing())
        return True


@writes
def rebind_pipeline(ledger: Ledger, named: Identity, *, now: datetime) -> KnownPipeline:
    """Change the account or source of a pipeline that has moved; return what the ledger knew before.

    A source that has moved is read from its beginning. Raises LedgerError while a run holds leads, and if a pipeline
    of that account has one of the leads, or had one that is open here before it forgot it.
    """
    own = pipelines.c.pipeline == ledger.pipeline
    with ledger.transaction() as connection:
        before = connection.execute(_row(ledger.pipeline).with_for_update()).first()
        if not before:
            raise _unknown(ledger, connection)
        known = KnownPipeline(**before._asdict())
        new = Identity(named.account or known.account, named.source or known.source)
        if connection.execute(select(ENTRY.lead_id).where(ledger.mine, ENTRY.lease_until > now).limit(1)).first():
            raise LedgerError(
                f"pipeline {ledger.pipeline!r}: a run is under way. Stop it, and try again when its leases are over."
            )
        other = entries.alias()
        both = and_(
            other.c.account == new.account, other.c.lead_id == ENTRY.lead_id, other.c.pipeline != ENTRY.pipeline
        )
        shared = select(ENTRY.lead_id, other.c.pipeline).join_from(entries, other, both).where(ledger.mine)
        if found := connection.execute(shared.limit(1)).first():
            raise LedgerError(
                f"the pipeline {ledger.pipeline!r}: its lead {found.lead_id!r} belongs to the pipeline "
                f"{found.pipeline!r} of the account {new.account} too. Give one of the two a ledger of its own."
            )
        if new.account != known.account and (met := find_open_and_forgotten(ledger, connection, new.account)):
            holder, lead_id = met
            old = ", the old address in it" if holder == ledger.pipeline else ""
            raise LedgerError(
                f"the lead {lead_id!r} is open in the pipeline {holder!r}, and another pipeline of the account "
                f"{new.account} has forgotten it, perhaps after an act: type `leadgate forget` with its id and the "
                f"file of {holder!r}{old}, then this again."
            )
        connection.execute(pipelines.update().where(own).values(account=new.account, source=new.source))
        if new.account != known.account:
            connection.execute(entries.update().where(ledger.locked(connection)).values(account=new.account))
        if new.source != known.source:
            for table in (marks, readings):
                connection.execute(table.delete().where(table.c.pipeline == ledger.pipeline))
        return known


@writes
def note_restored(ledger: Ledger, *, now: datetime) -> int:
    """Note that an older copy of the ledger was put back: every open lead counts as maybe acted on; return how many.

    So do leads registered later that are older than this instant. The act is unknown even if the copy names one:
    another may have followed. Leases of the copy end.
    """
    ended = now - timedelta(seconds=1)
    with ledger.transaction() as connection:
        noted = (
            pipelines.update()
            .where(pipelines.c.pipeline == ledger.pipeline)
            .values(may_have_acted_before=now, has_seen_all=False)
        )
        if not connection.execute(noted).rowcount:
            raise _unknown(ledger, connection)
        # Every lead is gone through anew.
        connection.execute(marks.delete().where(marks.c.pipeline == ledger.pipeline))
        still_open = ledger.locked(connection, ENTRY.settled_at.is_(None))
        marked = connection.execute(
            entries.update().where(still_open).values(doubt_since=now, doubt_action=None, doubt_theirs=None)
        ).rowcount
        leased = ledger.locked(connection, ENTRY.lease_until.is_not(None))
        connection.execute(entries.update().where(leased).values(lease_until=ended))
        return marked


@writes
def note_all_seen(ledger: Ledger) -> None:
    """Note that every lead of the source was read: those that come from now on are newer than the ledger."""
    before = and_(pipelines.c.pipeline == ledger.pipeline, ~pipelines.c.has_seen_all)
    with ledger.reading() as connection:
        if not connection.execute(select(pipelines.c.pipeline).where(before)).first():
            return
    with ledger.transaction() as connection:
        connection.execute(pipelines.update().where(before).values(has_seen_all=True))


def lock_pipeline(ledger: Ledger, connection: Connection) -> KnownPipeline:
    """Lock and return the pipeline's row; raise as `check_pipeline`.

    Called before leads are registered. With the first of them account and source are stored for good, and a new
    pipeline takes the row that init has made.
    """
    row, named = _row(ledger.pipeline), ledger.identity or Identity(None, None)
    found = connection.execute(row.with_for_update(read=True)).first()
    if found and all(new in {None, known} for new, known in zip(named, (found.account, found.source), strict=True)):
        return KnownPipeline(**found._asdict())
    if not found:
        place = pipelines.update().where(pipelines.c.pipeline == _FIRST).values(pipeline=ledger.pipeline)
        connection.execute(place)
    found = connection.execute(row.with_for_update()).first()
    if not found:
        raise _unknown(ledger, connection)
    _compare(ledger, connection, KnownPipeline(**found._asdict()), named)
    learned = {"account": named.account or found.account, "source": named.source or found.source}
    connection.execute(pipelines.update().where(pipelines.c.pipeline == ledger.pipeline).values(learned))
    return KnownPipeline(**connection.execute(row).one()._asdict())


def _row(name: str) -> Select[tuple[object, ...]]:
    return select(*_KNOWN).where(pipelines.c.pipeline == name)


def _find(ledger: Ledger, connection: Connection) -> KnownPipeline | None:
    found = connection.execute(_row(ledger.pipeline)).first()
    return KnownPipeline(**found._asdict()) if found else None


def _names(connection: Connection) -> list[str]:
    query = select(pipelines.c.pipeline).where(pipelines.c.pipeline != _FIRST).order_by(pipelines.c.pipeline)
    return list(connection.scalars(query))


def _unknown(ledger: Ledger, connection: Connection) -> LedgerError:
    names = ", ".join(map(repr, _names(connection))) or "none"
    return LedgerError(
        f"ledger {shown(ledger.engine.url)}: does not know the pipeline {ledger.pipeline!r} (it knows: {names}). If it "
        "was renamed, write its old name into the file. If it is new, and leadgate has never acted on its leads, type "
        "`leadgate ledger create --first-time`; otherwise `leadgate ledger create`: leads older than that then count "
        "as maybe acted on, and wait for evidence."
    )


def _is_used(ledger: Ledger, connection: Connection) -> bool:
    """Whether a run has ever looked for leads of the pipeline."""
    read = select(marks.c.relation).where(marks.c.pipeline == ledger.pipeline)
    pruned = select(forgotten.c.hash).where(forgotten.c.pipeline == ledger.pipeline)
    queries = (read, select(ENTRY.lead_id).where(ledger.mine), pruned)
    return any(connection.execute(query.limit(1)).first() for query in queries)


def _compare(ledger: Ledger, connection: Connection, found: KnownPipeline, named: Identity) -> None:
    """Raise LedgerError if the file names another account or source than that whose leads the ledger holds."""
    pairs = [("account", found.account, named.account), ("source", found.source, named.source)]
    wrong = [(what, known, new) for what, known, new in pairs if known and new and known != new]
    if wrong and _is_used(ledger, connection):
        differences = [f"the {what} {known}, and the file names the {what} {new}" for what, known, new in wrong]
        raise LedgerError(
            f"ledger {shown(ledger.engine.url)}: has the pipeline {found.pipeline!r} with "
            f"{' and '.join(differences)}. A rehearsal or another pipeline needs a ledger of its own: write another "
            "`ledger.url`. If it is the same account and source at a new address, or a `query:` was edited that is "
            "about the same leads: let all runs end, and type `leadgate ledger rebind --same-account`."
        )
