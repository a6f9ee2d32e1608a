"""How a pipeline file is read, and messages that name the path in the file and the nearest right key."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from leadgate.config.section import Section
from leadgate.config.shape import PipelineConfig
from leadgate.errors import ConfigError
from leadgate.suggest import suggest

_SECRETS = ("leadbyte.api_key:", "source.url:")
_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def load_config(path: Path, environ: Mapping[str, str] | None = None, *, needs_secrets: bool = True) -> PipelineConfig:
    """Read and check a pipeline file; raise ConfigError naming every fault with its path in the file.

    Without `needs_secrets` variables of LeadByte's key and the source's address need not be set.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        msg = f"{path}: there is no such file. `leadgate init` writes one to start from, or name another."
        raise ConfigError(msg) from None
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read ({error}). Check the path and its permissions."
        raise ConfigError(msg) from None
    environ = os.environ if environ is None else environ
    return parse_config(text, str(path), environ, needs_secrets=needs_secrets)


def parse_config(text: str, name: str, environ: Mapping[str, str], *, needs_secrets: bool = True) -> PipelineConfig:
    """Check the text of a pipeline file, as `load_config`; `name` is what messages call it."""
    try:
        # YAML 1.2, where NO and yes stay text; duplicate keys are errors.
        document = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        raise ConfigError(_yaml_problem(name, error)) from None
    if not isinstance(document, dict):
        msg = f"{name}: is not a pipeline file: it should hold keys such as `pipeline:`, `source:` and `policy:`"
        raise ConfigError(msg)
    absent: list[str] = []
    document = _fill(document, environ, (), absent)
    if not needs_secrets:
        absent = [problem for problem in absent if not problem.startswith(_SECRETS)]
    problems = [f"{name}: {problem}" for problem in absent]
    try:
        config = PipelineConfig.model_validate(document)
    except ValidationError as error:
        # A value that could not be filled in is one fault, not two.
        faults = [_describe(fault) for fault in _said_once(error)]
        problems += [f"{name}: {fault}" for fault in faults if not (absent and "${" in fault)]
    if problems:
        raise ConfigError(problems)
    return config


def _fill(value: object, environ: Mapping[str, str], path: tuple[object, ...], absent: list[str]) -> Any:  # noqa: ANN401
    """Replace ${NAME} in every string by the environment's value; note those that are not set in `absent`."""
    if isinstance(value, dict):
        return {key: _fill(item, environ, (*path, key), absent) for key, item in value.items()}
    if isinstance(value, list):
        return [_fill(item, environ, (*path, index), absent) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def look_up(match: re.Match[str]) -> str:
        if match[1] in environ:
            return environ[match[1]]
        absent.append(f"{_dotted(path)}: the environment variable {match[1]} is not set: export {match[1]}=...")
        return match[0]

    return _VARIABLE.sub(look_up, value)


def _dotted(path: tuple[object, ...]) -> str:
    """Write a path as the user would say it: policy.rules[2].then (counted from 1)."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


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


def _place(fault: ErrorDetails) -> tuple[int | str, ...]:
    return tuple(part for part in fault["loc"] if part not in _CHOICES and "[" not in str(part))


_WRONG_KIND = {
    "string_type": "needs text: one line, or several behind `>`",
    "list_type": "needs a list: one item a line, each after `- `",
    "model_type": "needs keys of its own, one a line below it",
}


def _describe(fault: ErrorDetails) -> str:
    location = _place(fault)
    where = _dotted(location)
    match fault["type"]:
        case "extra_forbidden":
            return f"{where}: there is no such key; {suggest(str(location[-1]), _keys_at(location[:-1]))}"
        case "missing":
            return f"{where}: is missing"
        case "enum" | "literal_error":
            return f"{where}: {fault['input']!r} is none of {fault['ctx']['expected']}"
        case "string_pattern_mismatch":
            return f"{where}: {fault['input']!r} cannot be a name: letters, digits, _ and - only, 63 at most"
        case "value_error":
            return f"{where}: {fault['ctx']['error']}" if where else str(fault["ctx"]["error"])
        case _:
            return f"{where}: {_WRONG_KIND.get(fault['type'], fault['msg'])}"


def _keys_at(path: tuple[object, ...]) -> list[str]:
    """The keys the section at `path` may have."""
    model: Any = PipelineConfig
    for part in path:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[str(part)].annotation
        candidates = [annotation, *get_args(annotation), *(a for g in get_args(annotation) for a in get_args(g))]
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, Section)), model)
    return list(model.model_fields)


_YAML_HINTS = {
    "tag": "An unquoted ! starts a YAML tag: put conditions that begin with ! in quotes.",
    "mapping values are not allowed": "Text that holds a colon and a space stands in quotes.",
    "'\\t'": "Indent with spaces: YAML takes no tabs.",
    "expected <block end>": (
        "Its indentation does not fit the lines above (keys of one section begin in one column),"
        " or a text goes on behind its quotes or braces: put quotes around all of it."
    ),
}


def _yaml_problem(name: str, error: MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    place = f"{name}, line {mark.line + 1}, column {mark.column + 1}" if mark else name
    problem = str(error.problem or error.context)
    hint = next((f" {hint}" for said, hint in _YAML_HINTS.items() if said in problem), "")
    return f"{place}: is not readable as YAML: {problem}.{hint}"
