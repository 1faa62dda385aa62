"""What was asked of a what-if after it had ended: more seeds for some of its cells, and the same grid with a shuffled teacher.

It stands in `added.json` beside the recipe, which stays as it was. The run then goes on: what it has trained is taken from disk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from kd_core.data.dataset import Array
from kd_core.errors import KDError
from kd_core.runs.cells import grid
from kd_core.runs.cells.grid import GridTraining
from kd_core.runs.store.folder import RunFolder
from kd_core.safe_io import Damaged, write_json
from kd_core.specs import RunSpec

FILE = "added.json"


@dataclass(frozen=True)
class Round:
    """Seeds that were added for some cells; their baselines are trained with them."""

    seeds: tuple[int, ...]
    cells: tuple[int, ...]


@dataclass(frozen=True)
class Added:
    """Rounds in their order; `shuffled`: every taught cell is also taught the teacher's answers in another order of rows."""

    rounds: tuple[Round, ...] = ()
    shuffled: bool = False

    def __bool__(self) -> bool:
        """Say whether anything was added."""
        return bool(self.rounds) or self.shuffled

    @property
    def number(self) -> int:
        """Count the rounds of training: the first, and one for every addition."""
        return 1 + len(self.rounds) + self.shuffled

    @property
    def mark(self) -> str:
        """Tell the looks at a run's test rows apart: after every addition it is judged again, which the ledger counts."""
        return f"#{len(self.rounds)}{'s' if self.shuffled else ''}" if self else ""

    @classmethod
    def of(cls, folder: RunFolder) -> Self:
        """Read what was added to a run, nothing where nothing was. Errors: KDError `run_damaged`."""
        found = folder.read(FILE)
        if found is None:
            return cls()
        try:
            rounds = tuple(Round(_numbers(r["seeds"]), _numbers(r["cells"])) for r in found["rounds"])
            return cls(rounds, bool(found["shuffled"]))
        except (KeyError, TypeError) as error:
            raise folder.damaged(FILE, Damaged(f"holds no rounds: {type(error).__name__} {error}")) from None

    def write(self, folder: RunFolder) -> None:
        """Keep it beside the recipe, with what the result says of trainings so far: the run that goes on begins without its result."""
        found = folder.read("result.json")
        before = _before(found) if found else (folder.read(FILE) or {}).get("before")
        write_json(folder.path / FILE, {"schema": 1, **asdict(self), "before": before})

    def with_round(self, spec: RunSpec, more: Round) -> Self:
        """Add a round. Errors: KDError `added_round` for cells or seeds that make no sense, or seeds that were trained already."""
        held = {*grid.seeds(spec), *(s for r in self.rounds for s in r.seeds)}
        known = range(grid.count(spec).cells)
        if not more.seeds or not more.cells or held & set(more.seeds) or not all(c in known for c in more.cells):
            raise KDError(
                "The seeds {seeds} can't be added for the cells {cells}: the what-if has {count} cells and the seeds {held}.",
                "Name cells that exist and seeds that are new.",
                "added_round",
                seeds=list(more.seeds),
                cells=list(more.cells),
                count=len(known),
                held=sorted(held),
            )
        return replace(self, rounds=(*self.rounds, more))

    def lessons(self, answers: Array, seed: int) -> dict[str, Array]:
        """Return the shuffled lesson where it was asked for. Shape: (N, C)."""
        from kd_core.distill import placebo  # loads torch, which a page that reads a finished grid should not wait for

        return {placebo.PLACEBO: placebo.in_another_order(answers, seed)} if self.shuffled else {}

    def all_of(self, spec: RunSpec) -> tuple[GridTraining, ...]:
        """List every training of a what-if: those of its recipe, then round by round; nothing of an ordinary run."""
        if spec.sweep is None:
            return ()
        found = grid.trainings(spec, placebo=self.shuffled)
        for one in self.rounds:
            found += grid.trainings(spec, one.seeds, self.shuffled, len(found), one.cells)
        return found

    def seconds(self, spec: RunSpec, before: Mapping[str, Any]) -> dict[str, float]:
        """Foresee the seconds of going on, by kind of work, from those that the run took; kinds that its result does not tell are left out.

        What a page says before it is pressed and the plan that then runs are of these alone. A teacher's answers are kept.
        """
        spent, each = before.get("seconds") or {}, pace(before)
        found = {kind: float(spent[kind]) for kind in ("data", "evaluate") if spent.get(kind) is not None}
        if each is not None:
            every, first = len(self.all_of(spec)), len(grid.trainings(spec))
            found["training"] = each * max(0, every - (_trained(before) or first))
        return found

    def plan_fields(
        self, spec: RunSpec, planned: dict[str, Any], before: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """What the `plan` event of a what-if says beside the ordinary fields, which `planned` holds; what is trained already takes no time.

        `before`: the result that it was added to. It says what is kept, and the pace at which this very run has trained.
        """
        every = self.all_of(spec)
        seeds = [*grid.seeds(spec), *(s for r in self.rounds for s in r.seeds)]
        fields = {**grid.plan_fields(spec, every), "trainings": len(every), "seeds": seeds}
        if not self:
            return fields
        first = len(grid.trainings(spec))
        kept = min(_trained(before) or first, len(every))
        known = self.seconds(spec, before) if before else {}

        def seconds(kind: str, planned: float) -> float:
            if kind == "training":
                planned *= (len(every) - kept) / first
            return round(known.get(kind, planned), 3)

        work = [{**w, "seconds": seconds(str(w["kind"]).split(":")[0], w["seconds"])} for w in planned["work"]]
        estimate = round(sum(w["seconds"] for w in work), 1)
        adds = "shuffled" if self.shuffled and not ((before or {}).get("sweep") or {}).get("shuffled") else "seeds"
        return {**fields, "work": work, "estimate_seconds": estimate, "kept": kept, "round": self.number, "adds": adds}


def _before(found: Mapping[str, Any]) -> dict[str, Any]:
    of_sweep = found.get("sweep") or {}
    kept = {name: of_sweep.get(name) for name in ("trained", "trained_now", "seconds")}
    return {
        "seconds": {kind: (found.get("seconds") or {}).get(kind) for kind in ("data", "sweep", "evaluate")},
        "sweep": {**kept, "shuffled": bool(of_sweep.get("shuffled"))},
    }


def _trained(found: Mapping[str, Any] | None) -> int | None:
    """Count the trainings that a what-if has kept; None where its result does not say."""
    return ((found or {}).get("sweep") or {}).get("trained")


def pace(found: Mapping[str, Any]) -> float | None:
    """Tell the seconds of a training as the last round of a what-if took them; None where its result does not say."""
    of_sweep, spent = found.get("sweep") or {}, found.get("seconds") or {}
    whole = max(spent.get("sweep") or 0.0, of_sweep.get("seconds") or 0.0)
    trained = of_sweep.get("trained_now") or of_sweep.get("trained")  # results of earlier versions tell all alone
    return whole / trained if whole and trained else None


def _numbers(values: Any) -> tuple[int, ...]:
    if not isinstance(values, list) or not all(type(v) is int and v >= 0 for v in values):
        raise TypeError("not a list of whole numbers")
    return tuple(values)
