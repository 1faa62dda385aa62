"""A student looked at where a run is not as usual: files gone or changed, stages, learned alone, few rows, one class."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.errors import KDError, Stopped
from kd_core.evaluate.answers import from_logits
from kd_core.runs import experiment
from kd_core.runs.compressing.asked import chains_of, spec_of
from kd_core.runs.continuing.asked import spec_of as going_on
from kd_core.runs.continuing.run_data import RunData
from kd_core.runs.examining import examination
from kd_core.runs.examining.confidence import surest
from kd_core.runs.examining.examination import answers_of, examine, opened, opened_with_others
from kd_core.runs.examining.explanation import explain
from kd_core.runs.examining.subjects import Kept, subjects
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.safe_io import write_json
from kd_core.specs import Choice, StudentSpec
from tests.runs.compressing.rounding import NAME, registered
from tests.runs.tables import TINY, small_spec, write_table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]
WIDE = StudentSpec(name="wide", arch=Choice(name="mlp", settings={"size": None, "width": 24, "depth": 2}))


def carry_out(spec, place):
    folder = RunFolder.create(place, spec)
    folder.finish("done", experiment.run(spec, folder, lambda event: None, lambda: False))
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace with a run of two students, and one that made the second smaller."""
    root = tmp_path_factory.mktemp("odd")
    with pytest.MonkeyPatch.context() as patch, registered():
        patch.setenv("KD_WORKSPACE", str(root / "ws"))
        root.joinpath("ws/runs").mkdir(parents=True)
        spec = small_spec(write_table(root / "rows.csv", rows=600)).model_copy(update={"students": (TINY, WIDE)})
        balanced = spec.training.model_copy(update={"class_weights": "balanced"})
        references = spec.evaluation.model_copy(update={"references": True})
        carry_out(spec.model_copy(update={"training": balanced, "evaluation": references}), root / "ws/runs/first")
        small = spec_of("first", student="wide", chains=chains_of([], [f"prune_structured=0.5,{NAME}"], []))
        carry_out(small, root / "ws/runs/second")
        yield root


@pytest.fixture(autouse=True)
def here(place, own_workspace, monkeypatch):
    monkeypatch.setenv("KD_WORKSPACE", str(place / "ws"))


@pytest.fixture
def copy(place, tmp_path):
    return RunFolder(shutil.copytree(place / "ws/runs/first", tmp_path / "first"))


def test_each_student_of_several_is_asked_by_its_own_files():
    for name in ("tiny", "wide"):
        _, kept, who = opened_with_others("first", name)
        assert set(who.asked) == {"teacher", "baseline", "student", "plain"} and not who.left_out
        for arm, z in (("teacher", kept.teacher), ("baseline", kept.baseline), ("student", kept.student)):
            then = from_logits("binary", kept.labels, z)
            np.testing.assert_allclose(who.asked[arm](kept.frame), then.p, atol=2e-2)


def test_a_stage_of_a_smaller_student_is_asked_itself_beside_the_first_run_s_baseline():
    student = opened("first", "wide")[2]
    for name, number in (("student", 0), ("half", 1), ("half-coarse", 2)):
        model, kept, who = opened_with_others("second", name)
        assert model.student["index"] == number and set(who.asked) == {"teacher", "baseline", "student"}
        np.testing.assert_array_equal(kept.baseline, student.baseline)
        assert (number == 0) == bool(np.array_equal(kept.student, student.student))
        own = who.asked["student"](kept.frame)
        np.testing.assert_allclose(from_logits("binary", kept.labels, kept.student).p, own, atol=1e-4)
        np.testing.assert_allclose(
            who.asked["baseline"](kept.frame), from_logits("binary", kept.labels, kept.baseline).p, atol=2e-2
        )
    found = examine("second", "half")
    assert found["student"] == "half" and found["versus_baseline"] and found["confidence"]["temperature"] > 0
    assert opened("second")[0].student["name"] in ("student", "half", "half-coarse")


def test_a_run_that_went_on_is_looked_at_by_new_rows_and_its_teacher_by_the_old_ones(place):
    new = write_table(place / "new.csv", rows=300, seed=5)
    going = carry_out(going_on("first", str(new)), place / "ws/runs/third")
    _, kept, who = opened_with_others(going.path, "tiny")
    assert set(who.asked) == {"teacher", "baseline", "student", "plain"} and not who.left_out
    for arm, z in (("teacher", kept.teacher), ("baseline", kept.baseline), ("student", kept.student)):
        then = from_logits("binary", kept.labels, z)
        np.testing.assert_allclose(who.asked[arm](kept.frame), then.p, atol=2e-2)
    data = RunData(going)
    assert (
        len(data.taught.train) < len(data.dataset.train) and "temperature" in examine(going.path, "tiny")["confidence"]
    )


