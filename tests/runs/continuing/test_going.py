"""Going on from a run: from its own weights, beside its own rows, measured where nothing was chosen."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from kd_core.data.dataset import SPLITS
from kd_core.errors import KDError
from kd_core.runs import experiment
from kd_core.runs.asked import make_spec
from kd_core.runs.cells import grid
from kd_core.runs.cells.variant_store import VariantStore
from kd_core.runs.continuing.asked import spec_of
from kd_core.runs.continuing.going import Going
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view import continue_words
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec

ROWS = 900


def table(rows: int, seed: int, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x = rng.normal(shift, 1, (rows, 3)).round(4)
    colour = rng.choice(["red", "blue"], rows)
    y = x[:, 0] + x[:, 1] * x[:, 2] + (colour == "red") + rng.normal(0, 0.5, rows) > 0.3
    return pd.DataFrame(
        {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "colour": colour, "bought": np.where(y, "yes", "no")}
    )


def carry_out(spec, folder, events=None):
    made = folder if isinstance(folder, RunFolder) else RunFolder.create(folder, spec)
    result = experiment.run(spec, made, (events if events is not None else []).append, lambda: False)
    made.finish(result=result)
    return json.loads(json.dumps(result))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace with a finished run and files of new rows."""
    root = tmp_path_factory.mktemp("going")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KD_WORKSPACE", str(root / "ws"))
        table(ROWS, 1).to_csv(root / "old.csv", index=False)
        table(400, 2, 0.7).to_csv(root / "new.csv", index=False)
        table(400, 2, 0.7).drop(columns="bought").to_csv(root / "bare.csv", index=False)
        data = DatasetSpec(source=str(root / "old.csv"), target="bought")
        teacher = Choice(name="gradient_boosting", settings={"rounds": 20})
        lesson = Choice(name="hinton")
        spec = make_spec(
            data,
            teacher,
            ["tiny"],
            lesson,
            (6, 2, 0),
            evaluation=EvaluationSpec(folds=2, references=False, latency=False),
        )
        root.joinpath("ws/runs").mkdir(parents=True)
        carry_out(spec, root / "ws/runs/first")
        yield root


@pytest.fixture(autouse=True)
def here(place, own_workspace, monkeypatch):
    monkeypatch.setenv("KD_WORKSPACE", str(place / "ws"))


def changed(place, name, change):
    frame = pd.read_csv(place / "new.csv")
    frame = change(frame)
    frame.to_csv(place / f"{name}.csv", index=False)
    return str(place / f"{name}.csv")


