import random

import numpy as np
import onnx
import pytest
import torch

from kd_core.data.input_spec import table_inputs
from kd_core.data.onnx_file import open_session
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models import tree_ensemble
from kd_core.models.tree_ensemble import Tree, TreeEnsemble


def tree(feature, threshold, left, right, value, missing=None):
    whole = [np.array(v, dtype=np.int64) for v in (feature, left, right)]
    missing = np.array(missing or [False] * len(feature), dtype=bool)
    return Tree(whole[0], np.array(threshold, np.float32), missing, whole[1], whole[2], np.array(value, float))


STUMP = tree([1], [0.5], [-1], [-2], [1.0, 2.0])
DEEP = tree([0, 1], [0.0, 1.0], [1, -2], [-1, -3], [10.0, 20.0, 30.0], [True, False])
ONE = tree([], [], [], [], [5.0])
ROWS = np.array([[-1, 0.5], [1, 0.6], [np.nan, 2], [0, np.nan]], np.float32)


def answer(module, x=ROWS):
    with torch.inference_mode():
        return module(torch.from_numpy(x)).logits.numpy()


def filled(trees, outputs=1, rounds=6, leaves=5):
    module = TreeEnsemble(2, rounds, leaves, outputs).eval()
    module.fill(trees)
    return module


def test_trees_add_up_by_hand():
    # DEEP: at most 0 in column 0, or missing there, goes on to column 1; STUMP's missing value goes right.
    assert answer(filled([STUMP, DEEP])).tolist() == [[21.0], [12.0], [32.0], [32.0]]
    assert answer(filled([STUMP, ONE])).tolist() == [[6.0], [7.0], [7.0], [7.0]]
    assert answer(filled([STUMP], outputs=2)).tolist() == [[0, 1], [0, 2], [0, 2], [0, 2]]
    assert answer(filled([STUMP, ONE, DEEP], outputs=3)).tolist() == [[1, 5, 20], [2, 5, 10], [2, 5, 30], [2, 5, 30]]


def grown(rng, splits, columns):
    """Grow a tree at random: each split takes the place of a leaf."""
    left, right = [-1], [-2]
    for new in range(1, splits):
        side, at = rng.choice([(side, i) for side in (left, right) for i, child in enumerate(side) if child < 0])
        side[at], leaf = new, side[at]
        left.append(leaf)
        right.append(-new - 2)
    threshold = [rng.choice([0.0, -0.5, 0.5, rng.gauss(0, 1)]) for _ in left]
    feature = [rng.randrange(columns) for _ in left]
    value = [rng.gauss(0, 1) for _ in range(splits + 1)]
    return tree(feature, threshold, left, right, value, [rng.random() < 0.3 for _ in left])


def walked(one, row):
    at = 0
    while at >= 0 and len(one.feature):
        seen = row[one.feature[at]]
        goes_left = one.missing_left[at] if np.isnan(seen) else seen <= one.threshold[at]
        at = (one.left if goes_left else one.right)[at]
    return np.float32(one.value[~at if len(one.feature) else 0])


@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("few", [64, 0])
def test_trees_of_any_depth_are_walked_by_hand_to_the_same_bits(outputs, few, monkeypatch):
    monkeypatch.setattr(tree_ensemble, "FEW_SPLITS", few)
    rng = random.Random(outputs)
    trees = [grown(rng, rng.choice([1, 2, 5, 30]), 4) if rng.random() < 0.9 else ONE for _ in range(30)]
    module = TreeEnsemble(4, 40, 31, outputs).eval()
    module.fill(trees)
    x = module.trying_rows()
    kinds = 1 if outputs == 2 else outputs
    sums = np.array([[sum(float(walked(t, row)) for t in trees[k::kinds]) for k in range(kinds)] for row in x])
    found = answer(module, x)
    assert np.allclose(found[:, -kinds:], sums, rtol=0, atol=1e-5) and found.std() > 1
    assert np.array_equal(found, np.concatenate([answer(module, x[i : i + 1]) for i in range(len(x))]))
    unknown = np.full((1, 4), np.nan, np.float32)
    assert answer(module, unknown)[0, -1] == np.float32(
        sum(float(walked(t, unknown[0])) for t in trees[kinds - 1 :: kinds])
    )


def test_trees_that_are_read_or_filled_later_answer_at_once():
    module = filled([DEEP, STUMP])
    assert answer(module).tolist() == [[21.0], [12.0], [32.0], [32.0]]
    module.load_state_dict(filled([STUMP]).state_dict())
    assert answer(module).tolist() == [[1.0], [2.0], [2.0], [2.0]]
    module.fill([DEEP])
    assert answer(module).tolist() == [[20.0], [10.0], [30.0], [30.0]]
    assert set(module.state_dict()) == {"feature", "missing_left", "left", "right", "threshold", "value"}


def test_filling_again_leaves_nothing_behind():
    module = filled([DEEP, STUMP])
    module.fill([ONE])
    assert answer(module).tolist() == [[5.0]] * 4
    assert all(
        torch.equal(a, b)
        for a, b in zip(module.state_dict().values(), filled([ONE]).state_dict().values(), strict=True)
    )


@pytest.mark.parametrize("outputs", [1, 2, 3])
@pytest.mark.parametrize("trees", [[], [ONE], [STUMP, ONE, DEEP], [DEEP, STUMP, DEEP, ONE, ONE, STUMP]])
def test_onnx_gives_the_same_and_holds_only_what_is_used(outputs, trees):
    module = filled(trees, outputs)
    x = np.concatenate([ROWS, module.trying_rows()])
    data = onnx_bytes(module, table_inputs(2))
    assert np.array_equal(open_session(data).run(None, {"x": x})[0], answer(module, x))
    (node,) = onnx.load_from_string(data).graph.node
    held = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    columns = {1: 1, 2: 1, 3: 3}[outputs]
    grown = [[t for t in trees[k::columns] if len(t.feature)] for k in range(columns)]
    assert len(held["nodes_featureids"]) == sum(sum(len(t.feature) for t in own) or 1 for own in grown)
    assert ("nodes_missing_value_tracks_true" in held) is any(t is DEEP for t in trees)


def test_a_file_that_answers_otherwise_is_refused(monkeypatch):
    """The rows it is compared on stand on the thresholds: a strict comparison would be seen."""
    module, right = filled([STUMP]), TreeEnsemble.onnx_model

    def strict(self):
        model = right(self)
        (modes,) = (a for a in model.graph.node[0].attribute if a.name == "nodes_modes")
        modes.t.raw_data = b"\x01"  # BRANCH_LT
        return model

    monkeypatch.setattr(TreeEnsemble, "onnx_model", strict)
    with pytest.raises(KDError, match="ONNX Runtime and torch differ") as caught:
        onnx_bytes(module, table_inputs(2))
    assert caught.value.code == "onnx_parity"


def test_many_rows_are_answered_in_pieces_that_fit():
    assert TreeEnsemble(2, 1000, 15, 1).rows_at_once == 2**20 // (1000 * 29)
    assert TreeEnsemble(2, 1000, 256, 1).rows_at_once == 2**20 // 1000
