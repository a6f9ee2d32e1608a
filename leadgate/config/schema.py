"""The JSON Schema of the pipeline file, by which an editor completes and checks it while somebody types.

It looks at the file as it is written, before variables are filled in. What depends on several settings, on the rules'
language or on the source is left to `leadgate check`.
"""

from datetime import timedelta
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from leadgate.config.section import DURATION, in_largest_unit
from leadgate.config.shape import PipelineConfig

_VARIABLE = r"\$\{[A-Za-z_][A-Za-z0-9_]{0,199}\}"
_FROM_ENVIRONMENT = {"type": "string", "pattern": _VARIABLE}
_NOT_FOR_EDITORS = {"format", "title", "writeOnly"}


def pipeline_schema() -> dict[str, Any]:
    """Give the schema of the whole file, draft 2020-12."""
    schema = PipelineConfig.model_json_schema(schema_generator=_AsWritten)
    return {"$schema": GenerateJsonSchema.schema_dialect, "title": "A pipeline file of leadgate", **_bare(schema)}


class _AsWritten(GenerateJsonSchema):
    """Describes values as they stand in the file: a duration is `15m`, and a variable may stand for anything."""

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {"type": "string", "pattern": f"^{DURATION}$|{_VARIABLE}"}

    def datetime_schema(self, schema: core_schema.DatetimeSchema) -> JsonSchemaValue:  # noqa: ARG002
        return {"type": ["string", "number"]}

    def int_schema(self, schema: core_schema.IntSchema) -> JsonSchemaValue:
        return _or_variable(super().int_schema(schema))

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        return _or_variable(super().float_schema(schema))

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        return _or_variable(super().bool_schema(schema))

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        return _or_variable(super().literal_schema(schema))

    def enum_schema(self, schema: core_schema.EnumSchema) -> JsonSchemaValue:
        found = super().enum_schema(schema)
        return _or_variable({key: found[key] for key in ("enum", "type")})

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        found = super().str_schema(schema)
        return _or_variable(found) if found.keys() > {"type"} else found

    def encode_default(self, dft: Any) -> Any:  # noqa: ANN401 - any default
        match dft:
            case timedelta():
                return in_largest_unit(dft)
            case SecretStr():
                return dft.get_secret_value()
            case BaseModel():
                return {}
        return super().encode_default(dft)


def _or_variable(schema: JsonSchemaValue) -> JsonSchemaValue:
    return {"anyOf": [schema, _FROM_ENVIRONMENT]}


def _bare(schema: Any, *, names: bool = False) -> Any:  # noqa: ANN401 - any part of a schema
    """Leave out what says nothing to a person or misleads an editor; keys that are `names` of the file all stay."""
    if isinstance(schema, list):
        return [_bare(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: " ".join(value.split())
        if key == "description" and isinstance(value, str)
        else _bare(value, names=key in {"properties", "$defs"} and not names)
        for key, value in schema.items()
        if names or key not in _NOT_FOR_EDITORS
    }
