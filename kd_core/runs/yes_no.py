"""The threshold of yes-or-no models in a run: chosen on validation rows, told on test rows, kept with the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from kd_core.data.dataset import Array, Dataset, Split
from kd_core.evaluate import threshold
from kd_core.evaluate.threshold import HALF, Rule
from kd_core.runs import assessment
from kd_core.specs import EvaluationSpec
from kd_core.task import task_of

if TYPE_CHECKING:
    from kd_core.runs.cells.trainings import Arms
    from kd_core.runs.deployment import Deployment

MEASURES = ("precision", "recall", "f1", "called")


def rule_of(dataset: Dataset, evaluation: EvaluationSpec) -> Rule | None:
    """Return the rule by which a run's answers become yes or no; None where the likelier class is the answer, as for every other task."""
    if not task_of(dataset.task).positive:
        return None
    return threshold.rule_of(evaluation.threshold, float((dataset.train.y == 1).mean()))


def chosen(dataset: Dataset, z: Array, rule: Rule | None) -> float | None:
    """Choose on validation rows, of which `z` are the logits; rows that a teacher left out are passed over. Shape: z (V, 2)."""
    if rule is None:
        return None
    known = np.flatnonzero(~np.isnan(z).any(axis=1))
    found = assessment.answers(dataset, "validation", z, known)
    assert found.p is not None
    return threshold.chosen(found.y == 1, found.p[:, 1], rule)


def told(
    dataset: Dataset,
    evaluation: EvaluationSpec,
    arms: Arms,
    teacher: Mapping[Split, Array],
    deployed: Deployment | None,
    device: torch.device,
) -> dict[str, Any]:
    """Tell precision, recall and F1 on test rows, at one half and at each model's own threshold, as `threshold`; nothing where the task has no yes.

    Where one half is the answer, it is told beside what the best F1 would give. The curve is that of the model that is taken home.
    Shape: teacher (N, 2) of each part.
    """
    if not task_of(dataset.task).positive:
        return {}
    used = rule_of(dataset, evaluation)
    rule = used or Rule("f1")
    sides = {"student": arms.student, "baseline": arms.baseline}
    models = {
        n: [(t.logits(dataset, "validation", device), t.logits(dataset, "test", device)) for t in side]
        for n, side in sides.items()
    }
    models["teacher"] = [(teacher["validation"], teacher["test"])]
    found = assessment.answers(dataset, "test", arms.deployed.logits(dataset, "test", device))
    assert found.p is not None
    yes = found.y == 1
    measured = {name: _side(dataset, side, rule) for name, side in models.items()}
    block = {
        "rule": rule.name,
        "wanted": rule.wanted,
        "asked": evaluation.threshold is not None,
        "used": used is not None,
        "value": deployed.threshold if deployed else None,
        "kept": arms.kept,
        "positives": int(yes.sum()),
        "rows": len(yes),
        "share": float((dataset.train.y == 1).mean()),
        "arms": {name: arm for name, arm in measured.items() if arm is not None},
        "curve": threshold.curve(yes, found.p[:, 1]),
    }
    return {"threshold": block}


def lines(result: Mapping[str, Any]) -> list[str]:
    """Say of every student whose answer is yes from another threshold than one half what that gives on test rows, in a line for a terminal."""
    said = []
    for student in result["students"]:
        block = student.get("threshold")
        if not block or not block["used"] or "student" not in block["arms"]:
            continue
        own = block["arms"]["student"]
        half, at = ({m: own[n][m]["mean"] for m in MEASURES} for n in ("half", "chosen"))
        why = block["rule"] if block["wanted"] is None else f"{block['rule']} {block['wanted']:g}"
        seeds = len(own["values"])
        said.append(
            f"{student['name']} answers yes from {float(np.mean(own['values'])):.3g} on ({why}, chosen on validation rows; mean of {seeds} {'seed' if seeds == 1 else 'seeds'}): "
            f"precision {at['precision']:.3f}, recall {at['recall']:.3f}, F1 {at['f1']:.3f} on {block['rows']:,} test rows with {block['positives']:,} yes; "
            f"from .5 on {half['precision']:.3f}, {half['recall']:.3f}, {half['f1']:.3f}."
        )
    return said


def _side(dataset: Dataset, models: Sequence[tuple[Array, Array]], rule: Rule) -> dict[str, Any] | None:
    """Measure every seed of an arm at its own threshold; None where none can be chosen or a test row is not answered."""
    values, half, own = [], [], []
    for validation, test in models:
        at = chosen(dataset, validation, rule)
        if at is None or np.isnan(test).any():
            return None
        found = assessment.answers(dataset, "test", test)
        assert found.p is not None
        yes, p = found.y == 1, found.p[:, 1]
        values.append(at)
        half.append(threshold.told(yes, p, HALF))
        own.append(threshold.told(yes, p, at))
    if not values:
        return None

    def over(found: list[dict[str, float]]) -> dict[str, Any]:
        return {name: assessment.spread([one[name] for one in found]) for name in MEASURES}

    return {"values": values, "half": over(half), "chosen": over(own)}
