"""A LightGBM model in its text form, read line by line; the library itself never sees the file.

Source: LightGBM, `GBDT::SaveModelToString` and `Tree::ToString`; decisions as in `Tree::NumericalDecision` and `Tree::CategoricalDecision`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kd_core.data.model_files.booster import (
    NAN,
    NO_MISSING,
    ZERO,
    Array,
    Builder,
    damaged,
    objective_unknown,
    refuse_size,
)
from kd_core.errors import DataError

NOUN = "LightGBM text"
# What a model may be trained for, by what its sums are; names as LightGBM writes them.
_ODDS = "binary cross_entropy"
_LOGITS = "multiclass softmax"
_VALUES = "regression regression_l1 huber fair quantile mape"
_CATEGORICAL, _DEFAULT_LEFT = 1, 2  # bits of a decision type; bits 2 and 3 say what is missing
_MISSING = np.array([NO_MISSING, ZERO, NAN, NAN])
_FIRST, _END = "\nTree=", "\nend of trees"


def read(path: str, arrays: str) -> dict[str, Any]:
    """Read and check a model; write its trees to `arrays` and tell the rest.

    Errors: DataError `model_damaged`, `model_size`, `model_objective`, `model_leaves`.
    """
    text = read_text(Path(path), NOUN)
    try:
        return _read(text, Path(arrays))
    except (ValueError, KeyError, IndexError, OverflowError, RecursionError) as error:
        raise damaged(NOUN, _why(error)) from None


def read_text(path: Path, noun: str) -> str:
    """Read a text file within the limits. Errors: DataError `model_size`, `model_damaged`."""
    refuse_size(path, noun)
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError:
        raise damaged(noun, "it is not text") from None


def _why(error: Exception) -> str:
    return f"{type(error).__name__} {str(error)[:120]}".strip()


def _read(text: str, arrays: Path) -> dict[str, Any]:
    head, first, rest = text.replace("\r\n", "\n").partition(_FIRST)
    trees, end, tail = rest.rpartition(_END)
    if not head.startswith("tree\n") or not first or not end:
        raise damaged(NOUN, "its beginning, its trees or its end is missing")
    told = dict(_pairs(head))
    names, num_class, of_a_round = (
        told["feature_names"].split(" "),
        int(told["num_class"]),
        int(told["num_tree_per_iteration"]),
    )
    if int(told["max_feature_idx"]) + 1 != len(names):
        raise damaged(NOUN, f"it names {len(names):,} features and speaks of {int(told['max_feature_idx']) + 1:,}")
    kind, scale = _objective(told.get("objective", ""), num_class)
    if of_a_round != num_class:
        raise damaged(NOUN, f"a round has {of_a_round:,} trees, for {num_class:,} answers")
    built = Builder(NOUN, len(names), num_class)
    for number, block in enumerate(trees.split(_FIRST)):
        _add_tree(built, number % num_class, dict(_pairs(block)))
    rounds = max(1, len(built.parts["root"]) // num_class)
    built.booster(np.zeros(num_class), False, rounds if "average_output" in head.split("\n") else 1.0).save(arrays)
    return {
        "kind": kind,
        "scale": scale,
        "names": [] if names == [f"Column_{i}" for i in range(len(names))] else names,
        "features": len(names),
        "trees": len(built.parts["root"]),
        "parameters": built.splits + built.leaves,
        "categories": _categories(tail, told.get("feature_infos", "").split(" ")),
        "said": [],
    }


def _pairs(block: str) -> Iterator[tuple[str, str]]:
    for line in block.split("\n"):
        name, equals, value = line.partition("=")
        if equals:
            yield name, value


def _objective(line: str, num_class: int) -> tuple[str, float]:
    """Tell what the sums of the trees are, and by what they are multiplied to be log-odds."""
    name, *more = line.split()
    options = dict(word.partition(":")[::2] for word in more)
    if name in _ODDS.split() and num_class == 1:
        return "odds", float(options.get("sigmoid", 1.0))
    if name in _LOGITS.split():
        return "logits", 1.0
    if name in _VALUES.split() and num_class == 1 and "sqrt" not in more:
        return "number", 1.0
    raise objective_unknown(NOUN, line, tuple(f"{_ODDS} {_LOGITS} {_VALUES}".split()))


def _add_tree(built: Builder, output: int, own: dict[str, str]) -> None:
    if own.get("is_linear", "0") != "0":
        raise DataError(
            "The leaves of this LightGBM model are linear models, which are not read.",
            "Train it without linear_tree, or save its answers as soft labels.",
            "model_leaves",
        )
    value, whole = _numbers(own, "leaf_value", np.float64), int(own["num_leaves"])
    if whole != len(value):
        raise damaged(
            NOUN, f"tree {len(built.parts.get('root', ())):,} speaks of {whole:,} leaves and has {len(value):,}"
        )
    if whole == 1:
        none = np.empty(0, np.int64)
        built.add(output, value, none, none.astype(np.float64), none, none, none, none)
        return
    kind, threshold = _numbers(own, "decision_type"), _numbers(own, "threshold", np.float64)
    feature = _numbers(own, "split_feature")
    by_category = (kind & _CATEGORICAL) > 0
    if len(feature) != whole - 1 or len(kind) != len(threshold):
        raise damaged(
            NOUN, f"tree {len(built.parts.get('root', ())):,} has {len(feature):,} splits for {whole:,} leaves"
        )
    built.add(
        output,
        value,
        feature,
        threshold,
        _numbers(own, "left_child"),
        _numbers(own, "right_child"),
        _MISSING[kind >> 2 & 3],
        (kind & _DEFAULT_LEFT) > 0,
        _bits(own, by_category, threshold) if by_category.any() else (),
    )


def _bits(own: dict[str, str], by_category: Array, threshold: Array) -> list[Array]:
    """List the categories that go left, of each split."""
    bounds, words = _numbers(own, "cat_boundaries"), _numbers(own, "cat_threshold")
    if (np.diff(bounds) < 0).any() or bounds[0] != 0 or bounds[-1] != len(words) or (words >> 32).any():
        raise damaged(NOUN, "the categories of a split lie outside of their list")
    found = []
    for own_category, at in zip(by_category.tolist(), threshold.tolist(), strict=True):
        if not own_category:
            found.append(np.empty(0, np.int64))
            continue
        if not 0 <= int(at) < len(bounds) - 1:
            raise damaged(NOUN, "the categories of a split lie outside of their list")
        some = words[bounds[int(at)] : bounds[int(at) + 1]]
        bits = np.flatnonzero((some[:, None] >> np.arange(32) & 1).ravel()) if len(some) else np.empty(0, np.int64)
        if not len(bits):
            raise damaged(NOUN, "a split sends no category to the left")
        found.append(bits)
    return found


def _numbers(own: dict[str, str], name: str, kind: type = np.int64) -> Array:
    return np.array(own[name].split(), dtype=kind)


def _categories(tail: str, infos: list[str]) -> dict[str, list[Any]]:
    """Return, by number of the feature, the values that pandas told apart, in the order of their codes."""
    line = next((one for one in tail.split("\n") if one.startswith("pandas_categorical:")), "")
    lists = json.loads(line.partition(":")[2] or "null") or []
    # Features by category list their values ("0:1:2") where others tell a range; of a feature that was never split on there is neither.
    places = [str(i) for i, info in enumerate(infos) if info != "none" and not info.startswith("[")]
    if not isinstance(lists, list) or not all(isinstance(one, list) for one in lists):
        raise damaged(NOUN, "its list of categories is none")
    if lists and len(lists) != len(places):
        raise damaged(NOUN, f"it lists the categories of {len(lists)} features and asks {len(places)} for theirs")
    return dict(zip(places, lists, strict=True)) if lists else {}
