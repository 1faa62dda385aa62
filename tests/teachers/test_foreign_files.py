"""Files that no teacher opens: recognised by their bytes, refused with lines that really convert them."""

import io
import pickle
import subprocess
import sys
import zipfile

import joblib
import numpy as np
import pytest
import torch
from safetensors.numpy import save
from sklearn.linear_model import LogisticRegression

from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.errors import DataError
from kd_core.runs.plan import check as plan_check
from kd_core.specs import Choice
from kd_core.teachers import SOURCES, foreign_files
from kd_core.teachers.foreign_files import KINDS, check, kind_of, lines_for, why_not
from tests.runs.tables import small_spec


class Bomb:
    """Would tell on whoever opens it."""

    def __reduce__(self):
        return pytest.fail, ("a pickle was opened",)


def write(place, make):
    place.write_bytes(make) if isinstance(make, bytes) else make(place)
    return place


def zipped(*names):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name in names:
            archive.writestr(name, "{}")
    return file.getvalue()


CASES = {
    "torch": lambda p: torch.save({"w": torch.zeros(2)}, p),
    "torch_old": lambda p: torch.save({"w": torch.zeros(2)}, p, _use_new_zipfile_serialization=False),
    "pickle": pickle.dumps(Bomb(), 4),
    "pickle_2": pickle.dumps({"a": 1}, 2),
    "pickle_0": pickle.dumps(LogisticRegression(), 0),
    "joblib": lambda p: joblib.dump([1], p),
    "joblib_zlib": lambda p: joblib.dump(Bomb(), p, compress=3),
    "joblib_gzip": lambda p: joblib.dump([1], p, compress=("gzip", 3)),
    "joblib_bz2": lambda p: joblib.dump([1], p, compress=("bz2", 3)),
    "joblib_xz": lambda p: joblib.dump([1], p, compress=("xz", 3)),
    "joblib_lzma": lambda p: joblib.dump([1], p, compress=("lzma", 3)),
    "keras": b"\x89HDF\r\n\x1a\n" + b"\0" * 90,
    "keras_zip": zipped("config.json", "metadata.json", "model.weights.h5"),
    "skops": zipped("schema.json", "1.npy"),
    "safetensors": save({"w": np.zeros(3, np.float32)}),
    "lightgbm": b"tree\nversion=v4\n",
    "xgboost": b'{"learner":{"attributes":{}}}',
    "torchscript": zipped("m/data.pkl", "m/code/__torch__.py", "m/constants.pkl"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_file_is_known_by_its_content(case, tmp_path):
    kind = case.removesuffix("_old").removesuffix("_2").removesuffix("_0")
    kind = "joblib" if case.startswith("joblib") else kind
    name = "model.joblib" if kind == "joblib" else "model.bin"
    assert kind_of(write(tmp_path / "any.h5", CASES[case]), name) == kind


@pytest.mark.parametrize(
    "data",
    [b"", b"PK\x03\x04", b"a,b\n1,2\n", b"x\x9cnothing", b"\x80", pytest.param(zipped("a.csv"), id="zip"), b"{}"],
)
def test_what_is_nothing_of_the_table_is_left_to_its_teacher(data, tmp_path):
    assert kind_of(write(tmp_path / "a", data)) is None


def test_a_head_whose_length_looks_like_a_pickle_is_still_safetensors(tmp_path):
    made = save({f"w{i:02}": np.zeros(3, np.float32) for i in range(9)}, {"of": "x" * 100})
    length = int.from_bytes(made[:8], "little")
    assert length < 896
    made = (896).to_bytes(8, "little") + made[8 : 8 + length].ljust(896) + made[8 + length :]
    assert made[:2] == b"\x80\x03" and kind_of(write(tmp_path / "a", made)) == "safetensors"


def test_an_onnx_file_is_known(tmp_path):
    from onnx import helper

    graph = helper.make_graph([], "g", [], [])
    for more in ({}, {"producer_name": "torch"}):
        made = helper.make_model(graph, ir_version=9, **more).SerializeToString()
        assert kind_of(write(tmp_path / "a", made)) == "onnx"


def refused(root, data, name, takes=()):
    source = DataLibrary(root, UPLOADS).add(data, name).source
    with pytest.raises(DataError) as error:
        check(source, takes)
    assert why_not(source, takes).message == error.value.message and error.value.code == "foreign_file"
    return str(error.value)


def test_a_pickle_is_refused_with_the_lines_and_its_name_and_never_opened(own_workspace):
    said = refused(own_workspace, pickle.dumps(Bomb()), "churn.pkl")
    assert said.startswith(
        "churn.pkl is a pickle (.pkl, .joblib), which can run code when it is opened; this teacher does not open it."
    )
    assert (
        "import pickle; model = pickle.load(open('churn.pkl', 'rb')); import skops.io; skops.io.dump(model, 'teacher.skops')"
        in said
    )
    assert "model.booster_.save_model('teacher.txt')" in said


def test_a_kind_that_another_teacher_opens_is_sent_there(own_workspace):
    from onnx import helper

    made = helper.make_model(helper.make_graph([], "g", [], []), ir_version=9).SerializeToString()
    assert "a.bin is an ONNX file; this teacher does not open it. Take the teacher ONNX file." in refused(
        own_workspace, made, "a.bin", ("keras",)
    )
    assert check(DataLibrary(own_workspace, UPLOADS).add(made, "a.bin").source, ("onnx",)).is_file()


def test_a_quote_in_a_name_stays_inside_the_line():
    assert "pickle.load(open(\"a'b.pkl\", 'rb'))" in lines_for("pickle", "a'b.pkl")


def test_nothing_chosen_is_no_foreign_file_and_a_lost_one_is_said(own_workspace):
    assert why_not("", ()) is None
    assert why_not("sha256:" + "0" * 64, ()).code == "no_file"


@pytest.mark.parametrize("entry", [e for e in SOURCES.entries() if "opens" in e.facts], ids=lambda e: e.name)
def test_every_teacher_of_files_refuses_them_before_the_start_and_takes_their_endings(entry, own_workspace, tmp_path):
    fields = {
        n: f.json_schema_extra["file"]
        for n, f in entry.spec.model_fields.items()
        if "file" in (f.json_schema_extra or {})
    }
    assert set(foreign_files.ENDINGS) <= set(fields["path"]) and set(entry.facts["opens"]) <= set(KINDS)
    source = DataLibrary(own_workspace, UPLOADS).add(pickle.dumps(1), "a.pkl").source
    spec = small_spec(tmp_path / "a.csv").model_copy(
        update={"teacher": Choice(name=entry.name, settings={"path": source})}
    )
    (found,) = [p for p in plan_check(spec, "binary", 2) if p.code == "foreign_file"]
    assert found.severity == "error" and "skops.io.dump(model, 'teacher.skops')" in found.hint


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "write_it", "made"),
    [
        ("pickle", "import pickle; pickle.dump(fitted, open('it', 'wb'))", "teacher.skops"),
        ("joblib", "import joblib; joblib.dump(fitted, 'it')", "teacher.skops"),
        ("torch", "import torch; torch.save(torch.nn.Sequential(torch.nn.Linear(3, 2)), 'it')", "teacher.onnx"),
        ("torch_weights", "import torch; torch.save(torch.nn.Linear(3, 2).state_dict(), 'it')", "teacher.safetensors"),
        ("torchscript", "import torch; torch.jit.save(torch.jit.script(torch.nn.Linear(3, 2)), 'it')", "teacher.onnx"),
    ],
)
def test_the_lines_convert_a_real_file(kind, write_it, made, tmp_path):
    name, which = kind.removesuffix("_weights"), int(kind.endswith("_weights"))
    lines = lines_for(name, "it").split("   ")[2 * which].replace("COLUMNS", "3")
    fit = "from sklearn.linear_model import LogisticRegression; fitted = LogisticRegression().fit([[0], [1]], [0, 1])\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{fit}{write_it}\n{lines}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert kind_of(tmp_path / made) == made.rpartition(".")[2] and kind_of(tmp_path / "it", "it") in (name, "pickle")
