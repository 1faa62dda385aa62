"""Training state on disk: safetensors and JSON, a manifest written last, the previous one kept."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors.torch
from torch import Tensor

from kd_core.errors import KDError
from kd_core.limits import CHECKPOINT_SECONDS
from kd_core.safe_io import sha256_file, write_bytes, write_json

COST_FACTOR = 100  # saving may take at most 1 % of the time
WORTH_SECONDS = 2.0  # a finished training shorter than this is cheaper to repeat than to keep
TENSORS, COUNTERS, MANIFEST = "tensors.safetensors", "counters.json", "manifest.json"


@dataclass(frozen=True)
class Saved:
    """What was saved at the end of an epoch."""

    epoch: int
    tensors: dict[str, Tensor]
    counters: dict[str, Any]


class Checkpoints:
    """The checkpoints of one training in `folder/epoch-<n>/`; the newest two are kept.

    `work` names the training (plan, seed, shapes), so that another one's state is never taken up.
    """

    def __init__(self, folder: Path, work: dict[str, Any]) -> None:
        self.folder, self.work = folder, json.loads(json.dumps(work))
        self.damaged: list[KDError] = []
        self._saved_at = self._opened = time.monotonic()
        self._cost = 0.0

    def due(self) -> bool:
        """Say whether enough work is at risk: 30 s, or 100 times what the last save took."""
        return time.monotonic() - self._saved_at >= max(CHECKPOINT_SECONDS, COST_FACTOR * self._cost)

    def worth_finishing(self) -> bool:
        """Say whether a finished training took long enough to be kept for a resume."""
        return time.monotonic() - self._opened >= WORTH_SECONDS

    def save(self, tensors: dict[str, Tensor], counters: dict[str, Any]) -> None:
        """Write a checkpoint, its manifest last, and drop all but this and the one before."""
        start = time.monotonic()
        place = self.folder / f"epoch-{counters['epoch']:05d}"
        shutil.rmtree(place, ignore_errors=True)
        ready = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
        write_bytes(place / TENSORS, safetensors.torch.save(ready))
        write_json(place / COUNTERS, {"work": self.work, "counters": counters})
        write_json(place / MANIFEST, {name: sha256_file(place / name) for name in (TENSORS, COUNTERS)})
        for old in self._places()[2:]:
            shutil.rmtree(old)
        self._cost = time.monotonic() - start
        self._saved_at = time.monotonic()

    def newest(self) -> Saved | None:
        """Read the newest whole checkpoint, None when there is none; damaged and unfinished ones are named in `damaged`.

        A training whose checkpoints are all damaged starts again by itself: refusing would lose no less.
        Errors: KDError `other_checkpoint` when it belongs to another training.
        """
        places = self._places()
        for place in places:
            try:
                return self.read(place)
            except KDError as error:
                if error.code != "damaged_checkpoint":
                    raise
                self.damaged.append(error)
        return None

    def read(self, place: Path) -> Saved:
        """Read one checkpoint after checking every byte. Errors: KDError naming the damaged file."""
        older = [p for p in self._places() if p.name < place.name]
        hint = (
            f"{older[0].name} is used instead." if older else "There is no earlier one: it is trained from the start."
        )
        manifest = self._read_json(place / MANIFEST, hint)
        for name in (TENSORS, COUNTERS):
            if not (place / name).is_file() or manifest.get(name) != sha256_file(place / name):
                raise self._damaged(place / name, hint)
        kept = self._read_json(place / COUNTERS, hint)
        if not isinstance(kept.get("work"), dict) or not isinstance(kept.get("counters"), dict):
            raise self._damaged(place / COUNTERS, hint)
        if kept["work"] != self.work:
            differing = sorted(k for k in self.work if kept["work"].get(k) != self.work[k])
            raise KDError(
                "The checkpoint {place} belongs to another training, by its {what}.",
                "Delete it, or resume with the settings it was made with.",
                "other_checkpoint",
                place=str(place),
                what=", ".join(differing),
            )
        tensors = safetensors.torch.load((place / TENSORS).read_bytes())
        return Saved(int(kept["counters"]["epoch"]), tensors, kept["counters"])

    def _places(self) -> list[Path]:
        """List the checkpoints that were finished or damaged, newest first."""
        return sorted((p for p in self.folder.glob("epoch-*") if p.is_dir()), key=lambda p: p.name, reverse=True)

    def _read_json(self, path: Path, hint: str) -> dict[str, Any]:
        try:
            value = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            raise self._damaged(path, hint) from None
        if not isinstance(value, dict):
            raise self._damaged(path, hint)
        return value

    @staticmethod
    def _damaged(path: Path, hint: str) -> KDError:
        return KDError(
            "The checkpoint file {path} is damaged or unfinished.",
            "{advice}",
            "damaged_checkpoint",
            path=str(path),
            advice=hint,
        )
