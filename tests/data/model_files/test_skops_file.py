"""Files in skops format: only types of our list are built, whatever a file names; torn files and bombs are refused."""

import importlib
import io
import json
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from kd_core.data.model_files import skops_file
from kd_core.data.model_files.skops_types import ALLOWED
from kd_core.errors import DataError
from tests.data.model_files.skops_files import LINEAR, TWO, X, attribute, changed, nodes, saved

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")]


def test_every_type_on_the_list_is_there():
    for loader, names in ALLOWED.items():
        for name in names if loader in ("ObjectNode", "TreeNode", "LossNode", "FunctionNode", "TypeNode") else ():
            module, _, own = name.rpartition(".")
            assert hasattr(importlib.import_module(module), own), name


EMPTY = {"__class__": "dict", "__module__": "builtins", "__loader__": "DictNode", "content": {}}
ONE = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "1"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            attribute("C", "FunctionNode", "os", "system"),
            r"holds 1 type that is not built here: os\.system\. Models of",
        ),
        (attribute("C", "TypeNode", "subprocess", "Popen"), r"subprocess\.Popen"),
        (attribute("C", "ObjectNode", "pathlib", "Path", content=EMPTY), r"pathlib\.Path"),
        (attribute("C", "ObjectNode", "sklearn.datasets._base", "load_files"), r"sklearn\.datasets\._base\.load_files"),
        (attribute("C", "ObjectNode", "sklearn.cluster._kmeans", "KMeans"), r"sklearn\.cluster\._kmeans\.KMeans"),
        (attribute("C", "FunctionNode", "numpy", "load"), r"numpy\.load"),
        (
            attribute("C", "NdArrayNode", "numpy", "memmap", type="numpy", file="x.npy"),
            r"numpy\.memmap \(NdArrayNode\)",
        ),
        (
            attribute("C", "MethodNode", "builtins", "str", content={"func": "format", "obj": ONE}),
            r"builtins\.str \(MethodNode\)",
        ),
        (
            attribute("C", "OperatorFuncNode", "operator", "methodcaller", attrs=ONE),
            r"operator\.methodcaller \(OperatorFuncNode\)",
        ),
        (
            attribute("C", "ConstructorFromReduceNode", "os", "system", content=ONE),
            r"os\.system \(ConstructorFromReduceNode\)",
        ),
        (
            attribute(
                "C",
                "PartialNode",
                "functools",
                "partial",
                content={"func": {"__class__": "eval", "__module__": "builtins", "__loader__": "FunctionNode"}},
            ),
            r"builtins\.eval",
        ),
        (attribute("C", "CachedNode", "builtins", "str"), r"builtins\.str \(CachedNode\)"),
        (
            attribute("C", "SparseMatrixNode", "scipy.sparse", "csr_matrix"),
            r"scipy\.sparse\.csr_matrix \(SparseMatrixNode\)",
        ),
        (lambda s: s.update(__class__="Popen", __module__="subprocess"), r"subprocess\.Popen"),
        (
            lambda s: s.update(protocol=1),
            r"another version of skops \(protocol 1; 2 is read\)\. Save the model again with skops",
        ),
        (lambda s: s.update(protocol=True), r"\(protocol True; 2 is read\)"),
        (lambda s: s.__delitem__("__loader__"), r"no skops file that can be used: KeyError"),
        (lambda s: "[" * 100_000, r"it is nested too deep"),
        (lambda s: "{", r"JSONDecodeError"),
        (lambda s: "7", r"AttributeError"),
        (
            attribute("C", "NdArrayNode", "numpy", "ndarray", type="numpy", file="../../etc/passwd"),
            r"it lacks the array",
        ),
        (lambda s: s["content"]["content"].pop("coef_"), None),
    ],
)
def test_what_is_not_on_the_list_is_named_and_not_built(change, words, tmp_path):
    file = changed(LINEAR, tmp_path / "m.skops", change)
    if words is None:  # a part that is missing is met when the model is asked
        np.save(tmp_path / "0.npy", X)
        with pytest.raises(DataError, match=r"can't answer these rows: \w+Error: .+coef_.+made for rows of this kind"):
            skops_file.answer(file, "predict_proba", "array", [str(tmp_path / "0")])
        return
    with pytest.raises(DataError, match=words):
        skops_file.describe(file)


