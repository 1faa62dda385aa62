"""A whole run that says which item comes next: students, references, cold start, words; and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.data.from_path import history_roles
from kd_core.data.preparation import prepare
from kd_core.distill.stack.stackable import why_apart
from kd_core.errors import SpecError
from kd_core.runs import assessment, plan
from kd_core.runs.continuing import check as continuing
from kd_core.runs.items import cold_start
from kd_core.runs.plain.items import ItemReferences
from kd_core.specs import Choice, DatasetSpec, RunSpec, StudentSpec, TrainingSpec
from kd_core.task import task_of
from kd_core.teachers import SOURCES

TASK = "next_item"


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    """Chains of items: after one comes one of two, or any."""
    rng = np.random.default_rng(0)
    after, rows = rng.integers(0, 60, (60, 2)), []
    for user in range(120):
        item = int(rng.integers(60))
        for time in range(int(rng.integers(3, 12))):
            rows.append((f"u{user}", f"i{item}", time))
            item = int(after[item, rng.integers(2)]) if rng.random() < 0.8 else int(rng.integers(60))
    rows += [("new", f"odd {n}", n) for n in range(4)]
    path = tmp_path_factory.mktemp("events") / "events.csv"
    pd.DataFrame(rows, columns=["user", "item", "time"]).to_csv(path, index=False)
    return path


def spec_of(path, **more):
    data = DatasetSpec(source=str(path), target="item", group="user", time="time", task=TASK)
    student = StudentSpec(name="gru:tiny", arch=Choice(name="gru", settings={"size": "tiny"}))
    asked = {
        "dataset": data,
        "teacher": Choice(name="item_to_item"),
        "students": (student,),
        "objective": Choice(name="hinton"),
        **more,
    }
    asked.setdefault("training", TrainingSpec(epochs=2, seeds=2))
    return RunSpec(**asked)


def said(args):
    done = CliRunner().invoke(app, list(map(str, args)))
    return done.exit_code, done.output


@pytest.mark.slow
def test_a_run_from_the_command_line(events, tmp_path):
    out = tmp_path / "run"
    options = [
        "--user",
        "user",
        "--item",
        "item",
        "--time",
        "time",
        "--teacher",
        "item_to_item",
        "--student",
        "gru:tiny",
    ]
    code, told = said(["distill", events, *options, "--epochs", 2, "--seeds", 2, "--out", out])
    assert code == 0, told
    result = json.loads((out / "result.json").read_text())
    assert result["task"] == TASK and result["metric"]["name"] == "next_ndcg_10"
    (student,) = result["students"]
    assert set(student["metrics"]) == {"next_hit_10", "next_ndcg_10", "next_log_loss"}
    assert "confusion" not in student and student["fidelity"]["kl"]["mean"] > 0 and 0 <= student["agreement"] <= 1
    assert student["placebo"] is not None and student["deployed"]["form"] == "onnx"
    names = [r["name"] for r in result["references"]["known"]]
    assert names[0] == "popularity" and len(names) == 5
    best = student["reference"]["best"]
    assert best["bytes"] <= student["deployed"]["bytes"] and best["word"] in ("ahead", "behind", "level", "unclear")
    popular, table = result["references"]["teacher"]
    assert popular["name"] == "popularity" and popular["word"] == "ahead"
    assert "The teacher is better than popularity" in told
    scores = {r["name"]: r["selected"] for r in result["references"]["known"][1:]}
    assert scores[table["name"]] == max(scores.values())
    for one in (popular, table):
        ahead = result["teacher"]["metrics"]["next_ndcg_10"] - one["value"]
        assert one["gain"]["mean"] == pytest.approx(ahead) and one["gain"]["ci95"][0] < ahead < one["gain"]["ci95"][1]
    groups = {one["name"]: one for one in student["cold_start"]}
    assert groups["new_users"]["rows"] + groups["known_users"]["rows"] == result["dataset"]["rows"]["test"]
    for side in ("teacher", "baseline", "student"):
        parts = [g for n, g in groups.items() if n.endswith("items") and g["rows"]]
        mean = sum(g["rows"] * g["metrics"][side]["next_hit_10"]["mean"] for g in parts)
        whole = (
            result["teacher"]["metrics"]
            if side == "teacher"
            else (student if side == "student" else student[side])["metrics"]
        )
        value = whole["next_hit_10"] if side == "teacher" else whole["next_hit_10"]["mean"]
        assert mean / result["dataset"]["rows"]["test"] == pytest.approx(value)
    soft = np.load(out / "artifacts" / "soft_labels.npz")
    assert soft["teacher"].shape == (
        result["artifacts"]["rows_kept"],
        2 * min(100, len(result["dataset"]["classes"])) + 1,
    )
    code, shown = said(["show", out])
    for words in ("Users with at most 3 known items before", "Items that training never saw", "HIT@10 teacher"):
        assert words in shown and words in told
    code, looked = said(["examine", out])
    assert code == 1 and "A closer look is not made" in looked


@pytest.mark.slow
def test_a_what_if_is_trained_one_by_one_and_never_as_a_stack(events, tmp_path):
    options = [
        "--user",
        "user",
        "--item",
        "item",
        "--time",
        "time",
        "--teacher",
        "item_to_item",
        "--student",
        "gru:tiny",
    ]
    few = ["--temperature", "1,2", "--alpha", ".5", "--epochs", 1, "--seeds", 2]
    code, told = said(["sweep", events, *options, *few, "--out", tmp_path / "grid"])
    assert code == 0, told
    cells = np.load(tmp_path / "grid" / "artifacts" / "cells.npz")
    assert cells["logits"].dtype == np.float32  # item numbers are whole
    code, told = said(["sweep", events, *options, *few, "--mode", "fused", "--out", tmp_path / "fused"])
    assert code != 0 and "can't be trained in a stack" in told
    assert "catalogue" in why_apart("mlp", None, TASK)


def test_kinds_of_rows_cover_the_test_part(events, tmp_path):
    data = prepare(spec_of(events).dataset, tmp_path)
    kinds = cold_start.groups(data)
    rows = np.arange(len(data.test))
    assert np.array_equal(np.sort(np.r_[kinds["new_users"], kinds["known_users"]]), rows)
    assert np.array_equal(np.sort(np.concatenate([kinds[f"{k}_items"] for k in ("unseen", "rare", "frequent")])), rows)
    short = [len(cell.split(",")) for cell in data.rows["history"].iloc[data.test.row_ids[kinds["new_users"]]]]
    assert max(short) <= 4  # one of which may be new
    assert set(data.test.y[kinds["unseen_items"]]) == {-1}
    odd = data.rows["item"].iloc[data.test.row_ids[kinds["unseen_items"]]].astype(str)
    assert "odd 3" in set(odd)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_how_sure_a_teacher_is_is_read_from_probabilities_not_from_numbers_of_items(events, tmp_path, temperature):
    data = prepare(spec_of(events).dataset, tmp_path)
    z = torch.randn(7, data.num_outputs, generator=torch.Generator().manual_seed(0))
    kept = task_of(TASK).kept(z).numpy()
    kept[3] = np.nan
    wanted = torch.softmax(z[[0, 1, 2, 4, 5, 6]] / temperature, dim=1).max(dim=1).values.mean()
    assert assessment.top_share(data, kept, temperature) == pytest.approx(float(wanted), rel=1e-4)
    assert assessment.top_share(data, kept[3:4], temperature) is None


def test_references_are_chosen_within_the_bytes(events, tmp_path):
    data = prepare(spec_of(events).dataset, tmp_path)
    found = ItemReferences(data, "next_ndcg_10", "higher")
    found.learn([])
    sizes = [r.bytes for r in found.known]
    assert sizes == sorted(sizes) and found.known[-1].selected > found.known[0].selected
    student = Choice(name="gru")
    assert found.of_size(student, sizes[0] - 1) is None
    assert found.of_size(student, sizes[0]).name == "popularity"
    best = found.of_size(student, sizes[-1])
    assert best.selected == max(r.selected for r in found.known)
    assert found.smallest_within(student, 0.0, 0.0).name == "popularity"
    first, second = found.test_logits(best, [0, 1])
    assert np.array_equal(first, second) and len(first) == len(data.test)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"training": TrainingSpec(class_weights="balanced")}, "Class weights are not done"),
        ({"evaluation": {"splits": 2}}, "a split by time or by histories"),
        ({"mode": {"name": "mutual"}}, "kept in a short form"),
        ({"mode": {"name": "data_free"}}, "kept in a short form"),
        ({"objective": Choice(name="dkd")}, "not for next_item"),
        ({"objective": Choice(name="mlkd")}, "not for next_item"),
        ({"teacher": Choice(name="gradient_boosting")}, "reads table"),
        ({"teacher": Choice(name="ensemble")}, "kept in a short form"),
    ],
)
def test_what_can_not_work_is_refused_in_words(events, change, words):
    values = spec_of(events).model_dump()
    spec = RunSpec.model_validate(values | {k: v if isinstance(v, dict) else v.model_dump() for k, v in change.items()})
    found = plan.check(spec, TASK, 60, ("sequence",), 500)
    assert any(words in str(p) and p.severity == "error" for p in found), [str(p) for p in found]


def test_an_ordinary_recipe_is_not_refused(events):
    assert not [p for p in plan.check(spec_of(events), TASK, 60, ("sequence",), 500) if p.severity == "error"]
    assert SOURCES.get("item_to_item").why_not(plan.situation("multiclass", 3)) is not None


def test_columns_of_user_and_item_on_the_command_line(events):
    assert history_roles("u", "i", None, None, None) == (["i"], TASK, "u")
    assert history_roles("u", None, ["list"], TASK, None) == (["list"], TASK, "u")
    assert history_roles(None, None, ["y"], "binary", "g") == (["y"], "binary", "g")
    for asked in (
        ("u", None, None, None, None),
        (None, "i", None, None, None),
        ("u", "i", ["y"], None, None),
        ("u", "i", None, "binary", None),
        ("u", "i", None, None, "g"),
    ):
        with pytest.raises(SpecError, match="--user and --item"):
            history_roles(*asked)
    code, told = said(["profile", events, "--user", "user", "--item", "item", "--time", "time"])
    assert code == 0 and "predict item as next_item" in told and "names the user" in told
    code, told = said(["profile", events, "--user", "user"])
    assert code == 2 and "--user and --item" in told


def test_going_on_and_making_smaller_are_refused_in_words(events):
    spec = spec_of(events)
    values = spec.model_dump(mode="json")
    going = {"run": "x", "weights": "0" * 64, "source": str(events), "sha256": "0" * 64, "name": "new"}
    found = continuing.check(RunSpec.model_validate(values | {"continues": going}))
    assert "continue_histories" in {p.code for p in found}
    small = spec.model_copy(update={"compress": object()})
    assert any("Making a student smaller is not done" in str(p) for p in plan._of_catalogue(small, TASK))
    assert plan._of_catalogue(small, "multiclass") == []
