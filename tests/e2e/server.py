"""A real app server in a process of its own, for browser tests."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60


def free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """Starts the app with the README's command, on a free port and a workspace of its own."""

    def __init__(self, workspace: Path, more: dict[str, str] | None = None) -> None:
        self.workspace, self.port, self.more = workspace, free_port(), more or {}
        self.process: subprocess.Popen[bytes] | None = None
        self.log = workspace.parent / "server.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        self.workspace.mkdir(parents=True, exist_ok=True)
        env = {
            **os.environ,
            "KD_WORKSPACE": str(self.workspace),
            "KD_PORT": str(self.port),
            "PYTHONUNBUFFERED": "1",
        } | self.more
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pages.serve"], cwd=ROOT, env=env, stdout=log, stderr=log
            )
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"the server ended with {self.process.returncode}:\n{self.log.read_text()}")
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer,
            ):
                if answer.read() == b"ok":
                    return
            time.sleep(0.1)
        raise RuntimeError(f"no answer in {START_SECONDS} s:\n{self.log.read_text()}")

    def kill(self) -> None:
        """Kill the server the hard way; its worker notices by itself."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
