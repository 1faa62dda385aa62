"""One session of the latency lab: models of runs opened, the runtime chosen, all timed in turns, started afresh, and told."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import onnxruntime
import psutil

from kd_core.errors import KDError, SpecError, Stopped
from kd_core.machine import device as devices
from kd_core.machine.processor import busy, cores
from kd_core.machine.rounds import Times, Turn, in_rounds
from kd_core.runs.continuing import earlier
from kd_core.runs.store.events import utc_now
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.timing import choice, starting
from kd_core.runs.timing.asked import Form, LatencySpec, check
from kd_core.runs.timing.kept import SCHEMA
from kd_core.runs.timing.listed import Listed, chosen, listed
from kd_core.runs.timing.models import Timed, open_model
from kd_core.runs.timing.teacher import OWN, open_teacher
from kd_core.runs.timing.ways import Way, ready

Notify = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]
Key = tuple[str, Form, Way, int]  # model, form, way, rows at once


def measure(
    asked: LatencySpec, notify: Notify = lambda event: None, should_stop: ShouldStop = lambda: False
) -> dict[str, Any]:
    """Time models of finished runs in one session; what can't be timed is named with its reason.

    Events: {"kind": "latency", "phase": open | choose | prepare | rounds | starts, "done", "of", "name"}.
    Errors: SpecError `no_gpu`, `few_cores`, `latency_alike`; KDError `no_run`, `latency_unfinished`, `latency_model`, `latency_nothing`; Stopped.
    """
    check(asked)
    folders = _by_id(map(earlier.find, asked.runs))
    wanted = chosen([one for folder in folders.values() for one in listed(folder)], asked.models)
    return _Session(asked, folders, wanted, notify, should_stop).measured()


def _by_id(folders: Iterable[RunFolder]) -> dict[str, RunFolder]:
    """Return runs by their ids, which name their models. Errors: SpecError `latency_alike` where two folders have one name."""
    found: dict[str, RunFolder] = {}
    for folder in folders:
        known = found.setdefault(folder.id, folder)
        if known.path.resolve() != folder.path.resolve():
            raise SpecError(
                "Two of the runs are called '{name}': {one} and {other}.",
                "Give one of the folders another name: a session tells runs apart by it.",
                "latency_alike",
                name=folder.id,
                one=str(known.path),
                other=str(folder.path),
            )
    return found


@dataclass
class _Session:
    asked: LatencySpec
    folders: Mapping[str, RunFolder]
    wanted: list[Listed]
    notify: Notify
    should_stop: ShouldStop
    models: dict[str, Timed] = field(default_factory=dict)
    missing: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def tell(self, phase: str, done: int, of: int, name: str = "") -> None:
        if self.should_stop():
            raise Stopped("The measurement was stopped; nothing of it was kept.")
        self.notify({"kind": "latency", "phase": phase, "done": done, "of": of, "name": name})

    def measured(self) -> dict[str, Any]:
        began, before = time.perf_counter(), self._machine()
        self._open()
        picked = self._choose()
        turns, prepared = self._prepare(picked)
        times = self._rounds(turns)
        fresh = self._starts()
        rounds = max((len(one.rounds) for one in times.values()), default=0)
        told = [
            {"model": model, "form": form, **way.told(), "batch": batch, **times[model, form, way, batch].told(batch)}
            for model, form, way, batch in turns
        ]
        self._checked(picked, times)
        load = {"load": [before["load"], psutil.getloadavg()[0]], "busy": max(before["busy"], busy())}
        return {
            "schema": SCHEMA,
            "utc": utc_now(),
            "asked": self.asked.model_dump(mode="json"),
            "seconds": round(time.perf_counter() - began, 2),
            "machine": {**devices.environment(), "onnxruntime": onnxruntime.__version__, **load},
            "rounds": {"asked": self.asked.rounds, "done": rounds},
            "models": [self._told(one) for one in self.wanted],
            "times": told,
            "prepared": prepared,
            "fresh": fresh,
            "chosen": picked,
        }

    def _machine(self) -> dict[str, float]:
        return {"load": psutil.getloadavg()[0], "busy": busy()}

    def _open(self) -> None:
        for number, one in enumerate(self.wanted):
            self.tell("open", number, len(self.wanted), one.name)
            folder, self.missing[one.id] = self.folders[one.run], []
            try:
                self.models[one.id] = (
                    open_teacher(folder, one, self.asked.again, self._trains, self.should_stop)
                    if one.role == "teacher"
                    else open_model(folder, one)
                )
            except KDError as error:
                self._lacks(one.id, error)
            except OSError as error:
                self.missing[one.id].append({"reason": f"A file of it can't be read: {error.strerror or error}."})
        if not self.models:
            raise KDError(
                "None of the {num} models can be timed: {why}",
                "Choose other models or runs.",
                "latency_nothing",
                num=len(self.wanted),
                why=next((some[0]["reason"] for some in self.missing.values() if some), "none was chosen."),
            )

    def _trains(self, event: dict[str, Any]) -> None:
        if event["kind"] == "epoch":
            self.tell("open", int(event["epoch"]), int(event["epochs"]), "teacher")

    def _lacks(self, model: str, error: KDError, **where: Any) -> None:
        self.missing[model].append({**where, "reason": error.message})

    def _choose(self) -> list[dict[str, Any]]:
        """Choose a runtime for every network, and for every number of rows that the choice is made for."""
        picked = []
        batches = [n for n in choice.BATCHES if n in self.asked.batches]
        some = [m for m in self.models.values() if m.network is not None] if "network" in self.asked.forms else []
        for number, model in enumerate(some):
            self.tell("choose", number, len(some), model.listed.name)
            for batch in batches:
                found = choice.probe(model, batch, choice.counts(cores()), should_stop=self.should_stop)
                if found:
                    picked.append(choice.chosen(model, batch, found))
        return picked

    def _ways(self, model: Timed, picked: list[dict[str, Any]]) -> list[Way]:
        if model.own is not None:
            return [Way(OWN)]
        ways = [Way(r, n, d) for r in self.asked.runtimes for d in self.asked.devices for n in self.asked.threads]
        own = [Way(p["runtime"], p["threads"], p["device"]) for p in picked if p["model"] == model.listed.id]
        return list(dict.fromkeys([*ways, *own]))  # what was chosen is timed, too: the session checks it

    def _prepare(self, picked: list[dict[str, Any]]) -> tuple[dict[Key, Turn], list[dict[str, Any]]]:
        """Make every candidate ready and let it answer once; what fails is told and left out."""
        turns: dict[Key, Turn] = {}
        prepared = []
        for number, (name, model) in enumerate(self.models.items()):
            self.tell("prepare", number, len(self.models), model.listed.name)
            for form in self.asked.forms:
                for way in self._ways(model, picked):
                    try:
                        made = ready(model, way, form)
                        for batch in self.asked.batches:
                            turns[name, form, way, batch] = made.turn(batch)
                        prepared.append({"model": name, "form": form, **way.told(), "seconds": round(made.seconds, 4)})
                    except KDError as error:
                        self._lacks(name, error, form=form, **way.told())
        return turns, prepared

    def _rounds(self, turns: dict[Key, Turn]) -> dict[Key, Times]:
        of = self.asked.rounds + 1  # the first is not counted

        def on_round(done: int) -> None:
            self.tell("rounds", done + 1, of)

        self.tell("rounds", 0, of)
        times = in_rounds(
            turns,
            self.asked.rounds,
            self.asked.turn,
            until=self.asked.seconds,
            on_round=on_round,
            should_stop=self.should_stop,
        )
        if self.should_stop():
            raise Stopped("The measurement was stopped; nothing of it was kept.")
        return times

    def _starts(self) -> list[dict[str, Any]]:
        """Start students, baselines and plain models in processes of their own."""
        if not self.asked.starts:
            return []
        asked: dict[tuple[str, str], Mapping[str, Any]] = {}
        told: list[dict[str, Any]] = []
        with tempfile.TemporaryDirectory(prefix="kd-latency-") as place:
            for number, (name, model) in enumerate(self.models.items()):
                for runtime in starting.RUNTIMES if model.own is None else ():
                    if runtime not in self.asked.runtimes:
                        continue
                    folder = Path(place) / f"{number}-{runtime}"
                    folder.mkdir()
                    found = starting.described(model, runtime, folder, self.asked.batches[-1])
                    if isinstance(found, str):
                        told.append({"model": name, "runtime": runtime, "reason": found})
                    else:
                        asked[name, runtime] = found

            def on_start(done: int, of: int) -> None:
                self.tell("starts", done, of)

            started = starting.start_all(asked, self.asked.starts, on_start, self.should_stop, self.asked.seconds)
        return [*told, *({"model": m, "runtime": r, **one} for (m, r), one in started.items())]

    def _checked(self, picked: list[dict[str, Any]], times: Mapping[Key, Times]) -> None:
        """Say beside each choice how the session saw it: which way was fastest there, and how far the chosen one is behind it."""
        for one in picked:
            here = {
                way: found.rounds
                for (model, form, way, batch), found in times.items()
                if (model, form, batch) == (one["model"], "network", one["batch"]) and way.device == one["device"]
            }
            middles = {way: [sorted(r)[len(r) // 2] for r in rounds] for way, rounds in here.items()}
            mine = middles.get(Way(one["runtime"], one["threads"], one["device"]))
            if mine is None:
                continue
            best = min(middles, key=lambda way: sorted(middles[way])[len(middles[way]) // 2])
            one["session"] = {"best": best.told(), "times": round(choice.behind(mine, middles[best]), 4)}

    def _told(self, one: Listed) -> dict[str, Any]:
        model = self.models.get(one.id)
        told = {**one.told(), "missing": self.missing[one.id]}
        told |= {"size": model.size, "notes": model.notes} if model else {"size": {}, "notes": []}
        if one.role == "teacher":
            by_run = (self.folders[one.run].result() or {}).get("teacher", {})
            told["by_run"] = by_run.get("latency_ms") or {}
            if not told["size"]:
                told["size"] = {"bytes": by_run.get("size_bytes"), "parameters": by_run.get("parameters")}
        return told
