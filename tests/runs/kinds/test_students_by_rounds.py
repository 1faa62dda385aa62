"""A run whose student learns by a procedure of its own: every arm, files, a resume, and a what-if."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

import kd_core
from kd_core.runs import experiment
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, StudentSpec, SweepSpec
from tests.runs.tables import TINY, small_spec, write_table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]
TREES = StudentSpec(name="few", arch=Choice(name="trees", settings={"size": "tiny"}))
LIGHTGBM = Choice(name="lightgbm", settings={"rounds": 30, "learning_rate": 0.2})


class Crash(BaseException):
    """Ends a run like a kill would: nobody handles it."""


def carry_out(spec, path, notify=lambda e: None):
    folder = RunFolder(path)
    if not folder.spec_path.exists():
        folder = RunFolder.create(path, spec)
    return experiment.run(spec, folder, notify, lambda: False)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_it_has_every_arm_and_file_beside_a_network(tmp_path, task):
    table = write_table(tmp_path / "t.csv", task)
    spec = small_spec(table, task).model_copy(update={"students": (TREES, TINY), "teacher": LIGHTGBM})
    result = carry_out(spec, tmp_path / "run")
    json.dumps(result, allow_nan=False)
    RunFolder(tmp_path / "run").finish("done", result)
    trees = result["students"][0]
    assert trees["verdict"] in {"beats", "ties", "hurts", "inconclusive"}
    assert (trees["placebo"] is None) is (task == "regression")
    assert trees["parameters"] > 0 and trees["flops"] > 0
    kept = result["artifacts"]["students"][0]
    assert (tmp_path / "run" / kept["weights"]).stat().st_size == trees["weights_bytes"]
    assert (tmp_path / "run" / kept["onnx"]).stat().st_size == trees["size_bytes"]
    predictor = kd_core.load(tmp_path / "run", student="few")
    rows = pd.read_csv(table).drop(columns="target").head(20)
    alone = np.concatenate([predictor.answers(rows.iloc[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(alone, predictor.answers(rows), atol=1e-6)
    assert np.ptp(alone[:, -1]) > 0.1


def test_a_resumed_run_keeps_what_was_trained(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv")).model_copy(update={"students": (TREES,)})
    whole = carry_out(spec, tmp_path / "whole")
    trained: list[str] = []

    def crash(event):
        if event["kind"] == "trained" and event["arm"] != "teacher":
            trained.append(event["arm"])
            if len(trained) == 3:
                raise Crash

    with pytest.raises(Crash):
        carry_out(spec, tmp_path / "cut", crash)
    events: list[dict] = []
    again = carry_out(spec, tmp_path / "cut", events.append)
    assert not [e for e in events if e.get("code") == "trained_again"]
    begun = {(e["arm"], e["seed"]) for e in events if e["kind"] == "epoch" and e["arm"] != "teacher"}
    assert len(begun) == 6 - 3
    assert again["students"][0]["metrics"] == whole["students"][0]["metrics"]


def test_a_what_if_of_it_shares_the_baseline(tmp_path):
    sweep = SweepSpec(alpha=(0.0, 0.5), temperature=(1.0, 4.0))
    spec = small_spec(write_table(tmp_path / "t.csv")).model_copy(update={"students": (TREES, TINY), "sweep": sweep})
    result = carry_out(spec, tmp_path / "run")
    own = [c for c in result["cells"] if c["student"] == "few"]
    unheard = [c for c in own if c["alpha"] == 0]
    assert len(own) == 4 and all(c["scores"] == c["baseline"] for c in unheard)
    heard = [c["scores"] for c in own if c["alpha"]]
    assert heard[0] != heard[1] != unheard[0]["scores"]
    assert "learns by a procedure of its own" in result["sweep"]["why"]
