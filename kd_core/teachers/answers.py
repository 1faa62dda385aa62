"""A teacher's answers for every row: from one fit for validation and test, out of fold for training rows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from kd_core.data.dataset import Array, Dataset, Split
from kd_core.data.view import Viewed
from kd_core.errors import DataError
from kd_core.evaluate.latency import measure_latency, network_latency
from kd_core.seeding import derive
from kd_core.specs import Choice
from kd_core.teachers import kept
from kd_core.teachers.base import SOURCES, FitData, FittedTeacher, Notify, ShouldStop, TeacherAnswers, teacher_view
from kd_core.teachers.cache import TeacherCache, cache_key, code_version
from kd_core.teachers.coding import decode, encode
from kd_core.teachers.crossfit import folds as deal_folds
from kd_core.teachers.entry import Entry
from kd_core.teachers.estimator import check_classes, stop_if_asked
from kd_core.teachers.packing import pack, unpack

BATCHES = (1, 32, 256)


class _Fits:
    """The fits of one teacher: all training rows, then each fold's complement."""

    def __init__(
        self,
        dataset: Dataset,
        teacher: Choice,
        folds: int,
        seed: int,
        key: str,
        cache: TeacherCache | None,
        notify: Notify,
        should_stop: ShouldStop,
        device: str,
    ) -> None:
        self.dataset, self.seed, self.key, self.cache = dataset, seed, key, cache
        self.notify, self.should_stop, self.device = notify, should_stop, device
        self.source = SOURCES.get(teacher.name)
        self.kind = teacher_view(teacher, dataset.views.kinds)
        self.viewed = dataset.view(self.kind)
        self.spec = self.source.spec.parse(teacher.settings, f"teacher {teacher.name}")
        self.done, self.of = 0, folds + 1
        self.warned: set[str] = set()
        self.keeping = True

    def part(self, name: str, fold: int | None, make: Callable[[], Entry]) -> Entry:
        """Return a part from the cache, or make and keep it; either way it counts as finished."""
        stop_if_asked(self.should_stop)
        found = self.cache.load_part(self.key, name, self.notify) if self.cache else None
        if found is None:
            found = make()
            self.keep_part(name, found)
        self.done += 1
        facts = found[1]["details"]
        self.notify(
            {
                "kind": "trained",
                "arm": "teacher",
                "student": None,
                "seed": self.seed,
                "fold": fold,
                **{k: facts.get(k) for k in ("selected_epoch", "last_epoch", "score_selected", "score_last")},
                "seconds": found[1]["seconds"],
                "done": self.done,
                "of": self.of,
            }
        )
        return found

    def warn(self, event: dict[str, Any]) -> None:
        """Pass on the first warning of a kind: every fold finds the same."""
        if event["code"] not in self.warned:
            self.warned.add(event["code"])
            self.notify(event)

    def keep_part(self, name: str, found: Entry) -> None:
        """Keep a part for a run that is cut off; after a refusal of the disk no further part is tried."""
        cache = self.cache
        if cache and self.keeping:
            self.keeping = keep(self.warn, lambda: cache.save_part(self.key, name, *found))

    def data(self, x: Array, y: Array, x_validation: Array) -> FitData:
        """Gather rows to fit on, with the validation rows beside them."""
        return FitData(
            task=self.dataset.task,
            num_outputs=self.dataset.num_outputs,
            inputs=replace(self.viewed.spec, shape=tuple(x.shape[1:])),
            x=x,
            y=y,
            x_validation=x_validation,
            y_validation=self.dataset.scaled_y("validation"),
            device=self.device,
            target_mean=self.dataset.target_mean,
            target_std=self.dataset.target_std,
        )

    def fit(self, data: FitData, fold: int | None) -> tuple[FittedTeacher, float]:
        """Fit and return the teacher with its seconds."""

        def tell(event: dict[str, Any]) -> None:
            if event["kind"] == "warning":
                self.warn(event)
                return
            self.notify({**event, "arm": "teacher", "student": None, "seed": self.seed, "fold": fold})

        began = time.perf_counter()
        seed = derive(self.seed, "teacher", "full" if fold is None else fold)
        fitted = self.source.make(self.spec, data, seed, tell, self.should_stop)
        return fitted, time.perf_counter() - began

    def full(self) -> Entry:
        """Fit on all training rows; answer validation and test; measure size and latency."""
        dataset, x = self.dataset, self.viewed.parts
        data = self.data(x["train"], dataset.scaled_y("train"), x["validation"])
        fitted, seconds = self.fit(data, None)
        arrays = {split: fitted.logits(x[split]) for split in ("validation", "test")}
        return arrays, {
            "seconds": seconds,
            "num_parameters": fitted.num_parameters(),
            "size_bytes": fitted.size_bytes(),
            "latency_ms": latency(fitted, self.viewed),
            "details": fitted.details(),
        }

    def fold(self, held: Array, fold: int) -> Entry:
        """Fit on the other folds and answer the held-out rows."""
        y, parts = self.dataset.scaled_y("train"), self.viewed.parts
        check_classes(self.data(parts["train"][~held], y[~held], parts["validation"]))
        x, x_validation, x_held = self.dataset.without(self.kind, held)
        fitted, seconds = self.fit(self.data(x, y[~held], x_validation), fold)
        return {"held": fitted.logits(x_held)}, {"seconds": seconds, "details": fitted.details()}