def test_a_student_that_learned_alone_is_its_own_baseline(copy):
    told = copy.read(MODEL)
    told["students"][0]["arm"] = "baseline"
    write_json(copy.path / MODEL, told)
    usual = opened("first", "tiny")[2]
    found = examine(copy.path, "tiny")
    kept = opened(copy.path, "tiny")[2]
    np.testing.assert_array_equal(kept.student, usual.baseline)
    assert kept.baseline is None and "versus_baseline" not in found and "versus_teacher" in found
    assert "learned alone" in found["left_out"]["baseline"] and "baseline" not in found["asked"]
    said = CliRunner().invoke(app, ["examine", str(copy.path), "--student", "tiny"])
    assert said.exit_code == 0 and "against its baseline" not in said.output and "against its teacher" in said.output


def test_weights_that_are_gone_or_torn_leave_the_baseline_out(copy):
    shutil.rmtree(copy.checkpoints)
    assert "does not keep the weights" in examine(copy.path, "tiny")["left_out"]["baseline"]


def test_one_training_that_is_gone_or_torn_leaves_the_baseline_out(copy):
    seed = next(one["seed"] for one in copy.read(MODEL)["students"] if one["name"] == "tiny")
    named = {
        tuple(json.loads(p.read_text())[k] for k in ("arm", "student", "seed")): p
        for p in copy.checkpoints.rglob("trained/*.json")
    }
    weights = named["baseline", "tiny", seed].with_suffix(".safetensors")
    weights.write_bytes(weights.read_bytes()[:-8] + b"\0" * 8)
    who = opened_with_others(copy.path, "tiny")[2]
    assert "has changed since the run ended" in who.left_out["baseline"]
    weights.unlink()
    assert "baseline" not in opened_with_others(copy.path, "tiny")[2].asked


def test_data_that_is_gone_or_another_is_said_and_the_rest_is_looked_at(place):
    source = place / "rows.csv"
    before = source.read_bytes()
    try:
        source.unlink()
        gone = examine("first", "tiny")
        write_table(source, rows=600, seed=1)
        other = examine("first", "tiny")
    finally:
        source.write_bytes(before)
    for found in (gone, other):
        assert found["asked"] == ["baseline", "student", "plain"] and found["versus_teacher"]
        assert set(found["confidence"]) == {"reason"}
    assert (
        "read otherwise now" in other["confidence"]["reason"] and "read otherwise now" in other["left_out"]["teacher"]
    )
    assert "how sure it is could not be told" in "\n".join(_lines(other))


def _lines(found):
    from kd_core.cli.examining import lines

    return list(lines(found))


def test_a_plain_model_and_damaged_rows_are_refused_in_words(copy):
    plain = copy.read(MODEL)["plain"][0]["name"]
    with pytest.raises(KDError, match="no test rows beside it") as refused:
        examine(copy.path, plain)
    assert refused.value.code == "examine_no_rows"
    with np.load(copy.artifact("soft_labels.npz")) as held:
        arrays = {name: held[name] for name in held.files if name != "student_1"}
    np.savez(copy.artifact("soft_labels.npz"), **arrays)
    with pytest.raises(KDError, match="student_1") as damaged:
        examine(copy.path, "wide")
    assert damaged.value.code == "run_damaged" and examine(copy.path, "tiny")
    copy.artifact("rows.parquet").write_bytes(b"no rows")
    with pytest.raises(KDError) as damaged:
        examine(copy.path, "tiny")
    assert damaged.value.code == "run_damaged"


def _cut(folder, rows):
    """Keep some of the kept rows only."""
    import pandas as pd

    with np.load(folder.artifact("soft_labels.npz")) as held:
        arrays = {name: held[name][rows] for name in held.files}
    np.savez(folder.artifact("soft_labels.npz"), **arrays)
    path = folder.artifact("rows.parquet")
    pd.read_parquet(path).iloc[rows].reset_index(drop=True).to_parquet(path, index=False)
    return arrays


def test_one_class_alone_has_no_ranking_and_is_looked_at_all_the_same(copy):
    labels = opened(copy.path, "tiny")[2].labels
    _cut(copy, np.flatnonzero(labels == 1))
    found = examine(copy.path, "tiny")
    assert found["metric"] == "roc_auc" and set(found["undisturbed"].values()) == {None}
    assert found["disturbed"] == [] and not any(found["importance"].values()) and found["alike"] == {}
    assert found["versus_baseline"] and found["confidence"]["temperature"] > 0
    json.dumps(found, allow_nan=False)
    assert any("temperature" in line for line in _lines(found))


def test_few_rows_without_a_cell_have_no_groups_and_are_explained(copy):
    import pandas as pd

    _cut(copy, np.arange(5))
    path = copy.artifact("rows.parquet")
    frame = pd.read_parquet(path)
    frame = frame.mask(pd.Series(np.arange(5) == 2))
    frame.to_parquet(path, index=False)
    model, kept, who = opened_with_others(copy.path, "tiny")
    assert "answers otherwise" in who.left_out["teacher"]
    found = examine(copy.path, "tiny")
    assert found["versus_baseline"] == [] and found["rows"] == 5 and found["disturbed"]
    told = explain(model, who, kept, 2, None)
    assert all(np.isfinite(one).all() for one in told.effects.values())


