"""What a stage is asked for, whether it keeps that, and what a person must know of it before taking it home."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from kd_core.machine.rounds import interval
from kd_core.requests.compress_spec import LEAST_AGREEMENT, CompressSpec

SLOWER = 1.05  # times as long: less is told by no person who waits for it
Stage = Mapping[str, Any]  # as result.json has it


def asked(spec: CompressSpec) -> dict[str, Any]:
    """Return the goals as plain values."""
    return {"most_lost": spec.most_lost, "bytes": spec.bytes, "microseconds": spec.microseconds}


def keeps(stage: Stage, spec: CompressSpec, lost: Mapping[str, Any] | None) -> bool:
    """Say whether a stage keeps every goal that was asked for, what it lost with the whole interval; other answers than before are a warning alone."""
    high = 0.0 if lost is None else lost["ci95"][1]
    if high is None or high > spec.most_lost:
        return False
    if spec.bytes is not None and (stage["bytes"] is None or stage["bytes"] > spec.bytes):
        return False
    one = (stage["latency"].get("whole") or {}).get("1")
    return spec.microseconds is None or (one is not None and 1000 * one["p50"] <= spec.microseconds)


def flags(stage: Stage, before: Stage | None, spec: CompressSpec) -> list[dict[str, Any]]:
    """Name what is worse than a person would expect of a smaller model, each as a code with its values."""
    found: list[dict[str, Any]] = []
    if before is not None:
        sizes = stage["bytes"], before["bytes"]
        if None not in sizes and sizes[0] > sizes[1]:
            found.append({"code": "bigger", "bytes": sizes[0], "before": sizes[1], "than": before["name"]})
        found += _slower(stage, before)
    if (lost := stage["lost"]) is not None:
        low, high = lost["ci95"]
        told = {"mean": lost["mean"], "ci95": lost["ci95"], "most": spec.most_lost}
        if lost["mean"] > spec.most_lost:
            found.append({"code": "lost", **told, "sure": low is not None and low > spec.most_lost})
        elif high is None or high > spec.most_lost:
            found.append({"code": "unproved_loss", **told})
    if (share := stage["agreement"]) is not None and share < LEAST_AGREEMENT:
        found.append({"code": "unlike", "agreement": share, "before": stage["agreement_before"]})
    goals = (("bytes", stage["bytes"], spec.bytes), ("microseconds", microseconds(stage), spec.microseconds))
    found += [
        {"code": f"above_{name}", "value": value, "most": most}
        for name, value, most in goals
        if most is not None and value is not None and value > most
    ]
    return found


def beyond(spec: CompressSpec, lost: float | None, bytes: int | None, microseconds: float | None) -> tuple[float, int]:
    """Order what keeps no goal for sure: by how many times it is above the goal that it breaks most, then by its bytes."""
    pairs = ((lost, spec.most_lost), (bytes, spec.bytes), (microseconds, spec.microseconds))
    return max((v / most for v, most in pairs if v is not None and most), default=0.0), bytes or 0


def microseconds(stage: Stage) -> float | None:
    """Return the middle time of one raw row to its answer; None where it was not timed."""
    one = (stage["latency"].get("whole") or {}).get("1")
    return None if one is None else 1000 * float(one["p50"])


def _slower(stage: Stage, before: Stage) -> list[dict[str, Any]]:
    """Compare times round by round: both took their turns in the same ones, so that a busy minute says nothing."""
    found = []
    for runtime, batches in stage["latency"].items():
        for batch, times in batches.items():
            other = before["latency"].get(runtime, {}).get(batch)
            if other is None:
                continue
            ratios = [a / b for a, b in zip(times["rounds"], other["rounds"], strict=False)]
            low, _, sure = interval(ratios)
            least = 1.0 if sure else SLOWER  # of few rounds all are above 1 by chance once in a while
            ratio = float(np.median(ratios))
            if ratio >= SLOWER and low > 1 and low >= least:
                told = {"milliseconds": times["p50"], "before": other["p50"], "than": before["name"], "ratio": ratio}
                found.append({"code": "slower", "runtime": runtime, "batch": int(batch), **told})
    return found


def smallest(stages: Sequence[Stage]) -> int | None:
    """Choose the stage of the fewest bytes; of equal ones the first."""
    return min(stages, key=lambda s: s["bytes"])["id"] if stages else None
