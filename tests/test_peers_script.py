"""The comparison with plain models runs small, goes on where it ended, and tells a better model from a worse one."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers import sets
from benchmarks.peers_answers import Kept, Store, compared, told
from tests.distill.test_student import make_dataset

ROOT = Path(__file__).resolve().parent.parent


def numbers(dataset, noise, seed):
    drawn = np.random.default_rng(seed)
    said = {part: (rows.y + drawn.normal(0, noise, len(rows)))[:, None] for part, rows in dataset.parts.items()}
    return Kept(said, 1000, 0.0)


@pytest.mark.slow
def test_a_better_model_is_ahead_and_the_same_one_is_not():
    data = make_dataset("regression")
    good, poor = ([numbers(data, noise, seed) for seed in range(3)] for noise in (1.0, 3.0))
    ahead, behind = compared(data, good, poor, 200), compared(data, poor, good, 200)
    assert 0 < ahead["low"] < ahead["difference"] < ahead["high"]
    assert (behind["low"], behind["difference"], behind["high"]) == pytest.approx(
        (-ahead["high"], -ahead["difference"], -ahead["low"])
    )
    assert 1.5 < ahead["difference"] < 2.5
    rng, y = np.random.default_rng(1), data.test.y
    off = [[k.answers["test"][:, 0] - y for k in side] for side in (poor, good)]
    drawn = []
    for _ in range(500):
        rows, seeds = rng.integers(len(y), size=len(y)), rng.integers(3, size=3)
        first, second = (np.mean([np.sqrt(np.mean(side[s][rows] ** 2)) for s in seeds]) for side in off)
        drawn.append(first - second)
    assert ahead["high"] - ahead["low"] == pytest.approx(2 * 1.96 * np.std(drawn), rel=0.2)
    same = compared(data, good, good, 200)
    assert (same["low"], same["difference"], same["high"]) == (0, 0, 0)


@pytest.mark.slow
def test_rows_of_a_group_are_drawn_together():
    data = make_dataset("regression")
    sides = [[numbers(data, noise, seed) for seed in range(3)] for noise in (1.0, 1.1)]
    alone = compared(data, *sides, 400)
    copies = {part: replace(rows, groups=np.arange(len(rows)) // 20) for part, rows in data.parts.items()}
    grouped = compared(replace(data, parts=copies), *sides, 400)
    assert grouped["difference"] == alone["difference"]
    whole = replace(
        data, parts={part: replace(rows, groups=np.zeros(len(rows), int)) for part, rows in data.parts.items()}
    )
    assert [compared(whole, *([k] for k, *_ in sides), 20)[end] for end in ("low", "high")] == pytest.approx(
        [compared(data, *([k] for k, *_ in sides), 20)["difference"]] * 2
    )
    assert grouped["low"] != alone["low"]


def test_probabilities_next_to_one_are_told_apart():
    data = make_dataset("binary")
    y = data.test.y
    below = np.where(y == 1, 1e-12, 1e-9)  # of class 0: all are 1.0 of class 1 in float32
    good = [Kept({"test": np.stack([below, 1 - below], axis=1).astype(np.float32)}, 1, 0.0)]
    flat = [Kept({"test": np.full((len(y), 2), 0.5)}, 1, 0.0)]
    assert compared(data, good, flat, 20)["difference"] == pytest.approx(0.5)


def test_a_store_takes_work_of_one_kind(tmp_path):
    store = Store(tmp_path, {"folds": 5})
    store.save("visits", "trees/plain", 0, Kept({"test": np.ones((3, 1))}, 10, 0.5, {"epoch": 2}))
    found = Store(tmp_path, {"folds": 5}).load("visits", "trees/plain", 0)
    assert (found.bytes, found.seconds, found.facts, found.why) == (10, 0.5, {"epoch": 2}, None)
    assert found.answers["test"].shape == (3, 1)
    with pytest.raises(
        SystemExit, match=r"holds models of \{'folds': 5\}, not of \{'folds': 2\}. Name another folder."
    ):
        Store(tmp_path, {"folds": 2})
    store.claim("visits", "a")
    with pytest.raises(SystemExit, match="holds models of other rows"):
        store.claim("visits", "b")


def test_a_table_says_who_is_ahead_and_what_was_left_out():
    def side(model, test):
        return {"model": model, "bytes": 12_345, "validation": 1.0, "test": test}

    gain = {"difference": 3.0, "low": 1.0, "high": 5.0, "margin": 2.0}
    one = {
        "most_bytes": 15_000,
        "ours": side("piecewise_small/distilled", 50.0),
        "peer": side("linear/plain", 53.0),
        **gain,
    }
    empty = {"most_bytes": 40_000, "ours": None, "peer": None}
    rows = {"train": 9, "validation": 2, "test": 3}
    row = {"set": "bikes", "metric": "rmse", "seeds": 3, "rows": rows, "full": {"test": 49.0, "bytes": 2_000_000}}
    text = told([row | {"classes": [one, empty], "left_out": {"mlp_base/plain": "no file"}}], totals=True)
    assert (
        "ours piecewise_small/distilled 50.00 (12.3 KB); best peer linear/plain 53.00 (12.3 KB); +3.00 [+1.00, +5.00] ahead"
        in text
    )
    assert "<=  40 KB: nothing fits" in text
    assert "left out: mlp_base/plain: no file" in text
    assert (
        "<= 15 KB, 1 sets: ahead on 1, on 1 beyond the interval; behind by more than the margin on 0; near the full LightGBM on 1"
        in text
    )
    assert "chosen as ours, over sets and classes: piecewise distilled 1" in text


def test_real_sets_are_named_where_their_folder_is(tmp_path):
    assert {*sets(None, tmp_path)} == {"visits", "orders", "delivery", "payments", "demand"}
    assert {"online_shoppers", "delivery_time", "bike_sharing", "online_retail"} < {*sets(tmp_path, tmp_path)}


@pytest.mark.slow
def test_it_runs_small_and_goes_on_where_it_ended(tmp_path):
    found = []
    for _ in range(2):
        place = tmp_path / "found.json"
        command = ["--keep", str(tmp_path / "kept"), "--sets", "visits", "--quick", "--json", str(place)]
        script = [sys.executable, "benchmarks/peers.py", *command]
        done = subprocess.run(script, cwd=ROOT, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stdout + done.stderr
        found.append((json.loads(place.read_text()), done.stdout))
    (first, said), (second, said_then) = found
    assert "piecewise_large done in" in said
    assert "done in" not in said_then
    (row,), (again,) = first["sets"], second["sets"]
    assert row["classes"] == again["classes"]
    assert row["left_out"] == {}
    assert [c["most_bytes"] for c in row["classes"]] == [15_000, 40_000, 100_000]
    for one in row["classes"]:
        assert one["ours"]["bytes"] <= one["most_bytes"]
        assert one["peer"]["bytes"] <= one["most_bytes"]
        assert one["low"] <= one["difference"] <= one["high"]
        best = max(
            (c for c in row["candidates"].values() if c["bytes"] <= one["most_bytes"]), key=lambda c: c["validation"]
        )
        assert one["ours"]["validation"] <= best["validation"]
    assert {"by_hand/distilled", "full_lightgbm/plain"} < row["candidates"].keys()
