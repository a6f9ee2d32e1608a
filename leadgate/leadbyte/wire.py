"""LeadByte's JSON: how requests are written and answers are read. What an answer proves is decided in `answers`.

Reading is lenient on purpose: only the happy answers are documented, so whatever is odd becomes empty or None here
and is judged as unproven there, instead of failing a whole batch.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import httpx
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from leadgate.model import LeadRequest, normal_id
from leadgate.model.ids import HIDDEN

_WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,18}")
_UNSEEN = re.compile(f"[{HIDDEN}]")
_HALF = re.compile(r"[\ud800-\udfff]")
"""One half of a surrogate pair, which cannot be written as UTF-8 and would spoil a whole batch."""
_LONGEST_BODY = 4 * 1024 * 1024
"""Bytes of an answer that are read: the largest batch has 1,000 leads, each of which may be answered by 4 kB."""
LONGEST_TEXT = 2000
"""Characters of a text of LeadByte's that are read; no sentence is longer."""
_ECHO_KEYS = frozenset({"value", "input", "given", "submitted"})
"""Keys of error objects that repeat what was sent: a person's data, which messages do not carry."""


def field_value(value: object) -> str | int | float | bool:  # noqa: PLR0911 - a table of types
    """Write one value as a LeadByte field takes it; raise ValueError, without the value, if none would be right.

    Text, whole numbers, fractions and true/false go as they are. Decimals go as plain text (never 1E+2), dates and
    times as ISO 8601 text without fractions of a second. Formats differ by campaign: a view of the source can
    write any other as text.
    """
    match value:
        case str() if value.isascii() or not _HALF.search(value):
            return value
        case bool() | int():
            return value
        case float() if math.isfinite(value):
            return value
        case Decimal() if value.is_finite():
            return format(value, "f")
        case datetime() | time():
            return value.isoformat(timespec="seconds")
        case date():
            return value.isoformat()
        case UUID():
            return str(value)
        case str():
            msg = "is not valid Unicode text"
        case float() | Decimal():
            msg = "is not a finite number"
        case _:
            msg = f"has a type that LeadByte fields do not take ({type(value).__name__})"
    raise ValueError(msg)


def lead_item(request: LeadRequest) -> dict[str, Any]:
    """Write one lead's part of PUT /leads; raise ValueError that names the field if it cannot be written.

    `update` and `action` stand only where there is something to write or do; null values are left out.
    """
    item: dict[str, Any] = {"quarantineId": request.lead_id}
    update = {}
    for name, value in request.update.items():
        if value is None:
            continue
        try:
            update[name] = field_value(value)
        except ValueError as error:
            raise ValueError(
                f"the value of {name} {error}: give it as text, a number, true/false or a date in the source"
                f" (a view can convert it)"
            ) from None
    if update:
        item["update"] = update
    if request.action:
        item["action"] = request.action.value
    return item


def can_act(lead_id: str) -> bool:
    """Whether a lead can be processed or rejected without an update: the documented call takes whole numbers only."""
    return _WHOLE_NUMBER.fullmatch(lead_id) is not None


def act_item(request: LeadRequest) -> dict[str, Any]:
    """Write the body of POST /quarantine/process; raise ValueError for an id that is no plain whole number.

    The documented call takes a number. "007" is refused rather than sent as 7, which may be another lead.
    """
    if not can_act(request.lead_id):
        raise ValueError(
            f"the id {request.lead_id!r} is not a plain whole number, and LeadByte's call to process or reject takes"
            " nothing else: correct the id in the source, or act on the lead in LeadByte"
        )
    return {"quarantineId": int(request.lead_id), "action": str(request.action)}


def body_bytes(body: Mapping[str, Any]) -> bytes:
    """Encode a request body as compact UTF-8 JSON; NaN and Infinity, which are not JSON, never pass."""
    return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def prose(value: object) -> str:
    """Write a message or error, whether text, object or list, as one line; input that it repeats is left out."""
    match value:
        case None:
            return ""
        case str():
            return _line(value)
        case Mapping():
            texts = {str(key): prose(item) for key, item in value.items() if str(key).lower() not in _ECHO_KEYS}
            return _line(", ".join(f"{key}: {text}" for key, text in texts.items() if text))
        case Sequence():
            return _line("; ".join(filter(None, map(prose, value))))
        case _:
            return _line(str(value))


def _line(text: str) -> str:
    """Write text as one line of at most LONGEST_TEXT characters, all of which can be printed and stored."""
    is_cut = len(text) > LONGEST_TEXT
    text = _UNSEEN.sub("", text[:LONGEST_TEXT])
    if not text.isprintable():
        # PostgreSQL keeps no NUL in text: one in a message would lose the whole answer.
        # Half a character is no blank: an id that it stands in is another.
        text = _HALF.sub("\ufffd", text)
        text = "".join(character if character.isprintable() else " " for character in text)
    line = " ".join(text.split())
    # Half a word may mean something else, and a sentence that was cut is none that is known.
    return f"{line.rpartition(' ')[0] or line} …" if is_cut else line


