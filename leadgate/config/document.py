"""YAML as a pipeline file may use it: keys, lists and values. No message quotes the text, which may hold a secret."""

import re
from collections.abc import Collection, Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, DuplicateKeyError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, StringMark, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    NodeEvent,
)
from ruamel.yaml.reader import ReaderError

from leadgate.errors import ConfigError

_DEEPEST = 30
_MOST_VALUES = 20_000
_TEXT = "tag:yaml.org,2002:str"
_SPECIAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class _Refused(Exception):
    """What is YAML, but nothing that a pipeline file needs."""

    def __init__(self, problem: str, mark: StringMark) -> None:
        self.mark = mark
        super().__init__(problem)


class _Constructor(SafeConstructor):
    """Gives every fault of a value its place, and no fault the value."""

    def construct_object(self, node: Any, deep: bool = False) -> Any:  # noqa: ANN401, FBT001, FBT002 - as ruamel has it
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, KeyError, OverflowError, TypeError, AttributeError):
            raise _Refused(_NO_VALUE, node.start_mark) from None

    def check_mapping_key(self, node: Any, key_node: Any, mapping: Any, key: Any, value: Any) -> bool:  # noqa: ANN401 - as ruamel has it
        try:
            unique: bool = super().check_mapping_key(node, key_node, mapping, key, value)
        except DuplicateKeyError:
            first = next((each for each, _ in node.value if each.value == key_node.value), key_node)
            name = f" `{key}`" if isinstance(key, str) and re.fullmatch(r"\w[\w.-]{0,63}", key) else ""
            problem = f"the key{name} stands twice, also in line {first.start_mark.line + 1}: keep one of them"
            raise _Refused(problem, key_node.start_mark) from None
        return unique


_PIPELINE = "is not a pipeline file: it should hold keys such as `pipeline:`, `source:` and `policy:`"


def read_document(text: str, name: str, *, otherwise: str = _PIPELINE) -> dict[str, Any]:
    """Read the text of a file as keys and values; raise ConfigError that names file, line and column.

    `otherwise` is what is said of a file that holds no keys.

    YAML 1.2, where NO and yes stay text. Duplicate keys, tags and values without end are errors.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        _check_events(yaml, text)
        document = yaml.load(text)
    except _Refused as error:
        raise ConfigError(_placed(name, error.mark, str(error))) from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ConfigError(_placed(name, mark, _in_our_words(error, text))) from None
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(
            f"{name}, line {line}: is not readable as YAML: holds a character that YAML forbids. Delete it."
        ) from None
    except YAMLError:
        raise ConfigError(
            f"{name}: is not readable as YAML. Put quotes around each text that holds special characters."
        ) from None
    if not isinstance(document, dict):
        raise ConfigError(f"{name}: {otherwise}")
    return document


def _check_events(yaml: Any, text: str) -> None:  # noqa: ANN401 - ruamel's own types are loose
    """Refuse what would be too deep or too large before anything is made of it."""
    size = _Size()
    for event in _events(yaml, text):
        _check_event(event, {anchor for anchor, _ in size.open})
        size.add(event)
        if len(size.open) > _DEEPEST:
            raise _Refused(
                f"more than {_DEEPEST} levels stand inside each other: put quotes around a text that begins with [",
                event.start_mark,
            )
        if size.values > _MOST_VALUES:
            raise _Refused(
                f"holds more than {_MOST_VALUES} values, aliases counted as what they refer to: write fewer",
                event.start_mark,
            )


class _Size:
    """How many values the events so far stand for, and which lists and keys are still open."""

    def __init__(self) -> None:
        self.values = 0
        self.open: list[tuple[str | None, int]] = []
        self._by_anchor: dict[str, int] = {}

    def add(self, event: Any) -> None:  # noqa: ANN401
        if isinstance(event, CollectionEndEvent):
            anchor, before = self.open.pop()
            if anchor:
                self._by_anchor[anchor] = self.values - before + 1
        if not isinstance(event, NodeEvent):
            return
        self.values += 1
        if isinstance(event, AliasEvent):
            self.values += self._by_anchor.get(event.anchor, 0)
        elif event.anchor:
            if event.anchor in self._by_anchor:
                # ruamel would warn, and quote the lines.
                raise _Refused("an anchor has the name of one above: give it another", event.start_mark)
            self._by_anchor[event.anchor] = 1
        if isinstance(event, CollectionStartEvent):
            self.open.append((event.anchor, self.values))


def _check_event(event: Any, inside: Collection[str | None]) -> None:  # noqa: ANN401
    """Refuse a tag, and an alias inside of what it refers to."""
    if isinstance(event, AliasEvent):
        if event.anchor in inside:
            raise _Refused("an alias stands inside of what it refers to: write the values out", event.start_mark)
    elif getattr(event, "tag", None) not in {None, _TEXT}:
        raise _Refused(_IN_OUR_WORDS["tag"], event.start_mark)


def _events(yaml: Any, text: str) -> Iterator[Any]:  # noqa: ANN401
    """Give the events of a text; what ruamel itself trips over has the place of the event before it."""
    mark = StringMark("", 0, 0, 0, text, 0)
    try:
        for event in yaml.parse(text):
            mark = event.end_mark
            yield event
    except (ValueError, OverflowError, TypeError, AttributeError, IndexError, KeyError):
        raise _Refused("what follows cannot be read: put single quotes around the text", mark) from None


_NO_VALUE = "a number or a time that does not exist stands here: correct it, or put quotes around it if it is text"

_IN_OUR_WORDS = {
    "tag": "a tag stands here. An unquoted ! starts a YAML tag: put conditions that begin with ! in quotes.",
    "mapping values are not allowed": (
        "mapping values are not allowed here. Text that holds a colon and a space stands in quotes."
    ),
    "'\\t'": "a tab stands here. Indent with spaces: YAML takes no tabs.",
    "expected <block end>": (
        "the line does not go on as the lines above began. Its indentation does not fit the lines above (keys of one "
        "section begin in one column), or a text goes on behind its quotes or braces: put quotes around all of it."
    ),
    "that cannot start any token": "no text begins with this character: put quotes around the text",
    "undefined alias": "an unquoted * refers to an anchor, and there is none: put quotes around the text",
    "unexpected end of stream": "the file ends before a quote that was opened is closed",
    "escape": "in double quotes a \\ needs one of YAML's escapes behind it: write single quotes",
    "found another document": "a second document begins: leave out the `---`, and keep one pipeline in one file",
    "could not find expected ':'": "a key needs a colon and a space behind it",
    "but got": "a list or keys in brackets are not closed, or lack a comma",
    "merging": "`<<` takes keys and values: write them out",
}
"""By a part of what ruamel says. The rest of its sentences may quote the file."""


def _in_our_words(error: MarkedYAMLError, text: str) -> str:
    if any(mark and text[: mark.index + 1].endswith("${") for mark in (error.problem_mark, error.context_mark)):
        return 'inside { } or [ ] a variable stands in quotes: write "${NAME}"'
    if isinstance(error, ConstructorError) and "unhashable" in str(error.problem):
        return "a key is a list or has keys of its own: write a text"
    problem = str(error.problem or error.context)
    return next((ours for theirs, ours in _IN_OUR_WORDS.items() if theirs in problem), "put quotes around the text")


def _placed(name: str, mark: Any, problem: str) -> str:  # noqa: ANN401
    place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
    return f"{place}: is not readable as YAML: {problem.rstrip('.')}."


def holds_special(text: str) -> bool:
    """Whether a text holds what no terminal and no database takes: control characters, or half a character."""
    return bool(_SPECIAL.search(text))
