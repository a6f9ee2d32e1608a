"""What came back for one request, and when the whole of it was refused: pure, and the same for every lead in it."""

from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus

from leadgate.leadbyte.wire import ReplyBody
from leadgate.leadbyte.wording import says_key_is_wrong

_KEY_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

ABOUT_US = frozenset({402, 407, 408, 425, 429})
"""Refusals of the account, the proxy or the pace: they say nothing about a lead."""
_NO_SUCH_CALL = frozenset({404, 405})
_CHECK_ADDRESS = "Check leadbyte.base_url: it should be https://YOUR-ACCOUNT.leadbyte.com or .co.uk"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request: a status and a body, or no status and what went wrong instead."""

    status: int | None = None
    body: ReplyBody | None = field(default=None, repr=False)
    """None when it is not a JSON object. It may quote anything, the API key too."""
    retry_at: datetime | None = None
    sent: bool = True
    """False when provably nothing was sent."""
    problem: str = ""
    detail: str = ""
    """What the system or a proxy said of the problem, in its own words."""
    is_late: bool = False
    """Whether it was not sent since it was too late for that."""
    their_time: datetime | None = None
    """When it was answered, by LeadByte's clock."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a whole request was provably not applied."""

    message: str
    words: str = ""
    """What LeadByte, or what stands before it, says of the refusal: it may quote anything."""
    transient: bool = False
    wrong_key: bool = False


def judge_refusal(reply: Reply, *, acts: bool = False) -> Refusal | None:
    """Say why the whole request was refused; None if it was not, or may have been applied at least in part.

    Where it carries `acts`, only what comes before anything is applied is a refusal.
    """
    status, body = reply.status, reply.body
    if status is None:
        return None if reply.sent else Refusal(reply.problem, reply.detail, transient=True)
    words = body.text() if body else ""
    if status in _KEY_REFUSED and (not acts or (body and body.is_leadbytes)):
        return Refusal(named(status), wrong_key=True)
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status in ABOUT_US and not acts):
        return Refusal(f"LeadByte is not accepting requests right now ({named(status)})", words, transient=True)
    return None if acts else _refusal_of_updates(reply, status, words)


def _refusal_of_updates(reply: Reply, status: int, words: str) -> Refusal | None:  # noqa: PLR0911 - a table
    """What is believed of a request that carries no act, and may be sent again whatever became of it."""
    body = reply.body
    if status == HTTPStatus.SERVICE_UNAVAILABLE and reply.retry_at:
        return Refusal(f"LeadByte asks us to come back later ({named(status)})", words, transient=True)
    if is_redirect(status):
        return Refusal(redirected(status), transient=True)
    if body is None and status in _NO_SUCH_CALL:
        return Refusal(f"There is no LeadByte API at this address ({named(status)}). {_CHECK_ADDRESS}", transient=True)
    if body and body.names_leads:
        return None
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Refusal(f"LeadByte refused the request ({named(status)})", words, wrong_key=says_key_is_wrong(words))
    if is_success(status) and body and body.is_error:
        return Refusal("LeadByte refused the request", words, wrong_key=says_key_is_wrong(words))
    return None


def is_success(status: int | None) -> bool:
    """Whether a status says that all went well."""
    return status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def is_redirect(status: int) -> bool:
    """Whether a status points elsewhere."""
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


def redirected(status: int) -> str:
    """What to say of a status that points elsewhere."""
    return f"LeadByte points to another address ({named(status)}), which is not followed. {_CHECK_ADDRESS}"


def named(status: int) -> str:
    """A status with its name."""
    phrase = next((each.phrase for each in HTTPStatus if each == status), "")
    return f"HTTP {status} {phrase}".rstrip()


def joined(*parts: str) -> str:
    """Parts that say something, each once, as one line."""
    return "; ".join(dict.fromkeys(part for part in parts if part))
