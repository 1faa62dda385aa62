"""The answers of a run: read from a result, or made of what is known of one that goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from kd_core.evaluate import METRICS
from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.outcome import read_outcome
from kd_core.runs.settings import tried, whole
from kd_core.runs.settings.answers import Answers, answer, best_of
from kd_core.runs.settings.sentence import Unit
from kd_core.runs.store.result_damage import damage
from kd_core.specs import RunSpec


def of_result(found: Mapping[str, Any], spec: RunSpec) -> Answers:
    """Make the answers of a result, of whatever version. Errors: KDError `damaged_result`, `other_schema`."""
    outcome, metric = read_outcome(found), found["metric"]
    judge = judge_of(outcome.metric.name, metric.get("margin"))
    with damage():
        cells = tried.of_result([c.raw for c in outcome.cells], spec)
        return answer(cells, judge, outcome.best_cell)


def of_progress(cells: Iterable[Mapping[str, Any]], spec: RunSpec, metric: str, active: bool) -> Answers:
    """Make the answers of a what-if so far, from the seeds that can be compared; `so_far` while any training is missing."""
    every = list(cells)
    judge = judge_of(metric, spec.evaluation.margin)
    told = answer(tried.of_progress(_compared(every, judge, active), spec, active), judge)
    return replace(told, so_far=not all(all(c["done"]) for c in every))


def best_so_far(cells: Iterable[Mapping[str, Any]], spec: RunSpec, metric: str, active: bool) -> int | None:
    """Name the cell that the answers so far hold all others against; None before any can be compared."""
    judge = judge_of(metric)
    found = best_of(tried.of_progress(_compared(list(cells), judge, active), spec, active), judge.better)
    return None if found is None else found.number


def _compared(cells: list[Mapping[str, Any]], judge: Judge, active: bool) -> list[Mapping[str, Any]]:
    """Cut cells down to seeds that ended in all of them. One that stopped before the first such seed is told by what ended."""
    return whole.held(cells, judge.better) or ([] if active else cells)


def judge_of(metric: str, own: float | None = None) -> Judge:
    """Say how scores of a metric are compared; `own`: the margin of a run that has one."""
    facts = METRICS.get(metric).facts
    return Judge(facts["better"], own or facts["margin"], facts["relative"])


def unit_of(metric: str) -> Unit:
    """Say how differences of a metric are written."""
    entry = METRICS.get(metric)
    return Unit.of(entry.facts["unit"], entry.title)
