"""Trying the candidates: each is trained with and without the teacher for one seed, the better model is written as its file and
timed (the other as well where it could be chosen), until the time is up.

Only training and validation rows are looked at. The trainings lie where the ordinary run of the chosen student goes on from.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from kd_core.data.dataset import Dataset, Split
from kd_core.errors import KDError, Stopped
from kd_core.evaluate import METRICS
from kd_core.machine.processor import busy
from kd_core.models import by_rounds
from kd_core.models.building import viewed
from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.cells.grid import Arm
from kd_core.runs.cells.judging import Take
from kd_core.runs.cells.trainings import NOTHING, Notify, ShouldStop, Trainings
from kd_core.runs.cells.variant_store import Training
from kd_core.runs.choosing.against import Against, with_score
from kd_core.runs.choosing.candidates import run_of
from kd_core.runs.choosing.notebook import Notebook
from kd_core.runs.choosing.reach import beyond
from kd_core.runs.choosing.rule import ARMS, Candidate, Decision, decide, other_counts, settle
from kd_core.runs.choosing.shortening import barest, fitted, least_bytes, names_of
from kd_core.runs.deployment import deploy, sample_rows, whole_latency
from kd_core.runs.estimate import CANDIDATE_SECONDS, pair_seconds
from kd_core.runs.pace import CHOOSING
from kd_core.specs import Choice, RunSpec, StudentSpec
from kd_core.training.plan import resolve

FIRST_FILE_SECONDS = 1.0  # what writing and timing a file is thought to take before one was written
SHARE_OF_LEFT = 1 / 3  # of the time left: what takes more waits for the quicker ones
ROWS: Split = "validation"
MakeTrainings = Callable[
    [RunSpec, Path, Notify, ShouldStop], Trainings
]  # with the run's data and lessons, but no placebo


@dataclass(frozen=True)
class Found:
    """The chosen student, which arm of it is taken home, where its trainings lie, and what result.json says of the choice.

    `take` asks for the mean validation score of both arms over all seeds.
    """

    student: StudentSpec
    take: Take
    place: Path
    block: dict[str, Any]


class Trying:
    """Tries the students of a run as candidates and chooses one. What is finished is kept and counts in the next attempt.

    `against`: the teacher's score, where it was asked for what may be lost against it.

    Errors: Stopped when a person stopped before the first was finished; KDError `no_candidate_finished`.
    """

    def __init__(
        self,
        spec: RunSpec,
        dataset: Dataset,
        metric: str,
        make: MakeTrainings,
        place: Path,
        notify: Notify,
        should_stop: ShouldStop,
        against: Against | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        assert spec.choose is not None
        self.spec, self.dataset, self.make = spec, dataset, make
        self.asked, self.against, self.goals = spec.choose, against, with_score(spec.choose, against)
        self.place, self.notify, self.person_stops, self.clock = place / "candidates", notify, should_stop, clock
        facts = METRICS.get(metric).facts
        self.judge = Judge(facts["better"], spec.evaluation.margin or facts["margin"], facts["relative"])
        first = self._trainings(spec.students[0])
        self._gpu = first.device.type == "cuda"
        decides = [spec.work_hash(), first.store.basis]
        key = hashlib.sha256(json.dumps(decides).encode()).hexdigest()[:16]
        self.notebook = Notebook(self.place / "choice.json", key, clock)
        self._file_seconds, self._busy = FIRST_FILE_SECONDS, busy()

    def _trainings(self, student: StudentSpec) -> Trainings:
        def should_stop() -> bool:
            return self.person_stops() or self._time_is_up()

        return self.make(run_of(self.spec, student), self._folder(student), self._hear, should_stop)

    def run(self) -> Found:
        """Try and choose."""
        if self.notebook.stale:
            self.notify(_begun_anew(self.notebook.stale))
        for name in list(self.notebook.known):
            self._tell(name)
        while (student := self._next()) is not None and self._take(student):
            self._tell(student.name)
        if not self._finished():
            self._smallest_of_the_large()
        decision = self.notebook.decision or self._decide()
        at, chosen = self._names().index(decision.chosen), self.notebook.known[decision.chosen]
        self.notify({"kind": "chosen", "student": decision.chosen, **decision.told()})
        take = partial(settle, decision, chosen, self.goals, self.judge)
        student = self.spec.students[at]
        return Found(_changed(student, chosen.changed), take, self._folder(student), self._block(decision))

    def _names(self) -> list[str]:
        return [s.name for s in self.spec.students]

    def _finished(self) -> list[Candidate]:
        return [c for c in self.notebook.known.values() if c.left_out is None]

    def _time_is_up(self) -> bool:
        """Say whether what is left is only enough to write the file at hand; the first candidate may take longer."""
        left = 60 * self.goals.minutes - self.notebook.seconds
        return bool(self._finished()) and left <= self._file_seconds

    def _next(self) -> StudentSpec | None:
        """Choose who is tried next: the first that takes a small share of the time left, else the quickest; None when all are known.

        What is foreseen may be wrong by several times, and a training that is cut off is worth nothing.
        """
        rest = [s for s in self.spec.students if s.name not in self.notebook.known]
        if not rest:
            return None
        seconds = [self._foreseen(s) for s in rest]
        left = 60 * self.goals.minutes - self.notebook.seconds - self._file_seconds
        in_time = [s for s, took in zip(rest, seconds, strict=True) if took <= SHARE_OF_LEFT * left]
        return in_time[0] if in_time else rest[seconds.index(min(seconds))]

    def _foreseen(self, student: StudentSpec) -> float:
        """Foresee a candidate's seconds: by its size, and by how long its kind took against that here.

        Before its kind was tried, by what else the machine does, or the slowest of the other kinds; then a training in
        epochs is thought to take all of its rounds.
        """
        by_size = {s.name: self._by_size(s) for s in self.spec.students}
        kinds = {s.name: s.arch.name for s in self.spec.students}
        ratios = [(kinds[c.name], c.seconds / by_size[c.name]) for c in self._finished()]
        alike = [ratio for kind, ratio in ratios if kind == student.arch.name]
        if alike:
            return by_size[student.name] * float(np.mean(alike))
        rounds = 1 if by_rounds(student.arch.name) else resolve(self.spec.training, 1).rounds
        return by_size[student.name] * rounds * max(self._busy, *(ratio for _, ratio in ratios), 0.0)

    def _by_size(self, student: StudentSpec) -> float:
        inputs = {(v := viewed(self.dataset, student.arch)).spec.kind: v.spec}
        rows = len(self.dataset.train)
        return CANDIDATE_SECONDS + pair_seconds(self.spec, student, rows, inputs, self.dataset.num_outputs, self._gpu)

    def _take(self, student: StudentSpec) -> bool:
        """Find out about a candidate, unless the time is up; False where a person stopped it."""
        if self.person_stops():
            return False
        if self._time_is_up():
            found: Candidate | None = Candidate(student.name, left_out={"code": "time_up", "begun": False})
        else:
            found = self._fitting(student)
        if found is not None:
            self.notebook.add(found)
        return found is not None

    def _smallest_of_the_large(self) -> None:
        """Where every candidate is too large, try the smallest of them: it comes nearest."""
        large = [c for c in self.notebook.known.values() if c.left_out and c.left_out["code"] == "too_large"]
        if not large or self.person_stops():
            return
        one = min(large, key=lambda c: c.left_out["bytes"] if c.left_out else 0)
        student = self.spec.students[self._names().index(one.name)]
        found = self._try(_with(student, barest(self.dataset, student.arch)))
        if found is not None:
            self.notebook.add(found)
            self._tell(one.name)

    def _fitting(self, student: StudentSpec) -> Candidate | None:
        """Try a candidate, with fewer names or narrower where it is too large for the limit; None where a person stopped it.

        What is larger than the limit before it has learned anything is left out: learning takes no bytes away.
        """
        most, begun = self.goals.bytes, self.clock()
        if most is None:
            return self._try(student)
        try:
            least = least_bytes(self.dataset, student.arch)
            if least is None or least <= most:
                return self._try(student)
            smaller = None if self._beyond(student) else fitted(self.dataset, student.arch, most)
            bare = barest(self.dataset, student.arch)
            least = least if smaller or bare is None else least_bytes(self.dataset, bare)
        except KDError as error:
            return Candidate(student.name, left_out={"code": "failed", "reason": str(error)})
        if smaller:
            return self._try(_with(student, smaller), begun)
        seconds = round(self.clock() - begun, 3)
        return Candidate(student.name, seconds=seconds, left_out={"code": "too_large", "bytes": least})

    def _beyond(self, student: StudentSpec) -> bool:
        """Say whether it was left out before Start already: then nothing is tried to make it fit."""
        rows = viewed(self.dataset, student.arch).spec
        return beyond(student.arch, self.goals, {rows.kind: rows}, self.dataset.num_outputs)

    def _try(self, student: StudentSpec, begun: float | None = None) -> Candidate | None:
        """Train, write and time a candidate; None where a person stopped it."""
        begun = self.clock() if begun is None else begun

        def left_out(code: str, **values: Any) -> Candidate:
            return Candidate(student.name, seconds=round(self.clock() - begun, 3), left_out={"code": code, **values})

        trainings = self._trainings(student)
        try:
            trainings.train([self.spec.training.first_seed])
        except KDError as error:
            return left_out("failed", reason=str(error))
        arms = trainings.arms(trainings.cells[0])
        if not arms.student or any(t.record.stopped for t in (*arms.student, *arms.baseline)):
            return None if self.person_stops() else left_out("time_up", begun=True)
        both: dict[Arm, Training] = {"student": arms.student[0], "baseline": arms.baseline[0]}
        scores = {arm: training.record.score_selected for arm, training in both.items()}
        better = max(ARMS, key=lambda arm: self._rank(scores[arm]))  # of equal ones the taught
        found = Candidate(
            student.name, score=scores["student"], alone=scores["baseline"], arm=better, **self._file(both[better])
        )
        if other_counts(found, self.goals, self.judge):
            (worse,) = set(ARMS) - {better}
            found = replace(found, other=self._file(both[worse]))
        names, own = names_of(self.dataset, student.arch), self._settings(student.name)
        changed = {n: v for n, v in student.arch.settings.items() if n not in own or own[n] != v}
        return replace(found, names=names, changed=changed or None, seconds=round(self.clock() - begun, 3))

    def _settings(self, name: str) -> Mapping[str, Any]:
        return self.spec.students[self._names().index(name)].arch.settings

    def _rank(self, score: float | None) -> float:
        assert score is not None
        return score if self.judge.better == "higher" else -score

    def _file(self, training: Training) -> dict[str, Any]:
        """Write a training's file and time it: its bytes, and microseconds of one raw row."""
        begun = self.clock()
        deployment = deploy(training.module, self.dataset, training.arch, ROWS)
        microseconds = None
        timed = self.spec.evaluation.latency or self.goals.microseconds is not None
        if timed and deployment.session is not None:
            row = whole_latency(deployment.session, sample_rows(self.dataset, ROWS), (1,))["1"]
            microseconds = round(1000 * row["p50"], 3)
        self._file_seconds = max(self._file_seconds, self.clock() - begun)
        return {"bytes": None if deployment.data is None else len(deployment.data), "microseconds": microseconds}

    def _hear(self, event: dict[str, Any]) -> None:
        """Pass on what a candidate's trainings tell, marked as theirs."""
        self.notebook.tick()
        self.notify({**event, CHOOSING: True} if event["kind"] in ("epoch", "trained") else event)

    def _folder(self, student: StudentSpec) -> Path:
        return self.place / f"{self._names().index(student.name):02d}"

    def _tell(self, name: str) -> None:
        told = self.notebook.known[name].told()
        self.notify({"kind": "candidate", **{"student" if k == "name" else k: v for k, v in told.items()}})
        done = len(self.notebook.known)
        self.notify({"kind": "part", "phase": "choose", "done": done, "of": len(self.spec.students)})

    def _decide(self) -> Decision:
        """Choose among what is finished; only where nobody stopped the trying it stands for later attempts."""
        if not self._finished():
            if self.person_stops():
                raise Stopped(NOTHING)
            reasons = [c.left_out for c in self.notebook.known.values() if c.left_out]
            raise KDError(
                "None of {n} candidates could be trained: {reason}",
                "Name a student yourself, or change what stands in the way.",
                "no_candidate_finished",
                n=len(self.spec.students),
                reason=next((r["reason"] for r in reasons if r["code"] == "failed"), "none came to an end."),
            )
        found = decide(self.notebook.in_order(self._names()), self.goals, self.judge)
        if not self.person_stops():
            self.notebook.decide(found)
        return found

    def _block(self, decision: Decision) -> dict[str, Any]:
        """Lay the choice out for result.json."""
        known = self.notebook.known
        stopped = {"code": "stopped"}
        candidates = [known.get(name) or Candidate(name, left_out=stopped) for name in self._names()]
        students = (_changed(s, known[s.name].changed if s.name in known else None) for s in self.spec.students)
        archs = {s.name: s.arch.model_dump(mode="json") for s in students}
        finished = [c for c in candidates if c.left_out is None]
        first = next(i for i, c in enumerate(known.values()) if c.left_out is None)
        until = sum(c.seconds for c in list(known.values())[: first + 1])  # in the order in which they were tried
        return {
            "goals": self.asked.model_dump(exclude={"minutes"}),
            **({"against": self.against.told()} if self.against else {}),
            "minutes": self.goals.minutes,
            "seconds": round(sum(c.seconds for c in candidates), 3),
            "first_took_longer": until > 60 * self.goals.minutes,
            "candidates": [{**replace(c).told(), "arch": archs[c.name]} for c in candidates],
            "compared": len(finished),
            "judged_on_test": 1,
            **decision.told(),
        }


def _with(student: StudentSpec, arch: Choice | None) -> StudentSpec:
    return student if arch is None else student.model_copy(update={"arch": arch})


def _changed(student: StudentSpec, changed: Mapping[str, Any] | None) -> StudentSpec:
    """Give a candidate the settings that it was tried with."""
    if changed is None:
        return student
    settings = {**student.arch.settings, **changed}
    return _with(student, student.arch.model_copy(update={"settings": settings}))


def _begun_anew(number: int) -> dict[str, Any]:
    return {
        "kind": "warning",
        "code": "chosen_again",
        "message": f"{number} candidate{'s' if number != 1 else ''} of an earlier attempt belong to other data, other teacher answers or another version of the code.",
        "hint": "They are tried again, and the time begins anew.",
    }
