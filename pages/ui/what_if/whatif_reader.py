"""Reads the cells of a run into a table: from the result of one that has ended, or from the events of one that trains."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd

from kd_core.errors import KDError
from kd_core.runs.outcome import read_outcome
from kd_core.runs.settings import reading, whole
from kd_core.runs.settings.answers import Answers
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view.snapshot import Snapshot
from kd_core.safe_io import Damaged
from pages.ui.result import comparison, verdict
from pages.ui.shared import text
from pages.ui.what_if.whatif_cells import COLUMNS, NUMBERS, PER_SEED, Grid

APART = ("gain", "low", "high", "pairs", "behind", "behind_low", "behind_high", "pending")  # told otherwise than named
# What events don't say of a cell, and what a result doesn't.
LATER = {"word": None, "stopped": False, "behind": None, "like_best": False, "selected_epochs": ()}
COSTS = dict.fromkeys(("parameters", "size_bytes", "latency_ms"))
ENDED = {"done": (True,)}
NO_GAIN = {"mean": None, "ci95": (None, None), "n": None}


def of_run(folder: RunFolder, snapshot: Snapshot) -> Grid | None:
    """Read the map of a run that has ended; None where no student has several cells.

    A result that can't be read is told on the page, and the map is that of the events.
    """
    try:
        grid = read(folder)
    except KDError as error:
        text.show_error(error)
        grid = None
    grid = grid or of_progress(snapshot, active=False)
    return grid if grid is not None and len(grid.cells) > len(grid.students) else None


def read(folder: RunFolder) -> Grid | None:
    """Read the grid of a run that has ended, again only when its file has changed; None without a result of several cells.

    Errors: KDError `run_damaged`, and those of `read_outcome`.
    """
    try:
        changed = (folder.path / "result.json").stat().st_mtime_ns
    except FileNotFoundError:
        return None
    try:
        return _read(folder.path, changed)
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError, IndexError) as error:
        why = Damaged(f"holds no what-if that can be read: {type(error).__name__} {error}")
        raise folder.damaged("result.json", why) from None


@functools.lru_cache(maxsize=32)
def _read(path: Path, changed_ns: int) -> Grid | None:
    folder = RunFolder(path)
    found = folder.result()
    if not found or not found.get("students") or not read_outcome(found).has_map:
        return None
    return framed(of_result(found), reading.of_result(found, folder.spec()))


def framed(grid: Grid, told: Answers) -> Grid:
    """Frame what the sentence on top does not call worse; results of earlier versions held each pair alone against the best cell."""
    if told.best != grid.best:
        return grid
    return replace(grid, cells=grid.cells.assign(like_best=grid.cells["cell"].isin(told.alike)))


def of_result(found: Mapping[str, Any]) -> Grid:
    """Read the grid of a finished (or stopped) what-if from result.json.

    Errors: KDError of `read_outcome`; KeyError, TypeError, ValueError and the like where it is damaged.
    """
    outcome, sweep, data, artifacts = read_outcome(found), found["sweep"], found["dataset"], found["artifacts"]
    metric = {"selection": None, "margin": None, **found["metric"]}
    selection = str(metric["selection"] or metric["name"])
    parts = {"validation": None, "test": None, **data["rows"]}
    return Grid(
        frame(c.raw for c in outcome.cells),
        selection,
        None if sweep["best"] is None else int(sweep["best"]),
        best_of={str(n): int(i) for n, i in sweep["best_of"].items()},
        variants=int(sweep["variants"]),
        trainings=int(sweep["trainings"]),
        mode=str(sweep["mode"] or ""),
        why=str(sweep["why"] or ""),
        seeds=int(sweep["variants"]) // int(sweep["cells_asked"]),
        margin=_number(metric["margin"]) if selection == metric["name"] else None,
        teacher=next((_number(r["teacher"]) for r in found["room"]), None),
        **_teacher(found["teacher"]),
        num_rows=(_number(parts["validation"]), _number(parts["test"])),
        task=outcome.task,
        answers=str(artifacts["cells"]) if "cells" in artifacts else None,
        classes=tuple(map(str, data["classes"])),
        target=str(data["target"] or ""),
        spread=(artifacts["target_mean"], artifacts["target_std"]),
        result=found,
    )


def of_progress(snapshot: Snapshot, *, active: bool) -> Grid | None:
    """Read the grid of a what-if from its events: while it trains, or when it ended without a result.

    None before the plan is known.
    """
    now, metric, teacher = snapshot.sweep, str((snapshot.plan or {}).get("metric") or ""), snapshot.teacher
    if now is None:
        return None
    # The cells as the line of answers holds them; before it can, with the scores so far, of which none is called the best.
    held = whole.held(now.cells, reading.judge_of(metric).better) if metric else []
    return Grid(
        frame(held or now.cells, active),
        metric,
        reading.best_so_far(now.cells, snapshot.spec, metric, active) if metric else None,
        variants=now.variants,
        trainings=now.trainings,
        mode=str(now.mode or ""),
        why=str(now.why or ""),
        seeds=snapshot.spec.training.seeds_at_first,
        margin=snapshot.spec.evaluation.margin,
        teacher=teacher["metrics"].get(metric) if teacher else None,
        **(_teacher(teacher) if teacher else {}),
    )


def frame(cells: Iterable[Mapping[str, Any]], active: bool = False) -> pd.DataFrame:
    """Lay cells, as result.json and the progress hold them, out as a table with the `COLUMNS`.

    Errors: KeyError, TypeError, ValueError where they are damaged.
    """
    cells = list(cells)
    made_rows = {"made_rows": 0 if any(c.get("made_rows") for c in cells) else None}  # not written where it is 0
    told = [{**LATER, **COSTS, **ENDED, **made_rows, **c} for c in cells]
    made: dict[str, list[Any]] = {n: [c[n] for c in told] for n in COLUMNS if n not in APART}
    for name, low, high in (("gain", "low", "high"), ("behind", "behind_low", "behind_high")):
        held = [c[name] or NO_GAIN for c in told]
        made |= {name: [d["mean"] for d in held], low: [d["ci95"][0] for d in held], high: [d["ci95"][1] for d in held]}
    made["pairs"] = [(c["gain"] or NO_GAIN)["n"] for c in told]
    made["pending"] = [active and not all(c["done"]) for c in told]
    for name in PER_SEED:  # each as long as the seeds
        made[name] = [(*c[name], *(None,) * (len(c["seeds"]) - len(c[name]))) for c in told]
    per_seed = [chain.from_iterable(made[n]) for n in PER_SEED]
    _check_numbers([*chain.from_iterable(made[n] for n in NUMBERS), *chain.from_iterable(per_seed)])
    if any(len(v) > len(c["seeds"]) for n in PER_SEED for c, v in zip(told, made[n], strict=True)):
        raise ValueError("a cell has more scores than seeds")
    if odd := set(made["word"]) - {None, *verdict.COLOUR}:
        raise ValueError(f"a cell has the word {odd.pop()!r}")
    if len(set(made["cell"])) < len(told):
        raise ValueError("two cells have one number")
    return pd.DataFrame(made, columns=list(COLUMNS)).astype(COLUMNS).set_index("cell", drop=False)


def _check_numbers(values: list[Any]) -> None:
    odd = set(map(type, values)) - {int, float, type(None)}
    if odd or math.inf in values or -math.inf in values:
        raise TypeError(f"a number is {odd.pop().__name__ if odd else 'infinite'}")


def _number(value: Any) -> float | None:
    _check_numbers([value])
    return value


def _teacher(told: Mapping[str, Any]) -> dict[str, Any]:
    costs = {**{n: comparison.cost(told, n) for n in ("size", "latency")}, "parameters": told.get("parameters")}
    return {"teacher_name": str(told["name"]), "teacher_costs": {n: _number(v) for n, v in costs.items()}}
