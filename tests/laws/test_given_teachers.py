"""What holds for every teacher that is not fitted here: files, columns, and those that ask others."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from kd_core.data.dataset import SPLITS
from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.data.preparation import prepare
from kd_core.errors import KDError
from kd_core.models.building import build_for, start_weights
from kd_core.runs.direct import run_here
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice
from kd_core.teachers import SOURCES
from kd_core.teachers.answer_cache.cache import TeacherCache, cache_key
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.base import Ask, gives, members, without_own_columns
from kd_core.teachers.fitting import Fitted
from kd_core.teachers.live import opening
from tests.runs.tables import small_spec, write_table
from tests.teachers.keras.small_file import dense, h5
from tests.teachers.sources.endpoint_server import endpoint

pytestmark = pytest.mark.slow

GIVEN = [e for e in SOURCES.entries() if not isinstance(e.make, Fitted)]
EVERY = pytest.mark.parametrize("entry", GIVEN, ids=lambda e: e.name)
TASKS = pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])


def soft_labels(place, task):
    """Columns of the data that follow the target, of most rows."""
    frame = pd.read_csv(place)
    rng = np.random.default_rng(0)
    if task == "regression":
        columns = {"guess": frame.target + rng.normal(size=len(frame))}
    else:
        p = np.eye(frame.target.nunique())[pd.factorize(frame.target, sort=True)[0]] + rng.uniform(
            0.1, 0.6, (len(frame), 1)
        )
        columns = {
            f"p_{c}": v for c, v in zip(sorted(frame.target.unique()), (p / p.sum(1, keepdims=True)).T, strict=True)
        }
    known = rng.random(len(frame)) < 0.8
    frame.assign(**{name: np.where(known, values, np.nan) for name, values in columns.items()}).to_csv(
        place, index=False
    )
    return {"columns": list(columns)}


def onnx(place, task):
    """A network of the right width with weights out of the air."""
    from onnx import TensorProto, helper, numpy_helper

    dataset = prepare(small_spec(place, task).dataset)
    width, outputs = dataset.view().spec.width, dataset.num_outputs
    w = np.random.default_rng(0).normal(size=(width, outputs)).astype(np.float32)
    kinds = [
        helper.make_tensor_value_info(n, TensorProto.FLOAT, [None, k]) for n, k in (("x", width), ("logits", outputs))
    ]
    node = helper.make_node("MatMul", ["x", "w"], ["logits"])
    graph = helper.make_graph([node], "g", kinds[:1], kinds[1:], [numpy_helper.from_array(w, "w")])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    from kd_core.workspace import workspace

    return {"path": DataLibrary(workspace(), UPLOADS).add(made, "teacher.onnx").source}


def average(place, task):
    return {"teachers": ["random_forest", "sklearn"]}


def best(place, task):
    return {"teachers": ["random_forest", "sklearn"]}


def lightgbm_file(place, task):
    """Trees on the two numbers of the table."""
    import lightgbm

    frame = pd.read_csv(place)
    y = frame.target if task == "regression" else pd.factorize(frame.target, sort=True)[0]
    told = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}[task]
    settings = {
        "objective": told,
        "verbosity": -1,
        "num_threads": 1,
        **({"num_class": 3} if task == "multiclass" else {}),
    }
    booster = lightgbm.train(settings, lightgbm.Dataset(frame[["a", "b"]], y), 5)
    return {"path": kept(booster.model_to_string().encode(), "teacher.txt")}


def xgboost_file(place, task):
    """Trees on the two numbers of the table."""
    xgboost = pytest.importorskip("xgboost")
    frame = pd.read_csv(place)
    y = frame.target if task == "regression" else pd.factorize(frame.target, sort=True)[0]
    told = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "reg:squarederror"}[task]
    settings = {"objective": told, "nthread": 1, **({"num_class": 3} if task == "multiclass" else {})}
    booster = xgboost.train(settings, xgboost.DMatrix(frame[["a", "b"]], y), 5)
    return {"path": kept(bytes(booster.save_raw("json")), "teacher.json")}


def sklearn_file(place, task):
    """A pipeline that reads the columns by their names, words among them."""
    import skops.io
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    frame = pd.read_csv(place)
    columns = make_column_transformer((StandardScaler(), ["a", "b"]), (OneHotEncoder(), ["kind"]))
    model = make_pipeline(columns, Ridge() if task == "regression" else LogisticRegression())
    model.fit(frame[["a", "b", "kind"]], frame.target)
    return {"path": kept(skops.io.dumps(model), "teacher.skops")}


def kept(data, name):
    from kd_core.workspace import workspace

    return DataLibrary(workspace(), UPLOADS).add(data, name).source


def keras(place, task):
    """A dense layer over the two number columns of the data."""
    outputs = prepare(small_spec(place, task).dataset).num_outputs
    w = np.random.default_rng(0).normal(size=(2, outputs))
    from kd_core.workspace import workspace

    return {"path": DataLibrary(workspace(), UPLOADS).add(h5([dense("d", w)], (2,)), "teacher.h5").source}


def weights(place, task):
    """A linear model with the numbers that it starts with."""
    from safetensors.torch import save

    from kd_core.workspace import workspace

    with start_weights(0):
        state = build_for(prepare(small_spec(place, task).dataset), Choice(name="linear")).state_dict()
    return {"path": DataLibrary(workspace(), UPLOADS).add(save(state), "teacher.safetensors").source}


def earlier_run(place, task):
    """The student of a run on the same rows."""
    from kd_core.workspace import workspace

    run_here(small_spec(place, task), workspace() / "runs" / "first", lambda event: None, StopSignal())
    return {"run": "first"}


def ensemble(place, task):
    return {
        "members": [{"name": "random_forest", "settings": {"trees": 30}}, {"name": "sklearn"}],
        "combine": "weighted",
    }


EXAMPLES = {
    "keras": keras,
    "earlier_run": earlier_run,
    "weights": weights,
    "soft_labels": soft_labels,
    "onnx": onnx,
    "average": average,
    "best": best,
    "lightgbm_file": lightgbm_file,
    "xgboost_file": xgboost_file,
    "sklearn_file": sklearn_file,
    "ensemble": ensemble,
}


def served(classes):
    """Answer questions by the first column alone."""

    def answer(question):
        a = [row["a"] or 0.0 for row in question["rows"]]
        if not classes:
            return {"values": a}
        return {"classes": list(classes), "logits": [[value * i for i in range(len(classes))] for value in a]}

    return answer


@pytest.fixture
def asked(entry, task, tmp_path, own_workspace, monkeypatch):
    """A dataset with a choice of this teacher that can answer it."""
    place = write_table(tmp_path / "a.csv", task, 300)
    if entry.name == "endpoint":
        data = prepare(small_spec(place, task).dataset)
        with endpoint(served(data.classes)) as there:
            monkeypatch.setenv("KD_ENDPOINTS", there.url)
            yield data, Choice(name="endpoint", settings={"url": there.url, "per_second": 1000})
        return
    if entry.name not in EXAMPLES:
        pytest.skip("nobody made an example of it")
    choice = Choice(name=entry.name, settings=EXAMPLES[entry.name](place, task))
    yield prepare(without_own_columns(small_spec(place, task).dataset, choice)), choice


def answers(dataset, choice, cache=None, folds=2, notify=lambda event: None, **more):
    more = {"should_stop": lambda: False, **more}
    return teacher_answers(dataset, choice, folds=folds, seed=0, cache=cache, notify=notify, **more)


@EVERY
@TASKS
def test_it_answers_rows_of_every_part_alike_each_time_and_from_the_cache(entry, task, asked, tmp_path):
    dataset, choice = asked
    cache = TeacherCache(tmp_path / "kept")
    first, again, kept = answers(dataset, choice), answers(dataset, choice, cache), answers(dataset, choice, cache)
    assert kept.cached and not again.cached
    for split in SPLITS:
        z = first.logits[split]
        assert z.shape == (len(dataset.parts[split]), dataset.num_outputs) and z.dtype == np.float32
        known = ~np.isnan(z[:, 0])
        assert known.any() and np.isfinite(z[known]).all() and np.isnan(z[~known]).all()
        np.testing.assert_array_equal(z, again.logits[split])
        np.testing.assert_array_equal(z, kept.logits[split])
    assert first.known() == kept.known() and first.notes == kept.notes
    assert all({"severity", "code", "message", "hint"} == set(note) for note in first.notes)
    assert all(size is None or size > 0 for size in (first.num_parameters, first.size_bytes))
    assert ("features" in gives(entry.name, 5)) is bool(first.features)
    json.dumps([first.latency_ms, first.details, first.notes])


@EVERY
@pytest.mark.parametrize("task", ["binary"])
def test_folds_change_nothing_of_what_is_given(entry, task, asked):
    dataset, choice = asked
    if members(choice):
        pytest.skip("it asks what is fitted here")
    two, five = answers(dataset, choice), answers(dataset, choice, folds=5)
    assert two.folds == five.folds == 0
    for split in SPLITS:
        np.testing.assert_array_equal(two.logits[split], five.logits[split])


@EVERY
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_what_can_be_asked_about_new_rows_answers_them_as_before_and_is_saved(entry, task, asked, tmp_path):
    dataset, choice = asked
    reads = entry.facts["takes"][0] if entry.facts["takes"] else None
    question = Ask(dataset, reads, 2, 0, None, "", "cpu", lambda event: None, lambda: False)
    if members(choice):
        pytest.skip("it has no model of its own")
    found = entry.make(entry.spec.parse(choice.settings), question)
    rows = dataset.rows.iloc[dataset.test.row_ids[:9]]
    if "live" not in entry.facts:
        assert found.live is None and opening.why_not(choice)
        return
    opened = opening.opened(dataset, choice)  # without asking about the rows of the data first
    for some in (rows, rows.iloc[[0]]):
        np.testing.assert_allclose(opened.ask(some), found.logits["test"][: len(some)], rtol=1e-5, atol=1e-6)
    if found.live is None:
        return
    asked_now = found.live.ask(rows)
    np.testing.assert_allclose(asked_now, found.logits["test"][:9], rtol=1e-5, atol=1e-6)
    found.live.save(tmp_path)
    np.testing.assert_array_equal(type(found.live).load(tmp_path, dataset).ask(rows), asked_now)


@pytest.mark.parametrize("entry", [e for e in GIVEN if "missing" in e.facts], ids=lambda e: e.name)
def test_what_is_still_to_be_chosen_is_said(entry):
    error = entry.facts["missing"](entry.spec())
    assert isinstance(error, KDError) and error.message and error.hint


@pytest.mark.parametrize("entry", [e for e in GIVEN if "members" in e.facts], ids=lambda e: e.name)
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_who_asks_others_names_them_in_its_key_and_keeps_their_answers(entry, task, asked, tmp_path, monkeypatch):
    dataset, choice = asked
    cache, events = TeacherCache(tmp_path / "kept"), []
    found = answers(dataset, choice, cache, notify=events.append)
    each = [answers(dataset, one, cache) for one in members(choice)]
    assert all(one.cached for one in each)
    low, high = (np.array(f([one.logits["test"] for one in each], axis=0)) for f in (np.min, np.max))
    assert ((found.logits["test"] >= low - 0.05) & (found.logits["test"] <= high + 0.05)).all()
    key = cache_key(dataset.hash, choice, 2, 0)
    monkeypatch.setattr(
        "kd_core.teachers.answer_cache.cache.members", lambda one: members(one)[:1] if one == choice else members(one)
    )
    assert cache_key(dataset.hash, choice, 2, 0) != key


@pytest.mark.parametrize("task", ["binary"])
@pytest.mark.parametrize("entry", [SOURCES.get("average")], ids=["average"])
def test_an_average_is_the_mean_of_probabilities(entry, task, asked):
    dataset, choice = asked

    def p(z):
        e = np.exp(z - z.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    each = [answers(dataset, one).logits["train"].astype(float) for one in members(choice)]
    np.testing.assert_allclose(p(answers(dataset, choice).logits["train"]), (p(each[0]) + p(each[1])) / 2, atol=1e-5)
