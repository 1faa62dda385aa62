"""A finished student looked at: every kind of data, everybody who can be asked, what is told where somebody can't."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.errors import KDError, Stopped
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import METRICS
from kd_core.runs.continuing.run_data import RunData
from kd_core.runs.examining import subjects as room
from kd_core.runs.examining.examination import answers_of, examine, opened, opened_with_others, place
from kd_core.runs.examining.explanation import columns_to_explain, explain
from tests.runs.exporting.kinds import KINDS, carried_out

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    made = {}

    def of(kind):
        if kind not in made:
            made[kind] = carried_out(kind, tmp_path_factory.mktemp(kind))
        return made[kind]

    return of


@pytest.mark.parametrize("kind", KINDS)
def test_everybody_is_asked_and_answers_kept_rows_as_in_the_run(runs, kind):
    folder, names = runs(kind)
    model, kept, who = opened_with_others(folder.path, names[0])
    assert list(who.asked) == ["teacher", "baseline", "student"] and not who.left_out
    scale = model.purpose.mean, model.purpose.std
    for arm, z in (("teacher", kept.teacher), ("baseline", kept.baseline), ("student", kept.student)):
        then = from_logits(model.purpose.task.name, kept.labels, z, *scale)
        now = answers_of(model, kept.labels, who.asked[arm](kept.frame))
        limit = (
            2e-3 if arm != "baseline" else 2e-2
        )  # its weights are kept as they were before they were rounded for a file
        if then.p is not None:
            np.testing.assert_allclose(now.p, then.p, atol=limit)
        else:
            np.testing.assert_allclose(now.values / scale[1], then.values / scale[1], atol=limit)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_found_is_plain_and_kept_beside_the_run(runs, kind):
    folder, names = runs(kind)
    before = folder.complete
    found = examine(folder.path, names[0])
    model, _, kept = opened(folder.path, names[0])
    assert json.loads(place(model).read_text("utf-8")) == found
    assert folder.complete == before  # no part of the run's own files
    metric = METRICS.get(found["metric"]).make
    assert found["rows"] == len(kept.labels) == found["asked_rows"]
    who = opened_with_others(folder.path, names[0])[2]
    for arm, score in found["undisturbed"].items():
        assert score == pytest.approx(metric(answers_of(model, kept.labels, who.asked[arm](kept.frame))))
    ways = {one["way"] for one in found["disturbed"]}
    kinds = {one.kind for one in model.deployed.reader.types.values()}
    wanted = {"missing"} | {
        w for k, w in {"number": "noise", "text": "typos", "picture": "grain"}.items() if k in kinds
    }
    assert ways == wanted
    assert {(one["strength"], one["arm"]) for one in found["disturbed"]} == {
        (s, a) for s in (0.05, 0.1, 0.2) for a in found["asked"]
    }
    classes = model.purpose.task.has_classes
    assert ("confidence" in found) == ("disagreements" in found) == classes
    if classes:
        told = found["confidence"]
        assert told["validation_rows"] > 0 and told["after"]["log_loss"] > 0
        ours, theirs = (
            from_logits(model.purpose.task.name, kept.labels, z).predicted for z in (kept.student, kept.teacher)
        )
        assert found["disagree"] == pytest.approx((ours != theirs).mean())
        for one in found["disagreements"]:
            assert (one["student"], one["teacher"]) == (ours[one["row"]], theirs[one["row"]])


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_is_taken_apart_in_every_way_that_it_has(runs, kind):
    folder, names = runs(kind)
    model, kept, who = opened_with_others(folder.path, names[0])
    offered = columns_to_explain(model)
    assert offered
    for column in offered:
        found = explain(model, who, kept, 1, column)
        assert set(found.effects) == set(who.asked) and found.parts
        whole = who.asked["student"](kept.frame.iloc[[1]])[0]
        assert found.answers["student"] == pytest.approx(whole[found.output or 0])
        for effects in found.effects.values():
            assert len(effects) == len(found.parts) and np.isfinite(effects).all()
        if column is None:
            assert found.kind == "columns" and found.parts == [c for c in model.columns if c in kept.frame]


def test_a_word_that_is_taken_away_changes_what_the_text_without_it_says(runs):
    folder, names = runs("english")
    model, kept, who = opened_with_others(folder.path, names[0])
    found = explain(model, who, kept, 3, "message")
    word, start, end = found.parts[2]
    text = kept.frame.message.iloc[3]
    assert text[start:end] == word
    row = kept.frame.iloc[[3]].assign(message=text[:start] + text[end:])
    without = who.asked["student"](row)[0][found.output]
    assert found.effects["student"][2] == pytest.approx(found.answers["student"] - without, abs=1e-6)


def test_who_cannot_be_asked_is_left_out_with_the_reason(runs, monkeypatch):
    folder, names = runs("table")
    monkeypatch.setattr(room, "TEACHER_SECONDS", -1)
    found = examine(folder.path, names[0])
    assert found["asked"] == ["baseline", "student"] and "trained once more" in found["left_out"]["teacher"]
    assert "teacher" not in found["importance"] and "versus_teacher" in found


def test_a_teacher_that_answers_otherwise_is_not_taken_for_the_run_s(runs):
    folder, names = runs("table")
    model, result, kept = opened(folder.path, names[0])
    other = room.Kept(kept.frame, kept.labels, kept.teacher + 0.1, kept.baseline, kept.student)
    who = room.subjects(model, result, other, RunData(folder))
    assert "teacher" not in who.asked and "answers otherwise" in who.left_out["teacher"]


def test_it_can_be_stopped(runs):
    folder, names = runs("table")
    with pytest.raises(Stopped):
        examine(folder.path, names[0], should_stop=lambda: True)


def test_a_file_alone_has_no_rows_to_look_at(runs):
    folder, _ = runs("table")
    with pytest.raises(KDError, match="no test rows beside it"):
        opened(folder.path / "artifacts" / "students" / "0.onnx")


def test_the_command_tells_what_it_found(runs, tmp_path):
    folder, names = runs("english")
    out = tmp_path / "found.json"
    done = CliRunner().invoke(app, ["examine", str(folder.path), "--student", names[0], "--json", str(out)])
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text("utf-8"))
    assert "typos" in done.output and f"{found['confidence']['temperature']:.2f}" in done.output
