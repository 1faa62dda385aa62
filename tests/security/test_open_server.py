"""Servers that others can reach: whatever starts them, nothing is given before someone has signed in."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import time

import pytest
from websockets.exceptions import InvalidStatus

from pages.ui.shared.text import t
from tests.e2e.conftest import browser  # noqa: F401
from tests.e2e.server import ROOT, START_SECONDS, Server, free_port
from tests.security.proxy import Proxy
from tests.security.session import ask, live, page_text, session_id

STARTS = {
    "uvicorn": ["-m", "uvicorn", "app:app", "--host", "0.0.0.0", "--port", "{port}"],
    "streamlit": [
        "-m",
        "streamlit",
        "run",
        "app.py",
        "--server.address=0.0.0.0",
        "--server.port={port}",
        "--server.headless=true",
    ],
}
PAGES = ("", "data", "distill", "runs", "compare", "soft-labels", "what-if", "compress", "status", "nowhere")


@contextlib.contextmanager
def started(way: str, tmp_path):
    port = free_port()
    env = {**os.environ, "KD_WORKSPACE": str(tmp_path / "workspace")}
    command = [sys.executable, *(part.format(port=port) for part in STARTS[way])]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and process.poll() is None:
            with contextlib.suppress(OSError):
                if ask(port, "/_stcore/health")[2] == b"ok":
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(30)


@pytest.mark.slow
@pytest.mark.parametrize("way", STARTS)
def test_a_server_open_to_others_shows_only_the_gate_and_takes_and_gives_no_file(way, tmp_path):
    with started(way, tmp_path) as port:
        for page in PAGES:
            with live(port) as connection:
                said = page_text(connection, page)
                assert t("common.gate.title") in said and t("common.gate.not_set_up") in said, page
                assert "file_uploader" not in said and "page_link" not in said, page
        with live(port, x_kd_visitor="local", x_forwarded_user="ann") as connection:
            said = page_text(connection, "data")
            assert t("common.gate.title") in said and "file_uploader" not in said
            token = re.search(r"_streamlit_xsrf=([^;]+)", ask(port, "/_stcore/health")[1]["set-cookie"])
            assert token is not None
            status, _, body = ask(
                port,
                f"/_stcore/upload_file/{session_id(said)}/file",
                "PUT",
                b"x" * 1000,
                Cookie=f"_streamlit_xsrf={token[1]}",
                X_Xsrftoken=token[1],
            )
            assert (status, body) == (403, b"Sign in first.")
        assert ask(port, "/media/x.png")[::2] == (403, b"Sign in first.")
        assert ask(port, "/_stcore/metrics")[0] == 403


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    """The app as the README starts it behind a proxy on the same machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KD_HOSTS", "kd.localhost")
        patch.setenv("KD_USER_HEADER", "X-Forwarded-User")
        server = Server(tmp_path_factory.mktemp("proxied") / "workspace")
        server.start()
        yield server
        server.stop()


@pytest.mark.slow
def test_behind_a_proxy_a_host_must_be_named_and_a_person_must_have_signed_in(proxied):
    with Proxy(proxied.port) as anonymous, Proxy(proxied.port, {"X-Forwarded-User": "ann"}) as known:
        place = f"kd.localhost:{known.port}"
        with live(known.port, place) as connection:
            assert "file_uploader" in page_text(connection, "data")
        with live(anonymous.port, f"kd.localhost:{anonymous.port}") as connection:
            said = page_text(connection, "data")
            assert t("common.gate.title") in said and "file_uploader" not in said
        with pytest.raises(InvalidStatus, match="403"), live(known.port, f"other.example:{known.port}"):
            pass
        assert ask(known.port, "/media/x.png", Host=place)[0] == 404
        assert ask(anonymous.port, "/media/x.png", Host=place)[::2] == (403, b"Sign in first.")
        status, _, body = ask(known.port, "/", Host="other.example")
        assert status == 403 and b"KD_HOSTS" in body


@pytest.mark.slow
@pytest.mark.e2e
def test_behind_a_proxy_the_app_works(proxied, browser):  # noqa: F811
    with Proxy(proxied.port, {"X-Forwarded-User": "ann"}) as known:
        page = browser.new_page()
        page.goto(f"http://kd.localhost:{known.port}/data")
        file = {"name": "t.csv", "mimeType": "text/csv", "buffer": b"a,b,y\n" + b"1,2,yes\n3,4,no\n" * 40}
        page.locator("input[type=file]").set_input_files(file)
        page.get_by_role("button", name=t("data.use_data")).wait_for(timeout=60_000)
        page.get_by_text("t.csv").first.wait_for()
        page.goto(f"http://kd.localhost:{known.port}/data")
        page.get_by_role("button", name="Visits to purchase", exact=True).click()
        page.locator(".js-plotly-plot .main-svg").first.wait_for(timeout=60_000)
        page.close()
