"""A page is asked in a browser without a network, and what goes wrong in it is told."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kd_core.export.web import chromium

pytestmark = pytest.mark.usefixtures("_browser")


def page(place, script):
    path = place / "page.html"
    path.write_text(f"<!doctype html><script>{script}</script>", "utf-8")
    return path


def asked(place, script, rows):
    path = place / "rows.json"
    path.write_text(json.dumps(rows), "utf-8")
    command = [sys.executable, "-I", "-B", chromium.__file__, str(page(place, script)), str(path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)


@pytest.mark.slow
def test_rows_are_answered_in_order_and_pictures_become_bytes(tmp_path):
    (tmp_path / "0_1.png").write_bytes(b"abc")
    rows = [{"a": str(i), "p": "0_1.png" if i == 0 else None} for i in range(70)]
    script = "window.kd = {opened: Promise.resolve(), answer: async rows => rows.map(r => [Number(r.a), r.p ? atob(r.p.base64).length : 0])}"
    done = asked(tmp_path, script, rows)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["answers"] == [[i, 3 if i == 0 else 0] for i in range(70)]


@pytest.mark.slow
@pytest.mark.parametrize(
    "where",
    [
        "opened: Promise.reject(new Error('not here')), answer: 0",
        "opened: 1, answer: () => { throw new Error('not here') }",
    ],
)
def test_an_error_of_the_page_is_told(tmp_path, where):
    done = asked(tmp_path, f"window.kd = {{{where}}}", [{"a": 1}])
    assert done.returncode == 1 and "not here" in done.stderr and not done.stdout


@pytest.mark.slow
def test_nothing_can_be_fetched(tmp_path):
    heard = []

    class Near(BaseHTTPRequestHandler):
        def do_GET(self):
            heard.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *said):
            pass

    server = HTTPServer(("127.0.0.1", 0), Near)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    fetched = f"fetch('{address}', {{mode: 'no-cors'}}).then(() => [[1]], () => [[0]])"
    done = asked(tmp_path, f"window.kd = {{opened: 1, answer: () => {fetched}}}", [{}])
    server.shutdown()
    server.server_close()
    assert json.loads(done.stdout)["answers"] == [[0]] and heard == []
