"""What `peers.py` keeps of a finished model, and how two are compared: answers by row, a paired bootstrap, a table."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers_plain import Answered
from kd_core.data.dataset import Array, Dataset, Split
from kd_core.evaluate import METRICS
from kd_core.evaluate.base import Answers
from kd_core.evaluate.intervals.compare import margin_in_units
from kd_core.safe_io import read_json, write_bytes, write_json
from kd_core.specs import Choice
from kd_core.task import task_of

LEAST = 1e-38  # a probability of 0 has no logarithm
NEAR_AUC, NEAR_RMSE = 0.0015, 0.04  # of the full model, at most 40 KB


@dataclass(frozen=True)
class Kept:
    """A finished model's answers: probabilities, or values in the target's unit; `why` in words where there are none. Shape: (N, C)."""

    answers: dict[str, Array]
    bytes: int
    seconds: float
    facts: dict[str, Any] = field(default_factory=dict)
    why: str | None = None

    @classmethod
    def missing(cls, why: str) -> Kept:
        """Keep that a model has no usable file."""
        return cls({}, 0, 0.0, {}, why)

    @classmethod
    def of_logits(cls, dataset: Dataset, found: Answered, seconds: float) -> Kept:
        """Keep what a peer said."""
        task, scale, answers = task_of(dataset.task), (dataset.target_mean, dataset.target_std), {}
        for part, z in (("validation", found.validation), ("test", found.test)):
            told = task.answers(np.asarray(z, np.float64), *scale)
            answers[part] = told["p"] if task.has_classes else told["values"][:, None]
        return cls(answers, found.bytes, seconds)


class Store:
    """A folder with one file for each set, model and seed. It holds work of one kind: others are refused."""

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.folder = folder
        place = folder / "settings.json"
        if not place.exists():
            write_json(place, settings)
        if (known := read_json(place)) != settings:
            raise SystemExit(f"{folder} holds models of {known}, not of {settings}. Name another folder.")

    def claim(self, name: str, digest: str) -> None:
        """Refuse models of other rows."""
        place = self.folder / name / "rows.json"
        if not place.exists():
            write_json(place, digest)
        if read_json(place) != digest:
            raise SystemExit(f"{place.parent} holds models of other rows. Name another folder.")

    def kept(self, name: str, what: str, make: Callable[[], dict[str, Choice]]) -> dict[str, Choice]:
        """Keep named choices of a set once they were made."""
        place = self.folder / name / f"{what}.json"
        if not place.exists():
            write_json(place, {model: choice.model_dump(mode="json") for model, choice in make().items()})
        return {model: Choice.parse(told) for model, told in read_json(place).items()}

    def _place(self, name: str, model: str, seed: int) -> Path:
        return self.folder / name / f"{model.replace('/', '-')}-{seed}.npz"

    def has(self, name: str, model: str, seed: int) -> bool:
        return self._place(name, model, seed).exists()

    def save(self, name: str, model: str, seed: int, kept: Kept) -> None:
        about = {"bytes": kept.bytes, "seconds": kept.seconds, "facts": kept.facts, "why": kept.why}
        file = io.BytesIO()
        np.savez_compressed(file, about=np.array(json.dumps(about)), **kept.answers)
        write_bytes(self._place(name, model, seed), file.getvalue())

    def load(self, name: str, model: str, seed: int) -> Kept:
        with np.load(self._place(name, model, seed), allow_pickle=False) as found:
            answers = {part: found[part] for part in found.files if part != "about"}
            return Kept(answers, **json.loads(str(found["about"])))


def rank(dataset: Dataset) -> int:
    """Return 1 where a larger value of the task's metric is better, else -1."""
    return 1 if METRICS.get(task_of(dataset.task).primary).facts["better"] == "higher" else -1


def _score(dataset: Dataset, y: Array, said: Array) -> float:
    """Measure the task's metric. Classes are ranked by logarithms, in which probabilities near 1 are told apart."""
    if task_of(dataset.task).has_classes:
        answers = Answers(dataset.task, y, p=said, z=np.log(np.maximum(said, LEAST)))
    else:
        answers = Answers(dataset.task, y, values=said[:, 0])
    found = METRICS.get(task_of(dataset.task).primary).make(answers)
    return np.nan if found is None else found


def mean_score(dataset: Dataset, part: Split, seeds: Sequence[Kept]) -> float:
    """Average the task's metric over seeds."""
    y = dataset.parts[part].y
    return float(np.mean([_score(dataset, y, k.answers[part].astype(np.float64)) for k in seeds]))


