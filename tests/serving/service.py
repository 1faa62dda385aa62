"""A service in a process of its own, asked over a socket as programs ask it."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


class Service:
    """Starts `python -m kd_core serve` on any free port; a context manager."""

    def __init__(self, model: Path | str, *options: str, **environment: str) -> None:
        self.command = [sys.executable, "-m", "kd_core", "serve", str(model), "--port", "0", *options]
        self.environment = {**os.environ, "PYTHONUNBUFFERED": "1", **environment}
        self.lines: list[str] = []

    def __enter__(self) -> Service:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        self.process = subprocess.Popen(self.command, cwd=ROOT, env=self.environment, **streams)
        for line in self.process.stdout:
            self.lines.append(line)
            if found := re.search(r"http://([^ ]+):(\d+) ", line):
                self.host, self.port = found[1], int(found[2])
                break
        else:
            raise AssertionError(f"the service did not start: {''.join(self.lines)}")
        self._reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(30)
        self._reader.join(10)
        self.process.stdout.close()

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, dict[str, str], Any]:
        """Return status, headers and what the body holds; a `body` that is no bytes is sent as JSON."""
        connection = self.connect()
        try:
            return exchange(connection, method, path, body, **headers)
        finally:
            connection.close()


def exchange(connection: http.client.HTTPConnection, method: str, path: str, body: Any = None, **headers: str):
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    if data is not None:
        given.setdefault("Content-Type", "application/json")
    connection.request(method, path, data, given)
    reply = connection.getresponse()
    text = reply.read().decode()
    told = {name.lower(): value for name, value in reply.getheaders()}
    return reply.status, told, json.loads(text) if told.get("content-type") == "application/json" else text
