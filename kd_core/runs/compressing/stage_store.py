"""Finished stages on disk, seed by seed, from which a resumed run goes on: weights, the file where a step changed it, and what was said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import safetensors
import safetensors.torch
import torch

from kd_core.compress.base import Stage
from kd_core.compress.cutting import reshaped
from kd_core.data.dataset import Dataset
from kd_core.models.building import build_for, cpu_state
from kd_core.safe_io import Damaged, read_object, sha256_file, write_bytes, write_json
from kd_core.specs import Choice

SEARCHED = "searched.json"
Side = Literal["taught", "again"]  # again: its last step learned without the teacher


@dataclass(frozen=True)
class Made:
    """A stage of one seed. `seconds` of its last step; `validation`: its score there; `reason` in place of a stage, why there is none."""

    stage: Stage | None
    seconds: float = 0.0
    validation: float | None = None
    reason: str | None = None


class StageStore:
    """Keeps stages in a folder under names that hash all that decides them. `basis`: data, lesson, training, device and code."""

    def __init__(self, folder: Path, dataset: Dataset, arch: Choice, basis: Sequence[Any]) -> None:
        self.folder, self.dataset, self.arch, self.basis = folder, dataset, arch, list(basis)

    def place(self, path: Sequence[Choice], seed: int, start: str, side: Side = "taught") -> Path:
        """Name a stage: the steps from the student on, and the hash of the weights that it started from."""
        steps = [step.model_dump(mode="json") for step in path]
        return self.folder / f"{seed}-{self._key([steps, seed, start, side])[:20]}"

    def searched(self, goals: Mapping[str, Any]) -> tuple[list[tuple[Choice, ...]], list[dict[str, Any]]] | None:
        """Return what a search under these goals chose and what it tried, None where none has ended: a resumed run does not search twice."""
        try:
            told = read_object(self.folder / SEARCHED)
            if told["key"] != self._key([goals]):
                return None
            return [tuple(map(Choice.model_validate, chain)) for chain in told["chosen"]], list(told["tried"])
        except (FileNotFoundError, Damaged, OSError, KeyError, TypeError, ValueError):
            return None

    def keep_search(
        self, goals: Mapping[str, Any], chosen: Sequence[Sequence[Choice]], tried: Sequence[dict[str, Any]]
    ) -> None:
        """Write what a search chose. Errors: OSError when the disk refuses."""
        self.folder.mkdir(parents=True, exist_ok=True)
        chains = [[step.model_dump(mode="json") for step in chain] for chain in chosen]
        write_json(
            self.folder / SEARCHED, {"schema": 1, "key": self._key([goals]), "chosen": chains, "tried": list(tried)}
        )

    def _key(self, decides: Sequence[Any]) -> str:
        told = [*self.basis, self.arch.model_dump(mode="json"), *decides]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def load(self, stem: Path) -> Made | None:
        """Open a stage as it was kept; None where there is none, or where it is damaged and is made again."""
        try:
            told = read_object(stem.with_suffix(".json"))
            for ending, digest in told["files"].items():
                if sha256_file(stem.with_suffix(ending)) != digest:
                    raise Damaged("has changed")
            state = safetensors.torch.load_file(str(stem.with_suffix(".safetensors")))
            with torch.random.fork_rng(devices=[]):
                module = reshaped(build_for(self.dataset, self.arch), state).eval()
            file = stem.with_suffix(".onnx").read_bytes() if ".onnx" in told["files"] else None
            stage = Stage(self.arch, module, file, tuple(told["told"]))
            return Made(stage, float(told["seconds"]), told["validation"])
        except FileNotFoundError:
            return None
        except (Damaged, OSError, KeyError, TypeError, ValueError, RuntimeError, safetensors.SafetensorError):
            return None

    def keep(self, stem: Path, made: Made) -> None:
        """Write a stage that was made; the file that says that it is there comes last. Errors: OSError when the disk refuses."""
        assert made.stage is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        files: dict[str, str] = {}
        parts = {".safetensors": safetensors.torch.save(cpu_state(made.stage.module))}
        if made.stage.file is not None:
            parts[".onnx"] = made.stage.file
        for ending, data in parts.items():
            write_bytes(stem.with_suffix(ending), data)
            files[ending] = hashlib.sha256(data).hexdigest()
        write_json(
            stem.with_suffix(".json"),
            {
                "schema": 1,
                "seconds": round(made.seconds, 3),
                "validation": made.validation,
                "told": [dict(one) for one in made.stage.told],
                "files": files,
            },
        )
