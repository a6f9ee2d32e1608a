"""Many values in one condition, as one parameter: as many parameters as values cost a statement far more."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, bindparam, func, select
from sqlalchemy.types import TypeEngine


def is_among(
    column: ColumnElement[Any], values: Sequence[Any], type_: TypeEngine[Any], *, dialect: str
) -> ColumnElement[bool]:
    """Whether a column holds one of many values; databases that take no list as a parameter get one for each."""
    match dialect:
        case "sqlite":
            values_given = func.json_each(json.dumps(values)).table_valued("value")
            return column.in_(select(values_given.c.value))
        case "postgresql":
            return column == func.any(bindparam(None, values, type_=ARRAY(type_)))
        case _:
            return column.in_(bindparam(None, values, type_=type_, expanding=True))
