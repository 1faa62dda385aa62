"""A choice as result.json tells it, read for whoever shows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from kd_core.runs.choosing.against import Against, read
from kd_core.runs.choosing.rule import Candidate, Model
from kd_core.runs.outcome import Outcome
from kd_core.runs.store.kept_as import taken_as
from kd_core.runs.store.result_damage import damage
from kd_core.runs.store.student_names import student_title
from kd_core.specs import ChooseSpec

UNSPENT = 0.5  # of a limit: most of it is left
WHOLE = (
    0.5  # of a network's file, what whole numbers of 8 bits often leave at most: 9.7 of 24 KB, and less of larger ones
)


@dataclass(frozen=True)
class PlainInstead:
    """A plain model that is the better thing to take home: `better` on the test rows, or as good on validation and smaller.

    Units: bytes of its file and of the student's. `kept_as`: the name by which the run's copy is opened, None where it has none.
    """

    why: Literal["better", "smaller"]
    title: str
    bytes: int
    own_bytes: int
    kept_as: str | None = None


@dataclass(frozen=True)
class Settled:
    """What all seeds of the chosen student said of its arms: mean validation scores, and which is taken home."""

    seeds: int
    taught: float | None
    alone: float | None
    arm: Literal["student", "baseline"]


@dataclass(frozen=True)
class ToldChoice:
    """Which model was chosen, by which rule, among which others; all scores are of validation rows.

    `taught`: the score of the chosen candidate with the teacher, where the chosen model is the one without.
    `better`: higher or lower. `seconds` of the trying. `settled`: None in results of before. `archs`: of each candidate, by name.
    `against`: the teacher's score and what was to be reached, where it was asked for what may be lost.
    """

    chosen: Model
    best: Model
    taught: float | None
    better: str
    rule: str
    missed: tuple[str, ...]
    margin: float | None
    goals: ChooseSpec
    seconds: float
    first_took_longer: bool
    candidates: tuple[Candidate, ...]
    plain: PlainInstead | None
    kept_bytes: int | None
    settled: Settled | None
    against: Against | None = None
    archs: Mapping[str, str] = field(default_factory=dict)

    @property
    def least(self) -> float | None:
        """Return the score that was to be reached: as it was asked for, or the teacher's less what may be lost."""
        return self.goals.score if self.against is None else self.against.least

    def titled(self, name: str) -> str:
        """Name a candidate with its kind, once; elsewhere by its short name."""
        return student_title(name, self.archs.get(name, ""))

    @property
    def why_alone(self) -> Literal["better", "cheaper"] | None:
        """Say why the model is one without a teacher: better, or less good but the one that meets the goals; None for a taught one."""
        if self.taught is None:
            return None
        sign = 1.0 if self.better == "higher" else -1.0
        return "cheaper" if sign * (self.taught - self.chosen.score) > 0 else "better"

    @property
    def too_large(self) -> int | None:
        """Return the bytes of the file that was kept, where the candidate kept the limit and no seed of the run did."""
        most, kept = self.goals.bytes, self.kept_bytes
        keeps = most is not None and self.chosen.bytes is not None and self.chosen.bytes <= most
        return kept if keeps and kept is not None and most is not None and kept > most else None

    @property
    def chosen_bytes(self) -> int | None:
        """Return the bytes of the chosen model's file: of the one that was kept, where that keeps the limit and is of the same arm; else as it was tried."""
        same = self.settled is None or self.settled.arm == self.chosen.arm
        kept = self.kept_bytes if same and self.too_large is None and self.chosen.bytes is not None else None
        return self.chosen.bytes if kept is None else kept

    @property
    def unspent(self) -> bool:
        """Say whether less than half of the limit of bytes is used up."""
        most, own = self.goals.bytes, self.chosen_bytes
        return most is not None and own is not None and own < UNSPENT * most

    @property
    def may_fit(self) -> Candidate | None:
        """Return the smallest network that was too large to be trained and may keep the limit once its weights are whole numbers.

        None where there is none, and where even the chosen model exceeds the limit.
        """
        most, own = self.goals.bytes, self.chosen_bytes
        if most is None or own is None or own > most:
            return None
        large = [c for c in self.left_out.get("too_large", ()) if c.left_out and WHOLE * c.left_out["bytes"] <= most]
        able = [c for c in large if is_network(self.archs.get(c.name, ""))]
        return min(able, key=lambda c: int((c.left_out or {})["bytes"]), default=None)

    @property
    def compared(self) -> int:
        """Count the candidates that could be chosen."""
        return sum(c.left_out is None for c in self.candidates)

    @property
    def left_out(self) -> dict[str, list[Candidate]]:
        """Sort those that could not be chosen by why."""
        found: dict[str, list[Candidate]] = {
            code: [] for code in Counter(c.left_out["code"] for c in self.candidates if c.left_out)
        }
        for one in self.candidates:
            if one.left_out:
                found[one.left_out["code"]].append(one)
        return found


