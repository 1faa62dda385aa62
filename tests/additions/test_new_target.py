"""A way to take a student home is one file: added to a copy of the engine, it is listed, proved by the same proof and handed out."""

from __future__ import annotations

import io
import json
import zipfile

import pytest

from tests.additions.test_one_file import DISTILL, QUICK, added, nothing_else_changed, run, table

TARGET = '''"""The model and the program that asks it, without card and sample."""

from kd_core.export.bundle_file import MODEL
from kd_core.export.parity import clean_python
from kd_core.export.shipped import program
from kd_core.export.target import TARGETS

ASK = (
    "import json; folder, rows = sys.argv[1:]; sys.path.insert(0, folder); import predict; from pathlib import Path; "
    "student = predict.load(); found, _ = student.answers(predict._rows(student, Path(rows))); print(json.dumps({'answers': (found * SCALE).tolist()}))"
)


@TARGETS.register(
    "bare", title="Bare", runs_with=lambda taken: "Python with numpy and onnxruntime", suits=lambda taken: None,
    asked=lambda folder, rows: clean_python(ASK, str(folder), str(rows)), usage=("unzip FILE",),
)
def bare(taken, folder):
    """Write them."""
    (folder / MODEL).write_bytes(taken.model)
    for name, text in program().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
'''


def bare(tmp_path, scale: str):
    place = added(tmp_path, "kd_core/export/targets/bare.py", TARGET.replace("SCALE", scale))
    table(place)
    run(place, *DISTILL, "a.csv", "--target", "target", *QUICK)
    return place


@pytest.mark.slow
def test_a_target(tmp_path):
    place = bare(tmp_path, "1")
    assert "Bare" in run(place, "kd_core", "list", "targets")
    run(place, "kd_core", "export", "out", "--target", "bare", "--out", "bare.zip")
    with zipfile.ZipFile(io.BytesIO((place / "bare.zip").read_bytes())) as made:
        assert {"model.onnx", "predict.py", "manifest.json"} <= set(
            made.namelist()
        ) and "CARD.md" not in made.namelist()
        proof = json.loads(made.read("manifest.json"))["parity"]
    assert proof["rows"] > 10 and 0 <= proof["largest"] <= proof["limit"]
    nothing_else_changed(place)


@pytest.mark.slow
def test_a_target_that_answers_otherwise_is_not_handed_out(tmp_path):
    place = bare(tmp_path, "0.999")
    with pytest.raises(AssertionError, match="answers otherwise than the app"):
        run(place, "kd_core", "export", "out", "--target", "bare", "--out", "bare.zip")
    assert not (place / "bare.zip").exists()
