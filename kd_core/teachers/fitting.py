"""What is trained here as a source: one fit answers validation and test, further fits answer training rows they never saw."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from kd_core.data.dataset import Array
from kd_core.data.input_spec import TABLE
from kd_core.data.view import Viewed
from kd_core.errors import Says, Stopped
from kd_core.evaluate.latency import network_latency
from kd_core.machine.device import pick
from kd_core.machine.memory import free_bytes
from kd_core.machine.timing import BATCHES, measure_latency
from kd_core.models.base import ShowsMaps
from kd_core.models.building import cpu_state
from kd_core.seeding import derive
from kd_core.teachers.answer_cache.entry import Entry
from kd_core.teachers.answer_cache.packing import MAP, WEIGHT
from kd_core.teachers.base import Answered, Ask, Fit, FitData, FittedTeacher, Notify, ShouldStop
from kd_core.teachers.crossfit import folds as deal_folds
from kd_core.teachers.estimator import check_classes, stop_if_asked
from kd_core.teachers.given import told
from kd_core.training.attention import predict_maps
from kd_core.training.lanes import Lanes, lanes_of
from kd_core.training.predict import predict

MEMORY_SHARE = 0.25  # of what is free, for fits side by side
IN_SAMPLE = Says(
    "in_sample",
    "warning",
    "The teacher answers the training rows that it was trained on, so it is surer of them than of new rows.",
    "Take 2 folds or more, unless the lesson needs the inner features of one network.",
)


@dataclass(frozen=True)
class Fitted:
    """A source made of a fit; `fit` itself stays at hand. `lanes`: its fits are made side by side, as many as there are cores."""

    fit: Fit
    lanes: bool = False

    def __call__(self, spec: Any, ask: Ask) -> Answered:
        """Fit on all training rows for validation and test, and per fold on the others for the training rows.

        With a single fold the one fit answers the training rows as well, although it saw them.
        Errors: DataError, Stopped (finished fits are kept).
        """
        fits, train = _Fits(self.fit, spec, ask, self.lanes), ask.dataset.train
        number = ask.folds if ask.folds > 1 else 0
        fold_N = deal_folds(train.y, train.groups, ask.folds, ask.seed)  # first: too few groups cost no fit
        made = [("full", None, fits.full)] + [
            (f"fold-{k}", k, functools.partial(fits.fold, fold_N == k, k)) for k in range(number)
        ]
        parts = fits.parts(made)
        arrays, facts = parts["full"]
        rows = {} if number else arrays
        seconds = facts["seconds"]
        rounds = []
        for k in range(number):
            held = fold_N == k
            answered, fold_facts = parts[f"fold-{k}"]
            for name, found in answered.items():
                at = held if name != "made" else fits.made(k)
                full = (len(train) if name != "made" else fits.num_made, *found.shape[1:])
                rows.setdefault(name, np.empty(full, dtype=found.dtype))[at] = found
            seconds += fold_facts["seconds"]
            rounds.append(fold_facts["details"])
        return Answered(
            {"train": rows["train"], "validation": arrays["validation"], "test": arrays["test"]},
            facts["num_parameters"],
            facts["size_bytes"],
            facts["latency_ms"],
            seconds,
            ask.folds,
            {**facts["details"], "full_seconds": facts["seconds"], "folds": rounds},
            () if number else (told(IN_SAMPLE.problem()),),
            hidden={"train": rows["hidden"]} if ask.hidden else {},
            made=rows.get("made"),
            maps={name.removeprefix(MAP): found for name, found in rows.items() if name.startswith(MAP)},
            weights={name.removeprefix(WEIGHT): found for name, found in arrays.items() if name.startswith(WEIGHT)},
        )


def from_fit(fit: Fit) -> Fitted:
    """Make a source of what is trained here: fit(spec, data, seed, notify, should_stop) -> FittedTeacher."""
    return Fitted(fit)


def side_by_side(fit: Fit) -> Fitted:
    """Make a source as `from_fit` does; each fit keeps one core busy, so that several are made at once."""
    return Fitted(fit, lanes=True)


Make = Callable[[Notify, ShouldStop], Entry]  # a part of the answers


class _Fits:
    """The fits of one teacher: all training rows, then each fold's complement."""

    def __init__(self, make: Fit, spec: Any, ask: Ask, lanes: bool = False) -> None:
        self.make, self.spec, self.ask = make, spec, ask
        self.dataset, self.notify, self.kind = ask.dataset, ask.notify, ask.reads or TABLE
        self.viewed = self.dataset.view(self.kind)
        self.lanes = min(lanes_of(pick(ask.device)), self._room()) if lanes else 1
        self.whole: FittedTeacher | None = None
        self.done, self.of = 0, ask.folds + 1 if ask.folds > 1 else 1
        self.keeping = True

    def _room(self) -> int:
        """Count the copies of the training rows that free memory has room for: every fit of a fold takes one."""
        rows = self.viewed.parts["train"]
        return max(1, int(MEMORY_SHARE * free_bytes() / max(1, rows.size * rows.dtype.itemsize)))

    @property
    def num_made(self) -> int:
        """Count the made rows to label."""
        return 0 if self.ask.made is None else len(self.ask.made.frame)

    def made(self, fold: int) -> Array:
        """Return the positions of the made rows of a fold."""
        return np.empty(0, np.int64) if self.ask.made is None else self.ask.made.of_fold(fold)

    def parts(self, asked: Sequence[tuple[str, int | None, Make]]) -> dict[str, Entry]:
        """Return parts (name, fold, how it is made) from the cache, or make and keep them, side by side where there are lanes."""
        cache, key = self.ask.cache, self.ask.key
        found, missing = {}, []
        for name, fold, make in asked:
            stop_if_asked(self.ask.should_stop)
            kept = cache.load_part(key, name, self.notify) if cache else None
            if kept is None:
                missing.append((name, fold, make))
            else:
                found[name] = self.finished(fold, kept)

        def do(task: tuple[str, int | None, Make], tell: Callable[[Any], None], stopped: ShouldStop) -> None:
            name, fold, make = task
            tell((name, fold, make(lambda event: tell(event), stopped)))

        told = Lanes(do, missing, self.lanes).run(self.ask.should_stop) if self.lanes > 1 else self.in_turn(missing)
        for said in told:
            if isinstance(said, dict):
                self.notify(said)
                continue
            name, fold, entry = said
            self.keep_part(name, entry)
            found[name] = self.finished(fold, entry)
        if len(found) < len(asked):
            raise Stopped
        if self.whole is not None and self.lanes > 1:  # timed beside another fit
            found["full"][1]["latency_ms"] = latency(self.whole, self.viewed)
        return found

    def in_turn(self, missing: Sequence[tuple[str, int | None, Make]]) -> Iterator[tuple[str, int | None, Entry]]:
        """Make parts one after another."""
        for name, fold, make in missing:
            stop_if_asked(self.ask.should_stop)
            yield name, fold, make(self.notify, self.ask.should_stop)

    def finished(self, fold: int | None, found: Entry) -> Entry:
        """Count a part and tell of it."""
        self.done += 1
        facts = found[1]["details"]
        self.notify(
            {
                "kind": "trained",
                "arm": "teacher",
                "student": None,
                "seed": self.ask.seed,
                "fold": fold,
                **{k: facts.get(k) for k in ("selected_epoch", "last_epoch", "score_selected", "score_last")},
                "seconds": found[1]["seconds"],
                "done": self.done,
                "of": self.of,
            }
        )
        return found

    def keep_part(self, name: str, found: Entry) -> None:
        """Keep a part for a run that is cut off; after a refusal of the disk no further part is tried."""
        cache, key = self.ask.cache, self.ask.key
        if cache and self.keeping:
            self.keeping = keep(self.notify, lambda: cache.save_part(key, name, *found))

    def data(self, x: Array, y: Array, x_validation: Array, taken: Array | slice = slice(None)) -> FitData:
        """Gather rows to fit on, `taken` from the training rows, with the validation rows beside them."""
        groups = self.dataset.dealt_by()
        return FitData(
            task=self.dataset.task,
            num_outputs=self.dataset.num_outputs,
            inputs=replace(self.viewed.spec, shape=tuple(x.shape[1:])),
            x=x,
            y=y,
            x_validation=x_validation,
            y_validation=self.dataset.scaled_y("validation"),
            device=self.ask.device,
            target_mean=self.dataset.target_mean,
            target_std=self.dataset.target_std,
            groups=None if groups is None else groups[taken],
            groups_validation=self.dataset.dealt_by("validation"),
        )

    def fit(
        self, data: FitData, fold: int | None, notify: Notify, should_stop: ShouldStop
    ) -> tuple[FittedTeacher, float]:
        """Fit and return the teacher with its seconds."""

        def tell(event: dict[str, Any]) -> None:
            if event["kind"] == "warning":
                notify(event)
                return
            notify({**event, "arm": "teacher", "student": None, "seed": self.ask.seed, "fold": fold})

        began = time.perf_counter()
        seed = derive(self.ask.seed, "teacher", "full" if fold is None else fold)
        fitted = self.make(self.spec, data, seed, tell, should_stop)
        return fitted, time.perf_counter() - began

    def on_all(self, notify: Notify, should_stop: ShouldStop) -> tuple[FittedTeacher, float]:
        """Fit on all training rows and return the teacher with its seconds."""
        x = self.viewed.parts
        data = self.data(x["train"], self.dataset.scaled_y("train"), x["validation"])
        return self.fit(data, None, notify, should_stop)

    def full(self, notify: Notify, should_stop: ShouldStop) -> Entry:
        """Fit on all training rows; answer validation and test; measure size and latency."""
        x = self.viewed.parts
        fitted, seconds = self.on_all(notify, should_stop)
        self.whole = fitted
        arrays = {split: fitted.logits(x[split]) for split in ("validation", "test")}
        if self.ask.folds == 1:
            arrays |= self.train(fitted, x["train"])
        if self.ask.weights and (module := fitted.module()) is not None:
            arrays |= {f"{WEIGHT}{name}": t.numpy() for name, t in cpu_state(module).items()}
        return arrays, {
            "seconds": seconds,
            "num_parameters": fitted.num_parameters(),
            "size_bytes": fitted.size_bytes(),
            "latency_ms": latency(fitted, self.viewed),
            "details": fitted.details(),
        }

    def fold(self, held: Array, fold: int, notify: Notify, should_stop: ShouldStop) -> Entry:
        """Fit on the other folds and answer the held-out rows, and those made of them."""
        y, parts = self.dataset.scaled_y("train"), self.viewed.parts
        check_classes(self.data(parts["train"][~held], y[~held], parts["validation"]))
        rows, made = self.ask.made, None
        if rows is not None:
            rows.reader(self.viewed, self.kind)  # or the error that says why not
            made = rows.frame.iloc[rows.of_fold(fold)]
        x, x_validation, x_held = self.dataset.without(self.kind, held, made)
        fitted, seconds = self.fit(self.data(x, y[~held], x_validation, ~held), fold, notify, should_stop)
        own = int(held.sum())
        found = self.train(fitted, x_held[:own])
        if made is not None:
            found["made"] = fitted.logits(x_held[own:])
        return found, {"seconds": seconds, "details": fitted.details()}

    def train(self, fitted: FittedTeacher, x: Array) -> dict[str, Array]:
        """Answer training rows, with the features and maps of the network where they are wanted."""
        found, module, device = {"train": fitted.logits(x)}, fitted.module(), pick(self.ask.device)
        if self.ask.hidden:
            found["hidden"] = predict(module, x, device, "features")  # type: ignore[arg-type]
        if self.ask.maps:
            assert isinstance(module, ShowsMaps)
            found |= {f"{MAP}{name}": maps for name, maps in predict_maps(module, x, device).items()}
        return found


