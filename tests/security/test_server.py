"""The real server: headers, foreign hosts, and the gate before every page of a cold process."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pages import serve
from pages.ui.shared import headers
from pages.ui.shared.text import t
from tests.e2e.conftest import browser  # noqa: F401
from tests.e2e.server import ROOT, Server, free_port
from tests.security.session import ask

DEEP_LINKS = (
    "/data",
    "/distill",
    "/runs?run=20260101-0000-abcd",
    "/compare",
    "/soft-labels",
    "/status",
    "/start",
    "/nowhere",
)


@pytest.fixture(scope="module")
def running(tmp_path_factory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server") / "workspace")
    server.start()
    yield server
    server.stop()


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", ["/", "/data", "/_stcore/health", "/static/index.html", "/nowhere.png", "/media/none.png"]
)
def test_every_answer_carries_the_headers(running, path):
    _, found, _ = ask(running.port, path)
    for name, value in headers.HEADERS:
        assert found[name.decode()] == value.decode()
    policy = found["content-security-policy"]
    assert "frame-ancestors 'none'" in policy and "img-src 'self' data: blob:" in policy and "http" not in policy


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "status"),
    [
        ({}, 101),
        ({"Host": "evil.example"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:3000"}, 403),
        ({"Origin": "http://localhost"}, 403),
        ({"Host": "localhost"}, 101),
    ],
)
def test_the_live_connection_refuses_foreign_hosts_and_origins(running, given, status):
    upgrade = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Origin": f"http://127.0.0.1:{running.port}",
    }
    if given.get("Host") == "localhost":
        upgrade["Origin"] = "http://localhost"
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as raw:
        lines = {"Host": f"127.0.0.1:{running.port}", **upgrade, **given}
        head = "".join(f"{k}: {v}\r\n" for k, v in lines.items())
        raw.sendall(f"GET /_stcore/stream HTTP/1.1\r\n{head}\r\n".encode())
        assert int(raw.recv(64).split()[1]) == status


@pytest.mark.slow
def test_an_upload_without_the_token_is_refused(running):
    status, _, _ = ask(running.port, "/_stcore/upload_file/session/file", "PUT")
    assert status == 403


@pytest.mark.slow
@pytest.mark.parametrize("path", ["/", "/data", "/_stcore/health", "/media/none.png", "/static/index.html"])
def test_no_address_answers_under_a_foreign_name_or_to_another_page(running, path):
    assert ask(running.port, path)[0] in (200, 404)
    for given in ({"Host": "evil.example"}, {"Origin": "http://127.0.0.1:3000"}, {"Origin": "http://evil.example"}):
        assert ask(running.port, path, **given)[0] == 403, given


@pytest.mark.slow
def test_metrics_are_closed_and_no_server_is_asked_for_our_address(running):
    status, _, body = ask(running.port, "/_stcore/metrics")
    assert status == 403 and b"session" not in body
    assert "external IP" not in running.log.read_text()


@pytest.mark.slow
def test_what_a_person_made_is_not_kept_by_the_browser(running):
    assert ask(running.port, "/media/none.png")[1]["cache-control"] == "no-store"
    assert "no-store" not in ask(running.port, "/static/index.html")[1].get("cache-control", "")


@pytest.mark.slow
def test_the_agent_api_is_closed(running):
    status, _, body = ask(running.port, "/_stcore/agent/interact", "POST")
    assert status == 403 and b"not_available" in body


@pytest.mark.slow
def test_the_start_says_the_address_plainly_and_a_second_server_is_told_apart(running):
    text = running.log.read_text()
    assert f"http://127.0.0.1:{running.port}" in text and "Traceback" not in text
    second = Server(running.workspace)
    second.log = running.log.with_name("second.log")
    with pytest.raises(RuntimeError, match=r"can't start\. The workspace .* is in use by another server") as said:
        second.start()
    assert "Traceback" not in str(said.value)
    second.stop()


@pytest.mark.slow
@pytest.mark.e2e
def test_deep_links_on_a_cold_outward_server_show_only_the_gate(tmp_path, browser):  # noqa: F811
    port = free_port()
    env = {**os.environ, "KD_WORKSPACE": str(tmp_path / "workspace")}
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.address=0.0.0.0",
        f"--server.port={port}",
        "--server.headless=true",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                if ask(port, "/_stcore/health")[2] == b"ok":
                    break
            time.sleep(0.1)
        page = browser.new_page()
        for link in DEEP_LINKS:
            page.goto(f"http://127.0.0.1:{port}{link}")
            page.get_by_text(t("common.gate.title")).first.wait_for(timeout=60_000)
            assert page.get_by_test_id("stPageLink").count() == 0, link
            assert page.get_by_role("button").filter(has_text=re.compile("Start|Upload|Run")).count() == 0, link
        page.close()
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.e2e
def test_the_policy_lets_the_page_work_and_keeps_it_at_home(running, browser):  # noqa: F811
    asked, complaints = [], []
    page = browser.new_page()
    page.on("request", lambda r: asked.append(r.url))
    page.on("console", lambda m: complaints.append(m.text) if "Content Security Policy" in m.text else None)
    page.goto(f"{running.url}/data")
    page.get_by_role("button", name="Visits to purchase", exact=True).click()
    page.get_by_role("button", name=t("data.use_data")).wait_for(timeout=60_000)
    page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=60_000)
    away = [u for u in asked if not u.startswith((running.url, "data:", "blob:"))]
    page.close()
    assert not away and not complaints


@pytest.mark.slow
@pytest.mark.e2e
def test_a_file_over_the_limit_says_so_in_words_on_the_page(running, browser, tmp_path):  # noqa: F811
    big = tmp_path / "big.csv"
    with big.open("wb") as file:
        file.truncate(201 * 2**20)
    page = browser.new_page()
    page.goto(f"{running.url}/data")
    page.locator("input[type=file]").set_input_files(big)
    said = page.get_by_role("alert").filter(has_text="File must be 200.0MB or smaller.")
    said.wait_for(timeout=60_000)
    box = said.bounding_box()
    page.close()
    assert box is not None and box["width"] > 100 and box["height"] > 10  # one pixel is for screen readers only


def test_versions_below_a_floor_refuse_the_start_with_the_reason(monkeypatch):
    monkeypatch.setattr(serve.importlib.metadata, "version", lambda name: "2.6.0+cpu" if name == "torch" else "999")
    with pytest.raises(SystemExit, match=r"torch 2\.6\.0\+cpu is installed, 2\.10\.0 or newer.*CVE-2026-24747"):
        serve.require_versions()


def test_a_missing_package_is_named(monkeypatch):
    def version(name: str) -> str:
        if name == "defusedxml":
            raise serve.importlib.metadata.PackageNotFoundError(name)
        return "999"

    monkeypatch.setattr(serve.importlib.metadata, "version", version)
    with pytest.raises(SystemExit, match="defusedxml is not installed"):
        serve.require_versions()


def test_the_installed_versions_are_above_the_floors():
    assert serve.old_versions() == []


def test_the_next_free_port_is_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve.free_port(port) > port


def test_no_free_port_is_said(monkeypatch):
    class Busy(socket.socket):
        def bind(self, _):
            raise OSError("in use")

    monkeypatch.setattr(serve.socket, "socket", Busy)
    with pytest.raises(SystemExit, match="No free port between 8501 and 8550"):
        serve.free_port()


@pytest.mark.slow
def test_the_configuration_binds_to_this_machine_and_closes_what_is_not_needed():
    import tomllib

    config = tomllib.loads((Path(ROOT) / ".streamlit" / "config.toml").read_text("utf-8"))
    assert config["server"]["address"] == "127.0.0.1" and config["server"]["allowedHosts"] == ["localhost", "127.0.0.1"]
    assert config["server"]["enableAgentApi"] is False and config["browser"]["gatherUsageStats"] is False
    assert "enableXsrfProtection" not in config["server"] and "enableCORS" not in config["server"]
    assert config["client"]["showErrorDetails"] == "none"
    assert {"light", "dark"} <= set(config["theme"])
    assert "Noto Sans CJK SC" in config["theme"]["font"]