def latency(fitted: FittedTeacher, viewed: Viewed) -> dict[str, Any]:
    """Time one answer: a network on torch and on ONNX Runtime, any other teacher in its own library (`native`).

    Units: milliseconds, one thread.
    """
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


def teacher_answers(
    dataset: Dataset,
    teacher: Choice,
    *,
    folds: int,
    seed: int,
    cache: TeacherCache | None,
    notify: Notify,
    should_stop: ShouldStop,
    device: str = "cpu",
) -> TeacherAnswers:
    """Fit a teacher and return its logits for all three parts; for training rows from fits that never saw them.

    The second call with the same data, teacher, folds and seed reads the cache and trains nothing. With more than
    100 outputs logits are rounded as the cache keeps them (see `coding`), on every call, so that both get the same.
    Errors: UnknownName, SpecError, DataError, KDError (`bad_cache_limit`), Stopped (finished folds are kept).
    """
    key = cache_key(dataset.hash, teacher, folds, seed)
    if cache:
        cache.limit_bytes()  # a limit that makes no sense is said before anything is trained
        if (found := _kept(cache, key, dataset, teacher, notify)) is not None:
            return found
    fits = _Fits(dataset, teacher, folds, seed, key, cache, notify, should_stop, str(device))
    fold_N = deal_folds(dataset.train.y, dataset.train.groups, folds, seed)  # first: too few groups cost no fit
    arrays, facts = fits.part("full", None, fits.full)
    z_NC = np.empty((len(dataset.train), dataset.num_outputs), dtype=np.float32)
    seconds = facts["seconds"]
    rounds = []
    for k in range(folds):
        held = fold_N == k
        parts, fold_facts = fits.part(f"fold-{k}", k, lambda held=held, k=k: fits.fold(held, k))  # type: ignore[misc]
        z_NC[held] = parts["held"]
        seconds += fold_facts["seconds"]
        rounds.append(fold_facts["details"])
    logits: dict[Split, Array] = {"train": z_NC, "validation": arrays["validation"], "test": arrays["test"]}
    coded = {split: encode(z) for split, z in logits.items()}
    logits = {split: decode(part, dataset.num_outputs) for split, part in coded.items()}  # as the next run gets them
    meta = {
        "name": teacher.name,
        "num_parameters": facts["num_parameters"],
        "size_bytes": facts["size_bytes"],
        "latency_ms": facts["latency_ms"],
        "fit_seconds": seconds,
        "folds": folds,
        "details": {**facts["details"], "full_seconds": facts["seconds"], "folds": rounds},
    }
    kept_bytes = 0
    if cache:
        about = kept.recipe(dataset, teacher, folds, seed, code_version())
        content = {"format": kept.FORMAT, "answers": meta, "recipe": about}
        if keep(fits.warn, lambda: cache.save(key, pack(dataset, coded), content)):
            kept_bytes = cache.size_bytes(key)
    return TeacherAnswers(logits=logits, cached=False, cache_key=key, kept_bytes=kept_bytes, **meta)


def _kept(cache: TeacherCache, key: str, dataset: Dataset, teacher: Choice, notify: Notify) -> TeacherAnswers | None:
    """Read and count kept answers; None, with a warning where there is a reason to give, when they must be made."""
    if (entry := cache.load(key, notify)) is None:
        cache.ledger.miss()
        return None
    arrays, meta = entry
    try:
        kept.require_format(meta, teacher.name)
        logits, features = unpack(arrays, dataset)
    except DataError as error:
        notify({"kind": "warning", "code": error.code, "message": error.message, "hint": error.hint})
        cache.ledger.miss()
        return None
    facts = meta["answers"]
    cache.ledger.hit(facts["fit_seconds"])
    return TeacherAnswers(
        logits=logits,
        features=features,
        cached=True,
        cache_key=key,
        kept_bytes=cache.size_bytes(key),
        seconds_saved=facts["fit_seconds"],
        **facts,
    )


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
