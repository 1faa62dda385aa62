"""Students that cut numbers by edges, from the file to answers for raw rows."""

import json

import numpy as np
import pandas as pd
import pytest

import kd_core
from kd_core.data.input_spec import COLUMNS
from kd_core.data.views import VIEWS
from kd_core.export.raw_session import open_front
from kd_core.runs import experiment
from kd_core.runs.asked import student_spec
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, SweepSpec, TrainingSpec

pytestmark = pytest.mark.slow


def table(path, rows=420):
    """Rows whose label is a narrow band of a number, with holes, few values and a category of many values."""
    rng = np.random.default_rng(0)
    band, age = rng.lognormal(0, 1, rows), rng.normal(40, 9, rows).round()
    frame = pd.DataFrame(
        {
            "band": band,
            "age": np.where(rng.random(rows) < 0.1, np.nan, age),
            "visits": rng.integers(0, 4, rows),
            "shop": [f"s{i % 50}" for i in range(rows)],
            "bought": np.where((band > 0.8) & (band < 1.3), "yes", "no"),
        }
    )
    frame.to_csv(path, index=False)
    return DatasetSpec(source=str(path), target="bought")


def spec(path, students=("piecewise:tiny", "additive:pairs", "tiny"), **more):
    return RunSpec(
        dataset=table(path),
        teacher=Choice(name="random_forest", settings={"trees": 20}),
        students=tuple(map(student_spec, students)),
        objective=Choice(name="hinton"),
        training=TrainingSpec(epochs=15, seeds=2, learning_rate=0.02),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False),
        **more,
    )


def carry_out(asked, place):
    folder = RunFolder.create(place, asked)
    return experiment.run(asked, folder, lambda event: None, lambda: False), folder


def test_they_are_trained_beside_a_student_that_reads_the_table_and_answer_raw_rows(tmp_path):
    result, folder = carry_out(spec(tmp_path / "a.csv"), tmp_path / "run")
    cut, curves, plain = (s["metrics"]["roc_auc"]["mean"] for s in result["students"])
    assert min(cut, curves) > 0.9 and min(cut, curves) > plain  # edges find the band, the table's features do not
    folder.write_result(result)
    kept = result["artifacts"]["students"]
    assert [{name.split("/")[-2] for name in one["view"]} for one in kept] == [{"columns"}, {"columns"}, {"table"}]
    raw = pd.read_parquet(folder.artifact("rows.parquet"))
    logits = np.load(folder.artifact("soft_labels.npz"))
    for at, name in enumerate(("piecewise:tiny", "additive:pairs", "tiny")):
        model = kd_core.load(tmp_path / "run", name)
        z, rows = logits[f"student_{at}"], raw[list(model.columns)]
        assert np.abs(model.engine.logits(rows)[0] - z).max() < 1e-5
        few = rows.head(5).astype("object").where(rows.head(5).notna(), None).to_dict("records")
        for _ in range(2):  # the second time without a data frame
            assert np.abs(np.concatenate([model.engine.logits(one)[0] for one in few]) - z[:5]).max() < 1e-5
        assert model.engine.reader.one(few[0]) is not None
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        assert np.abs(model.answers(rows) - p).max() < 1e-5  # by the file, from raw columns
        if at < 2:
            files = {f.name: f.read_bytes() for f in (tmp_path / "run" / "artifacts/views/columns").iterdir()}
            x = VIEWS.get(COLUMNS).make.from_state(files).encode(raw)
            assert np.isnan(x).any()
            assert np.allclose(open_front(model.engine.view).run(rows)[0], x, atol=1e-6, equal_nan=True)


def test_a_what_if_of_them_is_trained_as_stacks(tmp_path):
    asked = spec(
        tmp_path / "a.csv",
        ("piecewise:tiny", "additive:pairs"),
        sweep=SweepSpec(temperature=(1, 4), alpha=(0, 0.7), mode="fused"),
    )
    result, _ = carry_out(asked, tmp_path / "run")
    assert result["sweep"]["mode"] == "fused" and result["sweep"]["trained"] == result["sweep"]["trainings"]
    assert json.dumps(result, allow_nan=False) and len(result["cells"]) == 8
