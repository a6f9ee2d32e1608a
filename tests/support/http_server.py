"""Small servers on a free port, for as long as a test wants to be asked."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


class Handler(BaseHTTPRequestHandler):
    """What such servers share; `respond` to a request, whose method is `command`, is a test's own."""

    protocol_version = "HTTP/1.1"

    def respond(self) -> None:
        """Answer one request."""
        raise NotImplementedError

    def _respond(self) -> None:
        self.respond()

    do_GET = do_POST = do_PUT = do_CONNECT = _respond  # noqa: N815 - the names that are looked for

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def read(self) -> bytes:
        """The body of the request."""
        return self.rfile.read(int(self.headers["Content-Length"]))

    def read_json(self) -> dict[str, Any]:
        """The same, as the JSON object that it is."""
        found: dict[str, Any] = json.loads(self.read())
        return found

    def answer(self, status: int, content: bytes = b"") -> None:
        """Answer with bytes."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def answer_json(self, status: int, body: Mapping[str, Any]) -> None:
        """Answer with a JSON object."""
        self.answer(status, json.dumps(body).encode())


@contextmanager
def serving(handler: type[Handler]) -> Iterator[str]:
    """Give host and port of a server that lasts while the body runs."""
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