def test_rows_that_are_changed_are_drawn_from_all_that_were_kept(copy, monkeypatch):
    monkeypatch.setattr(examination, "MOST_ROWS", 20)
    model, kept, who = opened_with_others(copy.path, "tiny")
    asked = []
    own = who.asked["student"]
    who.asked = {"student": lambda rows: asked.append(rows) or own(rows)}
    found = examination._disturbed(model, "accuracy", kept, who, lambda *told: None, lambda: False)
    rows = asked[-1]  # undisturbed
    places = [
        next(i for i, one in enumerate(kept.frame.to_dict("records")) if one == row) for row in rows.to_dict("records")
    ]
    assert len(set(places)) == found["asked_rows"] == 20 and max(places) > 40 and places == sorted(places)
    truth = answers_of(model, kept.labels[places], own(rows))
    assert found["undisturbed"]["student"] == pytest.approx((truth.predicted == truth.y).mean())
    assert found["columns"] == [3, 3]
    monkeypatch.setattr(examination, "MOST_COLUMNS", 2)
    found = examination._disturbed(model, "accuracy", kept, who, lambda *told: None, lambda: False)
    assert found["columns"] == [2, 3] and len(found["importance"]["student"]) == 2


def test_a_teacher_whose_answers_are_not_known_is_not_trained_and_a_stop_is_a_stop(copy):
    model, result, kept = opened(copy.path, "tiny")
    for teacher in (None, np.full_like(kept.teacher, np.nan)):
        unknown = Kept(kept.frame, kept.labels, teacher, kept.baseline, kept.student)
        who = subjects(model, result, unknown, RunData(copy))
        assert "would be recognised" in who.left_out["teacher"]
    partly = kept.teacher.copy()
    partly[::2] = np.nan
    some = Kept(kept.frame, kept.labels, partly, kept.baseline, kept.student)
    assert "teacher" in subjects(model, result, some, RunData(copy)).asked
    with pytest.raises(Stopped):
        subjects(model, result, kept, RunData(copy), should_stop=lambda: True)


def test_a_run_that_has_not_ended_has_nothing_to_look_at(tmp_path):
    folder = RunFolder.create(tmp_path / "open", small_spec(write_table(tmp_path / "t.csv")))
    with pytest.raises(KDError) as error:
        examine(folder.path)
    assert error.value.code == "no_model"


def test_calibration_after_is_that_of_logits_divided_by_the_temperature():
    model, kept, who = opened_with_others("first", "tiny")
    ask = who.asked["student"]
    told = surest(model, ask, kept, RunData(model.folder))["confidence"]
    z = np.log(ask(kept.frame))
    for name, scale in (("before", 1.0), ("after", told["temperature"])):
        p = np.exp(z / scale) / np.exp(z / scale).sum(axis=1, keepdims=True)
        right = -np.log(p[np.arange(len(p)), kept.labels]).mean()
        assert told[name]["log_loss"] == pytest.approx(right, abs=1e-6)
    assert abs(told["temperature"] - 1) > 1e-3


def test_every_draw_of_a_disturbance_is_another():
    model, kept, who = opened_with_others("first", "tiny")
    asked = []
    own = who.asked["student"]
    who.asked = {"student": lambda rows: asked.append(rows) or own(rows)}
    found = examination._disturbed(model, "accuracy", kept, who, lambda *told: None, lambda: False)
    first, *others = asked[: examination.DRAWS]
    assert found["disturbed"][0]["way"] == "missing" and first.isna().any().any()
    assert not any(first.equals(other) for other in others)


def test_rows_that_both_are_surest_of_come_first_and_a_group_is_one_piece_of_evidence(monkeypatch):
    model, result, kept = opened("first", "tiny")
    found = examination._groups(model, kept, result)
    sure = [one["student_p"] * one["teacher_p"] for one in found["disagreements"]]
    assert len(sure) > 1 and sure == sorted(sure, reverse=True)
    spec = model.folder.spec()
    grouped = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={"group": "kind"})})
    monkeypatch.setattr(RunFolder, "spec", lambda self: grouped)
    together = examination._groups(model, kept, result)["versus_baseline"]
    assert {one["half"] for one in together if one["column"] == "kind"} == {None}  # one unit each
    assert None not in {one["half"] for one in found["versus_baseline"]}


def test_a_column_s_effect_is_the_answer_less_the_mean_with_other_rows_values():
    model, kept, who = opened_with_others("first", "tiny")
    told = explain(model, who, kept, 1, None)
    ask, row = who.asked["student"], kept.frame.iloc[[1]].reset_index(drop=True)
    others = np.linspace(0, len(kept.frame) - 1, 30).astype(int)
    rows = kept.frame.iloc[np.ones(30, int)].reset_index(drop=True)
    rows["a"] = kept.frame["a"].iloc[others].reset_index(drop=True)
    wanted = ask(row)[0, told.output] - ask(rows)[:, told.output].mean()
    assert told.effects["student"][told.parts.index("a")] == pytest.approx(wanted, abs=1e-6)
