"""An OpenTelemetry receiver on a socket: OTLP over HTTP, as collectors listen for it."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.http_server import Handler, serving


class Receiver:
    """What has been sent so far, and where to send it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.raw: dict[str, list[bytes]] = defaultdict(list)

    def spans(self) -> list[Span]:
        """Every span, in the order of their ends."""
        requests = map(ExportTraceServiceRequest.FromString, self.raw["/v1/traces"])
        found = (span for each in requests for one in each.resource_spans for s in one.scope_spans for span in s.spans)
        return sorted(found, key=lambda span: span.end_time_unix_nano)

    def text(self) -> str:
        """Everything that was sent, as far as it can be read."""
        return b"\n".join(body for bodies in self.raw.values() for body in bodies).decode("utf-8", "replace")


@contextmanager
def otlp_receiver() -> Iterator[Receiver]:
    """Listen on a free port."""

    class Inbox(Handler):
        def respond(self) -> None:
            receiver.raw[self.path].append(self.read())
            self.answer(200)

    with serving(Inbox) as place:
        receiver = Receiver(f"http://{place}")
        yield receiver
