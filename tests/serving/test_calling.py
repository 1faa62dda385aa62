"""A running service asked by its own kind: the run's own answer comes back; who predicts something else is never sent the row."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pandas as pd
import pytest

import kd_core
from kd_core import limits
from kd_core.data.types.base import ColumnType
from kd_core.errors import KDError, SpecError
from kd_core.serving import calling
from kd_core.serving.openapi import document
from kd_core.serving.served import open_served
from tests.runs.exporting.kinds import carried_out
from tests.serving.service import Service

TOKEN = "a-token-of-32-characters-or-more"


@contextmanager
def impostor(*replies):
    """Serve what it is told, one reply (status, object or bytes, headers) after another, and note what it is asked."""
    asked, left = [], list(replies)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            asked.append((self.command, self.path, json.loads(body) if body else None, self.headers["Authorization"]))
            status, said, headers = left.pop(0)
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(data)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        do_POST = do_GET

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def told_by(url, served, monkeypatch, row=None, token_env=None):
    """Ask an address that is allowed."""
    monkeypatch.setenv("KD_ENDPOINTS", url)
    return calling.ask(url, row or dict(served.examples[0]), served.types, served.purpose, token_env)


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_service_answers_as_the_run_does(run_of, task, monkeypatch):
    folder, rows = run_of(task)
    model, served = kd_core.load(folder), open_served(str(folder))
    row = {**rows.iloc[3].to_dict(), "b": float("nan")}
    with Service(folder) as service:
        url = f"http://127.0.0.1:{service.port}"
        monkeypatch.setenv("KD_ENDPOINTS", f"https://elsewhere.example, {url}/")
        assert calling.services() == {"elsewhere.example": "https://elsewhere.example", url[7:]: url}
        said = calling.ask(url, {**row, "target": "is never sent"}, served.types, served.purpose)
        bad = {**row, "kind": "x" * limits.SERVE_BODY_BYTES}
        with pytest.raises(KDError) as large:
            calling.ask(url, bad, served.types, served.purpose)
        with pytest.raises(KDError, match=r"Row 1: 1 column is missing: kind") as missing:
            calling.ask(url, {"a": 1.0, "b": 2.0}, served.types, served.purpose)
    wanted = model.answer({**row, "b": None})
    if task == "binary":
        assert said.answer == wanted["target"]
        assert said.shares == pytest.approx({name: wanted[f"p_{name}"] for name in model.purpose.classes}, abs=1e-6)
    else:
        assert said.answer == pytest.approx(wanted["target"], abs=1e-5) and said.shares == {}
    assert said.seconds > 0 and not any("target" in note for note in said.said)
    assert large.value.code == missing.value.code == "service_refused"
    assert "more than 8,388,608 bytes" in large.value.message and large.value.hint.startswith("Send fewer rows")


@pytest.mark.slow
@pytest.mark.filterwarnings("default::DeprecationWarning")
@pytest.mark.parametrize("kind", ["table", "fusion", "pictures"])
def test_kept_rows_of_every_form_are_sent(kind, tmp_path, monkeypatch):
    """Numbers, labels, times, sentences and pictures, as the run kept them."""
    folder, (name, *_) = carried_out(kind, tmp_path)
    model, served = kd_core.load(folder.path, name), open_served(str(folder.path), name)
    rows = pd.read_parquet(folder.artifact("rows.parquet"))[list(served.types)]
    with Service(folder.path, "--student", name) as service:
        for row in (rows.iloc[0].to_dict(), rows.iloc[1].to_dict(), dict.fromkeys(served.types)):
            said = told_by(f"http://127.0.0.1:{service.port}", served, monkeypatch, row)
            (wanted,), notes = model.ask([row])
            assert list(said.shares.values()) == pytest.approx(wanted.tolist(), abs=1e-5) and said.said == notes


@pytest.mark.slow
def test_a_token_is_sent_where_it_is_named(served, run_of, monkeypatch):
    monkeypatch.setenv("KD_TOKEN_HERE", TOKEN)
    with Service(run_of("binary")[0], KD_SERVE_TOKEN=TOKEN) as service:
        url = f"http://127.0.0.1:{service.port}"
        with pytest.raises(KDError, match="The token is missing or wrong") as raised:
            told_by(url, served, monkeypatch)
        assert "Authorization: Bearer" in raised.value.hint
        assert told_by(url, served, monkeypatch, token_env="KD_TOKEN_HERE").answer in ("yes", "no")


@pytest.mark.slow
def test_who_predicts_something_else_is_not_sent_the_row(served, run_of, monkeypatch):
    others = [document(open_served(str(run_of(task)[0]))) for task in ("multiclass", "regression")]
    renamed = document(served)
    renamed["info"]["x-predicts"]["target"] = "another"
    for other, said in zip([*others, renamed], ["low, mid, top", "a number", "'another'"], strict=True):
        with impostor((200, other, {})) as (url, asked):
            with pytest.raises(KDError, match="this run predicts 'target'") as raised:
                told_by(url, served, monkeypatch)
            assert raised.value.code == "service_other" and said in raised.value.message
            assert [one[:2] for one in asked] == [("GET", "/openapi.json")]


def test_only_columns_that_the_service_reads_are_sent(served, monkeypatch):
    answer = {"answer": "no", "probabilities": {"no": 0.75, "yes": 0.25}, "notes": ["one\u202enote"]}
    with impostor((200, document(served), {}), (200, answer, {})) as (url, asked):
        row = {"a": 0.5, "b": None, "kind": "red", "secret": "x"}
        said = told_by(url, served, monkeypatch, row)
    assert asked[1] == ("POST", "/predict", {"row": {"a": 0.5, "b": None, "kind": "red"}}, None)
    assert (said.answer, said.shares, said.said) == ("no", {"no": 0.75, "yes": 0.25}, ("one note",))


GOOD = {"answer": "no", "probabilities": {"no": 0.75, "yes": 0.25}, "notes": []}
ODD = [
    [],
    {},
    {**GOOD, "answer": "maybe"},
    {**GOOD, "notes": None},
    {**GOOD, "probabilities": {"no": 1.0}},
    {**GOOD, "probabilities": {"no": 0.75, "yes": 0.25, "more": 0}},
    {**GOOD, "probabilities": {"no": "0.75", "yes": 0.25}},
    {**GOOD, "probabilities": {"no": 7.5, "yes": 0.25}},
    {**GOOD, "probabilities": {"no": True, "yes": False}},
]


@pytest.mark.parametrize("answer", ODD, ids=str)
def test_an_odd_answer_is_not_shown(served, monkeypatch, answer):
    with impostor((200, document(served), {}), (200, answer, {})) as (url, _), pytest.raises(KDError) as raised:
        told_by(url, served, monkeypatch)
    assert raised.value.code == "service_unread"


BUSY = {"error": {"code": "busy", "message": "65 requests {wait}.", "hint": "Send it again."}}
REFUSALS = [
    ((503, BUSY, {}), "service_refused", "says: 65 requests {wait}. Send it again."),
    ((503, b"busy", {}), "service_silent", "did not answer (503"),
    ((404, b"<html>", {}), "endpoint_refused", "404 <html>"),
    ((302, b"", {"Location": "http://169.254.169.254/"}), "endpoint_moved", "which is not followed"),
    ((200, {"openapi": "3.1.0", "info": {}}, {}), "service_none", "does not say what it predicts"),
    ((200, b"<html>", {}), "endpoint_no_json", "is no JSON"),
    ((200, b" " * (calling.MOST_BYTES + 1), {}), "endpoint_large", "is larger than"),
]


@pytest.mark.parametrize("reply, code, said", REFUSALS, ids=[code for _, code, _ in REFUSALS])
def test_what_goes_wrong_is_told(served, monkeypatch, reply, code, said):
    with impostor(reply) as (url, asked), pytest.raises(KDError) as raised:
        told_by(url, served, monkeypatch)
    assert raised.value.code == code and said in str(raised.value) and len(asked) == 1


def test_nobody_is_asked_at_an_address_that_is_not_allowed(served, monkeypatch):
    with impostor() as (url, asked):
        monkeypatch.setenv("KD_ENDPOINTS", url)
        with pytest.raises(SpecError) as raised:
            calling.ask(url.replace("127.0.0.1", "localhost"), {}, served.types, served.purpose)
        monkeypatch.delenv("KD_ENDPOINTS")
        assert calling.services() == {}
        with pytest.raises(SpecError, match="not among the addresses"):
            calling.ask(url, {}, served.types, served.purpose)
    assert raised.value.code == "endpoint_not_allowed" and asked == []
    with pytest.raises(KDError, match="did not answer") as gone:
        told_by(url, served, monkeypatch)
    assert gone.value.code == "service_silent"


def test_the_same_host_by_two_schemes_is_two_services(monkeypatch):
    monkeypatch.setenv("KD_ENDPOINTS", "https://a.example,http://a.example,http://[::1]:8900")
    assert list(calling.services()) == ["a.example", "http://a.example", "[::1]:8900"]


def test_cells_are_written_as_the_service_reads_them():
    types = {"when": ColumnType("datetime", date_format="%d.%m.%Y")}
    row = {
        "picture": b"\x89PNG",
        "when": pd.Timestamp(datetime(2024, 2, 29)),
        "gone": float("nan"),
        "no": None,
        "n": np.float32(0.5),
        "i": np.int64(3),
        "b": np.bool_(True),
        "far": float("inf"),
        "t": "ü",
    }
    assert calling.cells(row, types) == {
        "picture": base64.b64encode(b"\x89PNG").decode(),
        "when": "29.02.2024",
        "gone": None,
        "no": None,
        "n": 0.5,
        "i": 3,
        "b": True,
        "far": "inf",
        "t": "ü",
    }
