"""Every metric of a bootstrap draw, many draws at once: rows that weigh as often as they were drawn.

Legend: D draws, N rows, C classes. Written apart from the metrics and from their influence functions; a test holds
each against the registered metric on rows that are really repeated.
"""

import numpy as np

from kd_core.evaluate import METRICS


def _mean(w_DN, value_N):
    return w_DN @ value_N / w_DN.sum(axis=1)


def _counts(w_DN, answers):
    """Right, occurring and called rows per draw and class."""
    classes = range(answers.p.shape[1])
    y, called = answers.y, answers.predicted
    pick = lambda rows: w_DN @ np.stack([rows(c) for c in classes], axis=1).astype(float)  # noqa: E731
    return pick(lambda c: (y == c) & (called == c)), pick(lambda c: y == c), pick(lambda c: called == c)


def _share(a, b):
    return np.divide(a, b, out=np.zeros_like(a), where=b > 0)


def _over_classes(values_DC, known_DC):
    return (values_DC * known_DC).sum(axis=1) / known_DC.sum(axis=1)


def _recall(w, a):
    right, occurs, called = _counts(w, a)
    found = _share(right, occurs)
    return found[:, 1] if a.task == "binary" else _over_classes(found, (occurs > 0) | (called > 0))


def _precision(w, a):
    right, occurs, called = _counts(w, a)
    found = _share(right, called)
    return found[:, 1] if a.task == "binary" else _over_classes(found, (occurs > 0) | (called > 0))


def _f1(w, a):
    right, occurs, called = _counts(w, a)
    return _share(2 * right, occurs + called)[:, 1]


def _f1_macro(w, a):
    right, occurs, called = _counts(w, a)
    return _over_classes(_share(2 * right, occurs + called), occurs + called > 0)


def _balanced(w, a):
    right, occurs, _ = _counts(w, a)
    return _over_classes(_share(right, occurs), occurs > 0)


def _falling(w_DN, score_N):
    """Order of falling score, weights in it, and the last place of each row's group of ties."""
    order = np.argsort(-score_N, kind="stable")
    ordered = score_N[order]
    last = np.searchsorted(-ordered, -ordered, side="right") - 1
    return order, w_DN[:, order], last


def _per_class(one):
    def whole(w, a):
        classes = [1] if a.task == "binary" else range(a.p.shape[1])
        values = np.stack([one(w, a.y == c, a.margins[:, c]) for c in classes], axis=1)
        known = np.stack([(w @ (a.y == c).astype(float)) > 0 for c in classes], axis=1)
        return _over_classes(np.nan_to_num(values), known)

    return whole


@_per_class
def _roc_auc(w, positive, score):
    order, w, last = _falling(w, score)
    yes = np.cumsum(w * positive[order], axis=1)[:, last]
    no = np.cumsum(w * ~positive[order], axis=1)[:, last]
    x = np.c_[np.zeros(len(w)), no]
    y = np.c_[np.zeros(len(w)), yes]
    area = (np.diff(x, axis=1) * (y[:, 1:] + y[:, :-1]) / 2).sum(axis=1)
    return _share(area, yes[:, -1] * no[:, -1])


@_per_class
def _pr_auc(w, positive, score):
    order, w, last = _falling(w, score)
    yes, rows = np.cumsum(w * positive[order], axis=1)[:, last], np.cumsum(w, axis=1)[:, last]
    return _share((w * positive[order] * _share(yes, rows)).sum(axis=1), yes[:, -1])


def _ece(w, a):
    confidence = a.p.max(axis=1)
    gap = (a.predicted == a.y) - confidence
    place = np.ceil(confidence * 15)
    return sum(abs(w @ np.where(place == b, gap, 0.0)) for b in range(1, 16)) / w.sum(axis=1)


def _r2(w, a):
    mean = _mean(w, a.y)
    return 1 - _mean(w, (a.values - a.y) ** 2) / (_mean(w, a.y**2) - mean**2)


def _brier(w, a):
    if a.task == "binary":
        return _mean(w, (a.p[:, 1] - a.y) ** 2)
    return _mean(w, ((a.p - np.eye(a.p.shape[1])[a.y]) ** 2).sum(axis=1))


WEIGHTED = {
    "accuracy": lambda w, a: _mean(w, (a.predicted == a.y).astype(float)),
    "balanced_accuracy": _balanced,
    "brier": _brier,
    "ece": _ece,
    "f1": _f1,
    "f1_macro": _f1_macro,
    "log_loss": lambda w, a: _mean(w, -np.log(a.p[np.arange(len(a.y)), a.y])),
    "mae": lambda w, a: _mean(w, abs(a.values - a.y)),
    "pr_auc": _pr_auc,
    "precision": _precision,
    "r2": _r2,
    "recall": _recall,
    "rmse": lambda w, a: np.sqrt(_mean(w, (a.values - a.y) ** 2)),
    "roc_auc": _roc_auc,
}

WEIGHTED |= {e.name: e.facts["weighted"] for e in METRICS.entries() if "weighted" in e.facts}  # of its own file


def weighted(metric, w_DN, answers, chunk=500):
    """The metric of each draw. Shape: (D,)."""
    return np.concatenate(
        [WEIGHTED[metric](w_DN[i : i + chunk].astype(float), answers) for i in range(0, len(w_DN), chunk)]
    )
