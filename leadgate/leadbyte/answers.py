"""What one request proved about each of its leads: refused, answered or in doubt. Pure: no I/O, no clock.

Of a request that carries an act, little is proof. Taken: the documented sentence, or a taught one. Not taken: never
sent, a 429, a 401 or 403 in LeadByte's own JSON, or `success: false` in a 200 without a word of the act. Gone: a
sentence that means it. All else is in doubt, since it may have been applied. An update alone may be sent again: of
one, a refusal of any kind is believed.

docs/leadbyte.md has the whole table, with how surely each line is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime
from http import HTTPStatus
from typing import Any

from leadgate.leadbyte.hiding import without_values
from leadgate.leadbyte.wire import LeadEntry, ReplyBody
from leadgate.leadbyte.wording import Said, Sentences, quoted, says_key_is_wrong, shape_of
from leadgate.model import Answer, Certainty, LeadRequest

_LONGEST_MESSAGE = 500
_LONGEST_SHAPE = 200
_DOCUMENTED = Sentences()
_KEY_REFUSED = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})

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
    their_time: datetime | None = None
    """When it was answered, by LeadByte's clock."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a whole request was provably not applied."""

    message: str
    transient: bool = False
    wrong_key: bool = False


def judge_refusal(reply: Reply, *, acts: bool = False) -> Refusal | None:
    """Say why the whole request was refused; None if it was not, or may have been applied at least in part.

    Where it carries `acts`, only what comes before anything is applied is a refusal.
    """
    status, body = reply.status, reply.body
    if status is None:
        return None if reply.sent else Refusal(reply.problem, transient=True)
    told = body.told() if body else ""
    if status in _KEY_REFUSED and (not acts or (body and body.is_leadbytes)):
        return Refusal(_named(status), wrong_key=True)
    if status == HTTPStatus.TOO_MANY_REQUESTS or (status in _ABOUT_US and not acts):
        return Refusal(_joined(f"LeadByte takes no request just now ({_named(status)})", told), transient=True)
    return None if acts else _refusal_of_updates(reply, status, told)


def _refusal_of_updates(reply: Reply, status: int, told: str) -> Refusal | None:  # noqa: PLR0911 - a table
    """What is believed of a request that carries no act, and may be sent again whatever became of it."""
    body = reply.body
    if status == HTTPStatus.SERVICE_UNAVAILABLE and reply.retry_at:
        return Refusal(_joined(f"LeadByte asks us to come back later ({_named(status)})", told), transient=True)
    if _is_redirect(status):
        return Refusal(_redirected(status), transient=True)
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


def judge_put(requests: Sequence[LeadRequest], reply: Reply, sentences: Sentences = _DOCUMENTED) -> list[Answer]:
    """Say what PUT /leads proved about each lead, in the order of `requests`."""
    if whole := _judge_whole(requests, reply, sentences):
        return whole
    body = reply.body or ReplyBody()
    entries: dict[str, list[LeadEntry]] = {}
    for entry in body.leads:
        if entry.lead_id is not None:
            entries.setdefault(entry.lead_id, []).append(entry)
    releases = _releases_by_lead(body.releases, {request.lead_id for request in requests})
    is_complete = len(body.releases) == sum(map(len, releases.values()))
    return [
        _Judge(request, reply, sentences, requests, is_complete).judge(
            entries.get(request.lead_id, []), releases.get(request.lead_id, [])
        )
        for request in requests
    ]


def judge_act(request: LeadRequest, reply: Reply, sentences: Sentences = _DOCUMENTED) -> Answer:
    """Say what POST /quarantine/process proved about its lead."""
    if whole := _judge_whole([request], reply, sentences):
        return whole[0]
    detail = reply.body.details.get(request.lead_id) if reply.body else None
    return _Judge(request, reply, sentences, [request]).judge([], [detail] if detail else [])


def refuse_unsent(request: LeadRequest, why: str) -> Answer:
    """The answer for a lead that was never sent, since nothing right could be written for it."""
    return _refused(request, Reply(sent=False), why)


def _judge_whole(requests: Sequence[LeadRequest], reply: Reply, sentences: Sentences) -> list[Answer]:
    """One answer for all leads, if the reply allows no other; empty if each has to be judged by itself."""
    acts = any(request.action for request in requests)
    told = reply.body.told() if reply.body else ""
    if len(requests) == 1 and _says_gone(reply, told, requests[0], sentences):
        message = _joined("LeadByte refused the request", told)
        return [replace(_refused(requests[0], reply, message), whole_request=True, gone=True)]
    if refusal := judge_refusal(reply, acts=acts):
        message = without_values(refusal.message, requests)
        return [
            replace(_refused(request, reply, message), whole_request=True, transient=refusal.transient)
            for request in requests
        ]
    if reply.status is None:
        why = reply.problem
    elif reply.body is None or not _is_answer(reply.status):
        why = _unproven(reply.status, reply.body)
    elif acts and not _names_leads(reply) and not _is_success(reply.status):
        why = f"LeadByte refused the request ({_named(reply.status)}), which is no proof that nothing was done"
    else:
        return []
    about_no_lead = reply.status is None or reply.status in _GATEWAY
    message = without_values(_joined(why, told), requests)
    return [
        replace(_answer(request, reply, Certainty.IN_DOUBT, message), transient=about_no_lead) for request in requests
    ]


