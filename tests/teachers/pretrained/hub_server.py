"""A real HTTP server on 127.0.0.1 that holds the files of one model at one commit, as a hub does, or as a test wants it to go wrong."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAME = "maker/tiny-model"
Change = Callable[[str, int, dict[str, str], bytes], tuple[int, dict[str, str], bytes]]


def as_it_is(path: str, status: int, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
    return status, headers, body


def git_name(data: bytes) -> str:
    """Name a content as git does."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextmanager
def hub(folder: Path, change: Change = as_it_is) -> Iterator[tuple[str, list[str]]]:
    """Serve until the block ends; yields the address and the paths that were asked for. Weights lie at another path, as with a hub."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            own, stored = f"/{NAME}/resolve/{COMMIT}/", "/stored/"
            name = self.path.removeprefix(own).removeprefix(stored)
            file = folder / name
            if not self.path.startswith((own, stored)) or not file.is_file():
                found = 404, {"X-Error-Code": "EntryNotFound"}, b"no such entry"
            elif self.path.startswith(own) and name == "model.safetensors":
                sha = hashlib.sha256(file.read_bytes()).hexdigest()
                headers = {"Location": f"{stored}{name}", "X-Linked-ETag": f'"{sha}"', "X-Repo-Commit": COMMIT}
                found = 302, headers, b""
            else:
                data = file.read_bytes()
                told = {"X-Repo-Commit": COMMIT, "ETag": f'"{git_name(data)}"'} if self.path.startswith(own) else {}
                found = 200, told, data
            status, headers, body = change(self.path, *found)
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(key, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
