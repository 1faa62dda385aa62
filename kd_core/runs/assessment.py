"""From logits to metrics, confusion, calibration and fidelity, for one model or a set of seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.data.dataset import SPLITS, Array, Dataset, Split
from kd_core.errors import DataError
from kd_core.evaluate import METRICS, calibration, confusion, fidelity, next_items
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import Answers, measure
from kd_core.evaluate.intervals.compare import Gain
from kd_core.evaluate.intervals.evidence import Evidence
from kd_core.evaluate.intervals.row_spread import units_of
from kd_core.evaluate.soft_labels import soften
from kd_core.limits import KNOWN_ROWS
from kd_core.task import CATALOGUE, CLASSIFICATION, task_of
from kd_core.teachers.base import known_rows

Rows = Array | slice
ALL = slice(None)


def queries_of(dataset: Dataset) -> dict[str, Any]:
    """Name the groups whose rows are ranked, and count them by part, with those that no order can serve; nothing for other tasks."""
    if not task_of(dataset.task).by_order:
        return {}
    counts = {}
    for split in SPLITS:
        code = dataset.dealt_by(split)
        assert code is not None
        relevant = len(np.unique(code[dataset.parts[split].y > 0]))
        counts[split] = {"all": len(np.unique(code)), "relevant": relevant}
    return {"group": dataset.spec.group, "groups": counts}


def comparable(dataset: Dataset, z_NC: Array) -> Rows | None:
    """Say on which rows a teacher can be compared: those it answered.

    None where these are too few (`limits.KNOWN_ROWS`), or where the labels are made from its answers.
    """
    if dataset.spec.answer_columns:
        return None
    known = known_rows(z_NC)
    return ALL if known.all() else np.flatnonzero(known) if known.sum() >= KNOWN_ROWS else None


def answers(dataset: Dataset, split: Split, z_NC: Array, rows: Rows = ALL) -> Answers:
    """Turn logits into answers in the task's own terms: probabilities, or values in the target's unit."""
    y, groups = dataset.parts[split].y[rows], dataset.dealt_by(split)
    own = None if groups is None else groups[rows]
    return from_logits(dataset.task, y, z_NC[rows], dataset.target_mean, dataset.target_std, own)


def score(dataset: Dataset, split: Split, z_NC: Array, metric: str) -> float | None:
    """Compute one metric."""
    return METRICS.get(metric).make(answers(dataset, split, z_NC))


def require_defined(dataset: Dataset, metric: str) -> None:
    """Refuse a metric that even perfect answers leave undefined on validation or test rows, before any training. Errors: DataError `undefined_metric`."""
    measured: tuple[Split, ...] = ("validation", "test")
    for split in measured:
        y = dataset.scaled_y(split)
        perfect = task_of(dataset.task).perfect(y, dataset.num_outputs)
        if score(dataset, split, perfect, metric) is None:
            raise DataError(
                "The metric '{metric}' can't be computed on the {split} part: its {rows} rows hold {found} different "
                "target {found:value|values}.",
                "Choose another metric, or another group or time column.",
                "undefined_metric",
                metric=metric,
                split=split,
                rows=len(y),
                found=len(np.unique(y)),
            )


def block(dataset: Dataset, split: Split, z_NC: Array) -> dict[str, Any]:
    """Assess a teacher on the rows it answered: every metric, and for classes the confusion counts and calibration bins.

    Where it answered too few, every metric is None and there is nothing else.
    """
    rows = comparable(dataset, z_NC)
    found = answers(dataset, split, z_NC, slice(0) if rows is None else rows)
    result: dict[str, Any] = {"metrics": measure(found)}
    if rows is not None and CLASSIFICATION(task_of(dataset.task)):
        result["confusion"] = confusion.matrix(found.y, found.predicted, len(dataset.classes)).tolist()
        result["calibration"] = calibration.bins(found)
    return result


def spread(values: Sequence[float | None]) -> dict[str, Any]:
    """Summarise one number over seeds: mean, standard deviation (n - 1) and the values themselves."""
    known = [v for v in values if v is not None]
    if len(known) < len(values) or not known:
        return {"mean": None, "std": None, "values": list(values)}
    std = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return {"mean": float(np.mean(known)), "std": std, "values": known}


def seeds_block(
    found: Evidence, side: str, classes: int, per_seed: Sequence[Array], teacher: Array, rows: Rows | None = ALL
) -> dict[str, Any]:
    """Assess the seeds of one arm together. `per_seed` and `teacher` are logits (N, C); `rows` where the two are compared."""
    models = found.sides[side]
    result: dict[str, Any] = {"metrics": {name: spread(found.values(name, side)) for name in found.metrics()}}
    if CLASSIFICATION(task_of(models[0].task)):
        result["confusion"] = np.mean([confusion.matrix(a.y, a.predicted, classes) for a in models], axis=0).tolist()
        result["calibration"] = calibration.pool([calibration.bins(a) for a in models])
    if task_of(models[0].task).each_alone and rows is not None:
        result["fidelity"] = {
            "agreement": spread([fidelity.label_agreement(z[rows], teacher[rows]) for z in per_seed]),
            "kl": spread([fidelity.label_kl(teacher[rows], z[rows]) for z in per_seed]),
        }
    elif CATALOGUE(task_of(models[0].task)) and rows is not None:
        result["fidelity"] = {
            "agreement": spread([next_items.agreement(z[rows], teacher[rows]) for z in per_seed]),
            "kl": spread([next_items.kl(teacher[rows], z[rows], classes) for z in per_seed]),
        }
    elif "confusion" in result and rows is not None:
        result["fidelity"] = {
            "agreement": spread([fidelity.agreement(z[rows], teacher[rows]) for z in per_seed]),
            "kl": spread([fidelity.kl(teacher[rows], z[rows]) for z in per_seed]),
        }
    return result


def evidence(
    dataset: Dataset, split: Split, teacher: Array, sides: Mapping[str, Sequence[Array]], rows: Rows = ALL
) -> Evidence:
    """Gather the answers of the teacher and of every side's seeds to some rows of a part. All are logits (N, C).

    A teacher that left out some of the rows is left out.
    """
    groups = dataset.parts[split].groups
    units = None if groups is None else units_of(groups[rows])
    arms = {"teacher": [teacher], **sides} if known_rows(teacher[rows]).all() else sides
    return Evidence({name: [answers(dataset, split, z, rows) for z in side] for name, side in arms.items()}, units)


def gains(found: Evidence, first: str, second: str) -> dict[str, Gain]:
    """Compare two sides on every metric that is defined for them; above 0 means that the first is better."""
    every = {name: found.gain(name, first, second) for name in found.metrics()}
    return {name: gain for name, gain in every.items() if gain is not None}


def over_teacher(student: Mapping[str, Any], known: Evidence, found: Evidence) -> dict[str, Gain]:
    """Compare plain models, the reference of `found`, with the teacher among the `known` sides; nothing where the student is not, or not on all rows."""
    teacher = known.sides.get("teacher") if student["versus_teacher"] else None
    return {} if teacher is None else gains(found.beside("reference", "teacher", teacher), "reference", "teacher")


def top_share(dataset: Dataset, z: Array, temperature: float) -> float | None:
    """Average what softened answers give to their first class; None where no row has answers."""
    known = z[~np.isnan(z[:, 0])]
    if not len(known):
        return None
    if task_of(dataset.task).compact:  # the short form begins with numbers of items
        return float(next_items.share_at(known, known[:, 0], temperature, dataset.num_outputs).mean())
    return float(soften(known, temperature).max(axis=1).mean())