def _identifier(value: object) -> str | None:
    return normal_id(str(value)) if isinstance(value, str | int) and not isinstance(value, bool) else None


def _flag(value: object) -> bool | None:
    word = str(value).strip().lower()
    return True if word in {"true", "1"} else False if word in {"false", "0"} else None


def _objects(value: object) -> list[object]:
    # A list with gaps becomes an object when PHP writes it. An unreadable entry still counts as an entry.
    entries = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    return [entry if isinstance(entry, dict) else {} for entry in entries]


def _lines(value: object) -> list[str]:
    entries = value if isinstance(value, list) else [value]
    return [line for line in map(prose, entries) if line]


def _by_id(value: object) -> dict[str, str]:
    # An empty object becomes [] when PHP writes it.
    pairs = value.items() if isinstance(value, dict) else ()
    return {normal_id(str(key)) or "": prose(item) for key, item in pairs}


Prose = Annotated[str, BeforeValidator(prose)]
Lines = Annotated[list[str], BeforeValidator(_lines)]


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class LeadEntry(_Wire):
    """What PUT /leads says of one lead's update (documented); `errors` and `warnings` come now and then."""

    lead_id: Annotated[str | None, BeforeValidator(_identifier)] = Field(None, alias="quarantineId")
    success: Annotated[bool | None, BeforeValidator(_flag)] = None
    message: Prose = ""
    errors: Prose = ""
    warnings: Prose = ""

    def text(self) -> str:
        """Everything this entry says, as one line."""
        warnings = f"warnings: {self.warnings}" if self.warnings else ""
        return "; ".join(filter(None, (self.message, self.errors, warnings)))


class ReplyBody(_Wire):
    """Any JSON object LeadByte answers with, to either call; whatever is absent is empty."""

    status: Prose = ""
    message: Prose = ""
    errors: Prose = ""
    leads: Annotated[list[LeadEntry], BeforeValidator(_objects)] = Field(default_factory=list)
    details: Annotated[dict[str, str], BeforeValidator(_by_id)] = Field(default_factory=dict)
    # The first spelling is LeadByte's own and documented; the second is what it will be once someone notices.
    quaratine_release_results: Lines = Field(default_factory=list, alias="quaratineReleaseResults")
    quarantine_release_results: Lines = Field(default_factory=list, alias="quarantineReleaseResults")

    @property
    def releases(self) -> list[str]:
        """The release results under either spelling."""
        return [*self.quaratine_release_results, *self.quarantine_release_results]

    @property
    def is_error(self) -> bool:
        """Whether the body calls itself an error, which HTTP 200 does not rule out."""
        return self.status.lower() in {"error", "errors", "fail", "failed", "failure", "false"}

    @property
    def names_leads(self) -> bool:
        """Whether the body says anything of single leads."""
        # Keys of `details` that are no ids may be the fields of an explanation.
        return bool(self.leads or self.releases or any(key.isdecimal() for key in self.details))

    @property
    def is_leadbytes(self) -> bool:
        """Whether it looks like an answer of LeadByte itself, not of something before it: a status and a message."""
        return bool(self.status and (self.message or self.errors))

    def text(self) -> str:
        """What it says of the request as a whole, as one line."""
        return "; ".join(filter(None, (self.message, self.errors)))


def read_body(content: bytes | str) -> ReplyBody | None:
    """Read an answer's body, which is UTF-8 whatever its headers say (RFC 8259); None if it is not a JSON object.

    Half characters, control characters, bytes that are no UTF-8 and numbers without end cost the value they stand in.
    """
    octets = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    octets = octets.strip().removeprefix(b"\xef\xbb\xbf")
    try:
        return ReplyBody.model_validate_json(octets)
    except ValidationError:
        pass
    try:
        document = json.loads(octets.decode("utf-8", "replace"), parse_int=_number, strict=False)
        return ReplyBody.model_validate(document) if isinstance(document, dict) else None
    except (ValueError, RecursionError):
        return None


def _number(digits: str) -> int | None:
    return int(digits) if len(digits) <= LONGEST_TEXT else None


async def read_bytes(response: httpx.Response) -> bytes:
    """Read the body as it came; nothing, which is no answer, of one that is too long or compressed unasked."""
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return b""
    content = bytearray()
    async for chunk in response.aiter_bytes():
        content += chunk
        if len(content) > _LONGEST_BODY:
            return b""
    return bytes(content)
