"""Metrics for Prometheus and an answer for monitors, read from the ledger when they are asked for.

They are true for all workers, and after a restart. Reading goes through the whole ledger, so what was read is given
again for twenty times as long as reading it took: however large the ledger and however often somebody asks, it costs a
twentieth of the time at most.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import orjson
from prometheus_client import CollectorRegistry, make_wsgi_app, start_http_server
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from leadgate.config import PipelineConfig
from leadgate.errors import LeadgateError, LedgerError
from leadgate.health import read_health
from leadgate.ledger import Ledger
from leadgate.ledger.doubts import Doubts, read_doubts
from leadgate.ledger.report_counts import OUTCOMES, DecisionCount, Sent, read_decision_counts, read_sent
from leadgate.ledger.status import Status, read_status
from leadgate.model import Result
from leadgate.wiring.ledger import ledger_of

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

logger = logging.getLogger(__name__)

T = TypeVar("T")

LATENCIES = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Where one bar of request durations ends and the next begins, in seconds."""

_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_SHARE = 20


class PortTaken(LeadgateError):
    """The port for metrics cannot be listened on."""


class _Kept(Generic[T]):
    """Something that is read again when it is asked for after a while, by one thread at a time."""

    def __init__(self, read: Callable[[], T]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._found: T | None = None
        self._read_again_at = 0.0

    def get(self) -> T:
        with self._lock:
            began_at = time.monotonic()
            if self._found is None or began_at >= self._read_again_at:
                self._found = self._read()
                ended_at = time.monotonic()
                self._read_again_at = ended_at + _SHARE * (ended_at - began_at)
            return self._found


class LedgerCollector(Collector):
    """What Prometheus is told of one pipeline: counts, ages and names of rules."""

    def __init__(self, ledger: Ledger) -> None:
        self._pipeline = ledger.pipeline
        self._clock = ledger.now
        self._status = _Kept(lambda: read_status(ledger))
        self._decided = _Kept(lambda: read_decision_counts(ledger, _BEGINNING))
        self._sent = _Kept(lambda: read_sent(ledger, LATENCIES))
        self._doubts = _Kept(lambda: read_doubts(ledger))

    def collect(self) -> Iterator[Metric]:
        """Read the ledger, or say that it cannot be read."""
        up = GaugeMetricFamily("leadgate_ledger_up", "Whether the ledger could be read.", labels=["pipeline"])
        try:
            found = [*self._leads(self._status.get()), self._decisions(self._decided.get())]
            found += [*self._requests(self._sent.get()), *self._evidence(self._doubts.get())]
        except LedgerError:
            found = []
        up.add_metric([self._pipeline], float(bool(found)))
        yield up
        yield from found

    def _leads(self, status: Status) -> Iterator[Metric]:
        leads = GaugeMetricFamily("leadgate_leads", "Leads in the ledger, by state.", labels=["pipeline", "state"])
        for state, count in status.counts.items():
            leads.add_metric([self._pipeline, state.value], count)
        yield leads
        inferred = GaugeMetricFamily(
            "leadgate_inferred", "Settled leads of which no answer says that their act was taken.", labels=["pipeline"]
        )
        inferred.add_metric([self._pipeline], status.inferred)
        yield inferred
        ages = (
            ("leadgate_oldest_wait_seconds", "How long the oldest lead has waited.", status.oldest_waiting_since),
            ("leadgate_source_healthy_age_seconds", "Since the source was last found healthy.", status.healthy_at),
        )
        for name, text, since in ages:
            yield self._age(name, text, since)

    def _age(self, name: str, text: str, since: datetime | None) -> Metric:
        """A span up to now; without an instant there is none to tell."""
        metric = GaugeMetricFamily(name, text, labels=["pipeline"])
        if since is not None:
            metric.add_metric([self._pipeline], (self._clock() - since).total_seconds())
        return metric

    def _evidence(self, doubts: Doubts) -> Iterator[Metric]:
        yield self._age("leadgate_oldest_doubt_seconds", "How long the oldest act has been in doubt.", doubts.since)
        shown = doubts.control
        stays = (shown.at - shown.taken_at).total_seconds() if shown and shown.result is Result.TAKEN else 0.0
        for name, text, value in (
            ("leadgate_in_doubt", "Leads whose act may have been taken.", doubts.brake.in_doubt),
            ("leadgate_acts_in_vain", "Acts in a row that went alone and are in doubt.", doubts.brake.in_vain),
            ("leadgate_control_stays_seconds", "How long after it was queued the last control was updated.", stays),
        ):
            metric = GaugeMetricFamily(name, text, labels=["pipeline"])
            metric.add_metric([self._pipeline], value)
            yield metric

    def _decisions(self, decided: Sequence[DecisionCount]) -> Metric:
        labels = ["pipeline", "verdict", "rule"]
        metric = CounterMetricFamily("leadgate_decisions", "Decisions, by verdict and rule.", labels=labels)
        counts: Counter[tuple[str, str]] = Counter()
        for each in (each for each in decided if not each.observed):
            rule = "(person)" if each.by_person else each.rule or "(otherwise)"
            counts[each.verdict, rule] += each.decisions
        for (verdict, rule), count in sorted(counts.items()):
            metric.add_metric([self._pipeline, verdict, rule], count)
        return metric

    def _requests(self, sent: Sequence[Sent]) -> list[Metric]:
        labels = ["pipeline", "kind"]
        requests = CounterMetricFamily(
            "leadgate_requests", "Requests to LeadByte, by HTTP status class.", labels=[*labels, "status"]
        )
        answers = CounterMetricFamily(
            "leadgate_answers", "Leads in those requests, by what the answer proved.", labels=[*labels, "outcome"]
        )
        lasted = HistogramMetricFamily(
            "leadgate_request_seconds", "From intent to recorded answer, the wait for a turn too.", labels=labels
        )
        by_status: Counter[tuple[str, str]] = Counter()
        by_outcome: Counter[tuple[str, str]] = Counter()
        for each in sent:
            by_status[each.kind, f"{each.status}xx" if each.status else "none"] += each.requests
            by_outcome.update({(each.kind, outcome): each.leads[outcome] for outcome in OUTCOMES})
        for (kind, status), count in sorted(by_status.items()):
            requests.add_metric([self._pipeline, kind, status], count)
        for (kind, outcome), count in sorted(by_outcome.items()):
            answers.add_metric([self._pipeline, kind, outcome], count)
        for kind in sorted({each.kind for each in sent}):
            mine = [each for each in sent if each.kind == kind]
            heights = [sum(each.requests for each in mine if each.bar == bar) for bar in range(len(LATENCIES) + 1)]
            limits = [*map(str, LATENCIES), "+Inf"]
            buckets = list(zip(limits, map(float, accumulate(heights)), strict=True))
            lasted.add_metric([self._pipeline, kind], buckets, sum(each.seconds for each in mine))
        return [requests, answers, lasted]


EVERYWHERE = "0.0.0.0"  # noqa: S104 - Prometheus asks from elsewhere; another address can be named


@contextmanager
def serve_metrics(path: Path, port: int, host: str = EVERYWHERE) -> Iterator[None]:
    """Answer Prometheus, and at /health monitors, on a port of an address, from the ledger of a pipeline file.

    Raises PortTaken where the port cannot be listened on.
    """
    with ledger_of(path) as (config, ledger):
        registry = CollectorRegistry()
        registry.register(LedgerCollector(ledger))
        try:
            server, thread = start_http_server(port, host, registry=registry)
        except OSError as error:
            of = "" if host == EVERYWHERE else f" of {host}"
            raise PortTaken(
                f"metrics port {port}{of}: cannot be listened on ({error.strerror}): name a free one"
            ) from None
        server.set_app(_with_health(make_wsgi_app(registry), ledger, config))
        logger.info("event=metrics_served pipeline=%s port=%d", config.pipeline, port)
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _with_health(metrics: "WSGIApplication", ledger: Ledger, config: PipelineConfig) -> "WSGIApplication":
    """Answer /health with 200 or 503 and the reasons as JSON; every other path as before."""
    kept = _Kept(lambda: read_health(ledger, config))

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") != "/health":
            return metrics(environ, start_response)
        try:
            reasons = list(kept.get().reasons)
        except LedgerError:
            reasons = ["The ledger cannot be read."]
        status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
        start_response(f"{status.value} {status.phrase}", [("Content-Type", "application/json")])
        return [orjson.dumps({"pipeline": config.pipeline, "healthy": not reasons, "reasons": reasons})]

    return answer
