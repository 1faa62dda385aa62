"""A model behind an HTTP address as a teacher: asked in batches, each row once, and its answers kept.

Contract: `POST {"rows": [{column: value, ...}, ...]}` is answered by `{"classes": [...], "probabilities": [[...], ...]}`, or
`"logits"` in place of `"probabilities"`, or `{"values": [...]}` for a number; a row that is `null` is not known.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.pictures.column import shape_of
from kd_core.errors import DataError, KDError, Problem, Says, SpecError
from kd_core.models.building import SHORT_FORM
from kd_core.specs import Spec, unit
from kd_core.task import IN_FULL, SOME_CLASSES, task_of
from kd_core.teachers import posting
from kd_core.teachers.base import SOURCES, Answered, Ask, ShouldStop
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import MAYBE_SEEN, logits_of, read_reply, told
from kd_core.teachers.pretrained.vectors import VectorStore, digest

VERSION = 1  # raise it when what is kept changes
ANSWER_BYTES = 16 * 2**20  # of one answer: 10,000 rows of 50 classes
FIRST_WAIT, MOST_WAIT, MOST_ASKED_WAIT = 1.0, 60.0, 600.0  # seconds before another try; what the other side may ask for
KEEP_SECONDS = 5.0  # of asking between two times of keeping: what a run that is cut off may have to ask again
_SLICE = 0.2  # seconds between two looks at the stop button
_SENDS = Says(
    "endpoint_sends",
    "warning",
    "{count:,} rows with the columns {names} are sent to {host}, {batch:,} at a time.",
    "Each row is sent once; its answer is kept on this machine.",
)
_ASKED = Says(
    "endpoint_asked",
    "note",
    "{host} was asked about {asked:,} rows in {requests:,} questions; the answers to {kept:,} were kept from before.",
)
_WAITS = Says("endpoint_waits", "warning", "{host} gave no answer ({why}); it is asked again.", "Each pause is longer.")


class EndpointSpec(Spec):
    """Whom to ask, what is sent, and how often."""

    url: str = Field(
        "", max_length=500, description="Address that is asked: https://host/path.", json_schema_extra=unit("name")
    )
    columns: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="Columns that are sent; those that students read when empty. The target is never sent.",
        json_schema_extra=unit("names", columns=True),
    )
    token_env: str | None = Field(
        None,
        pattern=posting.TOKENS,
        description="Environment variable with a token that is sent along (KD_TOKEN, or KD_TOKEN_ and a name); the token is kept nowhere.",
        json_schema_extra=unit("name"),
    )
    batch_rows: int = Field(100, ge=1, le=10_000, description="Rows in one question.", json_schema_extra=unit("rows"))
    per_second: float = Field(
        2.0, gt=0, le=1000, description="Questions in a second at most.", json_schema_extra=unit("per second")
    )
    seconds: float = Field(
        60.0,
        gt=0,
        le=600,
        description="An answer that takes longer is asked for again.",
        json_schema_extra=unit("seconds", advanced=True),
    )
    tries: int = Field(
        5,
        ge=1,
        le=20,
        description="Times that a question is asked at most.",
        json_schema_extra=unit("times", advanced=True),
    )


@dataclass(frozen=True)
class EndpointModel:
    """An address that can be asked about new rows; each time they are sent, and nothing is kept: `Answering`."""

    spec: EndpointSpec
    dataset: Dataset

    def ask(self, rows: pd.DataFrame) -> Array:
        """Send rows and answer as the address does. Shape: N rows -> (N, C) float32 logits.

        Errors: as `answer`, and KDError `endpoint_failed` after one try.
        """
        spec, dataset, to = self.spec, self.dataset, posting.allowed(self.spec.url)
        key = posting.token(spec.token_env, to) if spec.token_env else None
        asked = list(_rows(rows[_columns(spec, dataset)]))
        try:
            question = {"rows": asked}
            reply = posting.post(to, question, token=key, seconds=spec.seconds, most_bytes=ANSWER_BYTES)
        except posting.Refusal as refusal:
            raise KDError(
                "{host} did not answer ({why}).", "Try again later.", "endpoint_failed", host=to.host, why=refusal.why
            ) from None
        values = read_reply(reply, len(asked), dataset)
        return values.astype(np.float32) if SOME_CLASSES(task_of(dataset.task)) else logits_of(values, dataset)[0]


def _missing(spec: EndpointSpec) -> SpecError | None:
    if spec.url:
        return None
    return SpecError("No address is named.", "Name the one to ask (url).", "no_endpoint")


def _refuses(spec: EndpointSpec) -> KDError | None:
    try:
        if spec.url and (to := posting.allowed(spec.url)) and spec.token_env:
            posting.token(spec.token_env, to)
    except KDError as error:
        return error
    return None


def _sends(spec: EndpointSpec, rows: int, columns: Sequence[str]) -> Problem:
    """Say what will be sent where, before anything is."""
    names = ", ".join((spec.columns or tuple(columns))[:50])
    return _SENDS.problem(count=rows, host=spec.url or "the address", batch=spec.batch_rows, names=names)


def _once(spec: EndpointSpec, rows: int) -> float:
    """Foresee the seconds of asking about so many rows."""
    return math.ceil(rows / spec.batch_rows) / spec.per_second


@SOURCES.register(
    "endpoint",
    title="HTTP endpoint",
    spec=EndpointSpec,
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    takes=(),
    gives=frozenset({"logits"}),
    family="given",
    missing=_missing,
    refuses=_refuses,
    lacks=posting.why_off,
    sends=_sends,
    once=_once,
    live=lambda spec, dataset: EndpointModel(spec, dataset),
)
def answer(spec: EndpointSpec, ask: Ask) -> Answered:
    """Ask about every row whose answer is not kept yet; what was answered is kept, also when the rest fails.

    Errors: SpecError, DataError, KDError `endpoint_failed`, Stopped.
    """
    stop_if_asked(ask.should_stop)
    if error := _missing(spec):
        raise error
    to, dataset, began = posting.allowed(spec.url), ask.dataset, time.perf_counter()
    key = posting.token(spec.token_env, to) if spec.token_env else None
    columns = _columns(spec, dataset)
    texts = [
        json.dumps(row, ensure_ascii=False, sort_keys=True, allow_nan=False) for row in _rows(dataset.rows[columns])
    ]
    store = _store(spec, columns, ask)
    names = [digest(text) for text in texts]
    fresh = {name: text for name, text in zip(names, texts, strict=True) if name not in store.found}
    kept = len(set(names)) - len(fresh)
    requests = 0
    if fresh:
        ask.notify({"kind": "warning", **_event(_sends(spec, len(fresh), columns))})
        requests = _ask_all(fresh, kept, store, spec, to, key, ask)
    values = np.stack([store.found[name] for name in names])
    z = logits_of(values, dataset)[0] if not SOME_CLASSES(task_of(dataset.task)) else values.astype(np.float32)
    logits = {split: z[dataset.parts[split].row_ids] for split in SPLITS}
    if np.isnan(logits["train"][:, 0]).all():
        raise DataError(
            "{host} answered none of the {rows:,} training rows.",
            "Check what it is sent: columns {names}.",
            "endpoint_none",
            host=to.host,
            rows=len(dataset.train),
            names=", ".join(columns[:20]),
        )
    problems = (_ASKED.problem(host=to.host, asked=len(fresh), requests=requests, kept=kept), MAYBE_SEEN.problem())
    nothing = {"onnxruntime": {"reason": "only this teacher's answers are known"}}
    seconds = time.perf_counter() - began
    return Answered(logits, None, None, nothing, seconds, notes=tuple(map(told, problems)))


def _event(problem: Problem) -> dict[str, str]:
    return {"code": problem.code, "message": problem.message, "hint": problem.hint}


def _columns(spec: EndpointSpec, dataset: Dataset) -> list[str]:
    """Choose what is sent. Errors: DataError `unknown_column`; SpecError `sends_target`, `sends_pictures`."""
    chosen = list(spec.columns or dataset.columns)
    unknown = [name for name in chosen if name not in dataset.rows.columns]
    if unknown:
        raise DataError(
            "The data has no column {missing} that could be sent.",
            "Columns: {known}.",
            "unknown_column",
            missing=", ".join(unknown[:20]),
            known=", ".join(map(str, dataset.rows.columns[:50])),
        )
    if dataset.spec.target in chosen:
        raise SpecError(
            "The target {target} would be sent along: the answers would be copies of it.",
            "Leave it out of columns.",
            "sends_target",
            target=dataset.spec.target,
        )
    pictures = [name for name in chosen if shape_of(dataset.rows[name])]
    if pictures:
        raise SpecError(
            "Pictures can't be sent: {names}.",
            "Leave them out of columns, or have the pictures answered elsewhere and bring a file of soft labels.",
            "sends_pictures",
            names=", ".join(pictures[:5]),
        )
    return chosen


def _rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Write rows in plain values: numbers, texts, times as text, and null for a missing cell."""
    columns = []
    for name in frame:
        column = frame[name]
        if column.dtype.kind == "M":
            column = column.dt.strftime("%Y-%m-%dT%H:%M:%S.%f")
        number = column.dtype.kind in "fiu"
        values = [
            None if gone else float(v) if number else str(v) for v, gone in zip(column, column.isna(), strict=True)
        ]
        columns.append(values)
    for row in zip(*columns, strict=True):
        yield dict(zip(map(str, frame.columns), row, strict=True))


