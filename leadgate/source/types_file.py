"""The file that keeps the columns of a source and their types, so that rules can be checked where it is out of reach.

It stands beside the pipeline file and holds names and types only, never a value.
"""

from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

from pydantic import Field, ValidationError
from ruamel.yaml import YAML

from leadgate.config import PipelineConfig
from leadgate.config.document import read_document
from leadgate.config.section import Section
from leadgate.errors import ConfigError
from leadgate.files import read_file, write_whole
from leadgate.model import ColumnType
from leadgate.source.column_types import NativeType
from leadgate.source.ids import IdKind
from leadgate.source.known import KnownColumns, know_columns, places_of

_ANEW = "write it anew with `leadgate check --write-types FILE` where the source can be reached"
_HEAD = """\
# The columns that leadgate found in the source of the pipeline {pipeline}, and their types. No value of a row is here.
# `leadgate check --offline` and `leadgate test` go by this file, without the source: keep it in version control beside
# the pipeline file. To make it anew, run `leadgate check --write-types FILE` where the source can be reached.
"""


class Unreadable(Section):
    """A column that rules cannot read, and what the source says it is."""

    unreadable: str


class TypesFile(Section):
    """The columns of both relations, in the source's order, before `types:` of the pipeline file is heard."""

    leads: dict[str, ColumnType | Unreadable] = Field(min_length=1)
    enrichment: dict[str, ColumnType | Unreadable] = Field(min_length=1)


def types_file_of(pipeline_file: Path) -> Path:
    """Where the types of a pipeline file are kept by default: leadgate.types.yaml for leadgate.yaml."""
    return pipeline_file.with_suffix(".types.yaml")


def write_types(path: Path, pipeline: str, known: KnownColumns) -> None:
    """Write the columns of a source; raise ConfigError where the file cannot be written."""
    text = StringIO()
    yaml = YAML()
    yaml.width = 1000
    yaml.dump(_found(known).model_dump(mode="json"), text)
    write_whole(path, _HEAD.format(pipeline=pipeline) + text.getvalue(), keep_mode=True)


def differing(path: Path, known: KnownColumns) -> list[str]:
    """The columns that the source has otherwise than the file, as rules name them; raise as `read_types`."""
    return sorted(name for name, _ in set(_named(_found(known))) ^ set(_named(read_types(path))))


def read_types(path: Path) -> TypesFile:
    """Read a file of types; raise ConfigError for one that is missing, or none."""
    text = read_file(path, missing=f"`leadgate check --write-types {path}` writes it where the source can be reached.")
    try:
        return TypesFile.model_validate(read_document(text, str(path), otherwise=f"is no file of types: {_ANEW}"))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(map(str, first["loc"][:2]))
        raise ConfigError(f"{path}: {where}: is not as leadgate writes it: {_ANEW}") from None


def columns_of_file(path: Path, config: PipelineConfig) -> KnownColumns:
    """Hold a pipeline file against a file of types; raise ConfigError as `read_types`, SourceError for other faults."""
    found = read_types(path)
    return know_columns(
        config.source, {"source.leads": _native(found.leads), "source.enrichment": _native(found.enrichment)}, path.name
    )


def columns_of_pipeline(path: Path, config: PipelineConfig) -> KnownColumns:
    """Go by `types:` of the pipeline file alone, and the columns it names as id or time; raise as `columns_of_file`."""
    if not (config.source.leads.types or config.source.enrichment.types):
        raise ConfigError(
            f"{path}: which columns there are is not known without the source. `leadgate check --write-types "
            f"{types_file_of(path)}` writes them where the source can be reached; or name each under "
            "source.leads.types and source.enrichment.types."
        )
    unknown = NativeType("of a type that the file does not say", None, IdKind.ANY, holds_any=True)
    natives = {
        place.path: dict.fromkeys([place.config.id, *instants.values(), *place.config.types], unknown)
        for place, instants in places_of(config.source)
    }
    return know_columns(config.source, natives, path.name)


def _found(known: KnownColumns) -> TypesFile:
    leads, enrichment = (
        {name: type_.column_type or Unreadable(unreadable=type_.name) for name, type_ in relation.native.items()}
        for relation in known.relations
    )
    return TypesFile(leads=leads, enrichment=enrichment)


def _named(found: TypesFile) -> Iterator[tuple[str, str]]:
    for relation, columns in (("lead", found.leads), ("enrichment", found.enrichment)):
        yield from ((f"{relation}.{name}", str(type_)) for name, type_ in columns.items())


def _native(columns: Mapping[str, ColumnType | Unreadable]) -> dict[str, NativeType]:
    return {
        name: NativeType(type_.unreadable, None, IdKind.ANY, holds_any=True)
        if isinstance(type_, Unreadable)
        else NativeType(type_.value, type_, IdKind.ANY, holds_any=True)
        for name, type_ in columns.items()
    }
