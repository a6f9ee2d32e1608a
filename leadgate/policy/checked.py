"""Reads what CEL knows of a condition it has checked: the tree, the type of every node and its place in the text.

The binding only offers this as serialized bytes. The field numbers are those of the public cel/expr/checked.proto and
cel/expr/syntax.proto. Nothing here judges what it reads: see allowed.py.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["const", "variable", "field", "call", "list", "other"]

_PRIMITIVES = {1: "bool", 2: "int", 3: "uint", 4: "double", 5: "string", 6: "bytes"}
_WELL_KNOWN = {1: "any", 2: "timestamp", 3: "duration"}
_SHAPES = {1: "dyn", 2: "null", 6: "list"}
_EMPTY: tuple[int, Any] = (1, 0)
_FIXED_SIZES = {1: 8, 5: 4}


@dataclass(frozen=True, slots=True)
class Node:
    """One node of a checked condition; `name` is a variable's, field's or function's, `at` an offset in the text."""

    kind: Kind
    type: str
    at: int | None
    name: str = ""
    args: tuple["Node", ...] = ()
    value: object = None

    def walk(self) -> Iterator["Node"]:
        """Give this node and all below it."""
        yield self
        for arg in self.args:
            yield from arg.walk()


def read_checked(serialized: bytes) -> Node:
    """Read the bytes of a compiled expression (a google.protobuf.Any that holds a cel.expr.CheckedExpr)."""
    body = next(value for number, value in _fields(serialized) if number == 2)  # noqa: PLR2004
    return _Reader(body).root


class _Reader:
    def __init__(self, body: bytes) -> None:
        self._variables: dict[int, str] = {}
        self._types: dict[int, str] = {}
        self._places: dict[int, int] = {}
        tree = b""
        for number, value in _fields(body):
            match number:
                case 2:
                    self._note_reference(value)
                case 3:
                    key, content = _entry(value)
                    self._types[key] = _type(content)
                case 4:
                    tree = value
                case 5:
                    self._places |= dict(_entry(item) for number, item in _fields(value) if number == 4)  # noqa: PLR2004
        self.root = self._node(tree)

    def _note_reference(self, entry: bytes) -> None:
        key, reference = _entry(entry)
        content = dict(_fields(reference))
        # A reference with an overload (field 3) names a function, one without names a variable.
        if 1 in content and 3 not in content:  # noqa: PLR2004
            self._variables[key] = content[1].decode()

    def _node(self, content: bytes) -> Node:
        key, shape, inner = 0, 0, b""
        for number, value in _fields(content):
            if number == 2:  # noqa: PLR2004
                key = value
            else:
                shape, inner = number, value
        type_, at = self._types.get(key, ""), self._places.get(key)
        match shape:
            case 3:
                return Node("const", type_, at, value=_constant(inner))
            case 4 | 5 if key in self._variables:
                return Node("variable", type_, at, name=self._variables[key])
            case 5:
                return Node("field", type_, at, name=dict(_fields(inner))[2].decode())
            case 6:
                # Field 1 is what the function is called on, field 3 an argument.
                name = next(value.decode() for number, value in _fields(inner) if number == 2)  # noqa: PLR2004
                args = tuple(self._node(value) for number, value in _fields(inner) if number != 2)  # noqa: PLR2004
                return Node("call", type_, at, name=name, args=args)
            case 7:
                return Node("list", type_, at, args=tuple(self._node(v) for n, v in _fields(inner) if n == 1))
        return Node("other", type_, at)


def _type(content: bytes) -> str:
    number, value = next(_fields(content), _EMPTY)
    match number:
        case 3:
            return _PRIMITIVES.get(value, "other")
        case 5:
            return _WELL_KNOWN.get(value, "other")
        case _:
            return _SHAPES.get(number, "other")


def _constant(content: bytes) -> object:
    number, value = next(_fields(content), _EMPTY)
    match number:
        case 2:
            return bool(value)
        case 3:
            return value - (1 << 64) if value >> 63 else value
        case 5:
            return struct.unpack("<d", value)[0]
        case 6:
            return value.decode()
        case _:
            return None  # null, unsigned, bytes: known by the node's type


def _entry(content: bytes) -> tuple[int, Any]:
    """Read an entry of a map with numbers as keys."""
    entry = dict(_fields(content))
    return entry.get(1, 0), entry.get(2, 0)


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """Give the fields of one protobuf message as (number, value)."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        match tag & 7:
            case 0:
                value, at = _varint(content, at)
                yield tag >> 3, value
            case 2:
                size, at = _varint(content, at)
                yield tag >> 3, content[at : at + size]
                at += size
            case wire:
                size = _FIXED_SIZES[wire]
                yield tag >> 3, content[at : at + size]
                at += size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    result = shift = 0
    while True:
        byte = content[at]
        result |= (byte & 127) << shift
        at += 1
        shift += 7
        if byte < 128:  # noqa: PLR2004
            return result, at
