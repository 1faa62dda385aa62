"""An XGBoost model in its JSON or UBJSON form; the library itself never sees the file.

Source: XGBoost, "Introduction to Model IO", `doc/model.schema`; decisions as in `src/predictor/predict_fn.h`.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from kd_core.data.model_files import ubjson
from kd_core.data.model_files.booster import NAN, Array, Builder, damaged, objective_unknown, refuse_size
from kd_core.errors import DataError

NOUN = "XGBoost"
_ODDS, _LOGITS = ("binary:logistic", "binary:logitraw"), ("multi:softprob", "multi:softmax")
_VALUES = ("reg:squarederror", "reg:absoluteerror", "reg:pseudohubererror", "reg:quantileerror")


def read(path: str, arrays: str) -> dict[str, Any]:
    """Read and check a model; write its trees to `arrays` and tell the rest.

    Errors: DataError `model_damaged`, `model_size`, `model_objective`, `model_trees`, `model_categories`.
    """
    refuse_size(Path(path), NOUN)
    data = Path(path).read_bytes()
    try:
        # Of JSON the second byte is a quote or a space; UBJSON names the length of the first key there.
        found = (
            ubjson.loads(data) if data[:1] == b"{" and data[1:2] in (b"L", b"i", b"U", b"l", b"I") else json.loads(data)
        )
        return _read(found["learner"], Path(arrays))
    except RecursionError:
        raise damaged(NOUN, "it is nested too deep") from None
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError) as error:
        raise damaged(NOUN, f"{type(error).__name__} {str(error)[:120]}") from None


def _read(learner: dict[str, Any], arrays: Path) -> dict[str, Any]:
    told, booster, weights = learner["learner_model_param"], learner["gradient_booster"], None
    if booster["name"] == "dart":
        weights, booster = booster["weight_drop"], booster["gbtree"]
    elif booster["name"] != "gbtree":
        raise DataError(
            "The XGBoost model is a '{name}', and only trees are read.",
            "Train it with booster gbtree or dart, or save its answers as soft labels.",
            "model_trees",
            name=str(booster["name"])[:40],
        )
    model, features, outputs = booster["model"], int(told["num_feature"]), max(1, int(told["num_class"]))
    kind = _objective(learner["objective"]["name"], outputs, int(told.get("num_target", 1)))
    trees, of, rounds = model["trees"], model["tree_info"], _best_rounds(learner.get("attributes") or {})
    if len(trees) != len(of) or (weights is not None and len(weights) != len(trees)):
        raise damaged(NOUN, f"it has {len(trees):,} trees and speaks of {len(of):,}")
    said = []
    if rounds is not None:
        each = outputs * int(model["gbtree_model_param"].get("num_parallel_tree", 1))
        used = rounds * each
        if used < len(trees):
            said = [
                f"Training stopped at round {rounds:,}, the best one: {len(trees) - used:,} later trees are not asked."
            ]
            trees, of = trees[:used], of[:used]
    built = Builder(NOUN, features, outputs)
    for number, (tree, output) in enumerate(zip(trees, of, strict=True)):
        _add_tree(built, tree, int(output), 1.0 if weights is None else float(weights[number]), number)
    names = [str(name) for name in learner.get("feature_names") or ()]
    if names and len(names) != features:
        raise damaged(NOUN, f"it names {len(names):,} features and speaks of {features:,}")
    built.booster(_base(str(told["base_score"]), learner["objective"]["name"], outputs), True).save(arrays)
    return {
        "kind": kind,
        "scale": 1.0,
        "names": names,
        "features": features,
        "trees": len(trees),
        "parameters": built.splits + built.leaves,
        "categories": {},
        "said": said,
    }


def _objective(name: str, outputs: int, targets: int) -> str:
    if targets == 1:
        if name in _ODDS and outputs == 1:
            return "odds"
        if name in _LOGITS and outputs > 1:
            return "logits"
        if name in _VALUES and outputs == 1:
            return "number"
    raise objective_unknown(
        NOUN, f"{name} with {targets} targets" if targets != 1 else name, (*_ODDS, *_LOGITS, *_VALUES)
    )


def _best_rounds(attributes: dict[str, Any]) -> int | None:
    """Count the rounds up to the best one, as scikit-learn's wrapper of XGBoost asks them; None where nothing was stopped."""
    return int(attributes["best_iteration"]) + 1 if "best_iteration" in attributes else None


def _base(text: str, objective: str, outputs: int) -> Array:
    """Read where the sums begin: one number, or one per class; for `binary:logistic` a probability. Shape: (K,)."""
    scores = [float(part) for part in text.strip("[] ").split(",")]
    if len(scores) not in (1, outputs):
        raise damaged(NOUN, f"it begins at {len(scores):,} numbers for {outputs:,} answers")
    if objective == "binary:logistic":
        if not 0 < scores[0] < 1:
            raise damaged(NOUN, f"it begins at the probability {scores[0]:g}")
        single = np.float32(scores[0])
        return np.array([-math.log(np.float32(1) / single - np.float32(1))])
    return np.resize(np.array(scores), outputs)


def _add_tree(built: Builder, tree: dict[str, Any], output: int, weight: float, number: int) -> None:
    if int(tree["tree_param"].get("size_leaf_vector", 1)) > 1:
        raise DataError(
            "The leaves of this XGBoost model hold several numbers each, which is not read.",
            "Train it with multi_strategy one_output_per_tree, or save its answers as soft labels.",
            "model_trees",
        )
    left, right = (np.array(tree[name], dtype=np.int64) for name in ("left_children", "right_children"))
    feature = np.array(tree["split_indices"], dtype=np.int64)
    condition = np.array(tree["split_conditions"], dtype=np.float32)
    default_left = np.array(tree["default_left"], dtype=np.int64) > 0
    if len({len(left), len(right), len(feature), len(condition), len(default_left)}) > 1 or not len(left):
        raise damaged(NOUN, f"the lists of tree {number:,} have different lengths")
    is_leaf = left < 0
    by_category = np.resize(np.array(tree.get("split_type") or [0], dtype=np.int64), len(left))
    if (by_category[~is_leaf] > 0).any():
        raise DataError(
            "The XGBoost model splits by categories, and its file does not say for sure which words they are.",
            "Train it on columns of numbers, or save its answers as soft labels.",
            "model_categories",
        )
    if (right[~is_leaf] < 0).any() or max(left.max(), right.max()) >= len(left):
        raise damaged(NOUN, f"tree {number:,} leads to a node that it does not have")
    met = np.concatenate([left[~is_leaf], right[~is_leaf]])
    if (met == 0).any() or len(np.unique(met)) < len(met):
        raise damaged(NOUN, f"tree {number:,} leads back to a node that was met before")
    place = np.where(
        is_leaf, ~(np.cumsum(is_leaf) - 1), np.cumsum(~is_leaf) - 1
    )  # splits and leaves have numbers of their own
    split = ~is_leaf
    built.add(
        output,
        (condition[is_leaf] * np.float32(weight)).astype(np.float64),
        feature[split],
        np.nextafter(condition[split], np.float32(-np.inf)).astype(np.float64),  # it goes left where a value is below
        place[left[split]],
        place[right[split]],
        np.full(int(split.sum()), NAN),
        default_left[split],
    )
