"""Vectors of texts or pictures, kept on the disk by what the row is, so that folds, seeds and later runs compute each once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch

from kd_core.data.dataset import Array
from kd_core.errors import DataError
from kd_core.limits import ENCODED_MEMORY_SHARE
from kd_core.machine import memory
from kd_core.safe_io import inside
from kd_core.teachers.answer_cache.cache import TeacherCache
from kd_core.teachers.base import Notify, ShouldStop
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.fitting import keep

VERSION = 1  # raise it when vectors change
KEEP_SECONDS = 20.0  # of computing between two times of keeping: what a run that is cut off may lose
TELL_SECONDS = 1.0  # between two signs of progress
_PART = "texts-"


@dataclass
class VectorStore:
    """Vectors of one model in the cache of teachers. `key` names all that decides them but the text."""

    cache: TeacherCache | None
    key: str
    notify: Notify
    found: dict[bytes, Array] = field(default_factory=dict)

    @classmethod
    def of(cls, cache: TeacherCache | None, model: str, length: int, notify: Notify) -> VectorStore:
        """Open the store of a model, named by its content, at a length; damaged parts are told and passed over."""
        parts = [VERSION, model, length, torch.__version__]
        return cls.opened(cache, hashlib.sha256(json.dumps(parts).encode()).hexdigest(), notify)

    @classmethod
    def opened(cls, cache: TeacherCache | None, key: str, notify: Notify) -> VectorStore:
        """Read what was kept under a key."""
        store = cls(cache, key, notify)
        folder = inside(cache.root, f"{store.key}.partial") if cache else None
        with contextlib.suppress(OSError):  # none yet, or somebody else's: its age is then that of its making
            if folder is not None:
                os.utime(folder)  # the time of the last use
        for part in sorted(folder.glob(f"{_PART}*")) if folder and folder.is_dir() else ():
            if cache and (entry := cache.load_part(store.key, part.name, notify)) is not None:
                arrays = entry[0]
                store.found.update(zip((row.tobytes() for row in arrays["texts"]), arrays["vectors"], strict=True))
        return store

    def add(self, new: dict[bytes, Array]) -> None:
        """Take new vectors, and keep them on the disk; a disk that refuses costs the copy alone."""
        self.found.update(new)
        if self.cache is None or not new:
            return
        texts = np.frombuffer(b"".join(new), dtype=np.uint8).reshape(len(new), -1)
        arrays: dict[str, Any] = {"texts": texts, "vectors": np.stack(list(new.values()))}
        part = _PART + hashlib.sha256(texts.tobytes()).hexdigest()[:16]
        cache = self.cache
        if not keep(self.notify, lambda: cache.save_part(self.key, part, arrays, {"texts": len(new)})):
            self.cache = None


def digest(text: str) -> bytes:
    """Name a text by its characters. Shape: 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


class Encodes(Protocol):
    """What makes vectors of rows. `what`: the rows in one word; `numbers` of a vector; `name` (16 bytes) tells rows apart."""

    @property
    def what(self) -> str: ...

    @property
    def numbers(self) -> int: ...

    def name(self, row: Any) -> bytes: ...

    def vectors(
        self, rows: Any, device: torch.device, pause: Callable[[], None] = ...
    ) -> Iterator[tuple[Array, Array]]: ...


def embed(
    rows: Sequence[Any],
    store: VectorStore,
    encoder: Encodes,
    device: torch.device,
    should_stop: ShouldStop,
    worth: float = 1.0,
) -> tuple[Array, dict[str, Any]]:
    """Give every row its vector; only rows that nobody asked about before are computed, each once.

    Vectors that were computed when a stop is asked for are kept. `worth`: how much of the teacher's time this is.
    Shape: N rows -> (N, numbers) float32, with the number of different rows, of those computed, and the seconds.
    Errors: Stopped; DataError `too_many_vectors`.
    """
    names, what = [encoder.name(row) for row in rows], encoder.what
    needed, budget = 6 * len(rows) * encoder.numbers, ENCODED_MEMORY_SHARE * memory.free_bytes()
    if needed > budget:
        raise DataError(
            "The vectors of {rows:,} {what} take {needed:.3g} GB, {budget:.3g} GB of memory are meant for them.",
            "Take fewer rows, or a smaller model.",
            "too_many_vectors",
            rows=len(rows),
            what=what,
            needed=needed / 1e9,
            budget=budget / 1e9,
        )
    fresh = {name: row for name, row in zip(names, rows, strict=True) if name not in store.found}
    began, different = time.perf_counter(), len(set(names))
    kept = different - len(fresh)
    about = {"kind": "part", "phase": "teacher", "what": what, "of": different, "worth": round(worth, 3)}

    def tell(done: int) -> None:
        store.notify({**about, "done": kept + done, **({} if done else {"kept": kept})})

    tell(0)
    if fresh:
        _compute(fresh, store, encoder, device, should_stop, tell)
    facts = {what: different, f"{what}_computed": len(fresh), "vector_seconds": round(time.perf_counter() - began, 3)}
    return np.stack([store.found[name] for name in names]).astype(np.float32), facts


def _compute(
    fresh: dict[bytes, Any],
    store: VectorStore,
    encoder: Encodes,
    device: torch.device,
    should_stop: ShouldStop,
    tell: Callable[[int], None],
) -> None:
    names, new = list(fresh), dict[bytes, Array]()
    done, kept_at, told_at = 0, time.monotonic(), 0.0
    try:
        for at, vectors in encoder.vectors(list(fresh.values()), device, lambda: stop_if_asked(should_stop)):
            new.update((names[i], vector) for i, vector in zip(at, vectors, strict=True))
            done, now = done + len(at), time.monotonic()
            if now - kept_at > KEEP_SECONDS:
                store.add(new)
                new, kept_at = {}, time.monotonic()
            if now - told_at > TELL_SECONDS or done == len(names):
                told_at = now
                tell(done)
    finally:
        store.add(new)
