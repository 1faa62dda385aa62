"""How variants are trained, by rule: what can be stacked as stacks, the rest one by one, in a lane per core.

No probe decides, so the same work is always done alike and gives the same numbers; stacks were faster in every case
that was measured (docs/performance.md).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

from kd_core.distill.stack import chunks, fused
from kd_core.distill.sweep import sequential
from kd_core.distill.sweep.variants import TrainedVariant, Variant
from kd_core.distill.sweep.work import Hooks, Precision, SweepWork
from kd_core.errors import KDError
from kd_core.machine import device as devices

Mode = Literal["auto", "fused", "sequential"]


def train(work: SweepWork, hooks: Hooks, mode: Mode = "auto") -> dict[int, TrainedVariant]:
    """Train every variant; one that finished no epoch is missing in the result.

    A stop request keeps the best so far of what is in training and starts nothing more.

    Errors: KDError `cannot_fuse` for a mode that can't work; those of `fused.train` and `sequential.train`.
    """
    reasons = {number: _why_apart(work, number, v) for number, v in work.variants.items()}
    if mode == "fused":
        _require_stacks(work, reasons)
    if not work.variants or hooks.should_stop():
        return {}
    work = replace(work, precision=number_format(work, hooks))
    stacked = work.only(n for n, why_not in reasons.items() if why_not is None and mode != "sequential")
    apart = work.only(n for n in work.variants if n not in stacked.variants)
    lanes = fused.lanes_for(stacked), sequential.lanes_for(apart)
    hooks.notify(_event(work, stacked, lanes, reasons, mode))
    if mode == "auto":
        _say_why_apart(work, reasons, hooks)
    found = chunks.train(stacked, hooks, lanes[0]) if stacked.variants else {}
    if apart.variants and not hooks.should_stop():
        found |= sequential.train(apart, hooks, lanes[1])
    return found


def _why_apart(work: SweepWork, number: int, variant: Variant) -> str | None:
    """Say why a variant can't be trained in a stack, or None."""
    if number in work.starts:
        return "networks that go on from weights they have are trained one by one"
    if variant.mode is not None:
        return f"the mode '{variant.mode.name}' trains each student by itself"
    return fused.supports(work.dataset, variant)


def number_format(work: SweepWork, hooks: Hooks) -> Precision:
    """Decide the number format: bfloat16 where it was asked for and the hardware has it, else float32."""
    if work.training.precision != "bfloat16":
        return "float32"
    if devices.has_bfloat16(work.device.type):
        return "bfloat16"
    kind = work.device.type
    hooks.notify(
        {
            "kind": "warning",
            "code": "no_bfloat16",
            "message": f"bfloat16 was asked for, but this {kind} has no arithmetic for it; float32 is used.",
            "hint": "Choose the precision 'auto' or 'float32'.",
        }
    )
    return "float32"


def _require_stacks(work: SweepWork, reasons: dict[int, str | None]) -> None:
    for number, reason in reasons.items():
        if reason:
            raise KDError(
                "The student '{name}' can't be trained in a stack: {why}.",
                "Choose the mode 'auto' or 'sequential'.",
                "cannot_fuse",
                name=work.variants[number].student.name,
                why=reason,
            )


def _say_why_apart(work: SweepWork, reasons: dict[int, str | None], hooks: Hooks) -> None:
    """Say why some trainings of a student are not stacked while its others are: a loss's doing, not its architecture's."""
    stacked = {work.variants[n].student.name for n, reason in reasons.items() if reason is None}
    said = {work.variants[n].student.name: reason for n, reason in reasons.items() if reason}
    for name in sorted(stacked & said.keys()):
        hooks.notify(
            {
                "kind": "warning",
                "code": "not_stacked",
                "message": f"The student '{name}' is trained one by one: {said[name]}.",
                "hint": "Its baseline is trained in a stack; the numbers are the same either way, it takes longer.",
            }
        )


def _event(
    work: SweepWork, stacked: SweepWork, lanes: tuple[int, int], reasons: dict[int, str | None], mode: Mode
) -> dict[str, Any]:
    """Tell how the work is done and why."""
    count, together = len(work.variants), len(stacked.variants)
    said = [f"The mode '{mode}' was asked for."] if mode != "auto" else []
    for number, how, side_by_side in ((together, "as stacks", lanes[0]), (count - together, "one by one", lanes[1])):
        if number:
            width = f" in {side_by_side} lanes side by side" if side_by_side > 1 else ""
            said.append(f"{number} of {count} are trained {how}{width}.")
    cant = dict.fromkeys(reason for reason in reasons.values() if reason)
    if cant and mode == "auto":
        said.append(f"Not stacked, because {'; '.join(cant)}.")
    return {
        "kind": "sweep",
        "mode": "fused" if together else "sequential",
        "why": " ".join(said),
        "trainings": count,
        "precision": work.precision,
    }