def test_a_part_can_not_stand_in_for_one_that_was_checked(tmp_path):
    """Two parts of one number: skops would take the first for both."""
    tree = DecisionTreeClassifier(max_depth=2).fit(X, TWO)

    def change(schema):
        state = nodes(schema, "TreeNode")[0]["content"]
        other = json.loads(json.dumps(state))
        other["content"]["nodes"] = {
            k: v for k, v in other["content"]["values"].items() if k != "__id__"
        }  # no nodes at all
        schema["content"]["content"] = {"spare": other, **schema["content"]["content"]}

    np.save(tmp_path / "0.npy", X)
    skops_file.answer(changed(tree, tmp_path / "m", change), "predict_proba", "array", [str(tmp_path / "0")])
    np.testing.assert_allclose(np.load(tmp_path / "0.answer.npy"), tree.predict_proba(X))


def test_what_gives_no_answer_is_said(tmp_path):
    with pytest.raises(DataError, match=r"holds StandardScaler, which gives neither probabilities.+Save a classifier"):
        skops_file.describe(saved(StandardScaler().fit(X), tmp_path / "m"))


def test_rows_that_a_model_was_not_made_for_are_said(tmp_path):
    np.save(tmp_path / "0.npy", X[:, :3])
    with pytest.raises(
        DataError, match=r"can't answer these rows: ValueError: X has 3 features, but LogisticRegression"
    ):
        skops_file.answer(saved(LINEAR, tmp_path / "m"), "predict_proba", "array", [str(tmp_path / "0")])


@pytest.mark.parametrize("share", [0.2, 0.6, 0.99])
def test_a_file_that_was_cut_off_is_refused(share, tmp_path):
    data = skops.io.dumps(LINEAR)
    (tmp_path / "m").write_bytes(data[: int(share * len(data))])
    with pytest.raises(DataError, match="no skops file that can be used"):
        skops_file.describe(str(tmp_path / "m"))


def test_a_bomb_and_a_zip_without_a_description_are_refused(tmp_path, monkeypatch):
    file = changed(LINEAR, tmp_path / "m", arrays=lambda n, data: bytes(50 * 2**20), compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(DataError, match=r"unpacks to 1?,?\d+ times its size; at most 100 times"):
        skops_file.describe(file)
    with zipfile.ZipFile(tmp_path / "n", "w") as archive:
        archive.writestr("hello", "there")
    with pytest.raises(DataError, match=r"it has no schema\.json"):
        skops_file.describe(str(tmp_path / "n"))
    monkeypatch.setattr(skops_file, "SKOPS_SCHEMA_BYTES", 100)
    with pytest.raises(DataError, match=r"its schema\.json takes more than 0 MB"):
        skops_file.describe(saved(LINEAR, tmp_path / "o"))


def test_an_array_that_speaks_of_more_than_it_has_is_refused(tmp_path):
    def arrays(name, data):
        out = io.BytesIO()
        np.lib.format.write_array_header_1_0(out, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
        return out.getvalue() + data

    with pytest.raises(DataError, match=r"speaks of \(1000000000000,\) numbers and has others"):
        skops_file.describe(changed(LINEAR, tmp_path / "m", arrays=arrays))
    with pytest.raises(DataError, match=r"ValueError"):
        skops_file.describe(changed(LINEAR, tmp_path / "n", arrays=lambda name, data: b"no array"))


def test_another_version_of_scikit_learn_is_said(tmp_path):
    def change(schema):
        schema["content"]["content"]["_sklearn_version"]["content"] = '"1.2.3"'

    assert skops_file.describe(changed(LINEAR, tmp_path / "m", change))["said"] == ["1.2.3"]
