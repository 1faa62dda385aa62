"""ONNX Runtime for browsers is fetched once, checked, and never used when it is another one."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from kd_core.errors import KDError
from kd_core.export.web import runtime


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(runtime.platformdirs, "user_cache_dir", lambda *a, **k: str(tmp_path / "kd-workbench"))
    return runtime.place()


ASKED: list[str] = []


class Registry(BaseHTTPRequestHandler):
    def do_GET(self):
        ASKED.append(self.path)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"another package")

    def log_message(self, *said):
        pass


@pytest.fixture
def registry(monkeypatch):
    server = HTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{server.server_port}/npm/")
    yield server
    server.shutdown()
    server.server_close()


def test_what_has_another_hash_is_not_kept(cache, registry):
    with pytest.raises(KDError) as told:
        runtime.fetch()
    assert told.value.code == "web_runtime_other" and "hash" in told.value.message
    assert [f"/npm/onnxruntime-web/-/onnxruntime-web-{runtime.VERSION}.tgz"] == ASKED
    assert not runtime.is_here() and not list(cache.glob("*"))


@pytest.mark.parametrize("address", ["http://127.0.0.1:9", "file:///etc"])
def test_a_registry_that_gives_nothing_is_named(cache, monkeypatch, address):
    monkeypatch.setenv("npm_config_registry", address)
    with pytest.raises(KDError) as told:
        runtime.fetch()
    assert told.value.code == "web_runtime_not_fetched" and address in told.value.message
    assert "npm_config_registry" in told.value.hint


def test_without_it_the_next_step_is_told(cache):
    with pytest.raises(KDError) as told:
        runtime.kept()
    assert told.value.code == "no_web_runtime" and "make web" in told.value.hint


def test_a_damaged_one_is_refused(cache):
    cache.mkdir(parents=True)
    for name in runtime._SHA256:
        (cache / f"{name}.gz").write_bytes(b"\x1f\x8bnothing")
    assert runtime.is_here()
    with pytest.raises(KDError) as told:
        runtime.kept()
    assert told.value.code == "web_runtime_damaged" and str(cache) in told.value.message
