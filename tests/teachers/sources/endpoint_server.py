"""A real HTTP server on 127.0.0.1 that answers rows as a model would, or as a test wants it to go wrong."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[
    [dict[str, Any]], Any
]  # a question -> an object to send as JSON, bytes to send as they are, or (status, headers)


class Asked:
    """What came in: questions, headers, times."""

    def __init__(self) -> None:
        self.questions: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.url = ""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """All rows that were sent."""
        return [row for question in self.questions for row in question["rows"]]


@contextmanager
def endpoint(answer: Answer) -> Iterator[Asked]:
    """Serve until the block ends."""
    asked = Asked()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.times.append(time.monotonic())
            asked.questions.append(question)
            asked.headers.append(dict(self.headers))
            said = answer(question)
            status, headers = said if isinstance(said, tuple) else (200, {})
            body = (
                b"busy" if isinstance(said, tuple) else said if isinstance(said, bytes) else json.dumps(said).encode()
            )
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    asked.url = f"http://127.0.0.1:{server.server_address[1]}/v1/rows"
    try:
        yield asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
