"""No proof, no file: what is asked in a clean process must answer like the app."""

from __future__ import annotations

import json

import pytest

from kd_core.errors import KDError
from kd_core.export import parity
from kd_core.export.parity import LIMIT, REFUSED, clean_python, prove

ROWS = [{"a": "1", "b": None}, {"a": "x", "b": b"\x89PNG"}, {"a": "\ud800", "b": "é"}]
ANSWERS = [[0.25, 0.75], [0.5, 0.5], [1.0, 0.0]]


def saying(answers):
    return lambda folder, rows: clean_python(f"print('words'); print({json.dumps({'answers': answers})!r})")


def moved(by, row=1):
    return [[p + by * (at == row) for p in answer] for at, answer in enumerate(ANSWERS)]


def test_equal_answers_are_a_proof_and_others_are_none(tmp_path):
    proof = prove(saying(moved(LIMIT / 2)), tmp_path, ROWS, ANSWERS)
    assert proof.rows == 3 and 0 < proof.largest <= proof.limit == 1e-5 and proof.seconds > 0
    with pytest.raises(
        KDError, match=r"0.001 apart, 1e-05 is allowed. Row 2 of 3: {\"a\": \"x\", \"b\": \"4 bytes\"}"
    ) as error:
        prove(saying(moved(1e-3)), tmp_path, ROWS, ANSWERS)
    assert error.value.code == "export_unlike" and "not offered" in error.value.hint
    with pytest.raises(KDError, match="nan apart"):
        prove(
            lambda folder, rows: clean_python("print('{\"answers\": [[0.25, 0.75], [NaN, 0.5], [1, 0]]}')"),
            tmp_path,
            ROWS,
            ANSWERS,
        )


def test_numbers_are_compared_by_the_spread_of_the_target(tmp_path):
    wanted = [[1000.0], [2000.0]]
    found = [[1000.0], [2000.05]]
    assert prove(saying(found), tmp_path, ROWS[:2], wanted, 10_000.0).largest == pytest.approx(5e-6)
    with pytest.raises(KDError, match="5e-05 apart"):
        prove(saying(found), tmp_path, ROWS[:2], wanted, 1000.0)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("print('{\"answers\": [[1]]}')", r"it answered \(1, 1\) numbers where \(3, 2\) were asked for"),
        ("print('[]')", r"it answered '\[\]'"),
        ("print('no JSON')", "it answered 'no JSON'"),
        ("raise SystemExit('out of order')", "it ended with 1: out of order"),
        ("pass", "it ended with 0: it said nothing"),
        ("import json; json.loads('')", "it ended with 1: json.decoder.JSONDecodeError"),
    ],
)
def test_what_can_not_be_asked_is_no_proof(tmp_path, code, why):
    with pytest.raises(KDError, match=why) as error:
        prove(lambda folder, rows: clean_python(code), tmp_path, ROWS, ANSWERS)
    assert error.value.code == "export_not_run"


def test_a_target_that_does_not_answer_or_is_no_program_is_no_proof(tmp_path, monkeypatch):
    with pytest.raises(KDError, match="No such file"):
        prove(lambda folder, rows: [str(tmp_path / "absent")], tmp_path, ROWS, ANSWERS)
    monkeypatch.setattr(parity, "SECONDS", 0.2)
    with pytest.raises(KDError, match=r"it took longer than 0.2 seconds"):
        prove(lambda folder, rows: clean_python("import time; time.sleep(60)"), tmp_path, ROWS, ANSWERS)


def test_the_process_sees_the_rows_and_nothing_of_this_project(tmp_path, monkeypatch):
    monkeypatch.setenv("KD_SECRET", "x")
    code = (
        "import json, os, importlib; from pathlib import Path; folder, rows = sys.argv[1:]; told = json.loads(Path(rows).read_text())\n"
        "assert told[1]['b'] == '1_1.png' and (Path(rows).parent / '1_1.png').read_bytes() == b'\\x89PNG' and told[0] == {'a': '1', 'b': None}\n"
        "assert 'KD_SECRET' not in os.environ and Path.cwd() == Path(rows).parent and told[2]['a'] == '\\ud800'\n"
        f"for name in {REFUSED!r}:\n"
        "    try: importlib.import_module(name)\n"
        "    except ModuleNotFoundError as error: assert 'clean process' in str(error)\n"
        "    else: raise AssertionError(name)\n"
        f"import numpy; print({json.dumps({'answers': ANSWERS})!r})"
    )
    assert prove(lambda folder, rows: clean_python(code, str(folder), str(rows)), tmp_path, ROWS, ANSWERS).rows == 3


def test_at_most_a_thousand_rows_are_asked(tmp_path):
    rows = [{"a": str(i)} for i in range(1200)]
    code = "import json; from pathlib import Path; n = len(json.loads(Path(sys.argv[1]).read_text())); print(json.dumps({'answers': [[1.0]] * n}))"
    assert prove(lambda folder, path: clean_python(code, str(path)), tmp_path, rows, [[1.0]] * 1200).rows == 1000