def _says_gone(reply: Reply, told: str, request: LeadRequest, sentences: Sentences) -> bool:
    """Whether the one lead of a request that was refused as a whole is not in quarantine any more."""
    if not (reply.body and reply.body.is_leadbytes and _is_answer(reply.status)):
        return False
    if reply.body.names_leads or reply.status in _ABOUT_US:
        return False
    return sentences.says_gone(told, of_one_lead=False, lead_id=request.lead_id)


def _unproven(status: int, body: ReplyBody | None) -> str:
    if _is_redirect(status):
        return _redirected(status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.OK:
        return f"LeadByte failed ({_named(status)}) and may have applied the request before"
    assert body is None  # noqa: S101 - an answer in JSON is judged by its words
    return f"what came back ({_named(status)}) is not LeadByte's JSON"


@dataclass(frozen=True, slots=True)
class _Judge:
    """Weighs what was said of one lead's update and of its act: neither implies the other."""

    request: LeadRequest
    reply: Reply
    sentences: Sentences
    batch: Sequence[LeadRequest]
    is_complete: bool = True
    """Whether each release result names one of the leads: any other may be about this one."""

    def judge(self, entries: Sequence[LeadEntry], releases: Sequence[str]) -> Answer:
        """Judge by the entries of the lead in `leads`, and by its release results or detail."""
        request, lead_id = self.request, self.request.lead_id
        flags = {entry.success for entry in entries}
        success = flags.pop() if len(flags) == 1 else None
        updated = success if request.update else None
        gone = success is not True and any(
            self.sentences.says_gone(text, of_one_lead=True, lead_id=lead_id)
            for entry in entries
            for text in (entry.message, entry.errors)
        )
        message = _joined(*(entry.told() for entry in entries), *releases)
        if request.action:
            return self._judge_act(message, entries, releases, success=success, updated=updated, gone=gone)
        if success:
            return self._answer(Certainty.ANSWERED, message, updated=updated)
        message = without_values(message, self.batch)
        if gone:
            return self._answer(Certainty.ANSWERED, message, updated=updated, gone=True)
        if success is False:
            return self._refused(message)
        return self._in_doubt(message, set(), entries, releases, success=success, updated=updated)

    def _judge_act(  # noqa: PLR0913
        self,
        message: str,
        entries: Sequence[LeadEntry],
        releases: Sequence[str],
        *,
        success: bool | None,
        updated: bool | None,
        gone: bool,
    ) -> Answer:
        request = self.request
        assert request.action  # noqa: S101 - only asked of one with an act
        said = {self.sentences.of_act(text, request.lead_id, request.action) for text in releases}
        if said == {Said.TAKEN}:
            return self._answer(Certainty.ANSWERED, message, updated=updated, acted=True)
        # A complaint may quote any lead of the batch.
        message = without_values(message, self.batch)
        if said == {Said.GONE} or (gone and not said):
            return self._answer(Certainty.ANSWERED, message, updated=updated, acted=False, gone=True)
        if success is False and not said and self.is_complete and self.reply.status == HTTPStatus.OK:
            return self._refused(message)
        return self._in_doubt(message, said, entries, releases, success=success, updated=updated)

    def _in_doubt(  # noqa: PLR0913
        self,
        message: str,
        said: AbstractSet[Said],
        entries: Sequence[LeadEntry],
        releases: Sequence[str],
        *,
        success: bool | None,
        updated: bool | None,
    ) -> Answer:
        why = _why_in_doubt(said, success=success, named=bool(entries or releases))
        body = self.reply.body
        overall = "" if entries or releases or not body else without_values(body.told(), self.batch)
        answer = self._answer(Certainty.IN_DOUBT, _joined(why, message, overall), updated=updated)
        shape = shape_of(releases[0], self.request.lead_id)[:_LONGEST_SHAPE] if releases else ""
        return replace(answer, opposite=Said.OPPOSITE in said, shape=shape)

    def _refused(self, message: str) -> Answer:
        return _refused(self.request, self.reply, message or "LeadByte did not take the update and gave no reason")

    def _answer(self, certainty: Certainty, message: str, **proved: Any) -> Answer:  # noqa: ANN401 - of _answer
        return _answer(self.request, self.reply, certainty, message, **proved)


def _why_in_doubt(said: AbstractSet[Said], *, success: bool | None, named: bool) -> str:
    if Said.OPPOSITE in said:
        return "LeadByte queued the opposite of what was asked: look at this lead in LeadByte"
    if said:
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
        their_time=reply.their_time,
        message=message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 3] + "...",
    )


def _false_if(asked: object) -> bool | None:
    """False (not taken) for what was asked, None for what was not."""
    return False if asked else None


def _is_success(status: int | None) -> bool:
    return status is not None and HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES


def _is_redirect(status: int) -> bool:
    return HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST


def _redirected(status: int) -> str:
    return f"LeadByte points to another address ({_named(status)}), which is not followed. {_CHECK_ADDRESS}"


def _is_answer(status: int | None) -> bool:
    """Whether the words of the body are LeadByte's own: not those of a failure, or of another address."""
    return _is_success(status) or (status is not None and HTTPStatus.BAD_REQUEST <= status < 500)  # noqa: PLR2004


def _names_leads(reply: Reply) -> bool:
    return bool(reply.body and reply.body.names_leads)


def _named(status: int) -> str:
    phrase = next((known.phrase for known in HTTPStatus if known == status), "")
    return f"HTTP {status} {phrase}".rstrip()


def _joined(*parts: str) -> str:
    return "; ".join(dict.fromkeys(part for part in parts if part))
