"""What one request proved about each of its leads: refused, answered or in doubt. Pure: no I/O, no clock.

Of a request that carries an act, little is proof. Taken: the documented sentence, or a taught one. Not taken: never
sent, a 429, a 401 or 403 in LeadByte's own JSON, or `success: false` in a 200 without a word of the act. Gone: a
sentence that means it. All else is in doubt, since it may have been applied. An update alone may be sent again: of
one, a refusal of any kind is believed.

docs/leadbyte.md has the whole table, with how surely each line is known.
"""

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from http import HTTPStatus

from leadgate.leadbyte.hiding import Hiding, Values
from leadgate.leadbyte.refusals import (
    ABOUT_US,
    Reply,
    is_redirect,
    is_success,
    joined,
    judge_refusal,
    named,
    redirected,
)
from leadgate.leadbyte.wire import LeadEntry, ReplyBody
from leadgate.leadbyte.wording import LONGEST_SHAPE, Said, Sentences, quoted, shape_of
from leadgate.model import Answer, Certainty, LeadRequest

_LONGEST_MESSAGE = 500
_DOCUMENTED = Sentences()
_HIDING = Hiding()
_GATEWAY = frozenset({502, 503, 504})
"""Failures in front of LeadByte: whatever became of the request, no lead of it is the cause."""


def judge_put(
    requests: Sequence[LeadRequest], reply: Reply, sentences: Sentences = _DOCUMENTED, hiding: Hiding = _HIDING
) -> list[Answer]:
    """Say what PUT /leads proved about each lead, in the order of `requests`."""
    values = hiding.of(requests)
    if whole := _judge_whole(requests, reply, sentences, values):
        return whole
    body = reply.body or ReplyBody()
    entries: dict[str, list[LeadEntry]] = {}
    for entry in body.leads:
        if entry.lead_id is not None:
            entries.setdefault(entry.lead_id, []).append(entry)
    releases = _releases_by_lead(body.releases, {request.lead_id for request in requests})
    is_complete = len(body.releases) == sum(map(len, releases.values()))
    return [
        _judge_lead(
            request,
            reply,
            sentences,
            values,
            entries.get(request.lead_id, ()),
            releases.get(request.lead_id, ()),
            is_complete=is_complete,
        )
        for request in requests
    ]


def judge_act(
    request: LeadRequest, reply: Reply, sentences: Sentences = _DOCUMENTED, hiding: Hiding = _HIDING
) -> Answer:
    """Say what POST /quarantine/process proved about its lead."""
    values = hiding.of([request])
    if whole := _judge_whole([request], reply, sentences, values):
        return whole[0]
    detail = reply.body.details.get(request.lead_id) if reply.body else None
    return _judge_lead(request, reply, sentences, values, (), [detail] if detail else (), names_lead=False)


def refuse_unsent(request: LeadRequest, why: str) -> Answer:
    """The answer for a lead that was never sent, since nothing right could be written for it."""
    return _refused(request, Reply(sent=False), why)


def _judge_whole(requests: Sequence[LeadRequest], reply: Reply, sentences: Sentences, values: Values) -> list[Answer]:
    """One answer for all leads, if the reply allows no other; empty if each has to be judged by itself."""
    acts = any(request.action for request in requests)
    words = reply.body.text() if reply.body else ""
    if len(requests) == 1 and _says_gone(reply, words, requests[0], sentences):
        message = joined("LeadByte refused the request", values.hide(words))
        return [replace(_refused(requests[0], reply, message), whole_request=True, gone=True)]
    if refusal := judge_refusal(reply, acts=acts):
        message = joined(refusal.message, values.hide(refusal.words))
        return [
            replace(_refused(request, reply, message), whole_request=True, transient=refusal.transient)
            for request in requests
        ]
    if reply.status is None:
        why = reply.problem
    elif reply.body is None or not _is_answer(reply.status):
        why = _unproven(reply.status, reply.body)
    elif acts and not _names_leads(reply) and not is_success(reply.status):
        why = f"LeadByte refused the request ({named(reply.status)}), which is no proof that nothing was done"
    else:
        return []
    about_no_lead = reply.status is None or reply.status in _GATEWAY
    message = joined(why, values.hide(words))
    return [
        replace(_answer(request, reply, Certainty.IN_DOUBT, message), transient=about_no_lead) for request in requests
    ]


