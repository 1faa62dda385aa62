"""How far a run has come, by finished units of work: fits of the teacher, trainings, parts of the evaluation.

Time alone never moves the share. The seconds left start from the plan's estimate, follow the pace of what was
finished, and say when the plan was wrong.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import dataclass, field
from typing import Any

from kd_core.runs.pace import CHOOSING
from kd_core.runs.store.events import Event

Key = tuple[Any, ...]
OTHER = "training"  # the work of phases that no other names
TYPICAL_STOP = 0.6  # of the epochs, until this run's own trainings tell where early stopping ends them
ENOUGH = 0.2  # of a work's units: from then on its own pace counts alone
HEARD = (
    0.01  # of a work's units: fewer say nothing of the pace, as the first event may name one training of many at work
)
OVERDUE = 0.25  # of the time spent, when that is more than was foreseen
# Beyond the first two the first estimate is called wrong; not within that share of it, where a few first units would take back what it said.
LATE_SHARE, LATE_SECONDS, TOO_EARLY = 1.25, 5.0, 0.5
ALMOST = 0.99  # until the run has ended


@dataclass(frozen=True)
class Units:
    """Finished units of the work at hand: `of` fits (teacher), texts that it reads first (texts), trainings (training) or parts (anything else)."""

    work: str
    done: int
    of: int


@dataclass(frozen=True)
class Outlook:
    """How far a run is. `left_s` is None where nothing is known; `late`: it takes clearly longer than first said.

    `added`: trainings asked for after the plan, such as further seeds. `share` is that of the round at work, which is the
    `round`-th; `earlier` trainings belong to the rounds before it. `since`: when that round began, where it is an attempt of its own.
    """

    share: float = 0.0
    left_s: float | None = None
    late: bool = False
    units: Units | None = None
    added: int = 0
    round: int = 1
    earlier: int = 0
    since: float = 0.0


@dataclass
class _Work:
    """One work of the plan, its phases, the seconds foreseen and at most, and what is known of its units."""

    kind: str
    phases: tuple[str, ...]
    foreseen: float
    most: float = math.inf
    done: int = 0
    of: int = 0
    what: str = ""  # its units, where they are others than usual, and how much of the work they are
    told: tuple[int, int] = (
        0,
        0,
    )  # fits of the one teacher at work, and of those before it where several are asked in turn
    worth: float = 1.0
    before: float = 0.0  # share of the work that such units were, once they are over
    first: float = 0.0  # share that is foreseen for what is made before trainings learn from it
    made: tuple[int, int] = (0, 0)  # of it
    spent: float = 0.0
    since: float | None = None
    ended: set[str] = field(default_factory=set)
    begun: dict[Key, float] = field(default_factory=dict)  # fractions of the trainings at work
    stops: list[float] = field(default_factory=list)  # share of the epochs that finished ones took
    seconds: list[float] = field(default_factory=list)  # of finished fits
    at: float = 0.0  # time spent at the last unit event
    mark: tuple[float, float] | None = None  # time spent and units where the pace is counted from

    @property
    def over(self) -> bool:
        return self.ended.issuperset(self.phases)

    @property
    def making(self) -> bool:
        return self.made[0] < self.made[1]

    def gone(self, t: float) -> float:
        """Return the seconds spent."""
        return self.spent + (max(0.0, t - self.since) if self.since is not None else 0.0)

    def units(self, stop: float = 1.0) -> float:
        """Count finished units and fractions of those at work; `stop`: share of the epochs at which they will end."""
        at_work = sum(min(0.95, f / stop) if stop < 1 else f for f in self.begun.values())
        return min(float(self.of), self.done + at_work) if self.of else self.done + at_work

    def share(self) -> float:
        done = self.worth * self.units() / self.of if self.of else 0.0
        before = max(self.before, self.first * self.made[0] / self.made[1] if self.made[1] else 0.0)
        return 1.0 if self.over else before + (1 - before) * done

    def stop(self) -> float:
        # Those at work will end later than those that ended already: the first to end are the earliest.
        at_work = [max(TYPICAL_STOP, f) for f in self.begun.values()]
        return statistics.mean([*self.stops, *at_work]) if self.stops else TYPICAL_STOP

    def note(self, t: float, *, starts: bool = True) -> None:
        """Take the time of a unit's event; the pace counts from the first one of this attempt's own work."""
        self.at = self.gone(t)
        if self.mark is None and starts:
            self.mark = (self.at, self.units(self.stop()))

    def left(self, t: float) -> float:
        """Foresee the seconds left: by the pace of the finished units as far as there are enough, else by the plan."""
        if self.over:
            return 0.0
        spent = self.gone(t)
        by_plan = self.foreseen - spent
        found = by_plan
        if self.making:  # by its own pace, and then what is foreseen for the rest
            done, of = self.made
            found = spent * (of - done) / done + (1 - self.first) * self.foreseen if done else by_plan
        elif self.seconds and self.of:  # fits of one teacher are alike
            pace, waited = statistics.mean(self.seconds), spent - self.at
            rest = self.of - self.done
            found = (rest - 1) * pace + max(pace - waited, OVERDUE * waited) if rest else 0.0
        elif self.mark is not None and self.of:
            units = self.units(self.stop())
            seen, took = units - self.mark[1], self.at - self.mark[0]
            if seen > HEARD * self.of and took > 0:
                used_up = (
                    spent / self.foreseen if self.foreseen else 1.0
                )  # a plan whose time is over has nothing to say
                trust = min(1.0, max(seen / (ENOUGH * self.of), used_up))
                by_pace = (self.of / self.worth - units) * took / seen - (spent - self.at)
                found = trust * by_pace + (1 - trust) * by_plan
        begun = self.since is not None or bool(self.ended)
        left = max(0.0, found, OVERDUE * spent * (1 - self.share()) if begun else 0.0)
        return min(left, max(0.0, self.most - spent))


class Progress:
    """Follows a run by its events. A new attempt at a run begins with its `state` and its `plan`."""

    def __init__(self) -> None:
        self._works: list[_Work] = []
        self._early: dict[str, Event] = {}  # phases told before the plan
        self._phase: str | None = None
        self._fresh = True
        self._planned = self._of = 0
        self._promised: float | None = None
        self._best = 0.0
        self._sweep = False
        self._round, self._earlier = 1, 0
        self._kept = self._came = 0  # trainings of rounds before this attempt, and those that were told again
        self._before = self._start = self._since = 0.0  # units of rounds before the one at work, where they count here

    def take(self, event: Event, t: float) -> None:
        """Take an event that happened `t` seconds after the start."""
        kind = event.get("kind")
        if kind == "state" and event.get("state") == "running":
            self._fresh, self._phase, self._start = True, None, t
            self._early.clear()
        elif kind == "phase":
            self._take_phase(event, t)
        elif kind == "plan":
            self._take_plan(event, t)
        elif kind == "seeds":
            self._grow(int(event["trainings"]), t)
        elif event.get(CHOOSING):  # candidates are counted as parts of their phase
            return
        elif kind == "epoch":
            self._at_work(event, t)
        elif kind in ("trained", "variant"):
            self._ended(event, t)
        elif kind == "sweep" and (work := self._work("training")):
            work.mark = (work.gone(t), work.units(work.stop()))  # what an earlier attempt finished was told before
            work.at = work.mark[0]
        elif kind == "scores" and self._sweep and (work := self._work("training")):
            told, of = {("position", str(p)) for p in event.get("best") or ()}, event.get("epochs")
            fraction = float(event.get("epoch") or 0) / of if of else 0.0
            work.begun = dict.fromkeys(work.begun.keys() | told, fraction)
            work.note(t)
        elif kind == "part" and (work := self._of_phase(str(event.get("phase")))) and work.kind == OTHER:
            work.made = int(event["done"]), int(event["of"])  # before trainings that learn from it
        elif kind == "part" and work:
            work.done, work.of = int(event["done"]), int(event["of"])
            work.what, work.worth = str(event.get("what") or ""), float(event.get("worth") or 1.0)
            work.note(t)

    def _take_plan(self, event: Event, t: float) -> None:
        total = int(event.get("trainings") or 0)
        if not self._fresh and self._works:
            self._grow(total, t)
            return
        self._fresh, self._sweep = False, bool(event.get("grid"))
        self._planned = self._of = total
        self._kept, self._came = int(event.get("kept") or 0), 0
        self._round, self._earlier = int(event.get("round") or 1), self._kept
        self._since, self._before = self._start if self._kept else 0.0, 0.0
        self._works = [_Work(*w) for w in _works(event)]
        for one, told in zip(self._works, event.get("work") or (), strict=False):
            one.first = float(told.get("first") or 0.0)
        if (work := self._work("training")) is not None:
            work.of = total - self._kept
        for phase in list(self._early.values()):
            self._apply(phase)
        self._best = 0.0
        self._promised = t + sum(w.left(t) for w in self._works)

    def _grow(self, total: int, t: float) -> None:
        """More trainings were asked for than were planned, such as two more seeds: a round of its own, counted from its start."""
        work = self._work("training")
        if work is None or total <= self._of:
            return
        if self._of and self._promised is not None:
            more = work.foreseen * (total - self._of) / self._of
            work.foreseen += more
            self._promised += more
            self._round, self._earlier = self._round + 1, self._of
        self._of = work.of = total
        self._best, self._before = 0.0, max(float(self._earlier), work.units()) if self._round > 1 else 0.0

    def _take_phase(self, event: Event, t: float) -> None:
        name = str(event["phase"])
        self._phase = name if event.get("state") == "start" else None if self._phase == name else self._phase
        at = {**event, "t": t}
        if self._works and not self._fresh:
            self._apply(at)
        else:
            self._early[f"{name} {event.get('state')}"] = at

    def _apply(self, event: Event) -> None:
        name, work = str(event["phase"]), self._of_phase(str(event["phase"]))
        if work is None:
            return
        if event.get("state") == "start":
            work.since = float(event["t"])
            work.ended.discard(name)
            return
        work.spent, work.since = work.gone(float(event["t"])), None
        work.ended.add(name)

    def _at_work(self, event: Event, t: float) -> None:
        work = self._work("teacher" if event.get("arm") == "teacher" else "training")
        if work is None or event.get("helper"):  # what learns for a student's sake is a part of that student's training
            return
        fraction = float(event["epoch"]) / event["epochs"] if event.get("epochs") else 0.0
        work.begun[_key(event)] = min(1.0, fraction)
        if work.kind != "teacher":
            work.note(t)

    def _ended(self, event: Event, t: float) -> None:
        work = self._work("teacher" if event.get("arm") == "teacher" else "training")
        if work is None:
            return
        if event.get("kept") and self._came < self._kept:  # of a round before this one
            self._came += 1
            return
        fraction = work.begun.pop(_key(event), None)
        if fraction:
            work.stops.append(fraction)
        if work.kind == "teacher":
            if work.what:
                work.what, work.before, work.worth = "", work.worth, 1.0
            done, before = int(event.get("done") or work.told[0] + 1), work.told[1]
            before = work.done if done <= work.told[0] else before  # each of several teachers counts from one
            work.told, work.of = (done, before), before + int(event.get("of") or work.of)
            event = {**event, "done": before + done}
            if event.get("seconds"):
                work.seconds.append(float(event["seconds"]))
        elif not self._sweep:
            self._grow(int(event.get("of") or 0), t)
        done = int(event.get("done") or 0) - (self._came if work.kind != "teacher" else 0)
        work.done = min(done if done > 0 else work.done + 1, work.of or 1)
        work.note(t, starts=bool(fraction))  # one kept from an earlier attempt had no epoch in this one

    def _work(self, kind: str) -> _Work | None:
        return next((w for w in self._works if w.kind == kind), None)

    def _of_phase(self, phase: str) -> _Work | None:
        return next((w for w in self._works if phase in w.phases), None)

    def share(self, phase: str) -> tuple[float, int, int]:
        """Return how much of a phase's work is finished, and its finished and all units."""
        work = self._of_phase(phase)
        return (0.0, 0, 0) if work is None else (work.share(), work.done, work.of)

    def outlook(self, t: float) -> Outlook:
        """Describe where the run is after `t` seconds."""
        if not self._works:
            return Outlook()
        left = sum(w.left(t) for w in self._works)
        self._best = max(self._best, min(ALMOST, self._of_round() if self._round > 1 else self._share(t)))
        promised = self._promised or 0.0
        late = t >= TOO_EARLY * promised and t + left > max(LATE_SHARE * promised, promised + LATE_SECONDS)
        now = self._of_phase(self._phase) if self._phase else None
        units = Units(now.what or now.kind, now.done, now.of) if now is not None and now.of else None
        units = Units("made", *now.made) if now is not None and now.making else units
        return Outlook(self._best, left, late, units, self._of - self._planned, self._round, self._earlier, self._since)

    def _of_round(self) -> float:
        """Return the share of the trainings that were added: 18 of 36 are a half of their bar."""
        work = self._work("training")
        return max(0.0, work.units() - self._before) / max(1, work.of - self._before) if work else 0.0

    def _share(self, t: float) -> float:
        """Return the finished share of all the work that is known of."""
        weights = [w.gone(t) + w.left(t) for w in self._works]
        total = sum(weights)
        return sum(x * w.share() for x, w in zip(weights, self._works, strict=True)) / total if total else 0.0


def _key(event: Event) -> Key:
    if "training" in event:
        return ("position", str(event["training"]))
    return (str(event.get("arm")), event.get("student"), event.get("seed"), event.get("fold"))


def _works(plan: Event) -> list[tuple[str, tuple[str, ...], float, float]]:
    """Read kind, phases and seconds of a plan's works; plans of earlier versions told one number, shared out here."""
    if plan.get("work"):
        return [
            (str(w["kind"]).split(":")[0], tuple(w["phases"]), float(w["seconds"]), float(w.get("most") or math.inf))
            for w in plan["work"]
        ]
    phases = [str(p) for p in plan.get("phases") or ()]
    alone = [p for p in phases if p in ("data", "teacher", "evaluate")]
    training = tuple(p for p in phases if p not in alone)
    each = float(plan.get("estimate_seconds") or 0.0) / (len(alone) + bool(training) or 1)
    shared = [*((p, (p,)) for p in alone), *([(OTHER, training)] if training else [])]
    return [(kind, own, each, math.inf) for kind, own in shared]
