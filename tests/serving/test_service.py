"""A served student under real requests: many at once, malformed ones, too large ones, and those who may not ask."""

from __future__ import annotations

import base64
import json
import signal
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from typer.testing import CliRunner

import kd_core
from kd_core import limits
from kd_core.cli.app import app
from tests.serving.service import Service, exchange

pytestmark = pytest.mark.slow
CLIENTS, REQUESTS = 8, 1_000
TOKEN = "a-token-of-32-characters-or-more"
ROW = {"a": 0.5, "b": 2.0, "kind": "red"}


@pytest.fixture(scope="module")
def service(run_of):
    with Service(run_of("binary")[0]) as found:
        yield found
    said = "".join(found.lines)
    assert "Traceback" not in said and "error" not in said.lower(), said


def test_a_thousand_requests_of_eight_clients_are_answered_as_the_run_answers(service, run_of):
    """Single rows and batches in turn; every answer belongs to its own row, in the order in which the rows were sent."""
    folder, rows = run_of("binary")
    records = rows.to_dict("records")
    known = kd_core.load(folder)
    wanted = [known.answer(row) for row in records]

    def client(number):
        connection, wrong = service.connect(), []
        for turn in range(number, REQUESTS, CLIENTS):
            at = [(turn * 7 + i) % len(records) for i in range(1 + turn % 5)]
            alone = len(at) == 1
            body = {"row": records[at[0]]} if alone else {"rows": [records[i] for i in at]}
            status, _, told = exchange(connection, "POST", "/predict", body)
            answers = [told] if alone else told.get("answers", [])
            got = [(one["answer"], one["probabilities"]) for one in answers]
            same = [
                word == wanted[i]["target"]
                and all(abs(p - wanted[i][f"p_{name}"]) < 1e-6 for name, p in shares.items())
                for i, (word, shares) in zip(at, got, strict=False)
            ]
            if status != 200 or len(got) != len(at) or not all(same):
                wrong.append((status, told))
        connection.close()
        return wrong

    with ThreadPoolExecutor(CLIENTS) as pool:
        assert [one for wrong in pool.map(client, range(CLIENTS)) for one in wrong] == []


