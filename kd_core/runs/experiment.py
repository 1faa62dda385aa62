"""From a spec to a result: the one function behind the command line, the worker and the tests."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import torch

from kd_core.data.dataset import Array, Dataset
from kd_core.data.preparation import prepare
from kd_core.distill import objective, placebo
from kd_core.distill.inner.hints import Hints
from kd_core.distill.meeting import HELPER, NETWORK, Link, Way, hears_network
from kd_core.distill.sweep.variants import MADE, TEACHER
from kd_core.distill.terms import hears_features, hears_maps
from kd_core.errors import Problem, raise_problems
from kd_core.evaluate.intervals.advice import more_seeds
from kd_core.machine import device as devices
from kd_core.runs import assessment, estimate, headroom, plan
from kd_core.runs.cells import grid, modes, singles
from kd_core.runs.cells.judging import Judging, Take
from kd_core.runs.cells.trainings import Arms, Trainings
from kd_core.runs.choosing.candidates import run_of
from kd_core.runs.choosing.teacher_score import measured
from kd_core.runs.choosing.trying import Trying
from kd_core.runs.compressing import foreseen as compressed
from kd_core.runs.compressing.compression import Compressing, Means
from kd_core.runs.continuing.going import Going
from kd_core.runs.cost import announced
from kd_core.runs.estimate import Estimate
from kd_core.runs.repeats import repeat
from kd_core.runs.settings.added import FILE, Added
from kd_core.runs.store import ledger
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import Choice, RunSpec
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.balancing import balanced
from kd_core.teachers.base import TeacherAnswers, without_own_columns
from kd_core.teachers.given import told
from kd_core.teachers.made_rows import MadeRows
from kd_core.workspace import workspace

Notify = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]
PHASES = ("data", "teacher", "students", "evaluate")
SWEEP_PHASES = ("data", "teacher", "sweep", "evaluate")
CHOOSE_PHASES = ("data", "teacher", "choose", "students", "evaluate")
COMPRESS_PHASES = ("data", "teacher", "compress", "evaluate")


def run(spec: RunSpec, folder: RunFolder, on_event: Notify, should_stop: ShouldStop) -> dict[str, Any]:
    """Carry out a spec in its folder and return the content of result.json; the caller finishes the folder.

    Finished trainings and teacher answers are taken from disk, so that a run that was cut off
    goes on where it was. A stop request ends the run with what is finished.

    Errors: DataError and SpecError before any training; Stopped when nothing could be kept.
    """
    device = devices.pick(spec.training.device)
    with devices.threads(1):
        first = _Experiment(spec, folder, on_event, should_stop, device, folder.checkpoints)
        found = first.run()
        if spec.evaluation.splits > 1:

            def compare(again: RunSpec, place: Path, notify: Notify) -> dict[str, Any]:
                return _Experiment(again, folder, notify, should_stop, device, place).compare()

            found["splits"] = repeat(first.spec, found, folder.checkpoints, on_event, compare)
        return found


class _Experiment:
    def __init__(
        self,
        spec: RunSpec,
        folder: RunFolder,
        notify: Notify,
        should_stop: ShouldStop,
        device: torch.device,
        place: Path,
    ) -> None:
        self.asked, spec = spec, modes.carried_out(spec)
        self.spec, self.folder, self.notify, self.should_stop, self.device = spec, folder, notify, should_stop, device
        ordinary = SWEEP_PHASES if spec.sweep else CHOOSE_PHASES if spec.choose else PHASES
        self.phases: tuple[str, ...] = COMPRESS_PHASES if spec.compress else ordinary
        self.training, self.place, self.added = self.phases[-2], place, Added.of(folder)
        self.most_bytes: int | None = None  # of a student's file, where one was chosen for it
        self.take: Take | None = None  # says which arm's model is taken home, where that is chosen
        self.seconds: dict[str, float] = dict.fromkeys((*self.phases, "cache"), 0.0)

    def run(self) -> dict[str, Any]:
        self.prepare()
        if self.compressing:
            return self.compress(self.compressing)
        chosen = self.choose() if self.spec.choose else {}
        self.train()
        with self.phase("evaluate"):
            found = self.judge()
        if said := modes.told(self.asked):
            said |= {"chain": modes.told_link(self.dataset, self.link)} if self.link else {}
            said |= {"singles": one} if (one := singles.told(self.spec, self.judging.arms, self.metric)) else {}
            found |= {"work_hash": self.asked.work_hash(), "mode": said}
        if self.going:
            found |= self.going.judge(found, self.judging.arms, self.class_weights(), self.device)
        return {**found, **chosen, "seconds": {k: round(v, 3) for k, v in self.seconds.items()}}

    def compress(self, small: Compressing) -> dict[str, Any]:
        """Make a finished run's student smaller, and judge every stage of that."""
        answers = self.teacher.logits["train"] if small.asks else None
        with self.phase("compress"):
            small.carry_out(answers, Means(self.metric, self.device, self.place, self.notify, self.should_stop))
        with self.phase("evaluate"):
            found = small.judge(self.folder)
        return {**found, "seconds": {k: round(v, 3) for k, v in self.seconds.items()}}

    def compare(self) -> dict[str, Any]:
        """Train and judge without keeping files for a person."""
        self.prepare()
        self.train()
        return self.judge(files=False)

    def prepare(self) -> None:
        """Read the data, refuse what can't work, and ask the teacher."""
        with self.phase("data"):
            self.going = Going(self.spec) if self.spec.continues else None
            self.compressing = Compressing(self.spec) if self.spec.compress else None
            if self.compressing and not self.compressing.asks:
                self.phases = tuple(phase for phase in self.phases if phase != "teacher")
            own = without_own_columns(self.spec.dataset, self.spec.teacher)
            earlier = self.going or self.compressing
            self.dataset = earlier.dataset if earlier else prepare(own)
            self.metric = plan.metric_of(self.spec, self.dataset.task, len(self.dataset.classes))
            about = self.dataset.task, len(self.dataset.classes), self.dataset.views.kinds, len(self.dataset.train)
            problems = plan.check(self.asked, *about)
            raise_problems(problems)
            assessment.require_defined(self.dataset, self.metric)
            foreseen = self.foresee()
            self.device, self.teacher_device = torch.device(foreseen.places.students), foreseen.places.teacher
            self.announce(foreseen, problems)
            self.spec = self.going.carried_out() if self.going else self.spec
        if "teacher" not in self.phases:
            return
        with self.phase("teacher"):
            self.teacher = self.ask_teacher()
            self.link = None if self.compressing else self.ask_link()

    def choose(self) -> dict[str, Any]:
        """Find the student to go on with, on validation rows; from here on this is the ordinary run of that one."""
        assert self.spec.choose is not None
        asked, self.most_bytes = self.asked.work_hash(), self.spec.choose.bytes
        with self.phase("choose"):
            beside = measured(self.spec.choose, self.dataset, self.teacher, self.metric)
            lessons = {name: table for name, table in self.lessons().items() if name != placebo.PLACEBO}
            make = functools.partial(self.new_trainings, lessons)
            told = self.place, self.notify, self.should_stop, beside
            found = Trying(self.spec, self.dataset, self.metric, make, *told).run()
        self.spec, self.place, self.take = run_of(self.spec, found.student), found.place, found.take
        return {"work_hash": asked, "choice": found.block}

    def train(self) -> None:
        """Train every cell with and without the teacher, side by side, in rounds while the number of seeds is automatic."""
        with self.phase(self.training):
            self.trainings = self.new_trainings(self.lessons(), self.spec, self.place, self.notify, self.should_stop)
            self.room: list[dict[str, Any]] = []
            seeds: Sequence[int] = grid.seeds(self.spec)
            while seeds:
                self.trainings.train(seeds)
                for more in self.added.rounds:
                    self.trainings.train(more.seeds, more.cells)
                self.judging = Judging(self.trainings, self.teacher, self.most_bytes, self.take)
                self.room = self.room or self.tell_room()
                seeds = self.more_seeds()

    def new_trainings(
        self, lessons: dict[str, Array], spec: RunSpec, place: Path, notify: Notify, should_stop: ShouldStop
    ) -> Trainings:
        """Set up the trainings of this run, or of one of its candidates, none of them done yet."""
        log = self.folder.path / "variants.jsonl" if spec.sweep else None
        more = place, notify, should_stop, log, self.made, self.going.start if self.going else None
        return Trainings(spec, self.dataset, lessons, self.metric, self.device, *more, self.added.all_of(spec))

    def lessons(self) -> dict[str, Array]:
        """Return what students are taught: the teacher's answers, and the same without a teacher where that exists."""
        found: dict[str, Array] = {TEACHER: self.link.answers if self.link else self.teacher.logits["train"]}
        found |= self.hints.tables() if self.hints else {}
        found |= {f"{NETWORK}{name}": table for name, table in self.teacher.weights.items()}
        found |= singles.answers(self.spec, self.dataset, self.class_weights(), self.ask_one)
        found |= {} if self.teacher.made is None else {MADE: self.teacher.made}
        found |= self.added.lessons(found[TEACHER], self.spec.training.first_seed)
        asked = self.spec.evaluation.placebo and self.spec.sweep is None
        if asked and modes.why_no_placebo(self.spec, self.dataset.task) is None:
            y, items = self.dataset.train.y, self.dataset.catalogue
            found[placebo.PLACEBO] = (
                found[TEACHER]  # not heard: it is the hints that are shuffled, where it is taught
                if placebo.shuffles(self.spec.objective)
                else placebo.placebo_logits(y, found[TEACHER], self.spec.objective, self.class_weights(), items)
            )
        return found

    def class_weights(self) -> Array | None:
        """Return the weights of the classes, None for equal ones."""
        return objective.weights_for(self.dataset, self.spec.training)

    def more_seeds(self) -> Sequence[int]:
        """Choose the seeds of the next round of an automatic number, by the widths of the intervals alone."""
        if self.spec.sweep or self.spec.training.seeds is not None or self.should_stop():
            return ()
        ledger.note_read(workspace(), self.dataset.hash, str(self.folder.path.resolve()))
        wanted, first = max(map(self.seeds_wanted, self.judging.arms.values())), self.trainings.seeds[-1] + 1
        return range(first, first + wanted)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Announce a phase's start and end, with its seconds."""
        self.notify({"kind": "phase", "phase": name, "state": "start"})
        start = time.monotonic()
        yield
        self.seconds[name] += time.monotonic() - start
        more = {"cached": self.teacher.cached} if name == "teacher" else {}
        self.notify({"kind": "phase", "phase": name, "state": "end", "seconds": round(self.seconds[name], 3), **more})
        rss, gpu = psutil.Process().memory_info().rss, torch.cuda.max_memory_allocated()  # 0 where no GPU is used here
        self.notify({"kind": "resources", "rss_mb": round(rss / 2**20, 1), "gpu_mb": gpu / 2**20 or None})

    def foresee(self) -> Estimate:
        """Estimate what will be trained, where and for how long."""
        inputs = {kind: self.dataset.view(kind).spec for kind in plan.views_read(self.spec, self.dataset.views.kinds)}
        about = len(self.dataset.rows), inputs, self.dataset.num_outputs
        around = estimate.circumstances(self.spec, len(self.dataset.train))
        if self.compressing:
            return compressed.foresee(self.spec, *about, around, asks=self.compressing.asks)
        return estimate.foresee(self.spec, *about, around)

    def announce(self, foreseen: Estimate, problems: list[Problem]) -> None:
        """Say what will be trained and for how long, and what to be aware of, before anything is."""
        rows, more = len(self.dataset.train), self.added if self.spec.sweep else None
        before = (self.folder.read(FILE) or {}).get("before") if more else None
        self.notify(announced.event(self.spec, rows, self.metric, self.phases, foreseen, more, before))
        for problem in (*self.dataset.problems, *problems):
            if problem.severity == "warning":
                self.notify({"kind": "warning", "code": problem.code, "message": problem.message, "hint": problem.hint})

    def ask_teacher(self) -> TeacherAnswers:
        """Get the teacher's answers, trained now or kept from an earlier run."""
        own = self.going.rows.old if self.going else self.dataset
        folds, seed = plan.folds_of(self.spec, len(own.train)), self.spec.training.first_seed
        times, start = grid.most_made(self.spec), time.monotonic()
        made_up = modes.rows(self.spec, own, folds, seed, times) if times and not self.going else None
        self.made: MadeRows | None = self.going.rows.made if self.going else made_up
        found = self.going.ask(folds, self.ask) if self.going else self.ask(own, folds, self.made)
        self.hints = Hints.of_answers(found, self.dataset, self.spec.teacher, seed)
        few = [told(problem) for problem in plan.told_folds(self.spec, len(self.dataset.train), found.folds)]
        kept = modes.heard(self.spec, found.notes)
        found = replace(found, notes=(*kept, *few, *([made_up.note()] if made_up is not None else [])))
        self.seconds["cache"] = max(0.0, time.monotonic() - start - found.fit_seconds) if not found.cached else 0.0
        for note in found.notes:
            if note["severity"] == "warning":
                self.notify({"kind": "warning", **{name: note[name] for name in ("code", "message", "hint")}})
        found = balanced(found, self.class_weights())
        self.notify(
            {
                "kind": "teacher",
                "name": found.name,
                "metrics": assessment.block(self.dataset, "validation", found.logits["validation"])["metrics"],
                "parameters": found.num_parameters,
                "size_bytes": found.size_bytes,
                "seconds": found.fit_seconds,
                "cached": found.cached,
                "seconds_saved": round(found.seconds_saved, 3),
                "kept_bytes": found.kept_bytes,
            }
        )
        return found

    def ask(self, dataset: Dataset, folds: int, made: MadeRows | None = None) -> TeacherAnswers:
        """Ask the teacher about rows, and keep what it says."""
        return self.ask_one(dataset, folds, self.spec.teacher, made)

    def ask_one(self, dataset: Dataset, folds: int, one: Choice, made: MadeRows | None = None) -> TeacherAnswers:
        """Ask a teacher as this run does, or one of several: then as they ask it, so that what is kept is found."""
        whole = one == self.spec.teacher
        return teacher_answers(
            dataset,
            one,
            folds=folds,
            seed=self.spec.training.first_seed,
            cache=TeacherCache(workspace() / "teachers"),
            notify=self.notify,
            should_stop=self.should_stop,
            device=self.teacher_device,
            hidden=whole and hears_features(self.spec.objective),
            metric=self.spec.evaluation.metric if whole else None,
            made=made,
            maps=whole and hears_maps(self.spec.objective),
            weights=whole and hears_network(self.spec),
        )

    def ask_link(self) -> Link | None:
        """Train what stands between teacher and students in this mode, where something does."""

        def tell(event: dict[str, Any]) -> None:
            named = {"arm": HELPER, "student": None, "seed": seed, "fold": None} if event["kind"] == "epoch" else {}
            self.notify({**event, **named})

        seed, place = self.spec.training.first_seed, self.place / "link"
        way = Way(seed, tell, self.should_stop, None, self.device, self.metric)
        folds = self.teacher.folds or plan.folds_of(self.spec, len(self.dataset.train))
        return modes.link(self.spec, self.dataset, self.teacher, folds, way, place)

    def tell_room(self) -> list[dict[str, Any]]:
        """Say where the teacher leaves its students room to learn, and where not."""
        rows = self.judging.room()
        if rows:
            self.notify({"kind": "room", "metric": self.metric, "students": rows})
        for warning in headroom.warnings(rows, self.metric, next(iter(self.judging.arms.values())).taken):
            self.notify(warning)
        return rows

    def seeds_wanted(self, arms: Arms) -> int:
        """Ask the widths of a student's interval how many more seeds to train; the gain itself is not looked at."""
        sides = {"baseline": arms.baseline, "student": arms.student}
        logits = {name: [t.logits(self.dataset, "test", self.device) for t in side] for name, side in sides.items()}
        found = assessment.evidence(self.dataset, "test", self.teacher.logits["test"], logits)
        gain = found.gain(self.metric, "student", "baseline")
        return more_seeds(gain.seeds_half, gain.rows_half, gain.n) if gain is not None else 0

    def judge(self, *, files: bool = True) -> dict[str, Any]:
        """Judge everything that was finished; with `files`, keep what a person may want to see or take away."""
        return self.judging.result(self.folder, self.room, self.seconds[self.training], self.notify, files=files)