def compared(dataset: Dataset, ours: Sequence[Kept], theirs: Sequence[Kept], draws: int) -> dict[str, Any]:
    """Draw test rows (whole groups) and seeds again and again; the same for both sides. Above 0: ours is better.

    A draw without one of the classes counts for nothing; how many there were is told.
    """
    test, sign = dataset.test, rank(dataset)
    units, unit_N = np.unique(test.units, return_inverse=True)
    order, starts = np.argsort(unit_N, kind="stable"), np.searchsorted(np.sort(unit_N), np.arange(len(units) + 1))
    said = [[k.answers["test"].astype(np.float64) for k in side] for side in (ours, theirs)]
    same = all(np.array_equal(a, b) for a, b in zip(*said, strict=True))

    def difference(rows: Array, seeds: Sequence[int]) -> float:
        y = test.y[rows]
        count = Counter(seeds)
        gain = [
            times * (_score(dataset, y, said[0][s][rows]) - _score(dataset, y, said[1][s][rows]))
            for s, times in count.items()
        ]
        return sign * sum(gain) / len(seeds)

    every = range(len(ours))
    mean = difference(np.arange(len(test)), every)
    margin = METRICS.get(task_of(dataset.task).primary).facts
    theirs_mean = mean_score(dataset, "test", theirs)
    facts = {"difference": mean, "margin": margin_in_units(margin["margin"], margin["relative"], [theirs_mean])}
    if same:
        return facts | {"low": 0.0, "high": 0.0, "draws": 0}
    rng, found = np.random.default_rng(0), []
    for _ in range(draws):
        drawn = rng.integers(len(units), size=len(units))
        rows = (
            order[drawn]
            if len(units) == len(test)
            else np.concatenate([order[starts[u] : starts[u + 1]] for u in drawn])
        )
        found.append(difference(rows, rng.integers(len(ours), size=len(ours)).tolist()))
    kept = np.array(found)[np.isfinite(found)]
    low, high = (float(v) for v in np.quantile(kept, (0.025, 0.975)))
    return facts | {"low": low, "high": high, "draws": len(kept)}


def told(rows: Sequence[dict[str, Any]], *, totals: bool = False) -> str:
    """Write sets as a table, with `totals` the goals and which families won as well."""
    lines = []
    for row in rows:
        digits = 4 if row["full"]["test"] < 2 else 2
        lines.append(
            f"{row['set']}: {row['metric']}, {row['seeds']} seeds, {row['rows']['train']}/{row['rows']['validation']}/"
            f"{row['rows']['test']} rows; full LightGBM {row['full']['test']:.{digits}f} ({row['full']['bytes'] / 1000:.0f} KB)"
        )
        for one in row["classes"]:
            if one["ours"] is None:
                lines.append(f"  <= {one['most_bytes'] // 1000:>3} KB: nothing fits")
                continue
            ours, peer = (
                f"{side['model']} {side['test']:.{digits}f} ({side['bytes'] / 1000:.1f} KB)"
                for side in (one["ours"], one["peer"])
            )
            gain = f"{one['difference']:+.{digits}f} [{one['low']:+.{digits}f}, {one['high']:+.{digits}f}]"
            lines.append(f"  <= {one['most_bytes'] // 1000:>3} KB: ours {ours}; best peer {peer}; {gain} {_word(one)}")
        lines += [f"  left out: {model}: {why}" for model, why in row["left_out"].items()]
    return "\n".join([*lines, *(_totals(rows) if totals else [])])


def _word(one: dict[str, Any]) -> str:
    if one["ours"]["model"] == one["peer"]["model"]:
        return "the same model"
    return "ahead" if one["low"] > 0 else "behind" if one["high"] < 0 else "not told apart"


def _totals(rows: Sequence[dict[str, Any]]) -> list[str]:
    lines, winners = [], Counter[str]()
    for at, most in enumerate([c["most_bytes"] for c in rows[0]["classes"]]):
        of_size = [(row, row["classes"][at]) for row in rows if row["classes"][at]["ours"] is not None]
        winners += Counter(_family(one["ours"]["model"]) for _, one in of_size)
        ahead = sum(one["difference"] > 0 for _, one in of_size)
        sure = sum(one["low"] > 0 for _, one in of_size)
        behind = sum(one["difference"] < -one["margin"] for _, one in of_size)
        lines.append(
            f"<= {most // 1000} KB, {len(of_size)} sets: ahead on {ahead}, on {sure} beyond the interval; behind by more than the margin on "
            f"{behind}; near the full LightGBM on {sum(_near(row, one) for row, one in of_size)}"
        )
    shares = ", ".join(f"{name} {count}" for name, count in winners.most_common())
    return ["", *lines, f"chosen as ours, over sets and classes: {shares}"]


def _family(model: str) -> str:
    name, arm = model.split("/")
    return f"{name.split('@')[0].split('_')[0]} {arm}"


def _near(row: dict[str, Any], one: dict[str, Any]) -> bool:
    full, ours = row["full"]["test"], one["ours"]["test"]
    return bool(ours <= (1 + NEAR_RMSE) * full if row["metric"] == "rmse" else ours >= full - NEAR_AUC)
