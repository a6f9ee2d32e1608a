"""What one request proved about each of its leads: refused, answered or in doubt. Pure: no I/O, no clock.

    not sent, 3xx, 4xx, 429, 503 with Retry-After            refused: provably nothing was applied
    sent and lost, other 5xx, unreadable, a lead not named    in doubt: it may have been applied
    a lead named in a readable answer                         answered, or refused for this lead alone

docs/leadbyte.md has the whole table, with how surely each line is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus

from leadgate.leadbyte.hiding import without_values
from leadgate.leadbyte.wire import LeadEntry, ReplyBody
from leadgate.leadbyte.wording import Told, quoted, says_gone, says_key_is_wrong, told_of_act
from leadgate.model import Answer, Certainty, LeadRequest

_LONGEST_MESSAGE = 500

_ABOUT_US = frozenset({402, 407, 408, 425, 429})
"""Refusals of the account, the proxy or the pace: they say nothing about a lead."""
_GATEWAY = frozenset({502, 503, 504})
"""Failures in front of LeadByte: whatever became of the request, no lead of it is the cause."""
_NO_SUCH_CALL = frozenset({404, 405})
_CHECK_ADDRESS = "Check leadbyte.base_url: it should be https://YOUR-ACCOUNT.leadbyte.com or .co.uk"


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back for one request: a status and a body, or no status and what went wrong instead."""

    status: int | None = None
    body: ReplyBody | None = None
    """None when it is not a JSON object."""
    retry_at: datetime | None = None
    sent: bool = True
    """False when provably nothing was sent."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a whole request was provably not applied."""

    message: str
    transient: bool = False
    wrong_key: bool = False


def judge_refusal(reply: Reply) -> Refusal | None:  # noqa: PLR0911 - a table, read from the top
    """Say why the whole request was refused; None if it was not, or may have been applied at least in part."""
    status, body = reply.status, reply.body
    if status is None:
        return None if reply.sent else Refusal(reply.problem, transient=True)
    told = body.told() if body else ""
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return Refusal(_named(status), wrong_key=True)
    if status in _ABOUT_US:
        return Refusal(_joined(f"LeadByte takes no request just now ({_named(status)})", told), transient=True)
    if status == HTTPStatus.SERVICE_UNAVAILABLE and reply.retry_at:
        return Refusal(_joined(f"LeadByte asks us to come back later ({_named(status)})", told), transient=True)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        msg = f"LeadByte points to another address ({_named(status)}), which is not followed. {_CHECK_ADDRESS}"
        return Refusal(msg, transient=True)
    if body is None and status in _NO_SUCH_CALL:
        return Refusal(f"There is no LeadByte API at this address ({_named(status)}). {_CHECK_ADDRESS}", transient=True)
    if body and body.names_leads:
        return None
    if HTTPStatus.BAD_REQUEST <= status < HTTPStatus.INTERNAL_SERVER_ERROR:
        msg = _joined(f"LeadByte refused the request ({_named(status)})", told)
        return Refusal(msg, wrong_key=says_key_is_wrong(told))
    if _is_success(status) and body and body.is_error:
        return Refusal(_joined("LeadByte refused the request", told), wrong_key=says_key_is_wrong(told))
    return None


def judge_put(requests: Sequence[LeadRequest], reply: Reply) -> list[Answer]:
    """Say what PUT /leads proved about each lead, in the order of `requests`."""
    if whole := _judge_whole(requests, reply):
        return whole
    body = reply.body or ReplyBody()
    entries: dict[str, list[LeadEntry]] = {}
    for entry in body.leads:
        if entry.lead_id is not None:
            entries.setdefault(entry.lead_id, []).append(entry)
    releases = _releases_by_lead(body.releases, {request.lead_id for request in requests})
    return [
        _judge_lead(request, reply, entries.get(request.lead_id, []), releases.get(request.lead_id, []), requests)
        for request in requests
    ]


def judge_act(request: LeadRequest, reply: Reply) -> Answer:
    """Say what POST /quarantine/process proved about its lead."""
    if whole := _judge_whole([request], reply):
        return whole[0]
    detail = reply.body.details.get(request.lead_id) if reply.body else None
    return _judge_lead(request, reply, [], [detail] if detail else [], [request])


def refuse_unsent(request: LeadRequest, why: str) -> Answer:
    """The answer for a lead that was never sent, since nothing right could be written for it."""
    return _refused(request, Reply(sent=False), why)