def _says_gone(reply: Reply, words: str, request: LeadRequest, sentences: Sentences) -> bool:
    """Whether the one lead of a request that was refused as a whole is not in quarantine any more."""
    if not (reply.body and reply.body.is_leadbytes and _is_answer(reply.status)):
        return False
    if reply.body.names_leads or reply.status in ABOUT_US:
        return False
    return sentences.says_gone(words, of_one_lead=False, lead_id=request.lead_id)


def _unproven(status: int, body: ReplyBody | None) -> str:
    if is_redirect(status):
        return redirected(status)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < HTTPStatus.OK:
        return f"LeadByte failed ({named(status)}) and may have applied the request before"
    assert body is None  # noqa: S101 - an answer in JSON is judged by its words
    return f"what came back ({named(status)}) is not LeadByte's JSON"


def _judge_lead(  # noqa: PLR0913, PLR0917 - all that was said of a lead
    request: LeadRequest,
    reply: Reply,
    sentences: Sentences,
    values: Values,
    entries: Sequence[LeadEntry],
    releases: Sequence[str],
    *,
    is_complete: bool = True,
    names_lead: bool = True,
) -> Answer:
    """Judge a lead's update by its entries in `leads`, and its act by its release results or detail.

    Neither implies the other. `values` are those of the whole batch: a message about one lead may quote another.
    `is_complete`: each release result names one of the leads; any other may be about this one. `names_lead`: what is
    said of an act names its lead, as it does after a PUT.
    """
    lead_id, action, body = request.lead_id, request.action, reply.body
    flags = {entry.success for entry in entries}
    success = flags.pop() if len(flags) == 1 else None
    updated = success if request.update else None
    gone = success is not True and any(
        sentences.says_gone(text, of_one_lead=True, lead_id=lead_id)
        for entry in entries
        for text in (entry.message, entry.errors)
    )
    meanings = (
        {sentences.of_act(text, lead_id, action, names_lead=names_lead) for text in releases} if action else set()
    )
    message = values.hide(joined(*(entry.text() for entry in entries), *releases), lead_id)
    if meanings == {Said.TAKEN} or (success and not action):
        return _answer(request, reply, Certainty.ANSWERED, message, updated=updated, acted=True if action else None)
    if meanings == {Said.GONE} or (gone and not meanings):
        acted = _false_if(action)
        return _answer(request, reply, Certainty.ANSWERED, message, updated=updated, acted=acted, gone=True)
    if success is False and not meanings and (not action or (is_complete and reply.status == HTTPStatus.OK)):
        return _refused(request, reply, message or "LeadByte did not take the update and gave no reason")
    is_named = bool(entries or releases)
    why = _why_in_doubt(meanings, success=success, is_named=is_named)
    overall = values.hide(body.text(), lead_id) if body and not is_named else ""
    answer = _answer(request, reply, Certainty.IN_DOUBT, joined(why, message, overall), updated=updated)
    shape = shape_of(releases[0], lead_id)[:LONGEST_SHAPE] if releases else ""
    return replace(answer, opposite=Said.OPPOSITE in meanings, shape=shape)


def _why_in_doubt(meanings: AbstractSet[Said], *, success: bool | None, is_named: bool) -> str:
    if Said.OPPOSITE in meanings:
        return "LeadByte queued the opposite of what was asked: look at this lead in LeadByte"
    if meanings:
        return "LeadByte did not say plainly whether the act was taken"
    if success:
        return "LeadByte took the update, but did not say whether the act was taken"
    return "LeadByte did not say whether it was taken" if is_named else "LeadByte's answer does not name this lead"


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
    return Answer(
        request.lead_id,
        certainty,
        updated=updated,
        acted=acted,
        gone=gone,
        retry_at=reply.retry_at,
        http_status=reply.status,
        their_time=reply.their_time,
        is_late=reply.is_late,
        message=message if len(message) <= _LONGEST_MESSAGE else message[: _LONGEST_MESSAGE - 3] + "...",
    )


def _false_if(asked: object) -> bool | None:
    """False (not taken) for what was asked, None for what was not."""
    return False if asked else None


def _is_answer(status: int | None) -> bool:
    """Whether the words of the body are LeadByte's own: not those of a failure, or of another address."""
    return is_success(status) or (status is not None and HTTPStatus.BAD_REQUEST <= status < 500)  # noqa: PLR2004


def _names_leads(reply: Reply) -> bool:
    return bool(reply.body and reply.body.names_leads)
