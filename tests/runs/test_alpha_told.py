"""What result.json says about alpha: the value used, and where a large soft share is the likely reason for harm."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from kd_core.distill import LOSSES
from kd_core.distill.base import LossSpec
from kd_core.runs import experiment
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, StudentSpec
from tests.runs.tables import small_spec

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]


def contrary(student, teacher, labels, spec):
    """Teach the opposite of what the teacher answers: harmful at any share, while the teacher itself is good."""
    return 5 * functional.cross_entropy(student.logits, torch.flip(teacher.logits, dims=(1,)).softmax(1))


@pytest.mark.parametrize(
    ("alpha", "mode", "code"),
    [
        (0.9, "offline", "soft_share"),
        (0.8, "offline", "loss"),
        (1.0, "soft_labels_only", "unlabelled"),  # no share can be lowered there
    ],
)
def test_harm_is_put_down_to_the_soft_share_only_where_that_is_large(tmp_path, monkeypatch, alpha, mode, code):
    monkeypatch.setattr(LOSSES, "_entries", dict(LOSSES._entries))
    LOSSES.register("contrary", title="Contrary", spec=LossSpec)(contrary)
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 400)).round(3)
    target = np.where(a * b + a > 0, "yes", "no")  # a line finds a part of it, trees find all: there is room
    pd.DataFrame({"a": a, "b": b, "target": target}).to_csv(tmp_path / "t.csv", index=False)
    chosen = {
        "objective": Choice(name="contrary", settings={"alpha": alpha}),
        "mode": Choice(name=mode),
        "students": (StudentSpec(name="line", arch=Choice(name="linear")),),
    }
    training = {"epochs": 2, "seeds": 3, "learning_rate": 0.05, "batch_size": 16}
    spec = small_spec(tmp_path / "t.csv", **training).model_copy(update=chosen)
    folder = RunFolder.create(tmp_path / "run", spec)
    folder.write_result(experiment.run(spec, folder, lambda event: None, lambda: False))
    (student,) = folder.result()["students"]
    assert student["alpha"] == alpha and student["verdict"] == "hurts"
    assert student["reason"] == {"code": code, "values": {"alpha": alpha}}
