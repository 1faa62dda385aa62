"""Numbers in a scikit-learn model that its compiled code takes as they stand: checked before anything is asked.

Source: scikit-learn 1.9, `tree/_tree.pyx`, `ensemble/_gradient_boosting.pyx`, `_hist_gradient_boosting/_predictor.pyx`, `svm/src/libsvm`,
`metrics/_pairwise_distances_reduction`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.ensemble._forest import BaseForest
from sklearn.ensemble._gb import BaseGradientBoosting
from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC, SVR
from sklearn.tree import BaseDecisionTree
from sklearn.tree._tree import NODE_DTYPE

from kd_core.data.model_files.booster import damaged
from kd_core.errors import DataError

NOUN = "skops"
Array = npt.NDArray[Any]


def refuse(why: str) -> NoReturn:
    """Refuse a model. Errors: DataError `model_damaged`."""
    raise damaged(NOUN, why)


def check_tree(features: Any, n_classes: Any, outputs: Any, state: dict[str, Any]) -> None:
    """Check what a `Tree` is made of, before it is made. Errors: DataError `model_damaged`."""
    nodes, values, count = state["nodes"], state["values"], state["node_count"]
    n_classes = np.asarray(n_classes)
    if type(features) is not int or type(outputs) is not int or not 0 < outputs <= 1000 or features < 1:
        refuse("a tree has no number of features or answers")
    if n_classes.dtype != np.intp or n_classes.shape != (outputs,) or not ((n_classes > 0) & (n_classes < 2**20)).all():
        refuse("a tree has no number of classes")
    shape = (count, outputs, int(n_classes.max()))
    if nodes.dtype != NODE_DTYPE or nodes.shape != (count,) or not count:
        refuse(f"a tree speaks of {count!r} nodes and has {nodes.shape} of another kind")
    if values.dtype != np.float64 or values.shape != shape or not values.flags.c_contiguous:
        refuse(f"a tree has values of the shape {values.shape}, not {shape}")
    _check_nodes(nodes["left_child"] == -1, nodes["left_child"], nodes["right_child"], nodes["feature"], features)


def _check_nodes(leaf: Array, left: Array, right: Array, feature: Array, features: int) -> None:
    split = ~leaf
    met = np.concatenate([left[split], right[split]]).astype(np.int64)
    if (met < 1).any() or (met >= len(leaf)).any():
        refuse("a tree leads to a node that it does not have")
    if len(np.unique(met)) < len(met):
        refuse("a tree leads back to a node that was met before")
    if (feature[split] < 0).any() or (feature[split] >= features).any():
        refuse(f"a tree asks for a feature that is not one of the {features}")


def check_model(model: Any) -> None:
    """Check every part of a model that was built. Errors: DataError `model_damaged`, `model_kernel`, `model_words_from_files`."""
    for part in parts(model):
        for kind, fitted, check in _CHECKS:
            if isinstance(part, kind) and fitted in vars(part):
                check(part)


def parts(model: Any) -> Iterator[Any]:
    """Walk through everything that a model holds, each thing once."""
    seen: set[int] = set()
    waiting = [model]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | int | float | None.__class__):
            continue
        seen.add(id(part))
        yield part
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list | tuple | set):
            waiting += part
        elif isinstance(part, np.ndarray):
            waiting += part.ravel().tolist() if part.dtype == object else []
        elif hasattr(part, "__dict__"):
            waiting += vars(part).values()


def _decision_tree(tree: Any) -> None:
    if tree.tree_.n_features != tree.n_features_in_:
        refuse("a tree reads another number of features than it says")


def _forest(forest: Any) -> None:
    trees = np.asarray(forest.estimators_, dtype=object).ravel().tolist()
    if not trees or not all(isinstance(tree, BaseDecisionTree) for tree in trees):
        refuse("a forest holds something else than trees")
    if any(tree.n_features_in_ != forest.n_features_in_ for tree in trees):
        refuse("a forest's trees read different numbers of features")


def _gradient_boosting(model: Any) -> None:
    _forest(model)
    grid, classes = model.estimators_, len(model.classes_) if isinstance(model, GradientBoostingClassifier) else 1
    wanted = classes if classes > 2 else 1
    if not isinstance(grid, np.ndarray) or grid.ndim != 2 or grid.shape[1] != wanted:
        refuse("boosted trees are not one for each answer")
    if any(tree.tree_.value.shape[1:] != (1, 1) for tree in grid.ravel().tolist()):
        refuse("boosted trees hold more than one number in a leaf")
    begun = model._raw_predict_init(np.zeros((1, model.n_features_in_), np.float32))
    if begun.shape != (1, wanted) or begun.dtype != np.float64:
        refuse("boosted trees begin at another number of answers than they have")


def _histograms(model: Any) -> None:
    mapper = model._bin_mapper
    by_category = np.asarray(mapper.is_categorical_, dtype=bool)
    features = len(by_category)
    reads = model.n_features_in_
    if by_category.ndim != 1 or features != reads:
        refuse("histogram boosting reads another number of features than it says")
    encode = model._preprocess_X

    def guarded(x: Any, *, reset: bool) -> Any:
        found = encode(x, reset=reset)
        if found.shape[1] != features:
            refuse("histogram boosting reads another number of features than it says")
        return found

    model._preprocess_X = guarded
    for tree in (one for stage in model._predictors for one in stage):
        nodes, bits = tree.nodes, tree.raw_left_cat_bitsets
        if nodes.dtype != PREDICTOR_RECORD_DTYPE or nodes.ndim != 1 or not len(nodes):
            refuse("histogram boosting has nodes of another kind")
        leaf = nodes["is_leaf"] != 0
        _check_nodes(leaf, nodes["left"], nodes["right"], nodes["feature_idx"], features)
        if bits.dtype != np.uint32 or bits.ndim != 2 or bits.shape[1] != 8:
            refuse("histogram boosting has categories of another kind")
        words = nodes[~leaf & (nodes["is_categorical"] != 0)]
        if len(words) and (words["bitset_idx"].max() >= len(bits) or not by_category[words["feature_idx"]].all()):
            refuse("histogram boosting asks for categories that it does not have")


def _machine(machine: Any) -> None:
    if (
        machine.kernel not in ("linear", "poly", "rbf", "sigmoid")
        or machine._sparse
        or machine._impl != type(machine)._impl
    ):
        raise DataError(
            "The support vector machine has a kernel or rows that are not read ({kernel}).",
            "Train it with a kernel of scikit-learn's own, on dense rows.",
            "model_kernel",
            kernel=str(machine.kernel)[:40],
        )
    vectors = machine.support_vectors_
    classes = len(machine.classes_) if isinstance(machine, SVC) else 2
    pairs, number = classes * (classes - 1) // 2, len(vectors)
    counts = {len(machine._probA), len(machine._probB)}
    fits = (
        vectors.ndim == 2
        and vectors.shape[1] == machine.n_features_in_
        and machine._dual_coef_.shape == (classes - 1, number)
        and machine._intercept_.shape == (pairs,)
        and machine.support_.shape == (number,)
        and (not isinstance(machine, SVC) or machine._n_support.shape == (classes,))
        and (machine._n_support >= 0).all()
        and (not isinstance(machine, SVC) or int(machine._n_support.sum()) == number)
        and counts in ({0}, {pairs})
    )
    if not fits:
        refuse("the lists of a support vector machine have different lengths")


def _neighbours(model: Any) -> None:
    rows, y = model._fit_X, model._y
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or rows.shape[1] != model.n_features_in_ or not len(rows):
        refuse("the rows of nearest neighbours have another width than the model says")
    if rows.dtype not in (np.float32, np.float64) or not isinstance(y, np.ndarray) or len(y) != len(rows):
        refuse("the answers of nearest neighbours are not one for each row")
    if isinstance(model, KNeighborsClassifier) and (
        y.ndim != 1 or y.dtype.kind != "i" or y.min() < 0 or y.max() >= len(model.classes_)
    ):
        refuse("the classes of nearest neighbours lie outside of their list")
    if type(model.n_neighbors) is not int or not 1 <= model.n_neighbors <= len(rows):
        refuse("there are fewer rows than nearest neighbours")
    model._fit_method, model._tree = "brute", None  # no tree of a file is walked: rows are compared one by one
    model._fit_X = np.ascontiguousarray(rows)


def _vocabulary(words: Any) -> None:
    if words.input != "content":
        raise DataError(
            "The model takes its texts for names of files (input='{given}').",
            "Train it on the texts themselves.",
            "model_words_from_files",
            given=str(words.input)[:40],
        )
    places = list(words.vocabulary_.values())
    if sorted(places) != list(range(len(places))):
        refuse("the places of words are not one for each")


def _one_hot(encoder: Any) -> None:
    sizes, enabled = [len(known) for known in encoder.categories_], encoder._infrequent_enabled
    if enabled:
        for i, mapping in enumerate(encoder._default_to_infrequent_mappings):
            if mapping is not None:
                rare = encoder.infrequent_categories_[i]
                left = sizes[i] - len(rare) + 1
                if len(mapping) != sizes[i] or mapping.min() < 0 or mapping.max() >= left:
                    refuse("the places of rare categories lie outside of their list")
                sizes[i] = left
    dropped = encoder._drop_idx_after_grouping
    if dropped is not None:
        for i, at in enumerate(dropped):
            if at is not None and not 0 <= at < sizes[i]:
                refuse("a category is left out that there is not")
            sizes[i] -= at is not None
    if list(encoder._n_features_outs) != sizes:
        refuse("the places of categories are not one for each")


# What is checked, where the attribute stands without which nothing can be asked: a part that was never fitted lacks it.
_CHECKS = (
    (BaseDecisionTree, "tree_", _decision_tree),
    (BaseForest, "estimators_", _forest),
    (BaseGradientBoosting, "estimators_", _gradient_boosting),
    ((HistGradientBoostingClassifier, HistGradientBoostingRegressor), "_predictors", _histograms),
    ((SVC, SVR), "support_vectors_", _machine),
    ((KNeighborsClassifier, KNeighborsRegressor), "_fit_X", _neighbours),
    (CountVectorizer, "vocabulary_", _vocabulary),
    (OneHotEncoder, "categories_", _one_hot),
)
