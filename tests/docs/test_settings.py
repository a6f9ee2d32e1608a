"""docs/settings.md is the whole pipeline file: every setting, its default, its limits and its choices."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from enum import Enum
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from leadgate.config import Block, PipelineConfig
from leadgate.config.section import in_largest_unit
from tests.docs.pages import page, rows

PAGE = rows(page("settings.md"))


def settings(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Every setting by its path in the file; `[]` stands for each item of a list."""
    for name, field in model.model_fields.items():
        # A name alone stands for the first of several keys.
        path = prefix.removesuffix(".") if name == "column" and not field.alias else prefix + (field.alias or name)
        inner = [each for each in parts(field.annotation) if issubclass(each, BaseModel) and each is not Block]
        if not inner or any(each is str for each in parts(field.annotation)):
            yield path, field
        for each in inner:
            origin = get_origin(field.annotation)
            many = "[]" if origin is list else ".*" if origin is dict else ""
            yield from settings(each, f"{path}{many}.")


def parts(annotation: Any) -> list[type]:  # noqa: ANN401 - any annotation
    """The classes that an annotation names, at whatever depth."""
    if isinstance(annotation, type) and not get_args(annotation):
        return [annotation]
    return [found for each in get_args(annotation) for found in parts(each)]


def default(field: FieldInfo) -> str:
    """A default as the page writes it."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None:
        return "none"
    return f"`{as_written(value)}`"


def as_written(value: Any) -> str:  # noqa: ANN401 - any default
    """A value as the file would have it."""
    match value:
        case SecretStr():
            return value.get_secret_value()
        case timedelta():
            return in_largest_unit(value)
        case Enum():
            return str(value.value)
        case bool():
            return str(value).lower()
        case list():
            return json.dumps(value)
    return str(value) or '""'


def choices(annotation: Any) -> Iterator[str]:  # noqa: ANN401 - any annotation
    """The words that a setting takes, where they are counted."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
        return
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        yield from (each.value for each in annotation)
    for each in get_args(annotation):
        yield from choices(each)


WANTED = dict(settings(PipelineConfig))


def test_every_setting_has_a_row_with_its_default() -> None:
    """In the order of the file, and no row is a setting that is not there."""
    assert [(name, cells[0]) for name, cells in PAGE.items()] == [
        (name, default(field)) for name, field in WANTED.items()
    ]


def test_every_limit_and_choice_is_told() -> None:
    """Numbers as `1 to 100`, words in backticks."""
    for name, field in WANTED.items():
        low = next((each.ge for each in field.metadata if isinstance(each, Ge)), None)
        high = next((each.le for each in field.metadata if isinstance(each, Le)), None)
        if isinstance(low, int) and high is not None:
            assert f"{low} to {high}" in PAGE[name][1], name
        told = re.findall(r"`([^`]+)`", PAGE[name][1])
        assert set(choices(field.annotation)) <= set(told), name


def test_every_setting_says_what_it_means() -> None:
    """A row with an empty cell documents nothing."""
    assert [name for name, cells in PAGE.items() if len(cells[1]) < 10] == []