def is_network(arch: str) -> bool:
    """Say whether an architecture's weights can become whole numbers: it is known, and no trees."""
    from kd_core.models import ARCHS, by_rounds  # brings torch along

    return arch in ARCHS.names() and not by_rounds(arch)


def read_choice(result: Mapping[str, Any], found: Outcome) -> ToldChoice | None:
    """Read how the student was chosen; None for a run whose students were named. Errors: KDError `damaged_result`."""
    told = result.get("choice")
    if not told:
        return None
    with damage():
        names = {f.name for f in fields(Candidate)}
        candidates = tuple(Candidate(**{n: v for n, v in c.items() if n in names}) for c in told["candidates"])
        models = {(m.name, m.arm): m for c in candidates for m in c.models()}
        chosen = models[told["chosen"], told.get("arm", "student")]  # the taught one, before there was a choice of arms
        alone = chosen.arm == "baseline"
        goals = ChooseSpec.parse({**told["goals"], "minutes": told["minutes"]}, "goals")
        return ToldChoice(
            chosen=chosen,
            best=models[told["best"], told.get("best_arm", "student")],
            taught=next(c.score for c in candidates if c.name == chosen.name) if alone else None,
            better=found.metric.better,
            rule=str(told["rule"]),
            missed=tuple(told["missed"]),
            margin=told["margin"],
            goals=goals,
            seconds=float(told["seconds"]),
            first_took_longer=bool(told["first_took_longer"]),
            candidates=candidates,
            plain=_plain(found, {p["name"] for p in (result.get("artifacts") or {}).get("plain") or ()}),
            kept_bytes=found.students[0].bytes,
            settled=_settled(result.get("settled"), found),
            against=read(told.get("against")),
            archs={str(c["name"]): str((c.get("arch") or {}).get("name", "")) for c in told["candidates"]},
        )


def _plain(found: Outcome, kept: set[str]) -> PlainInstead | None:
    """Name the plain model to take home instead: one that is better, else the smallest as good on validation, unless the test rows say otherwise."""
    student = found.students[0]
    why: Literal["better", "smaller"]
    if student.bytes is None:
        return None
    taken, small = student.instead(found.metric), student.smallest_like_it
    if taken and taken.standing == "behind":
        name, title, size = taken.name, taken.title, taken.bytes
        why = "better"
    elif small and small[1] < student.bytes:
        name, size, title = small
        why = "smaller"
        if name in {p.name for p in student.plains if p is not taken}:
            return None  # as good on validation rows, and not on those that judge
    else:
        return None
    kept_as = taken_as(name)
    return PlainInstead(why, title, size, student.bytes, kept_as if kept_as in kept else None)


def _settled(told: Mapping[str, Any] | None, found: Outcome) -> Settled | None:
    if told is None:
        return None
    return Settled(int(told["seeds"]), told["student"], told["baseline"], found.students[0].taken)
