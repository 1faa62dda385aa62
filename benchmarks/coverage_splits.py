"""Whether certified gains keep their word on other rows: random splits of real sets, fresh tables of the samples.

Used by `verdict_coverage`. The truth that an interval is held against is the mean gain over all other splits (or
tables) of the same set and lesson, which no single run can know.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.coverage_units import LESSONS, RealSet, Recipe, fresh_set, real_sets, train_unit
from kd_core import safe_io
from kd_core.machine import device
from kd_core.scenarios import SCENARIOS

SPLIT_GOAL, WIDTH_GOAL, FRESH_GOAL, WRONG_GOAL = 0.9, 1.3, (0.92, 0.98), 0.03


def fill(
    part: str, bank_file: Path, recipe: Recipe, data: Path | None, only: list[str] | None, count: int, rows: int
) -> dict[str, Any]:
    """Train all units that the bank lacks; it is written after each, so that a run that was cut off goes on."""
    settings = {"part": part, **asdict(recipe), **({"rows": rows} if part == "fresh" else {})}
    bank = safe_io.read_json(bank_file) if bank_file.exists() else {"settings": settings, "units": {}}
    if bank["settings"] != settings:
        raise SystemExit(f"{bank_file} holds units of {bank['settings']}, not of {settings}. Name another file.")
    with tempfile.TemporaryDirectory() as scratch, device.threads(1):
        units = _units(part, data, Path(scratch), count, rows)
        wanted = {key: make for key, make in units.items() if not only or key.split("/")[0] in only}
        for done, (key, make) in enumerate(wanted.items(), 1):
            if key in bank["units"]:
                continue
            bank["units"][key] = found = train_unit(make(), recipe, LESSONS if part == "splits" else LESSONS[:1])
            safe_io.write_json(bank_file, bank)
            told = ", ".join(f"{k} {v['word']} ({v['seeds']} seeds)" for k, v in found["lessons"].items())
            print(f"  {key} ({done} of {len(wanted)}): {found['seconds']:.0f} s; {told}", flush=True)
    return dict(bank)


def _units(part: str, data: Path | None, scratch: Path, count: int, rows: int) -> dict[str, Callable[[], RealSet]]:
    if part == "fresh":
        names = [e.name for e in SCENARIOS.entries() if "pictures" not in e.facts["tags"]]  # of those a CSV is made
        each = -(-count // len(names))
        return {
            f"{name}/{seed}": lambda name=name, seed=seed: fresh_set(name, rows, seed, scratch)
            for seed in range(each)
            for name in names
        }
    if data is None:
        raise SystemExit("Real sets: name their folder with --data or KD_DATA.")
    sets = real_sets(data, scratch)
    return {
        f"{name}/{seed}": lambda made=made, seed=seed: _split(made, seed)
        for seed in range(count)
        for name, made in sets.items()
    }


def _split(made: RealSet, seed: int) -> RealSet:
    return RealSet(made.spec.model_copy(update={"split_seed": seed}), made.teacher, made.objective)


def analyse(bank: dict[str, Any], metric: str | None = None) -> list[dict[str, Any]]:
    """Hold each interval against the mean gain of the other units. One row per set and lesson with two units or more."""
    rows = []
    sets: dict[str, list[dict[str, Any]]] = {}
    for key, unit in bank["units"].items():
        sets.setdefault(key.split("/")[0], []).append(unit)
    for name, units in sets.items():
        for lesson in units[0]["lessons"] if len(units) > 1 else ():
            chosen = metric or units[0]["metric"]
            gains = [u["lessons"][lesson]["gains"][chosen] for u in units]
            words = [u["lessons"][lesson]["word"] for u in units]
            mean = np.array([g["mean"] for g in gains])
            others = (mean.sum() - mean) / (len(mean) - 1)
            low, high = (np.array([g[k] for g in gains]) for k in ("low", "high"))
            seeds_half, rows_half = (np.array([g[k] for g in gains]) for k in ("seeds_half", "rows_half"))
            spread = float(mean.std(ddof=1))
            rows.append(
                {
                    "set": name,
                    "lesson": lesson,
                    "metric": chosen,
                    "units": len(mean),
                    "gain": float(mean.mean()),
                    "spread": spread,
                    "covered": int(((low <= others) & (others <= high)).sum()),
                    "covered_by_seeds_alone": int((abs(mean - others) <= seeds_half).sum()),
                    "half_width": float((high - low).mean() / 2),
                    "seeds_half": float(seeds_half.mean()),
                    "rows_half": float(rows_half.mean()),
                    "width_ratio": float((high - low).mean() / 2 / (1.96 * spread)),
                    "wrong": sum(
                        (w == "beats" and o <= 0) or (w == "hurts" and o >= 0)
                        for w, o in zip(words, others, strict=True)
                    ),
                    "words": dict(Counter(words)),
                    "seeds": float(np.mean([u["lessons"][lesson]["seeds"] for u in units])),
                }
            )
    return rows


def tell(part: str, rows: list[dict[str, Any]]) -> None:
    """Print the rows and hold the totals against the goals."""
    for r in rows:
        print(
            f"{r['set']}, {r['lesson']} lesson, {r['metric']}: {r['covered']} of {r['units']} covered (seeds alone "
            f"{r['covered_by_seeds_alone']}); gain {r['gain']:+.5f}, spread {r['spread']:.5f}, half-width {r['half_width']:.5f} "
            f"(seeds {r['seeds_half']:.5f}, rows {r['rows_half']:.5f}) = {r['width_ratio']:.2f} x 1.96 spread; "
            f"wrong {r['wrong']}; {r['seeds']:.1f} seeds; " + ", ".join(f"{k} {v}" for k, v in r["words"].items())
        )
    real = [r for r in rows if r["lesson"] == "real"]
    if not real:
        print("Fewer than two units of any set: nothing to compare yet.")
        return
    covered, units = sum(r["covered"] for r in real), sum(r["units"] for r in real)
    wrong, words = sum(r["wrong"] for r in rows), sum(r["units"] for r in rows)
    low, high = (SPLIT_GOAL, 1.0) if part == "splits" else FRESH_GOAL
    print(f"covered {covered} of {units} ({covered / units:.1%}): {_met(low <= covered / units <= high)}")
    print(f"wrong words {wrong} of {words} ({wrong / words:.1%}): {_met(wrong / words <= WRONG_GOAL)}")
    if part == "splits":
        widest = max(r["width_ratio"] for r in real)
        print(f"half-width at most {widest:.2f} x 1.96 spread: {_met(widest <= WIDTH_GOAL)}")


def _met(good: bool) -> str:
    return "met" if good else "MISSED"