def _judge_whole(requests: Sequence[LeadRequest], reply: Reply) -> list[Answer]:
    """One answer for all leads, if the reply allows no other; empty if each has to be judged by itself."""
    if refusal := judge_refusal(reply):
        message = without_values(refusal.message, requests)
        gone = len(requests) == 1 and not refusal.transient and says_gone(refusal.message, of_one_lead=False)
        # A success by its status and an error by its word: no proof, where an act was asked, that it was not taken.
        if _is_success(reply.status) and not gone and any(request.action for request in requests):
            return [_answer(request, reply, Certainty.IN_DOUBT, message) for request in requests]
        return [
            replace(_refused(request, reply, message), whole_request=True, transient=refusal.transient, gone=gone)
            for request in requests
        ]
    if reply.status is None:
        why = reply.problem
    elif not HTTPStatus.OK <= reply.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        why = f"LeadByte failed ({_named(reply.status)}) and may have applied the request before"
    elif reply.body is None:
        why = f"LeadByte's answer ({_named(reply.status)}) is not a JSON object"
    else:
        return []
    about_no_lead = reply.status is None or reply.status in _GATEWAY
    return [replace(_answer(request, reply, Certainty.IN_DOUBT, why), transient=about_no_lead) for request in requests]


def _judge_lead(
    request: LeadRequest,
    reply: Reply,
    entries: Sequence[LeadEntry],
    releases: Sequence[str],
    batch: Sequence[LeadRequest],
) -> Answer:
    """Weigh what was said of one lead's update (`entries`) and of its act (`releases`): neither implies the other."""
    said = {entry.success for entry in entries}
    success = said.pop() if len(said) == 1 else None
    updated = success if request.update else None
    gone = success is not True and any(
        says_gone(text, of_one_lead=True) for e in entries for text in (e.message, e.errors)
    )
    message = _joined(*(entry.told() for entry in entries), *releases)
    told = {told_of_act(text, request.action) for text in releases} if request.action else set()
    if told == {Told.TAKEN}:
        return _answer(request, reply, Certainty.ANSWERED, message, updated=updated, acted=True)
    if success and not request.action:
        return _answer(request, reply, Certainty.ANSWERED, message, updated=updated)
    # A complaint may quote any lead of the batch.
    message = without_values(message, batch)
    if told and told <= {Told.NOT_TAKEN, Told.GONE}:
        gone = gone or Told.GONE in told
        return _answer(request, reply, Certainty.ANSWERED, message, updated=updated, acted=False, gone=gone)
    if not told:
        if gone:
            acted = _false_if(request.action)
            return _answer(request, reply, Certainty.ANSWERED, message, updated=updated, acted=acted, gone=True)
        if success is False:
            return _refused(request, reply, message or "LeadByte did not take the update and gave no reason")
    why = _why_in_doubt(told, success=success, named=bool(entries or releases))
    overall = "" if entries or releases or not reply.body else without_values(reply.body.told(), batch)
    return _answer(request, reply, Certainty.IN_DOUBT, _joined(why, message, overall), updated=updated)


def _why_in_doubt(told: set[Told], *, success: bool | None, named: bool) -> str:
    if Told.OPPOSITE in told:
        return "LeadByte queued the opposite of what was asked: look at this lead in LeadByte"
    if told:
        return "LeadByte did not say plainly whether the act was taken"
    if success:
        return "LeadByte took the update, but did not say whether the act was taken"
    return "LeadByte did not say whether it was taken" if named else "LeadByte's answer does not name this lead"


def _releases_by_lead(releases: Iterable[str], lead_ids: set[str]) -> Mapping[str, list[str]]:
    """The release results by the lead they name; one that names several says nothing sure of any."""
    by_lead: dict[str, list[str]] = {}
    for text in releases:
        named = lead_ids.intersection(quoted(text))
        if len(named) == 1:
            by_lead.setdefault(named.pop(), []).append(text)
    return by_lead


def _refused(request: LeadRequest, reply: Reply, message: str) -> Answer:
    updated, acted = _false_if(request.update), _false_if(request.action)
    return _answer(request, reply, Certainty.REFUSED, message, updated=updated, acted=acted)


def _answer(  # noqa: PLR0913 - what an answer is made of
    request: LeadRequest,
    reply: Reply,
    certainty: Certainty,
    message: str,
    *,
    updated: bool | None = None,
    acted: bool | None = None,
    gone: bool = False,
) -> Answer:
    message = without_values(message, [request])
    return Answer(
        request.lead_id,
        certainty,
        updated=updated,
        acted=acted,
        gone=gone,
        retry_at=reply.retry_at,
        http_status=reply.status,
        message=message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 3] + "...",
    )


def _false_if(asked: object) -> bool | None:
    """False (not taken) for what was asked, None for what was not."""
    return False if asked else None


def _is_success(status: int | None) -> bool:
    return status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _named(status: int) -> str:
    phrase = next((known.phrase for known in HTTPStatus if known == status), "")
    return f"HTTP {status} {phrase}".rstrip()


def _joined(*parts: str) -> str:
    return "; ".join(dict.fromkeys(part for part in parts if part))
