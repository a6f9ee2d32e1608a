"""When LeadByte takes nothing: notice it, stop sending, and ask with one small request at a time until it answers."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from leadgate.clock import Clock
from leadgate.errors import LeadByteUnavailable
from leadgate.leadbyte import LeadByteClient
from leadgate.model import Answer, Certainty
from leadgate.stopping import Stop

PATIENCE = timedelta(seconds=15)
"""How long a run that does not watch waits for LeadByte before it leaves the rest to the next."""
_OPENS_AFTER = 3
_FIRST_PAUSE = timedelta(seconds=1)
_LONGEST_PAUSE = timedelta(seconds=30)
_NO_ANSWER_FROM = 500


class Breaker:
    """Counts requests in a row that LeadByte did not take or not answer, and breaks the run off after some."""

    def __init__(self, base_url: str, in_flight: int) -> None:
        self._base_url = base_url
        # As many as are under way at once may fail of one cause, such as a single 429.
        self._limit = in_flight + _OPENS_AFTER
        self._unanswered = 0
        self.has_answered = False
        """Whether LeadByte has answered any request of this run."""
        self._why: str | None = None
        self.outage: str | None = None
        """Why LeadByte took or answered no request of this run at all; None where it did, or was asked nothing."""

    def note(self, answers: Sequence[Answer]) -> None:
        """Count one request's answers; one that was not sent since it was too late says nothing of LeadByte."""
        if any(answer.is_late for answer in answers):
            return
        if not all(map(_is_unanswered, answers)):
            self.close()
            return
        self._unanswered += 1
        msg = (
            f"LeadByte at {self._base_url} is not accepting requests right now ({answers[0].message}). "
            "Every lead that was not sent stays ready: the next run goes on with it."
        )
        if not self.has_answered:
            self.outage = msg
        if self._unanswered >= self._limit:
            self._why = msg

    def check(self) -> None:
        """Raise LeadByteUnavailable once it was one failure too many."""
        if self._why:
            raise LeadByteUnavailable(self._why)

    def close(self) -> None:
        """Begin to count anew: LeadByte answers."""
        self._unanswered, self.has_answered, self._why, self.outage = 0, True, None, None


async def wait_for_leadbyte(client: LeadByteClient, *, until: datetime, clock: Clock, stop: Stop) -> bool:
    """Ask with an empty request, after pauses that double up to 30 s, until LeadByte answers; False if it never does.

    An outage of a minute costs six such requests. Raises KeyRefused.
    """
    pause = _FIRST_PAUSE
    while not stop and clock() < until:
        come_back_at = client.paused_until
        wait = max(pause, come_back_at - clock()) if come_back_at else pause
        await stop.sleep(min(wait, until - clock()))
        if stop:
            break
        try:
            await client.check()
        except LeadByteUnavailable:
            pause = min(2 * pause, _LONGEST_PAUSE)
        else:
            return True
    return False


def _is_unanswered(answer: Answer) -> bool:
    lost = answer.http_status is None or answer.http_status >= _NO_ANSWER_FROM
    return answer.transient or (answer.certainty is Certainty.IN_DOUBT and lost)
