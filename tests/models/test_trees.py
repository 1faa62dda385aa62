"""Small boosted trees: without a teacher they are LightGBM's own."""

from __future__ import annotations

import lightgbm
import numpy as np
import onnx
import pandas as pd
import pytest

from kd_core.data.input_spec import table_inputs
from kd_core.data.preparation import prepare
from kd_core.distill.student import train_student
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export.onnx_writing import written
from kd_core.models import ARCHS, boosting
from kd_core.models.archs.trees import PRESETS, TreesSpec, file_bytes
from kd_core.models.building import viewed
from kd_core.models.sizes import sizes_for
from kd_core.models.tree_ensemble import Tree, TreeEnsemble
from kd_core.specs import Choice, DatasetSpec, StudentSpec, TrainingSpec
from tests.teachers.tables import dataset

NATIVE = {
    "binary": {"objective": "binary"},
    "multiclass": {"objective": "multiclass", "num_class": 3},
    "regression": {"objective": "regression"},
}


@pytest.mark.parametrize("task", list(NATIVE))
def test_a_baseline_is_what_lightgbm_does_by_itself(task):
    """Same loss, same start, same steps: its own objectives are in float64 where ours are in float32."""
    data = dataset(task, rows=400)
    whole = {"trees": 12, "leaves": 6, "row_share": 1.0, "feature_share": 1.0, "leaf_rows": 15, "learning_rate": 0.15}
    student = StudentSpec(name="s", arch=Choice(name="trees", settings=whole))
    found = train_student(data, student, None, None, TrainingSpec(), 0)
    told = {**boosting.REPEATABLE, "num_leaves": 6, "min_data_in_leaf": 15, "learning_rate": 0.15, **NATIVE[task]}
    train = lightgbm.Dataset(data.view().parts["train"], data.scaled_y("train"), params=told)
    booster = lightgbm.train(told, train, found.trained.selected_epoch)
    theirs = booster.predict(data.view().parts["test"], raw_score=True).reshape(100, -1)
    ours = found.test_logits()
    if task == "multiclass":  # a softmax sees differences only
        ours, theirs = ours - ours[:, :1], theirs - theirs[:, :1]
    np.testing.assert_allclose(ours[:, -theirs.shape[1] :], theirs, atol=2e-4)


def test_a_size_can_be_changed_in_part():
    assert TreesSpec().shape() == TreesSpec(size="small").shape() == (36, 15)
    assert TreesSpec(size="base", trees=7).shape() == (7, PRESETS["base"]["leaves"])
    assert TreesSpec(size=None, leaves=4).shape() == (36, 4)


def chain(leaves):
    """A full tree whose every split has a leaf at its left."""
    number = np.arange(leaves - 1)
    right = np.append(number[1:], ~(leaves - 1))
    missing_left = np.ones(leaves - 1, dtype=bool)
    threshold = np.linspace(-1, 1, leaves - 1, dtype=np.float32)
    return Tree(np.full(leaves - 1, 99), threshold, missing_left, ~number, right, np.ones(leaves))


def test_sizes_stay_within_their_bytes():
    """Full trees of two classes on 100 columns, with a missing direction at each split: the most that a file can take."""
    most = {"tiny": 5_200, "small": 9_600, "base": 32_000, "large": 90_600}
    for size, bytes_at_most in most.items():
        trees, leaves = TreesSpec(size=size).shape()
        module = TreeEnsemble(100, trees, leaves, 2).eval()
        module.fill([chain(leaves)] * trees)
        file = written(onnx.load_from_string(onnx_bytes(module, table_inputs(100))))
        assert 0.9 * bytes_at_most < len(file) <= bytes_at_most, size


def test_operations_grow_with_trees_and_depth():
    flops = ARCHS.get("trees").facts["flops"]
    assert flops(TreeEnsemble(5, 10, 8, 2)) == 10 * (3 + 1)
    assert flops(TreeEnsemble(5, 10, 9, 4)) == 4 * 10 * (4 + 1)


def test_each_size_makes_use_of_the_room_that_people_ask_for():
    """Behind 4 KB of what reads a row: near the top of 10, 15, 40 and 100 KB, and never above."""
    for (size, spec), room in zip(PRESETS.items(), (10, 15, 40, 100), strict=True):
        share = (4096 + file_bytes(TreesSpec(size=size), 2)) / (1024 * room)
        assert 0.85 <= share <= 1, (size, spec, share)


@pytest.mark.parametrize("labels", [2, 3])
def test_labels_are_lightgbms_own_each_by_itself(labels, tmp_path):
    """Two outputs are no classes of one answer there: each has trees of its own, as LightGBM alone would grow them."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(500, 4))
    frame = pd.DataFrame(x.round(5), columns=list("abcd"))
    for k in range(labels):
        frame[f"label {k}"] = (x[:, k] + 0.5 * rng.normal(size=500) > 0.3 * k).astype(int)
    frame.to_csv(tmp_path / "l.csv", index=False)
    spec = DatasetSpec(
        source=str(tmp_path / "l.csv"),
        target="label 0",
        more_targets=tuple(f"label {k}" for k in range(1, labels)),
        task="multilabel",
    )
    data = prepare(spec, tmp_path)
    whole = {"trees": 8, "leaves": 5, "row_share": 1.0, "feature_share": 1.0, "leaf_rows": 15, "learning_rate": 0.2}
    arch = Choice(name="trees", settings=whole)
    found = train_student(data, StudentSpec(name="s", arch=arch), None, None, TrainingSpec(), 0)
    told = {**boosting.REPEATABLE, "num_leaves": 5, "min_data_in_leaf": 15, "learning_rate": 0.2, "objective": "binary"}
    ours, kind = found.test_logits(), viewed(data, arch).spec.kind
    assert ours.shape == (len(data.test), labels)
    assert sizes_for(data, arch).parameters == sum(p.numel() for p in found.module.parameters())
    for k in range(labels):
        train = lightgbm.Dataset(data.view(kind).parts["train"], data.train.y[:, k], params=told)
        booster = lightgbm.train(told, train, found.trained.selected_epoch)
        theirs = booster.predict(data.view(kind).parts["test"], raw_score=True)
        np.testing.assert_allclose(ours[:, k], theirs, atol=2e-4)
