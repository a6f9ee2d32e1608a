"""The columns that the rest of a pipeline file may name: asked of the database, or read from a file of types."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from leadgate.config import SourceConfig
from leadgate.errors import SourceError, SourceUnavailable
from leadgate.model import Columns
from leadgate.source.column_types import NativeType
from leadgate.source.describe import Place
from leadgate.source.relations import KnownRelation, hold_against


class KnownColumns:
    """The columns of both relations, and what rules, `wait` and `update` may do with them."""

    def __init__(self, leads: KnownRelation, enrichment: KnownRelation) -> None:
        self.columns = Columns(
            lead=dict(leads.types),
            enrichment=dict(enrichment.types),
            unreadable={
                f"{relation}.{column}": native
                for relation, found in (("lead", leads), ("enrichment", enrichment))
                for column, native in found.unusable.items()
            },
            known_from=enrichment.place.known_from,
        )
        self.relations = (leads, enrichment)


def places_of(config: SourceConfig, known_from: str | None = None) -> tuple[tuple[Place, Mapping[str, str]], ...]:
    """The two relations of a file, leads first, each with the columns that must hold a time, by their key in it."""
    leads, enrichment = config.leads, config.enrichment
    of_leads = {"quarantined_at": leads.quarantined_at}
    if leads.updated_at:
        of_leads["updated_at"] = leads.updated_at
    of_enrichment = {"updated_at": enrichment.updated_at} if enrichment.updated_at else {}
    return (
        (Place("source.leads", leads, known_from), of_leads),
        (Place("source.enrichment", enrichment, known_from), of_enrichment),
    )


Relation = TypeVar("Relation", bound=KnownRelation)


def each_relation(
    config: SourceConfig, known_from: str | None, hold: Callable[[Place, Mapping[str, str]], Relation]
) -> list[Relation]:
    """Call `hold` for both relations, leads first; raise one SourceError that names the faults of both."""
    relations: list[Relation] = []
    faults: list[str] = []
    for place, instants in places_of(config, known_from):
        try:
            relations.append(hold(place, instants))
        except SourceUnavailable:
            raise
        except SourceError as fault:
            faults.append(str(fault))
    if faults:
        raise SourceError("\n".join(dict.fromkeys(faults)))
    return relations


def know_columns(
    config: SourceConfig, natives: Mapping[str, Mapping[str, NativeType]], known_from: str
) -> KnownColumns:
    """Check a file against columns that are known without the source; raise SourceError naming every fault.

    `natives` are the columns by relation, such as source.leads; `known_from` names the file that they come from.
    """
    leads, enrichment = each_relation(
        config, known_from, lambda place, instants: hold_against(natives[place.path], place, instants)
    )
    return KnownColumns(leads, enrichment)
