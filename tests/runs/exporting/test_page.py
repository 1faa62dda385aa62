"""Students of every kind as pages: proved in a browser without a network, and refused where they can't be."""

from __future__ import annotations

import re

import pytest

from kd_core.errors import SpecError
from kd_core.export.targets import browser
from kd_core.export.web import chromium, plan, runtime
from kd_core.runs.exporting.exporting import export, hand_out
from kd_core.runs.exporting.taking import take
from tests.runs.exporting.kinds import KINDS, carried_out

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    if chromium.found() is None or not runtime.is_here():
        pytest.skip("no Chromium, or no runtime: run `make web`")
    done = {}

    def of(kind):
        if kind not in done:
            done[kind] = carried_out(kind, tmp_path_factory.mktemp(kind))
        return done[kind]

    return of


@pytest.mark.parametrize("kind", KINDS)
def test_every_student_answers_in_the_page_as_in_the_app(made, kind):
    folder, names = made(kind)
    for name in names:
        proved = export(folder.path, "browser", student=name)
        assert proved.path.suffix == ".html" and proved.parity is not None
        assert proved.parity.rows > 20 and proved.parity.largest <= 1e-5


def test_the_page_allows_no_connection_and_no_other_script(made):
    folder, names = made("table")
    text = export(folder.path, "browser", student=names[0]).path.read_text("utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]+)"', text)
    assert "default-src 'none'" in policy and "connect-src" not in policy and "unsafe-inline" not in policy
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    assert browser._hash(script) in policy and browser._hash(style) in policy
    assert not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", text)
    assert re.search(r"<title>[^<]+</title>", text) and "<!--" not in text.split("</head>")[0]


def test_reasons_are_told_where_no_page_can_be_proved(made, monkeypatch, tmp_path):
    folder, names = made("table")
    taking = take(folder.path, names[0])
    monkeypatch.setattr(runtime, "place", lambda: tmp_path)
    with pytest.raises(SpecError) as told:
        hand_out(taking, "browser")
    assert told.value.code == "export_unsuited" and "make web" in told.value.message
    monkeypatch.undo()
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(chromium, "NAMES", ("chromium", "google-chrome"))
    with pytest.raises(SpecError, match="no Chromium or Chrome"):
        hand_out(taking, "browser")


def test_a_view_that_no_script_reads_is_refused(made, monkeypatch):
    folder, names = made("english")
    taking = take(folder.path, names[0])
    assert plan.kind_of(taking.taken) == "tokens"
    monkeypatch.setattr(browser, "READ", ("ngrams",))
    with pytest.raises(SpecError, match="rows are read as tokens, which no script of a page does"):
        hand_out(taking, "browser")