def _store(spec: EndpointSpec, columns: list[str], ask: Ask) -> VectorStore:
    """Open what was answered before about rows with these columns, whatever the data they stood in."""
    data = ask.dataset
    parts = ["endpoint", VERSION, spec.url, sorted(columns), data.task, list(data.classes)]
    return VectorStore.opened(ask.cache, hashlib.sha256(json.dumps(parts).encode()).hexdigest(), ask.notify)


def _ask_all(
    fresh: dict[bytes, str],
    kept: int,
    store: VectorStore,
    spec: EndpointSpec,
    to: posting.Address,
    key: str | None,
    ask: Ask,
) -> int:
    """Ask about rows batch by batch, and keep what was answered. Returns the number of questions."""
    names, new = list(fresh), dict[bytes, Array]()
    about = {"kind": "part", "phase": "teacher", "what": "rows", "of": kept + len(names)}
    ask.notify({**about, "done": kept, "kept": kept})
    kept_at, next_at, requests = time.monotonic(), 0.0, 0
    try:
        for start in range(0, len(names), spec.batch_rows):
            batch = names[start : start + spec.batch_rows]
            _pause(next_at - time.monotonic(), ask.should_stop)
            next_at = time.monotonic() + 1 / spec.per_second
            rows = [json.loads(fresh[name]) for name in batch]
            try:
                reply, asked = _try(rows, spec, to, key, ask)
            except posting.Refusal as refusal:
                raise KDError(
                    "{host} did not answer after {tries} tries ({why}); {done:,} of {all:,} rows are answered and kept.",
                    "Start the run again later: it goes on after them.",
                    "endpoint_failed",
                    host=to.host,
                    tries=spec.tries,
                    why=refusal.why,
                    done=kept + start,
                    all=kept + len(names),
                ) from None
            requests += asked
            new.update(zip(batch, read_reply(reply, len(batch), ask.dataset), strict=True))
            if time.monotonic() - kept_at > KEEP_SECONDS:
                store.add(new)
                new, kept_at = {}, time.monotonic()
            ask.notify({**about, "done": kept + start + len(batch)})
    finally:
        store.add(new)
    return requests


def _try(
    rows: list[dict[str, Any]], spec: EndpointSpec, to: posting.Address, key: str | None, ask: Ask
) -> tuple[Any, int]:
    """Ask until there is an answer; each pause is twice as long, or as long as the other side says. Errors: Refusal after the last try."""
    wait = FIRST_WAIT
    for turn in range(1, spec.tries + 1):
        try:
            question = {"rows": rows}
            return posting.post(to, question, token=key, seconds=spec.seconds, most_bytes=ANSWER_BYTES), turn
        except posting.Refusal as refusal:
            asked = refusal.wait if refusal.wait is not None else wait
            if turn == spec.tries or asked > MOST_ASKED_WAIT:
                raise
            ask.notify({"kind": "warning", **_event(_WAITS.problem(host=to.host, why=refusal.why))})
            _pause(asked, ask.should_stop)
            wait = min(2 * wait, MOST_WAIT)
    raise AssertionError("unreachable")


def _pause(seconds: float, should_stop: ShouldStop) -> None:
    """Wait, but not for long after a stop was asked for. Errors: Stopped."""
    until = time.monotonic() + seconds
    stop_if_asked(should_stop)
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(_SLICE, left))
        stop_if_asked(should_stop)
