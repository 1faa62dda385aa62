"""A what-if as a run: kept as it goes, resumed without doing anything twice, judged once on the test part."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from kd_core.errors import KDError, Stopped
from kd_core.machine.timing import p50
from kd_core.runs import artifacts, deployment, experiment
from kd_core.runs.cells import trainings
from kd_core.runs.cells.variant_store import Finished
from kd_core.runs.experiment import run
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import SweepSpec
from tests.runs.sweeps import SQUARE, alpha_of, build_result, engine, sweep_in, sweep_spec

pytestmark = pytest.mark.filterwarnings("default::DeprecationWarning")


@pytest.fixture(autouse=True)
def no_export(request, monkeypatch):
    """Leave out the seconds of an ONNX export, except in slow tests."""

    def refuse(module, num_inputs):
        raise KDError("Not exported here.", "", "onnx_export")

    if "slow" not in request.keywords:
        monkeypatch.setattr(deployment, "onnx_bytes", refuse)


def doubled(monkeypatch, score, **more):
    monkeypatch.setattr(trainings.planner, "train", engine(score, **more))


def lines(path):
    return [json.loads(line) for line in (path / "variants.jsonl").read_text().splitlines()]


def test_a_cell_is_chosen_on_validation_and_judged_on_the_test_part(tmp_path, monkeypatch):
    def score(v):
        best = v.objective is not None and v.objective.settings["temperature"] == 4
        return 0.7 + 0.2 * alpha_of(v) + 0.01 * v.seed + (0.01 if best else 0)

    doubled(monkeypatch, score)
    events = []
    made = sweep_in(tmp_path / "run", sweep_spec(tmp_path), events.append)
    made.train()
    result = build_result(made, 1.5)
    json.dumps(result, allow_nan=False)
    found = result["sweep"]
    assert (found["best"], found["best_of"], found["cells_compared"]) == (3, {"tiny": 3}, 4)
    assert (found["variants"], found["trainings"], found["mode"], found["seconds"]) == (8, 6, "fused", 1.5)
    best, worse = result["cells"][3], result["cells"][1]
    assert best["gain"]["mean"] == pytest.approx(0.11) and best["scores"] == [pytest.approx(0.81), pytest.approx(0.82)]
    assert worse["behind"]["mean"] == pytest.approx(0.01) and not worse["like_best"] and best["like_best"]
    assert best["behind"] is None and result["cells"][0]["gain"]["mean"] == 0.0
    (student,) = result["students"]
    assert (student["cell"], student["temperature"], student["alpha"], student["seeds"]) == (3, 4.0, 0.5, [0, 1])
    assert student["metrics"]["roc_auc"]["mean"] != pytest.approx(best["mean"])  # measured on the test rows
    assert result["room"][0]["baseline"] == pytest.approx(0.705)
    assert [e["done"] for e in events if e["kind"] == "variant"] == [1, 2, 3, 4, 5, 6]
    assert [r["cells"] for r in lines(tmp_path / "run")] == [[0, 2], [1], [3]] * 2


def test_errors_choose_the_smallest_score(tmp_path, monkeypatch):
    doubled(monkeypatch, lambda v: 5.0 - alpha_of(v))
    made = sweep_in(tmp_path / "run", sweep_spec(tmp_path, "regression", SweepSpec(alpha=(0, 0.5, 1))))
    made.train()
    found = build_result(made, 1.0)
    assert found["sweep"]["best"] == 2 and found["sweep"]["axes"]["temperature"] == []
    assert [c["gain"]["mean"] for c in found["cells"]] == [0.0, pytest.approx(0.5), pytest.approx(1.0)]
    assert [c["word"] for c in found["cells"]] == ["ties", "beats", "beats"]
    assert found["cells"][0]["behind"]["mean"] == pytest.approx(1.0) and found["cells"][2]["temperature"] is None


@pytest.mark.slow
def test_cells_npz_holds_the_best_seed_s_answers_of_every_cell(tmp_path, monkeypatch):
    doubled(
        monkeypatch,
        lambda v: "diverged" if v.objective and v.objective.settings["temperature"] == 1 else 0.8 + 0.01 * v.seed,
    )
    made = sweep_in(tmp_path / "run", sweep_spec(tmp_path))
    made.train()
    result = build_result(made, 1.0)
    with np.load(tmp_path / "run" / result["artifacts"]["cells"], allow_pickle=False) as kept:
        rows = result["artifacts"]["cell_rows_kept"]
        assert kept["logits"].shape == (4, rows, 2) and kept["logits"].dtype == np.float16 and rows == 60
        assert np.isnan(kept["logits"][1]).all() and np.array_equal(kept["logits"][0], kept["logits"][2])
        best = made.own(made.cells[3])[1]
        own = best.logits(made.dataset, "validation", np.arange(60), made.device)
        assert np.array_equal(kept["logits"][3], own.astype(np.float16))
        assert np.array_equal(kept["teacher"], made.teacher.logits["validation"])
        assert np.array_equal(kept["row_ids"], made.dataset.validation.row_ids)
    assert [c["diverged"] for c in result["cells"]] == [0, 2, 0, 0]
    monkeypatch.setattr(artifacts, "CELL_NUMBERS", 4 * 2 * 10)
    assert build_result(made, 1.0)["artifacts"]["cell_rows_kept"] == 10


def test_a_resumed_sweep_trains_only_the_rest(tmp_path, monkeypatch):
    spec, asked, events = sweep_spec(tmp_path), [], []
    doubled(monkeypatch, lambda v: 0.8 + 0.01 * v.seed, fail_after=4)
    with pytest.raises(KeyboardInterrupt):
        sweep_in(tmp_path / "run", spec).train()
    assert len(lines(tmp_path / "run")) == 4
    doubled(monkeypatch, lambda v: 0.9, asked=asked)
    made = sweep_in(tmp_path / "run", spec, events.append)
    made.train()
    assert [(alpha_of(v), v.seed) for v in asked[0][0]] == [(0.5, 1), (0.5, 1)]
    assert [r["training"] for r in lines(tmp_path / "run")] == [0, 1, 2, 3, 4, 5]
    told = [e for e in events if e["kind"] == "scores"]
    assert [list(e["best"]) for e in told] == [["4"], ["5"]]  # positions in the whole grid
    assert [e["done"] for e in events if e["kind"] == "variant"] == [1, 2, 3, 4, 5, 6]
    scores = {r["training"]: r["score_selected"] for r in lines(tmp_path / "run")}
    assert scores == {0: 0.8, 1: 0.8, 2: 0.8, 3: 0.81, 4: 0.9, 5: 0.9}
    asked.clear()
    again = sweep_in(tmp_path / "run", spec, events.append)
    again.train()
    assert asked == [] and build_result(again, 0.0)["sweep"]["mode"] == "fused"


def test_other_data_or_lessons_are_never_mixed_and_said(tmp_path, monkeypatch):
    spec, asked, events = sweep_spec(tmp_path), [], []
    doubled(monkeypatch, lambda v: 0.8, asked=asked)
    first = sweep_in(tmp_path / "run", spec)
    first.train()
    from tests.runs.sweeps import teacher_of

    made = sweep_in(tmp_path / "run", spec, events.append, teacher=teacher_of(first.dataset, 1))
    made.train()
    assert len(asked[1][0]) == 4 and all(v.objective for v in asked[1][0])  # baselines have no teacher
    (said,) = [e["message"] for e in events if e["kind"] == "warning"]
    assert said.startswith("4 trainings of an earlier attempt belong to other data, other teacher answers")
    events.clear()
    sweep_in(tmp_path / "run", spec, events.append, teacher=made.teacher).train()
    assert not [e for e in events if e["kind"] == "warning"]


def test_two_number_formats_are_never_mixed(tmp_path, monkeypatch):
    spec, asked, events = sweep_spec(tmp_path), [], []
    doubled(monkeypatch, lambda v: 0.8, fail_after=4, precision="bfloat16")
    with pytest.raises(KeyboardInterrupt):
        sweep_in(tmp_path / "run", spec).train()
    doubled(monkeypatch, lambda v: 0.8, asked=asked)
    sweep_in(tmp_path / "run", spec, events.append).train()
    assert [len(variants) for variants, _, _ in asked] == [2, 4]
    assert asked[1][1].precision == "float32"
    assert any(
        "4 trainings of an earlier attempt belong to another number format" in e.get("message", "") for e in events
    )
    assert {r["precision"] for r in lines(tmp_path / "run")[-6:]} == {"float32"}


@pytest.mark.parametrize(("ending", "content"), [("json", b"{"), ("json", b"{}"), ("safetensors", b"?")])
def test_a_damaged_training_is_made_again_and_said(tmp_path, monkeypatch, ending, content):
    spec, asked, events = sweep_spec(tmp_path), [], []
    doubled(monkeypatch, lambda v: 0.8, asked=asked)
    sweep_in(tmp_path / "run", spec).train()
    next((tmp_path / "run/checkpoints/trained").glob(f"0-baseline-1-*.{ending}")).write_bytes(content)
    sweep_in(tmp_path / "run", spec, events.append).train()
    assert [(v.objective, v.seed) for v in asked[1][0]] == [(None, 1)]
    (said,) = [e["message"] for e in events if e["kind"] == "warning"]
    assert said.startswith("The finished training 0-baseline-1-") and said.endswith("is damaged.")


def test_many_damaged_trainings_are_counted(tmp_path, monkeypatch):
    spec, events = sweep_spec(tmp_path), []
    doubled(monkeypatch, lambda v: 0.8)
    sweep_in(tmp_path / "run", spec).train()
    for path in (tmp_path / "run/checkpoints/trained").glob("*.safetensors"):
        path.unlink()
    sweep_in(tmp_path / "run", spec, events.append).train()
    said = [e["message"] for e in events if e["kind"] == "warning"]
    assert len(said) == 3 and said[2].endswith("is damaged (and 3 more).")


@pytest.mark.slow
def test_a_stopped_sweep_keeps_finished_cells_and_flags_the_best_so_far(tmp_path, monkeypatch):
    spec = sweep_spec(tmp_path)
    doubled(monkeypatch, lambda v: 0.8 + 0.1 * alpha_of(v) if v.seed == 0 else "stopped")
    made = sweep_in(tmp_path / "run", spec)
    made.train()
    result = build_result(made, 1.0)
    assert [c["seeds"] for c in result["cells"]] == [[0]] * 4
    assert not any(c["stopped"] for c in result["cells"])
    assert [r["stopped"] for r in lines(tmp_path / "run")] == [False] * 3 + [True] * 3
    doubled(monkeypatch, lambda v: "stopped")
    other = sweep_in(tmp_path / "other", spec, dataset=made.dataset)
    other.train()
    result = build_result(other, 1.0)
    assert all(c["stopped"] and c["word"] == "inconclusive" for c in result["cells"])
    assert result["students"][0]["verdict"] == "inconclusive" and result["students"][0]["stopped_early"]
    assert not list((tmp_path / "other/checkpoints/trained").glob("*"))  # a resumed run finishes them


def test_a_stop_before_anything_can_be_compared_keeps_nothing(tmp_path, monkeypatch):
    doubled(monkeypatch, lambda v: None if v.objective else 0.8)
    made = sweep_in(tmp_path / "run", sweep_spec(tmp_path, sweep=SweepSpec(temperature=(1, 4), alpha=(0.5,))))
    made.train()
    with pytest.raises(Stopped, match="nothing to compare yet"):
        build_result(made, 1.0)


@pytest.mark.parametrize(
    ("score", "message"),
    [
        (lambda v: "diverged", "6 of 6 trainings did not come to a usable end, every baseline among them."),
        (
            lambda v: 0.8 if v.objective else "diverged",
            "2 of 6 trainings did not come to a usable end, every baseline among them.",
        ),
    ],
)
def test_a_sweep_of_which_nothing_is_usable_fails_in_plain_words(tmp_path, monkeypatch, score, message):
    doubled(monkeypatch, score)
    made = sweep_in(tmp_path / "run", sweep_spec(tmp_path))
    made.train()
    with pytest.raises(KDError) as raised:
        build_result(made, 1.0)
    assert raised.value.code == "all_diverged" and message in raised.value.message
    assert raised.value.hint == "Try smaller learning rates."
    assert lines(tmp_path / "run")[0]["score_selected"] is None


def test_cells_that_diverged_without_their_students_say_so(tmp_path, monkeypatch):
    doubled(monkeypatch, lambda v: "diverged" if v.objective else 0.8)
    made = sweep_in(tmp_path / "run", sweep_spec(tmp_path, sweep=SweepSpec(temperature=(4,), alpha=(0.5,))))
    made.train()
    with pytest.raises(KDError, match=r"No cell can be compared: 2 of 4 trainings did not come to a usable end\."):
        build_result(made, 1.0)


@pytest.mark.slow
def test_one_diverged_seed_leaves_the_others_and_never_wins(tmp_path, monkeypatch):
    lucky = lambda v: "diverged" if v.seed == 1 else 0.99  # noqa: E731
    doubled(monkeypatch, lambda v: lucky(v) if v.objective and v.objective.settings["temperature"] == 4 else 0.8)
    made = sweep_in(tmp_path / "run", sweep_spec(tmp_path))
    made.train()
    found = build_result(made, 1.0)
    assert found["cells"][3]["seeds"] == [0] and found["cells"][3]["diverged"] == 1 and found["sweep"]["best"] == 0


def test_latency_is_that_of_onnx_runtime_else_of_torch():
    both = {"torch": {"1": {"p50": 0.02}}, "onnxruntime": {"1": {"p50": 0.005}}}
    assert p50(both) == 0.005 and p50({**both, "whole": {"1": {"p50": 0.06}}}) == 0.06
    assert p50({**both, "onnxruntime": {"reason": "no"}}) == 0.02
    assert p50({}) is None


@pytest.mark.slow
@pytest.mark.parametrize("task", ["binary", "regression"])
def test_a_whole_what_if_agrees_with_the_ordinary_run_of_its_best_cell(tmp_path, task):
    from kd_core.runs.cells import grid

    spec = sweep_spec(tmp_path, task, SQUARE.model_copy(update={"mode": "fused"}))
    events = []
    result = run(spec, RunFolder.create(tmp_path / "run", spec), events.append, lambda: False)
    json.dumps(result, allow_nan=False)
    assert [e["phase"] for e in events if e["kind"] == "phase" and e["state"] == "start"] == [
        "data",
        "teacher",
        "sweep",
        "evaluate",
    ]
    (plan,) = [e for e in events if e["kind"] == "plan"]
    assert (plan["cells"], len(plan["grid"])) == (len(result["cells"]), plan["trainings"])
    assert set(result["seconds"]) == {"data", "teacher", "cache", "sweep", "evaluate"}
    best = grid.cells(spec)[result["sweep"]["best"]]
    recipe = grid.cell_spec(spec, best)
    alone = run(recipe, RunFolder.create(tmp_path / "alone", recipe), lambda e: None, lambda: False)
    ours, theirs = result["students"][0], alone["students"][0]
    for mine, other in ((ours, theirs), (ours["baseline"], theirs["baseline"])):
        for name, found in mine["metrics"].items():  # other networks beside them: equal to rounding
            assert found["values"] == pytest.approx(other["metrics"][name]["values"], rel=1e-5)
    assert (ours["verdict"], ours["arch"], ours["alpha"]) == (theirs["verdict"], theirs["arch"], theirs["alpha"])
    selected = [s["score_selected"] for s in theirs["selection"]["student"]]
    assert result["cells"][best.index]["scores"] == pytest.approx(selected, rel=1e-5)
    (only,) = alone["cells"]  # an ordinary run is a grid with a cell for each student
    assert "sweep" not in alone and only.keys() == result["cells"][best.index].keys()
    assert only["scores"] == selected and (only["student"], only["alpha"], theirs["cell"]) == ("tiny", best.alpha, 0)
    assert (only["behind"], only["like_best"], ours["cell"]) == (None, True, best.index)
    assert [e["students"] for e in events if e["kind"] == "room"] == [result["room"]]
    assert [(e["done"], e["of"]) for e in events if e["kind"] == "part"] == [(1, 2)]


@pytest.mark.slow
def test_a_what_if_never_asks_for_more_seeds_than_it_planned(tmp_path, monkeypatch):
    monkeypatch.setattr(experiment, "more_seeds", lambda *widths: pytest.fail("more seeds were thought of"))
    spec = sweep_spec(tmp_path, sweep=SweepSpec(alpha=(0, 0.5)), seeds=None)
    result = run(spec, RunFolder.create(tmp_path / "run", spec), lambda e: None, lambda: False)
    assert result["sweep"]["trained"] == result["sweep"]["trainings"] == 2 * spec.training.seeds_at_first


@pytest.mark.slow
def test_the_test_part_decides_nothing(tmp_path, monkeypatch):
    """Shuffle the test labels: cells, choices and words stay."""
    spec = sweep_spec(tmp_path)
    made = sweep_in(tmp_path / "a", spec)
    made.train()
    honest = build_result(made, 1.0)
    np.random.default_rng(0).shuffle(made.dataset.test.y)
    other = build_result(made, 1.0)
    assert other["sweep"] == honest["sweep"] and other["cells"] == honest["cells"]
    assert not math.isclose(
        other["students"][0]["metrics"]["roc_auc"]["mean"], honest["students"][0]["metrics"]["roc_auc"]["mean"]
    )


def test_the_test_answers_are_asked_of_the_chosen_cells_only(tmp_path, monkeypatch):
    doubled(monkeypatch, lambda v: 0.7 + 0.2 * alpha_of(v))
    made = sweep_in(
        tmp_path / "run", sweep_spec(tmp_path, sweep=SweepSpec(temperature=(1, 2, 3, 4), alpha=(0, 0.5, 1)))
    )
    made.train()
    asked = []
    real = Finished.training
    monkeypatch.setattr(Finished, "training", lambda self, *a: asked.append(self.record.training) or real(self, *a))
    result = build_result(made, 1.0)
    best = result["sweep"]["best"]
    chosen = [f.record.training for f in (*made.own(made.cells[best]), *made.alone(made.cells[best]))]
    assert sorted(asked) == sorted(chosen)


def test_what_an_earlier_version_kept_in_another_folder_is_found(tmp_path, monkeypatch):
    doubled(monkeypatch, lambda v: 0.8)
    sweep_in(tmp_path / "run", sweep_spec(tmp_path)).train()
    place = tmp_path / "run/checkpoints"
    (place / "trained").rename(place / "variants")
    asked = []
    doubled(monkeypatch, lambda v: 0.8, asked=asked)
    again = sweep_in(tmp_path / "run", sweep_spec(tmp_path))
    again.train()
    assert asked == [] and len(again.found) == len(again.asked) == 6