MALFORMED = {
    "no JSON": (b"{", 400, "bad_json", "line 1, column 2"),
    "no UTF-8": (b'{"row": "\xff"}', 400, "bad_json", "no UTF-8"),
    "NaN": (b'{"row": {"a": NaN}}', 400, "bad_json", "NaN is no JSON"),
    "nested": (b'{"rows":' + b"[" * 100_000, 400, "bad_json", "nested too deeply"),
    "empty": (b"", 400, "bad_json", "line 1, column 1"),
    "a list": ([ROW], 422, "bad_request", "a list, not an object"),
    "nothing": ({}, 422, "bad_request", "neither 'row' nor 'rows'"),
    "both": ({"row": ROW, "rows": [ROW]}, 422, "bad_request", "both"),
    "unknown": ({"row": ROW, "model": "x"}, 422, "bad_request", "'model'"),
    "rows no list": ({"rows": ROW}, 422, "bad_request", "an object, not a list"),
    "a number as a row": ({"rows": [ROW, 3]}, 422, "bad_request", "Row 2 is a number"),
    "a column missing": ({"rows": [ROW, {"a": 1, "b": 2}]}, 422, "columns_missing", "Row 2: 1 column is missing: kind"),
    "a short list": ({"rows": [[1, 2]]}, 422, "row_width", "Row 1 has 2 values"),
    "a list in a cell": ({"row": {**ROW, "kind": ["red"]}}, 422, "cell_of_many", "Row 1 holds a list under 'kind'"),
    "an object in a cell": ({"row": {**ROW, "a": {}}}, 422, "cell_of_many", "under 'a'"),
    "too many rows": ({"rows": [ROW] * (limits.SERVE_ROWS + 1)}, 413, "too_many_rows", "1,001 rows"),
    "too large": (b" " * (limits.SERVE_BODY_BYTES + 1), 413, "too_large", "more than 8,388,608 bytes"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_request_is_refused_with_what_is_wrong_and_where(service, case):
    body, status, code, said = MALFORMED[case]
    found, headers, told = service.ask("POST", "/predict", body)
    assert (found, told["error"]["code"]) == (status, code)
    assert said in told["error"]["message"] and told["error"]["hint"]
    assert "Traceback" not in str(told) and headers["x-content-type-options"] == "nosniff"


def test_a_request_in_pieces_is_held_to_the_same_limit(service):
    pieces = (b" " * 2**20 for _ in range(limits.SERVE_BODY_BYTES // 2**20 + 2))
    connection = service.connect()
    connection.request("POST", "/predict", pieces, {"Content-Type": "application/json"}, encode_chunked=True)
    assert connection.getresponse().status == 413
    connection.close()


def test_what_could_not_be_read_is_told_beside_the_answer(service):
    status, _, told = service.ask("POST", "/predict", {"row": {**ROW, "a": "much", "more": 1}})
    assert status == 200 and told["answer"] in ("yes", "no")
    assert any("'much'" in note for note in told["notes"]) and any("more" in note for note in told["notes"])


def test_an_empty_batch_has_no_answers(service):
    assert service.ask("POST", "/predict", {"rows": []})[::2] == (200, {"answers": [], "notes": []})


def test_other_doors_and_other_ways_in(service):
    assert service.ask("GET", "/health")[::2] == (200, {"status": "ok"})
    assert service.ask("GET", "/none")[0] == 404
    status, headers, told = service.ask("GET", "/predict")
    assert (status, headers["allow"], told["error"]["code"]) == (405, "POST", "no_method")
    form = service.ask("POST", "/predict", b"row=1", Content_Type="application/x-www-form-urlencoded")
    assert form[0] == 415 and "x-www-form-urlencoded" in form[2]["error"]["message"]


def test_names_that_lead_here_by_rebinding_and_other_pages_are_refused(service):
    """The Host of a rebound name is that name; a page of another origin says which; no answer may be read by one."""
    own = f"127.0.0.1:{service.port}"
    for host in ("evil.example", f"evil.example:{service.port}", "127.0.0.1.evil.example", "localhost.evil.example"):
        status, _, told = service.ask("POST", "/predict", {"row": ROW}, Host=host)
        assert (status, told["error"]["code"]) == (400, "wrong_host")
    for host in (own, "localhost", f"LOCALHOST:{service.port}", f"[::1]:{service.port}"):
        assert service.ask("GET", "/health", Host=host)[0] == 200
    for origin in ("http://evil.example", "null", f"http://{own}.evil.example", f"http://localhost:{service.port + 1}"):
        status, headers, told = service.ask("POST", "/predict", {"row": ROW}, Origin=origin)
        assert (status, told["error"]["code"]) == (403, "wrong_origin")
        assert "access-control-allow-origin" not in headers
    assert service.ask("POST", "/predict", {"row": ROW}, Origin=f"http://{own}")[0] == 200
    assert "access-control-allow-origin" not in service.ask("OPTIONS", "/predict", Origin=f"http://{own}")[1]


def test_two_hosts_and_none_are_refused(service):
    for head in (b"", b"Host: localhost\r\nHost: evil.example\r\n"):
        with socket.create_connection(("127.0.0.1", service.port), timeout=30) as raw:
            raw.sendall(b"GET / HTTP/1.1\r\n" + head + b"Connection: close\r\n\r\n")
            assert raw.recv(1000).startswith(b"HTTP/1.1 400")


@pytest.mark.parametrize("task", ["multiclass", "regression"])
def test_every_task_is_answered(run_of, task):
    folder, rows = run_of(task)
    known, record = kd_core.load(folder), rows.to_dict("records")[3]
    with Service(folder) as service:
        told = service.ask("POST", "/predict", {"row": record})[2]
    assert told["answer"] == pytest.approx(known.answer(record)["target"], abs=1e-9)
    assert ("probabilities" in told) == (task == "multiclass")


def test_a_token_is_asked_for_everywhere_but_for_a_sign_of_life(run_of):
    basic = base64.b64encode(f"anybody:{TOKEN}".encode()).decode()
    with Service(run_of("binary")[0], KD_SERVE_TOKEN=TOKEN) as service:
        assert service.ask("GET", "/health")[0] == 200
        for path in ("/", "/openapi.json", "/none"):
            status, headers, told = service.ask("GET", path)
            assert (status, told["error"]["code"]) == (401, "wrong_token") and "Bearer" in headers["www-authenticate"]
        for wrong in (TOKEN[:-1], TOKEN + "x", "", "é"):
            assert service.ask("POST", "/predict", {"row": ROW}, Authorization=f"Bearer {wrong}")[0] == 401
        assert service.ask("POST", "/predict", {"row": ROW}, Authorization="Basic ???")[0] == 401
        for right in (f"Bearer {TOKEN}", f"Basic {basic}"):
            assert service.ask("POST", "/predict", {"row": ROW}, Authorization=right)[0] == 200
        assert service.ask("GET", "/openapi.json", Authorization=f"Bearer {TOKEN}")[2]["components"]["securitySchemes"]
        assert TOKEN not in "".join(service.lines)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "example.org"])
def test_an_address_that_others_reach_needs_a_token(host):
    done = CliRunner().invoke(app, ["serve", "nothing", "--host", host])
    assert done.exit_code == 1 and f"The address {host} can be reached by other machines" in done.stderr


@pytest.mark.parametrize("token", ["short", "with a space in between it", "é" * 20])
def test_a_weak_token_is_refused_and_not_shown(token):
    done = CliRunner().invoke(app, ["serve", "nothing", "--token", token])
    assert done.exit_code == 1 and "at least 16" in done.stderr and token not in done.stderr


def test_a_port_that_is_taken_is_said(run_of):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = CliRunner().invoke(app, ["serve", str(run_of("binary")[0]), "--port", str(port)])
    assert done.exit_code == 1 and f"port {port} can't be used" in done.stderr


def test_a_stopped_service_answers_what_is_under_way(run_of):
    """The signal comes between head and body of a request; its answer comes all the same, and the process ends."""
    body = json.dumps({"row": ROW}).encode()
    with Service(run_of("binary")[0]) as service:
        connection = service.connect()
        connection.putrequest("POST", "/predict")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body[:5])
        assert service.ask("GET", "/health")[0] == 200
        service.process.send_signal(signal.SIGINT)
        connection.send(body[5:])
        reply = connection.getresponse()
        assert reply.status == 200 and json.loads(reply.read())["answer"] in ("yes", "no")
        connection.close()
        assert service.process.wait(20) == 0
