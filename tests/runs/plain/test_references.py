"""Plain models beside the students: chosen on validation, told with both sizes."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import kd_core
from kd_core.data.input_spec import InputSpec
from kd_core.data.preparation import prepare
from kd_core.errors import KDError
from kd_core.models.sizes import sizes
from kd_core.runs import experiment
from kd_core.runs.asked import student_spec
from kd_core.runs.deployment import Deployment
from kd_core.runs.outcome import read_outcome
from kd_core.runs.plain import lists as plain_lists
from kd_core.runs.plain import references as plain_references
from kd_core.runs.plain.lists import NETWORKS, PICTURES, PLAIN, TEXTS, lists
from kd_core.runs.plain.references import Reference, References
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view.report import verdict_lines
from kd_core.specs import Choice, DatasetSpec, StudentSpec
from tests.data.views.test_text_views import text_table
from tests.runs.kinds.test_picture_run import picture_spec
from tests.runs.kinds.test_text_run import text_spec
from tests.runs.tables import small_spec, write_table

pytestmark = [pytest.mark.filterwarnings("default::DeprecationWarning")]


NETWORKS_BY_NAME = [(name, arch) for name, _, arch in NETWORKS]
TREES = Choice(name="trees")


def known(scores, sizes, better="higher"):
    made = References.__new__(References)
    made.better, made.rule = better, None
    made.known = [
        Reference(str(i), f"model {i}", Choice(name="linear"), score, Kept(size), {})
        for i, (score, size) in enumerate(zip(scores, sizes, strict=True))
    ]
    return made


class Kept:
    def __init__(self, size):
        self.data = b"x" * size


def test_the_best_of_a_size_is_chosen_and_the_smallest_that_keeps_up():
    made = known([0.7, 0.8, 0.85, 0.9], [10, 30, 20, 90])
    assert made.of_size(TREES, 9) is None
    assert [made.of_size(TREES, most).name for most in (10, 20, 30, 89, 90)] == ["0", "2", "2", "2", "3"]
    assert made.smallest_within(TREES, 0.86, 0.02).name == "2" and made.smallest_within(TREES, 0.71, 0.02).name == "0"
    assert made.smallest_within(TREES, 0.95, 0.01) is None
    errors = known([9.0, 5.0, 6.0], [10, 20, 30], "lower")
    assert errors.of_size(TREES, 100).name == "1" and errors.smallest_within(TREES, 5.8, 0.3).name == "1"
    assert errors.smallest_within(TREES, 8.8, 0.3).name == "0"


def carry_out(spec, path):
    folder = RunFolder.create(path, spec)
    return experiment.run(spec, folder, lambda event: None, lambda: False)


def taken_home(path, result):
    """Each plain model that the result names is kept: its bytes are those told, and it answers as the engine does."""
    named = [m for s in result["students"] for m in (s["reference"]["best"], s["reference"]["smallest"]) if m]
    kept = {p["name"]: p for p in result["artifacts"]["plain"]}
    assert set(kept) == {f"plain {m['name']}" for m in named} and len(kept) >= 1
    line = next(line for line in verdict_lines(result) if line.startswith("Plain models whose files the run keeps"))
    assert all(repr(name) in line for name in kept)
    RunFolder(path).finish("done", result)
    rows = [{"a": 0.5, "b": 2.0, "kind": "red"}, {"a": -1.0, "b": 9.0, "kind": ""}]
    for model in named:
        name = f"plain {model['name']}"
        assert (path / kept[name]["onnx"]).stat().st_size == model["bytes"]
        assert (path / kept[name]["compact"]).stat().st_size == model["compact_bytes"]
        opened = kd_core.load(path, name)
        found = opened.answers(rows)
        assert np.abs(found - opened.engine.run(rows)[0]).max() <= 1e-4
        assert np.allclose(found, kd_core.load(path / kept[name]["compact"]).answers(rows))
    with pytest.raises(KDError, match=r"has no student 'plain x'\. Its students: .*'?plain ") as caught:
        kd_core.load(path, "plain x")
    assert caught.value.code == "no_student"


def asked_smaller(result):
    """The smallest that keeps up is asked about the test rows where it takes fewer bytes than the student; set beside the best, too."""
    metric, sign = result["metric"]["name"], 1 if result["metric"]["better"] == "higher" else -1
    for told, student in zip(result["students"], read_outcome(result).students, strict=True):
        best, smallest = told["reference"]["best"], told["reference"]["smallest"]
        if not smallest or (best and smallest["name"] == best["name"]) or smallest["bytes"] >= student.bytes:
            assert student.smaller is None
            continue
        ours, theirs = student.own.mean(metric), smallest["metrics"][metric]["mean"]
        assert student.smaller.gain[metric].mean == pytest.approx(sign * (ours - theirs))
        apart = smallest["best"]["gain"][metric]["mean"]
        assert apart == pytest.approx(sign * (best["metrics"][metric]["mean"] - theirs))
        assert student.smaller.best == smallest["best"]["word"] in ("ahead", "behind", "level", "unclear")
        assert len(smallest["metrics"][metric]["values"]) == len(student.seeds)
        assert smallest["latency_ms"]["whole"]["1"]["p50"] > 0 and smallest["versus_teacher"]


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_run_sets_its_students_beside_plain_models(tmp_path, task):
    spec = small_spec(write_table(tmp_path / "t.csv", task), task, epochs=2)
    large = StudentSpec(name="wide", arch=Choice(name="mlp", settings={"width": 64, "depth": 2}))
    asked = {
        "evaluation": spec.evaluation.model_copy(update={"references": True, "latency": True}),
        "students": (*spec.students, large),
    }
    result = carry_out(spec.model_copy(update=asked), tmp_path / "run")
    plain = carry_out(spec.model_copy(update={"students": (*spec.students, large)}), tmp_path / "without")
    metric, told = result["metric"]["name"], result["references"]
    assert told["missing"] == [] and plain["references"] is None
    assert all(r["compact_bytes"] < r["bytes"] for r in told["known"])
    names = [r["name"] for r in told["known"]]
    assert names == [name for name, *_ in PLAIN][: len(names)] and len(names) >= 3
    for student, other in zip(result["students"], plain["students"], strict=True):
        assert student["metrics"] == other["metrics"] and student["gain"] == other["gain"]  # nothing else moves
        assert student["size_bytes"] == student["deployed"]["bytes"] != student["weights_bytes"]
    student = read_outcome(result).students[1]
    best = result["students"][1]["reference"]["best"]
    fitting = [r for r in told["known"] if r["bytes"] <= student.bytes]
    sign = 1 if result["metric"]["better"] == "higher" else -1
    assert best["name"] == max(fitting, key=lambda r: sign * r["selected"])["name"]
    gain = student.plain.gain[metric]
    ours, theirs = student.arm.mean(metric), best["metrics"][metric]["mean"]
    assert gain.mean == pytest.approx(sign * (ours - theirs)) and gain.n == 2
    spread = best["latency_ms"]["whole"]["1"]
    assert 0 < spread["p50"] <= spread["p95"]
    asked_smaller(result)
    low, high = student.plain.family
    assert low < gain.low < gain.high < high  # one of several statements
    assert student.plain.standing == {True: "behind"}.get(high < 0, student.plain.standing)
    said = [line for line in verdict_lines(result) if "plain model" in line.lower()]
    taken_home(tmp_path / "run", result)
    assert not (tmp_path / "without" / "artifacts" / "plain").exists() and "plain" not in plain["artifacts"]
    assert len(said) >= 2 and any(f"{student.bytes / 1024:,.1f} KB" in line for line in said)
    assert any(f"{best['title']} of {best['bytes'] / 1024:,.1f} KB, without a teacher" in line for line in said)


def test_texts_have_plain_models_of_their_own(tmp_path):
    told = text_table(tmp_path / "a.csv")
    assert lists(prepare(told)) == [PLAIN, TEXTS]
    assert lists(prepare(told.model_copy(update={"drop": ("amount",)}))) == [TEXTS]
    assert lists(prepare(DatasetSpec(source="sample:visits", target="purchased"))) == [PLAIN]
    assert all(arch.name == "terms" for *_, arch in TEXTS)


@pytest.mark.slow
def test_pictures_have_plain_models_of_their_own(tmp_path):
    offers = DatasetSpec(source="sample:product_category", target="shelf")
    assert lists(prepare(offers, tmp_path)) == [PLAIN, TEXTS, PICTURES]
    figures = ("price", "weight_g", "pieces", "stars", "returns_share", "material")
    assert lists(prepare(offers.model_copy(update={"drop": figures}), tmp_path)) == [TEXTS, PICTURES]
    told = picture_spec(tmp_path)
    assert lists(prepare(told.dataset, tmp_path)) == [PICTURES]
    asked = told.evaluation.model_copy(update={"references": True})
    result = carry_out(told.model_copy(update={"evaluation": asked}), tmp_path / "run")
    known = result["references"]["known"]
    *linear, network = [r["name"] for r in known]
    assert linear == [name for name, *_ in PICTURES][: len(linear)] and linear and result["references"]["missing"] == []
    (student,) = result["students"]
    best = student["reference"]["best"]
    assert network == "cnn_7x3" and known[-1]["arch"] == dict(NETWORKS_BY_NAME)["cnn_7x3"].model_dump()
    assert 0.7 * student["deployed"]["bytes"] < known[-1]["bytes"] <= student["deployed"]["bytes"]
    assert best["name"] == max(known, key=lambda r: (r["bytes"] <= student["deployed"]["bytes"], r["selected"]))["name"]
    assert best["bytes"] <= student["deployed"]["bytes"] and len(best["metrics"]["accuracy"]["values"]) == 2
    (kept,) = result["artifacts"]["plain"]
    assert kept["name"] == f"plain {best['name']}" and (tmp_path / "run" / kept["onnx"]).stat().st_size == best["bytes"]


@pytest.mark.slow
def test_a_text_student_stands_beside_a_linear_model_of_its_bytes(tmp_path):
    spec = text_spec(tmp_path / "a.csv")
    dataset = spec.dataset.model_copy(update={"drop": ("amount",)})
    asked = {"evaluation": spec.evaluation.model_copy(update={"references": True}), "dataset": dataset}
    result = carry_out(spec.model_copy(update={"students": (student_spec("bag:tiny"),), **asked}), tmp_path / "run")
    known, (student,) = result["references"]["known"], result["students"]
    assert [r["name"] for r in known] == [name for name, *_ in TEXTS][: len(known)] and result["references"][
        "missing"
    ] == []
    best = student["reference"]["best"]
    assert best["bytes"] <= student["deployed"]["bytes"] and student["deployed"]["inputs"] == "raw rows"


def test_a_plain_model_without_a_file_says_why(monkeypatch):
    made = known([], [])
    made.dataset, made.seeds = None, [0]
    monkeypatch.setattr(made, "_trained", lambda arch, seeds: [SimpleNamespace(score_selected=0.5)])
    monkeypatch.setattr(made, "_module", lambda trained: None)
    monkeypatch.setattr(
        plain_references, "deploy", lambda *given, rule: Deployment(None, reason="ONNX Runtime can't run the file.")
    )
    with pytest.raises(KDError) as caught:
        made._first("linear", "a linear model", Choice(name="linear"))
    assert caught.value.code == "no_file"
    assert str(caught.value) == (
        "It has no file to compare bytes with: ONNX Runtime can't run the file. "
        "The student is compared with the other plain models."
    )


@pytest.mark.slow
def test_without_lightgbm_the_run_ends_and_says_what_is_missing(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "lightgbm", None)
    spec = small_spec(write_table(tmp_path / "t.csv"), epochs=2)
    asked = {"evaluation": spec.evaluation.model_copy(update={"references": True})}
    result = carry_out(spec.model_copy(update=asked), tmp_path / "run")
    told = result["references"]
    assert [r["name"] for r in told["known"]] == ["linear"] and np.isfinite(told["known"][0]["selected"])
    assert [m["name"] for m in told["missing"]] == [name for name, *_ in PLAIN[1:]]
    assert all("lightgbm" in m["reason"].lower() for m in told["missing"])


def beside_pictures(monkeypatch, arch, most=100_000):
    """The plain models that are learned beside a student of pictures, without training any."""
    made, learned = known([], []), []
    made.dataset = SimpleNamespace(views=SimpleNamespace(kinds=("pixels",)))
    made.missing, inputs = [], InputSpec("pixels", (1, 28, 28), "uint8", high=256)
    monkeypatch.setattr(plain_references, "lists", lambda dataset: [])
    monkeypatch.setattr(plain_references, "sizes_for", lambda dataset, one: sizes(one, inputs, 10))
    monkeypatch.setattr(made, "stop", lambda: False, raising=False)

    def first(name, title, choice):
        learned.append(name)
        return Reference(name, title, choice, 0.9, Kept(sizes(choice, inputs, 10).size_bytes), {})

    monkeypatch.setattr(made, "_first", first)
    made.learn([(arch, most), (Choice(name="linear_pixels", settings={"size": "tiny"}), 3000)])
    return made, learned


def test_a_student_is_not_set_beside_the_cnn_of_its_own_shape(monkeypatch):
    own = dict(NETWORKS_BY_NAME)["cnn_12x3"]
    made, learned = beside_pictures(monkeypatch, Choice(name="resnet", settings={"size": "tiny"}))
    assert learned == ["cnn_7x4"] and made.missing == []
    made.known.append(Reference("cnn_12x3", "", own, 0.95, Kept(10), {}))
    assert made.of_size(TREES, 90_000).name == "cnn_12x3" == made.smallest_within(TREES, 0.9, 0.1).name
    assert made.of_size(own, 90_000).name == "cnn_7x4" == made.smallest_within(own, 0.9, 0.1).name


def test_a_cnn_that_would_learn_too_long_is_left_out_and_that_is_said(monkeypatch):
    monkeypatch.setattr(plain_lists, "QUICK", 1.0)
    made, learned = beside_pictures(monkeypatch, Choice(name="linear_pixels", settings={"size": "small"}), 20_000)
    assert learned == [] and [m["name"] for m in made.missing] == ["cnn_4x2"]
    assert made.missing[0]["reason"] == "It learns more than 2 times as long as a student."


def test_a_list_ends_with_the_first_model_that_is_larger(monkeypatch):
    made, asked = known([], []), []
    made.dataset, made.stop, made.shorten = (
        SimpleNamespace(views=SimpleNamespace(kinds=("table",))),
        lambda: False,
        False,
    )

    def first(name, title, arch):
        asked.append(name)
        return SimpleNamespace(bytes=int(name))

    monkeypatch.setattr(made, "_first", first)
    made._learn([(str(n), "", Choice(name="linear")) for n in (50, 100, 101, 500)], 100)
    assert asked == ["50", "100", "101"]


@pytest.mark.slow
def test_a_plain_model_beside_two_students_is_timed_once(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv", "binary"), "binary", epochs=1)
    first = spec.students[0]
    students = (first, first.model_copy(update={"name": "twin"}))
    evaluation = spec.evaluation.model_copy(update={"references": True, "latency": True})
    result = carry_out(spec.model_copy(update={"students": students, "evaluation": evaluation}), tmp_path / "run")
    one, other = (s["reference"]["best"] for s in result["students"])
    assert one["name"] == other["name"] and one["latency_ms"] == other["latency_ms"]