@pytest.fixture(scope="module")
def labelled(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KD_WORKSPACE", str(place / "ws"))
        spec = spec_of("first", str(place / "new.csv"))
        return spec, carry_out(spec, place / "ws/runs/second")


@pytest.mark.slow
def test_the_unchanged_student_is_that_of_the_run(place, labelled):
    first = RunFolder(place / "ws/runs/first").result()
    told = labelled[1]["continued"]["students"][0]["old"]
    assert told["values"]["before"]["values"] == first["students"][0]["metrics"]["roc_auc"]["values"]
    assert told["values"]["student"]["values"] != told["values"]["before"]["values"]
    assert told["values"]["teacher"] == pytest.approx(first["teacher"]["metrics"]["roc_auc"], abs=1e-12)


def test_both_sides_go_on_from_their_own_weights(place, labelled):
    going = Going(labelled[0])
    store = list((place / "ws/runs/first/checkpoints/trained").glob("0-baseline-1-*.safetensors"))
    assert going.earlier.files["baseline", "tiny", 1][0] in store
    own, other = going.earlier.state("student", "tiny", 0), going.earlier.state("baseline", "tiny", 0)
    assert any((own[n] != other[n]).any() for n in own)
    assert all((going.earlier.state("placebo", "tiny", 0)[n] == own[n]).all() for n in own)


def test_new_rows_kept_apart_choose_nothing_and_the_encoder_is_the_old_one(labelled):
    going = Going(labelled[0])
    rows, data = going.rows, going.dataset
    first = len(rows.old.rows)
    ids = {split: set(data.parts[split].row_ids.tolist()) for split in SPLITS}
    assert not ids["test"] & (ids["train"] | ids["validation"])
    assert min(ids["test"]) >= first and len(ids["test"]) == labelled[1]["continued"]["rows"]["held"] == 100
    kind = rows.old.views.kinds[0]
    assert np.array_equal(
        data.view(kind).parts["train"][: len(rows.kept)], rows.old.view(kind).parts["train"][rows.kept]
    )
    assert data.view(kind).view is rows.old.view(kind).view
    assert not set(rows.old.test.row_ids.tolist()) & (ids["train"] | ids["validation"])


@pytest.mark.slow
def test_it_is_the_same_again_and_a_cut_off_run_trains_nothing_twice(place, labelled):
    spec, result = labelled
    again = carry_out(spec, place / "again")
    assert again["students"][0]["metrics"] == result["students"][0]["metrics"]
    assert again["continued"]["students"] == result["continued"]["students"]
    events = []
    resumed = carry_out(spec, RunFolder(place / "again"), events)
    assert not [e for e in events if e["kind"] == "epoch"]
    assert resumed["continued"]["students"] == result["continued"]["students"]


@pytest.mark.slow
def test_rows_without_labels_are_taught_by_the_teacher_alone(place):
    spec = spec_of("first", str(place / "bare.csv"), old_share=0.5)
    result = carry_out(spec, place / "bare")
    told = result["continued"]
    assert told["rows"] | {"bare": 300, "labelled": 0, "held": 100, "old": 315} == told["rows"]
    new = told["students"][0]["new"]
    assert (new["against"], new["metric"], new["rows"]) == ("teacher", "accuracy", 100)
    assert result["dataset"]["rows"]["test"] == told["rows"]["old_test"]
    assert "agreement with the teacher" in " ".join(continue_words.lines(result))


def test_what_reads_like_a_test_row_of_the_run_is_not_learned_from(place):
    old = Going(spec_of("first", str(place / "new.csv"))).rows.old
    tests = pd.read_csv(place / "old.csv").iloc[old.test.row_ids]
    path = changed(place, "copies", lambda frame: pd.concat([frame, tests]))
    rows = Going(spec_of("first", path)).rows
    copies = set(range(400, 400 + len(tests)))
    assert copies <= set(rows.held.tolist())
    assert any(p.code == "new_rows_known" and f"{len(tests):,} new rows" in p.message for p in rows.dataset.problems)


def test_values_that_nobody_knew_are_counted(place):
    path = changed(place, "green", lambda frame: frame.assign(colour=["green"] * 7 + list(frame["colour"][7:])))
    told = [p for p in Going(spec_of("first", path)).dataset.problems if p.code == "new_categories"]
    assert told[0].message.startswith("7 new rows hold 1 value in colour") and "'green'" in told[0].message


def test_a_label_that_is_no_class_is_left_to_the_teacher(place):
    path = changed(place, "maybe", lambda frame: frame.assign(bought=["maybe"] * 9 + list(frame["bought"][9:])))
    rows = Going(spec_of("first", path)).rows
    assert int((~rows.new.labelled).sum()) == 9
    assert any(p.code == "new_classes" and "'maybe'" in p.message for p in rows.dataset.problems)


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        (lambda f: f.drop(columns="b"), "columns_missing", "1 column is missing: b"),
        (
            lambda f: f.assign(bought=f["a"]),
            "new_labels",
            "None of the 400 new rows has a label of this task in bought",
        ),
        (lambda f: f.head(20), "few_new_rows", "20 rows"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(place, change, code, said):
    path = changed(place, code, change)
    with pytest.raises(KDError) as found:
        Going(spec_of("first", path))
    assert found.value.code == code and said in found.value.message and found.value.hint


def test_a_run_without_its_weights_or_with_others_is_refused(place):
    spec = spec_of("first", str(place / "new.csv"))
    bare = place / "ws/runs/bare-run"
    shutil.copytree(place / "ws/runs/first", bare)
    shutil.rmtree(bare / "checkpoints")
    with pytest.raises(KDError, match="does not keep the weights"):
        spec_of("bare-run", str(place / "new.csv"))
    other = spec.model_copy(update={"continues": spec.continues.model_copy(update={"weights": "0" * 64})})
    with pytest.raises(KDError, match="other weights"):
        Going(other)
    with pytest.raises(KDError, match="no run"):
        spec_of("nobody/here", str(place / "new.csv"))


def test_old_rows_that_are_gone_are_named(place):
    spec = spec_of("first", str(place / "new.csv"))
    (place / "old.csv").rename(place / "moved.csv")
    try:
        with pytest.raises(KDError, match="not at hand") as found:
            Going(spec)
    finally:
        (place / "moved.csv").rename(place / "old.csv")
    assert found.value.code == "old_rows_gone" and "Put the file back" in found.value.hint


def test_words_say_what_was_learned_and_forgotten(labelled):
    result = json.loads(json.dumps(labelled[1]))
    lines = continue_words.lines(result)
    assert (lines[0].startswith("Continued from first (") and "270 new rows" in lines[0]) or "learned from" in lines[0]
    one = result["continued"]["students"][0]
    one["new"]["word"], one["old"]["word"] = "learned", "forgot"
    said = continue_words.lines(result)
    assert said[1].startswith("LEARNED: the tiny student") and said[2].strip().startswith("FORGOT")
    assert continue_words.lines({}) == []


@pytest.mark.slow
def test_a_training_with_no_step_to_speak_of_ends_where_it_began(place, labelled):
    spec = labelled[0]
    still = spec.model_copy(update={"training": spec.training.model_copy(update={"learning_rate": 1e-12})})
    told = carry_out(still, place / "still")["continued"]["students"][0]["new"]["values"]
    assert told["student"]["values"] == pytest.approx(told["before"]["values"], abs=1e-6)
    assert told["baseline"]["values"] != pytest.approx(told["before"]["values"], abs=1e-6)


@pytest.mark.slow
def test_the_teacher_answers_each_new_row_and_not_another(place, labelled, monkeypatch):
    seen = []
    ask = Going.ask
    monkeypatch.setattr(
        Going, "ask", lambda self, folds, answers: seen.append((self, ask(self, folds, answers))) or seen[0][1]
    )
    carry_out(labelled[0], place / "asked")
    going, found = seen[0]
    rows = going.rows
    z, y = found.logits["train"][len(rows.kept) :], rows.new.y[rows.learned]
    assert len(found.logits["train"]) == len(rows.dataset.train) and (z.argmax(axis=1) == y).mean() > 0.75
    held = found.logits["test"]
    assert (held.argmax(axis=1) == rows.dataset.test.y).mean() > 0.75


def test_other_weights_make_another_training_on_the_disk(place, labelled):
    going = Going(labelled[0])
    training = grid.trainings(going.spec)[0]

    def named(starts):
        made = VariantStore(going.spec, going.dataset, place, {}, "roc_auc", torch.device("cpu"), starts)
        return made._stem(training).name

    other = {name: value + 1 for name, value in going.start(training).items()}
    assert len({named(None), named(going.start), named(lambda _: other)}) == 3
