"""A teacher's answers for every row: asked once, kept, and found again."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

from kd_core.data.dataset import Dataset
from kd_core.errors import DataError, SpecError
from kd_core.specs import Choice
from kd_core.teachers.answer_cache import kept
from kd_core.teachers.answer_cache.cache import TeacherCache, cache_key, code_version
from kd_core.teachers.answer_cache.coding import decode, encode
from kd_core.teachers.answer_cache.packing import HEAD, WEIGHT, pack, part_of, unpack
from kd_core.teachers.base import SOURCES, Ask, Notify, ShouldStop, TeacherAnswers, teacher_view
from kd_core.teachers.fitting import keep
from kd_core.teachers.made_rows import MadeRows


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
    hidden: bool = False,
    metric: str | None = None,
    made: MadeRows | None = None,
    maps: bool = False,
    weights: bool = False,
) -> TeacherAnswers:
    """Ask a teacher and return its logits for all three parts; of one trained here, training rows from fits that never saw them.

    With `hidden` also the inner features of the training rows, of a teacher that gives them. `metric`, `made`, `maps`, `weights`: see `Ask`.

    The second call with the same data, teacher, folds and seed reads the cache and trains nothing. With more than
    100 outputs logits are rounded as the cache keeps them (see `coding`), on every call, so that both get the same.
    Errors: UnknownName, SpecError, DataError, KDError (`bad_cache_limit`), Stopped (finished folds are kept).
    """
    key = cache_key(dataset.hash, teacher, folds, seed, hidden, metric, made.digest if made else None, maps, weights)
    if cache:
        cache.limit_bytes()  # a limit that makes no sense is said before anything is trained
        if (known := _kept(cache, key, dataset, teacher, notify)) is not None:
            return known
    entry, notify = SOURCES.get(teacher.name), _once(notify)
    reads = teacher_view(teacher, dataset.views.kinds)

    def other(one: Choice) -> TeacherAnswers:
        told = functools.partial(
            teacher_answers, dataset, folds=folds, seed=seed, cache=cache, device=device, made=made
        )
        return told(one, notify=notify, should_stop=should_stop)

    wanted = hidden, other, metric, made, maps, weights
    ask = Ask(dataset, reads, folds, seed, cache, key, str(device), notify, should_stop, *wanted)
    found = entry.make(entry.spec.parse(teacher.settings, f"teacher {teacher.name}"), ask)
    if made is not None and found.made is None:
        raise SpecError(
            "The teacher '{name}' can't label rows that are made: it knows answers to given rows only.",
            "Set made_rows to 0, or choose a teacher that is trained here.",
            "made_rows_teacher",
            name=teacher.name,
        )
    coded = {split: encode(z) for split, z in found.logits.items()}
    logits = {split: decode(part, dataset.width) for split, part in coded.items()}  # as the next run gets them
    more = None if found.made is None else encode(found.made)
    meta: dict[str, Any] = {
        "name": teacher.name,
        "num_parameters": found.num_parameters,
        "size_bytes": found.size_bytes,
        "latency_ms": found.latency_ms,
        "fit_seconds": found.seconds,
        "folds": found.folds,
        "details": found.details,
        "notes": found.notes,
    }
    kept_bytes = 0
    if cache:
        rows = (made.times, maps, weights, made.made_as) if made else (0, maps, weights)
        about = kept.recipe(dataset, teacher, folds, seed, code_version(), hidden, metric, *rows)
        content = {"format": kept.FORMAT, "answers": meta, "recipe": about}
        packed = pack(dataset, coded, found.hidden, more, found.maps, found.weights, found.head)
        if keep(notify, lambda: cache.save(key, packed, content)):
            kept_bytes = cache.size_bytes(key)
    return TeacherAnswers(
        logits=logits,
        features=dict(found.hidden),
        maps=dict(found.maps),
        weights=dict(found.weights),
        head=found.head,
        cached=False,
        cache_key=key,
        kept_bytes=kept_bytes,
        made=None if more is None else decode(more, dataset.width),
        **meta,
    )


def _once(notify: Notify) -> Notify:
    """Pass on each warning once: every fold finds the same."""
    said: set[tuple[str, str]] = set()

    def tell(event: dict[str, Any]) -> None:
        if event["kind"] == "warning":
            if (event["code"], event["message"]) in said:
                return
            said.add((event["code"], event["message"]))
        notify(event)

    return tell


def _kept(cache: TeacherCache, key: str, dataset: Dataset, teacher: Choice, notify: Notify) -> TeacherAnswers | None:
    """Read and count kept answers; None, with a warning where there is a reason to give, when they must be made."""
    if (entry := cache.load(key, notify)) is None:
        cache.ledger.miss()
        return None
    arrays, meta = entry
    try:
        kept.require_format(meta, teacher.name)
        logits, features, maps, made = unpack(arrays, dataset)
    except DataError as error:
        notify({"kind": "warning", "code": error.code, "message": error.message, "hint": error.hint})
        cache.ledger.miss()
        return None
    facts = meta["answers"]
    with contextlib.suppress(OSError, ValueError):  # a folder of somebody else, or one that has just made room
        kept.note(cache.root / key, dataset)
    cache.ledger.hit(facts["fit_seconds"])
    return TeacherAnswers(
        logits=logits,
        features=features,
        maps=maps,
        made=made,
        weights=part_of(arrays, WEIGHT.removesuffix(".")),
        head=arrays.get(HEAD),
        cached=True,
        cache_key=key,
        kept_bytes=cache.size_bytes(key),
        seconds_saved=facts["fit_seconds"],
        **{**facts, "notes": tuple(facts.get("notes", ()))},
    )