def fitted_once(source: Fitted, spec: Any, ask: Ask) -> FittedTeacher:
    """Fit on all training rows, as for the answers to validation and test, and return the teacher itself. Errors: DataError, Stopped."""
    return _Fits(source.fit, spec, ask).on_all(ask.notify, ask.should_stop)[0]


def latency(fitted: FittedTeacher, viewed: Viewed) -> dict[str, Any]:
    """Time one answer: a network on torch and on ONNX Runtime, any other teacher in its own library (`native`).

    One that has a `latency` of its own is asked for it. Units: milliseconds, one thread.
    """
    own: Callable[[], dict[str, Any]] | None = getattr(fitted, "latency", None)
    if own is not None:
        return own()
    module = fitted.module()
    if module is not None:
        return network_latency(module, viewed.spec, BATCHES)

    x = viewed.parts["validation"]

    def rows(n: int) -> Array:
        found: Array = x[np.resize(np.arange(x.shape[0]), n)]
        return found

    with threadpool_limits(1):
        native = measure_latency(fitted.logits, rows, batches=BATCHES)
    reason = "this teacher is not a network, so only its own library was measured"
    return {"native": native, "onnxruntime": {"reason": reason}}


def keep(notify: Notify, save: Callable[[], None]) -> bool:
    """Save; where the disk refuses, say so and go on: what was trained is in memory and worth more than its copy."""
    try:
        save()
    except OSError as error:
        notify(
            {
                "kind": "warning",
                "code": "cache_not_kept",
                "message": f"The teacher's answers could not be kept on the disk: {error.strerror or error}.",
                "hint": "This run goes on with them; a later run may have to train the teacher again.",
            }
        )
        return False
    return True
