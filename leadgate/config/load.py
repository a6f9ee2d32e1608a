"""How a pipeline file is read, and messages that name the path in the file and the nearest right key."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from leadgate.config.document import holds_special, read_document
from leadgate.config.section import Section, Unfit, shortened
from leadgate.config.shape import LedgerConfig, PipelineConfig
from leadgate.config.variables import SECRETS, Filled, passwords_of
from leadgate.config.wording import plain_words
from leadgate.errors import ConfigError
from leadgate.files import read_file
from leadgate.suggest import close_to, suggest

_KEY: tuple[tuple[str, ...], ...] = (("leadbyte", "api_key"),)
_NEEDED_TO_SEND = (*_KEY, ("source", "url"))
_NEEDED_ELSEWHERE = (*_NEEDED_TO_SEND, ("leadbyte", "base_url"), ("ledger", "url"))
_NO_FILE = "`leadgate init` writes one to start from, or name another."


def load_config(
    path: Path,
    environ: Mapping[str, str] | None = None,
    *,
    needs_secrets: bool = True,
    needs_key: bool = True,
    is_offline: bool = False,
) -> PipelineConfig:
    """Read and check a pipeline file; raise ConfigError naming every fault with its path in the file.

    Without `needs_secrets` LeadByte's key and the source's address may be missing or wrong, without `needs_key` the
    key alone. If it `is_offline`, no variable of an address or the key needs to be set.
    """
    text = read_file(path, missing=_NO_FILE)
    environ = os.environ if environ is None else environ
    needs: dict[str, bool] = {"needs_secrets": needs_secrets, "needs_key": needs_key, "is_offline": is_offline}
    return parse_config(text, str(path), environ, **needs)


def load_ledger_alone(path: Path, environ: Mapping[str, str] | None = None) -> PipelineConfig | None:
    """Read the name and the ledger of a file whose other parts may be wrong; None where these are not right either.

    Nothing else is in what it returns: it is for what stops a pipeline, which must not depend on the rest.
    """
    try:
        document = read_document(read_file(path, missing=_NO_FILE), str(path))
        of_ledger: dict[str, Any] = {key: document[key] for key in ("pipeline", "ledger") if key in document}
        filled = Filled(of_ledger, os.environ if environ is None else environ)
        ledger = LedgerConfig.model_validate(filled.document.get("ledger", {}))
    except (ConfigError, ValidationError):
        return None
    name = filled.document.get("pipeline")
    if filled.absent or not isinstance(name, str):
        return None
    found: dict[str, Any] = {"pipeline": name, "ledger": ledger}
    config = PipelineConfig.model_construct(**found)
    config.note_variables(filled.values)
    return config


def parse_config(  # noqa: PLR0913
    text: str,
    name: str,
    environ: Mapping[str, str],
    *,
    needs_secrets: bool = True,
    needs_key: bool = True,
    is_offline: bool = False,
) -> PipelineConfig:
    """Check the text of a pipeline file, as `load_config`; `name` is what messages call it."""
    needs_secrets = needs_secrets and not is_offline
    may_be_absent = () if needs_key else _KEY
    if not needs_secrets:
        may_be_absent = _NEEDED_ELSEWHERE if is_offline else _NEEDED_TO_SEND
    filled = Filled(read_document(text, name), environ, may_be_absent)
    problems = [f"{_dotted(path)}: {problem}" for path, problem in filled.absent.items()]
    problems += [f"{_dotted(path) or 'the file'}: {problem}" for path, problem in _odd_texts(filled.document, ())]
    if misplaced := list(dict.fromkeys(_misplaced(filled.document))):
        # Alone: other messages could quote what is there.
        raise ConfigError([f"{name}: {problem}" for problem in misplaced])
    config = None
    try:
        config = PipelineConfig.model_validate(filled.document, context={"needs_secrets": needs_secrets and needs_key})
    except ValidationError as error:
        # A value that could not be filled in is one fault, not two.
        faults = [
            fault
            for fault in _said_once(error)
            if not _is_about_a_key(fault) and not (_place(fault) and filled.is_absent(_place(fault)))
        ]
        problems += [_describe(fault, filled) for fault in faults]
    if name_of := filled.variable_at(("review", "link")):
        problems.append(f"review.link: is shown to people, and the value of ${{{name_of}}} never is: write it out")
    if config is None or problems:
        raise ConfigError([f"{name}: {problem}" for problem in dict.fromkeys(problems)])
    config.note_variables(filled.values)
    for number, rule in enumerate(config.policy.rules):
        rule.note_variable(filled.variable_at(("policy", "rules", number)))
    return config


def _odd_texts(value: object, path: tuple[object, ...]) -> Iterator[tuple[tuple[object, ...], str]]:
    """Find keys that are no text, and texts that no terminal and no database takes."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield path, "a key is no text: put quotes around it"
            elif holds_special(key):
                yield path, "a key holds control characters: delete them"
            else:
                yield from _odd_texts(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _odd_texts(item, (*path, index))
    elif isinstance(value, str) and not value.isprintable() and holds_special(value):
        yield path, "holds control characters, or characters that are not UTF-8: delete them"


def _misplaced(document: Mapping[str, Any]) -> Iterator[str]:
    """Name the places where LeadByte's key or a database's password stands beside its own."""
    for place in SECRETS:
        section = document.get(place[0])
        value = section.get(place[1]) if isinstance(section, dict) else None
        if not isinstance(value, str):
            continue
        # Source and ledger may have the same password.
        secrets, whose, places = passwords_of(value), "the password of a database", list(SECRETS)
        if place == ("leadbyte", "api_key"):
            secrets, whose, places = {value.strip()}, "LeadByte's key", [place]
        for secret in filter(_is_looked_for, secrets):
            for path in _places_of(secret, document, ()):
                if path not in places:
                    named_path = _dotted(path) or "the file"
                    yield f"{named_path}: holds {whose}, which stands under {_dotted(place)} and nowhere else"


def _is_looked_for(secret: str) -> bool:
    """Whether a secret can be told from the words of a file; one that somebody practises with stands in others."""
    return len(secret) >= _SHORTEST_SECRET and not (secret.isalpha() and secret.islower())


def _places_of(secret: str, value: object, path: tuple[object, ...]) -> Iterator[tuple[object, ...]]:
    """Find the places where a secret stands: anywhere but in its own it would be shown, or kept."""
    if isinstance(value, str):
        if secret in value:
            yield path
    elif isinstance(value, dict | list):
        for name, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(name, str) and secret in name:
                yield path
            yield from _places_of(secret, item, (*path, name))


_SHORTEST_SECRET = 8
"""Characters."""


def _dotted(path: tuple[object, ...]) -> str:
    """Write a path as the user would say it: policy.rules[2].then (counted from 1)."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text if len(text) <= _LONGEST_PATH else f"{text[:_LONGEST_PATH]}..."


_LONGEST_PATH = 200


def _named(path: tuple[int | str, ...], filled: Filled) -> str:
    """Write a path, with the name of the rule or example that it goes through: policy.rules[2] 'verified', then."""
    value: Any = filled.document
    for depth, part in enumerate(path[:-1], 1):
        items = dict(enumerate(value)) if isinstance(value, list) else value
        value = items.get(part) if isinstance(items, dict) else None
        name = value.get("name") if isinstance(part, int) and isinstance(value, dict) else None
        if isinstance(name, str) and name.isprintable() and not filled.variable_at((*path[:depth], "name")):
            return f"{_dotted(path[:depth])} {shortened(name)!r}, {_dotted(path[depth:])}"
    return _dotted(path)


_CHOICES = {"SecretStr", "Block", "str", "constrained-str", "Conditions"}
"""Names that pydantic puts into a path for the alternatives of a union; they are not in the file."""


def _said_once(error: ValidationError) -> Iterator[ErrorDetails]:
    """Give the faults; of what may be text or keys only those of the one that was written."""
    faults = error.errors(include_url=False)
    for fault in faults:
        others = [
            other for other in faults if other is not fault and _place(other)[: len(_place(fault))] == _place(fault)
        ]
        keys = isinstance(fault["input"], dict)
        if others and ((fault["type"] == "string_type" and keys) or (fault["type"] == "model_type" and not keys)):
            continue
        yield fault


def _is_about_a_key(fault: ErrorDetails) -> bool:
    """Whether a key is no text, which `_odd_texts` has said already."""
    return fault["type"] == "invalid_key" or fault["loc"][-1:] == ("[key]",)


def _place(fault: ErrorDetails) -> tuple[int | str, ...]:
    # The key that is not known is in the file, whatever it is called.
    *above, last = fault["loc"] or ("",)
    ours = [last] if fault["type"] == "extra_forbidden" else []
    parts = above if ours else fault["loc"]
    return (*(part for part in parts if part not in _CHOICES and "[" not in str(part)), *ours)


_FORMS = "write ${VARIABLE}, or {block: KIND/NAME} for a key and a source"


def _describe(fault: ErrorDetails, filled: Filled) -> str:
    location = _place(fault)
    where = _named(location, filled)
    shown = filled.show(fault["input"], location)
    match fault["type"]:
        case "extra_forbidden":
            return _about_key(location, where)
        case "missing":
            return f"{where}: is missing"
        case "enum" | "literal_error":
            expected = fault["ctx"]["expected"]
            more = "; or {timestamp: FORMAT}" if "types" in location else ""
            near = close_to(str(fault["input"]), re.findall("'([^']*)'", expected)) if shown else None
            more += f"; did you mean {near}?" if near else ""
            return f"{where}: {shown or 'the value'} is none of {expected}{more}"
        case "string_pattern_mismatch" if location == ("pipeline",):
            return f"{where}: {shown} cannot be a name: letters, digits, _ and - only, 63 at most"
        case "value_error":
            error = fault["ctx"]["error"]
            said = f"{shown} {error}" if shown and isinstance(error, Unfit) else str(error)
            return f"{where}: {said}" if where else said
        case _:
            variable = filled.variable_at(location)
            source = f" (the value of ${{{variable}}})" if variable and not isinstance(fault["input"], dict) else ""
            return f"{where}: {plain_words(fault)}{source}"


_RENAMED: Mapping[tuple[int | str, ...], str] = {
    ("delivery", "probe_with"): "write the field under update:, such as `data13: {text: leadgate}`",
    ("safety", "max_rejects_per_run"): "write `budgets: {reject: 1000/hour}`, which counts over all runs",
    ("safety", "review_within"): "write it as `within` under review:, such as `review: {within: 48h}`",
}


def _about_key(location: tuple[int | str, ...], where: str) -> str:
    if location in _RENAMED:
        return f"{where}: there is no such key any more; {_RENAMED[location]}"
    advice = suggest(str(location[-1]), _keys_at(location[:-1]))
    if location[:2] in SECRETS and not advice.startswith("did you mean"):
        return f"{_dotted(location[:2])}: has a key that it cannot have: {_FORMS}"
    return f"{where}: there is no such key; {advice}"


def _keys_at(path: tuple[object, ...]) -> list[str]:
    """The keys the section at `path` may have."""
    model: type[Section] = PipelineConfig
    for part in path:
        field = model.model_fields.get(str(part))
        # Else the number of an item, or a name that the user gave.
        if field:
            model = next(_sections_in(field.annotation), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _sections_in(annotation: object) -> Iterator[type[Section]]:
    if isinstance(annotation, type) and issubclass(annotation, Section):
        yield annotation
    for part in get_args(annotation):
        yield from _sections_in(part)
