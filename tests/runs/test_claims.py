"""What a result claims: rows and seeds, the placebo, room, several students, repeats. On data where the old rule is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from kd_core.errors import DataError
from kd_core.runs import experiment, headroom
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store import ledger
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, StudentSpec
from kd_core.workspace import workspace
from tests.runs.tables import small_spec, write_table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]


def carry_out(spec, path, notify=lambda e: None) -> dict[str, Any]:
    return experiment.run(spec, RunFolder.create(path, spec), notify, lambda: False)


def evaluation(spec, **changes):
    return spec.model_copy(update={"evaluation": spec.evaluation.model_copy(update=changes)})


def test_automatic_seeds_go_on_until_the_rows_matter_more(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv", rows=900), seeds=None, epochs=4)
    events: list[dict[str, Any]] = []
    student = carry_out(spec, tmp_path / "run", events.append)["students"][0]
    gain, n = student["gain"]["roc_auc"], len(student["seeds"])
    assert gain["n"] == n >= 3 and n % 2 == 1
    assert gain["seeds_half"] <= gain["rows_half"] / 2 or n == 15
    rounds = [e for e in events if e["kind"] == "seeds"]
    assert [seed for e in rounds for seed in e["seeds"]] == list(range(3, n))
    assert [e["trainings"] for e in rounds] == [3 * (5 + 2 * k) for k in range(len(rounds))]
    last = [e for e in events if e["kind"] == "trained" and e["arm"] != "teacher"][-1]
    assert (last["done"], last["of"]) == (3 * n, 3 * n)


def test_one_run_reads_the_test_part_once_however_many_rounds_it_has(tmp_path):
    path = write_table(tmp_path / "t.csv")
    spec = small_spec(path, seeds=None)
    first = carry_out(spec, tmp_path / "a")
    again = experiment.run(spec, RunFolder(tmp_path / "a"), lambda e: None, lambda: False)
    other = carry_out(small_spec(path, epochs=2), tmp_path / "b")
    assert (first["test_reads"], again["test_reads"], other["test_reads"]) == (1, 1, 2)
    assert ledger.note_read(workspace(), first["dataset"]["hash"], "one more") == 3


def test_a_teacher_that_knows_nothing_gets_no_credit_for_what_smoothing_gave(tmp_path, monkeypatch):
    """The lesson is the placebo itself: the student may gain, but nothing of it comes from the teacher."""
    from kd_core.distill import placebo

    honest = experiment.teacher_answers

    def ignorant(dataset, teacher, **more):
        found = honest(dataset, teacher, **more)
        lesson = Choice(name="hinton", settings={"temperature": 2.0})
        found.logits["train"] = placebo.placebo_logits(dataset.train.y, found.logits["train"], lesson, None)
        return found

    monkeypatch.setattr(experiment, "teacher_answers", ignorant)
    result = carry_out(small_spec(write_table(tmp_path / "t.csv"), seeds=4, epochs=8), tmp_path / "run")
    student = read_outcome(result).students[0]
    assert student.credit("roc_auc") == "unclear"
    assert abs(student.placebo.gain["roc_auc"].mean) < 1e-4


def test_a_placebo_can_be_left_out(tmp_path):
    spec = evaluation(small_spec(write_table(tmp_path / "t.csv")), placebo=False)
    events: list[dict[str, Any]] = []
    student = carry_out(spec, tmp_path / "run", events.append)["students"][0]
    assert (student["placebo"], student["placebo_reason"]) == (None, "not_asked")
    assert not [e for e in events if e.get("arm") == "placebo"]


def noise_table(path, rows):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({c: rng.normal(size=rows).round(3) for c in "abc"})
    frame["target"] = np.where(rng.random(rows) < 0.5, "yes", "no")
    frame.to_csv(path, index=False)
    return path


def test_a_teacher_behind_by_chance_leaves_it_open_whether_there_is_room(tmp_path):
    """On noise one side always scores lower; the old rule then said that there is no room."""
    result = carry_out(small_spec(noise_table(tmp_path / "t.csv", 3000), seeds=3), tmp_path / "run")
    room = result["room"][0]
    assert room["state"] == "unclear" and room["room"]
    assert room["gain"]["ci95"][0] < 0 < room["gain"]["ci95"][1]


@pytest.mark.parametrize(("rows", "state"), [(3000, "none"), (900, "unclear")])
def test_no_room_is_said_when_the_interval_says_so_and_the_rows_are_many(tmp_path, monkeypatch, rows, state):
    honest = experiment.teacher_answers

    def wrong(dataset, teacher, **more):
        found = honest(dataset, teacher, **more)
        return type(found)(**{**found.__dict__, "logits": {part: -z for part, z in found.logits.items()}})

    monkeypatch.setattr(experiment, "teacher_answers", wrong)
    events: list[dict[str, Any]] = []
    spec = small_spec(write_table(tmp_path / "t.csv", rows=rows), seeds=3, epochs=8)
    room = carry_out(spec, tmp_path / "run", events.append)["room"][0]
    assert (room["units"] >= headroom.FEWEST_UNITS) is (state == "none")
    assert room["state"] == state and room["room"] is (state != "none")
    said = [e["message"] for e in events if e["kind"] == "warning" and e["code"] == "no_room"]
    assert bool(said) is (state == "none")
    if said:
        assert (
            said[0]
            == "On validation the teacher's ROC-AUC is worse than that of tiny trained alone, beyond the interval."
        )


def two_students(spec):
    second = StudentSpec(name="wide", arch=Choice(name="mlp", settings={"width": 24, "depth": 1}))
    return spec.model_copy(update={"students": (*spec.students, second)})


def test_the_student_shown_first_is_chosen_on_validation(tmp_path):
    result = carry_out(two_students(small_spec(write_table(tmp_path / "t.csv"))), tmp_path / "run")
    chosen = read_outcome(result)
    assert chosen.best == int(np.argmax([s.selected for s in chosen.students]))
    for student in result["students"]:  # the other one is better on the test rows: nothing moves
        student["metrics"]["roc_auc"]["mean"] = 0.99 if student["name"] != chosen.students[chosen.best].name else 0.01
    assert read_outcome(result).best == chosen.best


def test_several_students_have_intervals_that_hold_together(tmp_path):
    result = carry_out(two_students(small_spec(write_table(tmp_path / "t.csv"), seeds=3)), tmp_path / "run")
    for student in result["students"]:
        gain = student["gain"]["roc_auc"]
        assert gain["ci_family"][0] < gain["ci95"][0] < gain["ci95"][1] < gain["ci_family"][1]


def test_balanced_classes_reach_teacher_labels_and_placebo(tmp_path):
    path = write_table(tmp_path / "t.csv")
    frame = pd.read_csv(path)
    frame = pd.concat([frame[frame.target == "no"], frame[frame.target == "yes"].head(40)])
    frame.to_csv(path, index=False)
    plain = carry_out(small_spec(path), tmp_path / "plain")
    weighted = carry_out(small_spec(path, class_weights="balanced"), tmp_path / "weighted")
    for side in (
        lambda r: r["teacher"]["metrics"]["recall"],
        lambda r: r["students"][0]["placebo"]["metrics"]["recall"]["mean"],
    ):
        assert side(weighted) > side(plain)
    assert weighted["teacher"]["metrics"]["roc_auc"] == pytest.approx(plain["teacher"]["metrics"]["roc_auc"])


def test_a_run_can_be_repeated_on_further_splits(tmp_path):
    spec = evaluation(small_spec(write_table(tmp_path / "t.csv")), splits=3)
    events: list[dict[str, Any]] = []
    result = carry_out(spec, tmp_path / "run", events.append)
    rows = result["splits"]["done"]
    assert [r["split_seed"] for r in rows] == [0, 1, 2] and result["splits"]["asked"] == 3
    assert rows[0]["students"][0]["gain"] == result["students"][0]["gain"]["roc_auc"]
    alone = spec.dataset.model_copy(update={"split_seed": 2})
    other = carry_out(evaluation(spec, splits=1).model_copy(update={"dataset": alone}), tmp_path / "other")
    assert rows[2]["students"][0]["gain"] == other["students"][0]["gain"]["roc_auc"]
    assert {e["seed"] for e in events if e["kind"] == "epoch"} == {0, 1}
    assert len([e for e in events if e["kind"] == "epoch"]) == 3 * 2 * 3  # curves of the first split alone


@pytest.mark.parametrize("case", ["what_if", "time", "part"])
def test_what_cannot_be_repeated_on_splits_is_refused(tmp_path, case):
    from kd_core.specs import SweepSpec

    spec = evaluation(small_spec(write_table(tmp_path / "t.csv")), splits=5)
    if case == "part":
        rows = (tmp_path / "t.csv").read_text().splitlines()
        said = ["part", *("test" if i % 4 else "train" for i in range(len(rows) - 1))]
        (tmp_path / "t.csv").write_text("\n".join(f"{row},{word}" for row, word in zip(rows, said, strict=True)))
    if case != "what_if":
        column = {"time": "a", "part": "part"}[case]
        spec = spec.model_copy(update={"dataset": spec.dataset.model_copy(update={case: column})})
    else:
        spec = spec.model_copy(update={"sweep": SweepSpec(alpha=(0.0, 1.0))})
    with pytest.raises(DataError, match=r"can't be repeated on 5 splits: a (split by time|what-if)"):
        carry_out(spec, tmp_path / "run")


def test_to_stop_is_suggested_only_where_the_taught_model_is_wanted():
    rows = [{"student": "tiny", "state": "none"}, {"student": "small", "state": "unclear"}]
    (taught,), (alone,) = headroom.warnings(rows, "roc_auc"), headroom.warnings(rows, "roc_auc", "baseline")
    assert taught["message"] == alone["message"] and "worse than that of tiny trained alone" in taught["message"]
    assert taught["hint"].startswith("A gain is unlikely. You can stop now")
    assert alone["hint"].startswith("The model that was chosen was trained alone, so nothing is lost")
    assert headroom.warnings(rows[1:], "roc_auc") == []
