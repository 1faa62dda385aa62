"""Models that a run kept, students and plain ones: where they lie, and how they are opened as teachers. No run is asked, only its files are read."""

from __future__ import annotations

import functools
import hashlib
import json
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
from torch import nn

from kd_core.data.view import View
from kd_core.errors import DataError, KDError
from kd_core.models.building import reopened
from kd_core.safe_io import Damaged, inside, open_own, read_object
from kd_core.specs import DatasetSpec
from kd_core.task import Task, task_of
from kd_core.workspace import workspace

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"  # a run's id: one part of a path, never a path
MODEL, SPEC = "artifacts/model.json", "spec.json"
MOST_BYTES = 2**30  # of one file of a model
NAMED_RUNS = 512  # whose names of models stay in memory
_PLACES = ("runs", "models")  # those of this workspace, and copies of folders that lay elsewhere


@dataclass(frozen=True)
class Kept:
    """A model of a run: what model.json says of the run and of it. Legend: C classes."""

    folder: Path
    run: Mapping[str, Any]
    model: Mapping[str, Any]

    @property
    def task(self) -> Task:
        """Return what it predicts."""
        return task_of(self.run["task"])

    @property
    def classes(self) -> tuple[str, ...]:
        """Name its classes in the order of its answers."""
        return tuple(map(str, self.run["classes"]))

    def files(self) -> list[Path]:
        """Return all files that decide its answers. Errors: DataError `outside_workspace`; KeyError."""
        names = [self.model["weights"], *self.model["view"]]
        return [inside(self.folder, *str(name).split("/")) for name in names]

    def open(self) -> tuple[View, nn.Module]:
        """Make its view and its network again. Errors: DataError `earlier_run_damaged`."""
        try:
            weights, *learned = self.files()
            held = {path.name: _bytes(path) for path in learned}
            return reopened(self.model, held, _bytes(weights), self.task.name, self.task.num_outputs(len(self.classes)))
        except (OSError, KeyError, TypeError, ValueError, RuntimeError, KDError, safetensors.SafetensorError) as error:
            raise _damaged(self.folder, error) from None

    def content(self) -> str:
        """Name it by its files and by the data of its run (sha256, hex). Errors: DataError `earlier_run_damaged`."""
        try:
            found = hashlib.sha256(json.dumps([self.run["classes"], self.model], sort_keys=True).encode())
            for path in [*self.files(), inside(self.folder, SPEC)]:
                found.update(hashlib.sha256(_bytes(path)).digest())
            return found.hexdigest()
        except (OSError, KeyError, TypeError, ValueError, KDError) as error:
            raise _damaged(self.folder, error) from None

    def data(self) -> DatasetSpec:
        """Return what its run learned from. Errors: KDError, KeyError, TypeError, ValueError, OSError."""
        return DatasetSpec.parse(read_object(inside(self.folder, SPEC))["dataset"], "the earlier run")


def find(run: str, model: str = "") -> Kept:
    """Find a model of a run of this workspace by the run's id. Without a name it is the only student.

    Errors: DataError `no_run`, `earlier_run_unfinished`, `earlier_run_damaged`, `earlier_run_model`.
    """
    return open_folder(_folder(run), model)


def _folder(run: str) -> Path:
    places = [inside(workspace(), place, run) for place in _PLACES] if re.fullmatch(NAME, run) else []
    if (folder := next((path for path in places if path.is_dir()), None)) is None:
        raise DataError("There is no run {run!r}.", "Choose one from the list of runs.", "no_run", run=run[:80])
    return folder


def open_folder(folder: Path, model: str = "") -> Kept:
    """Find a model in a run's folder. Errors: DataError as `find`."""
    students, beside = _listed(folder)
    known = {str(one["name"]): one for one in (*students, *beside)}
    if model not in known and (model or len(students) != 1):
        raise DataError(
            "Run {run} has no model '{model}'." if model else "Run {run} has {count} students.",
            "Say which (student): {known}.",
            "earlier_run_model",
            run=folder.name,
            model=model[:80],
            count=len(students),
            known=", ".join(known),
        )
    return Kept(folder, _told(folder), known[model] if model else students[0])


def names(run: str) -> list[str]:
    """Name the models of a run, students first; none where it has none that can be opened."""
    stamp = _stamp(run)
    return list(_names(str(workspace()), run, stamp)) if stamp else []


def _stamp(run: str) -> tuple[int, ...]:
    """Tell a run's list of models apart from every other state of it; empty where it has none."""
    if re.fullmatch(NAME, run):
        for place in _PLACES:
            folder = workspace() / place / run
            try:
                held, file = folder.lstat(), (folder / MODEL).stat()
            except OSError:
                continue
            return (held.st_ino, held.st_mtime_ns, file.st_ino, file.st_mtime_ns, file.st_size)
    return ()


@functools.lru_cache(maxsize=NAMED_RUNS)
def _names(root: str, run: str, stamp: tuple[int, ...]) -> tuple[str, ...]:
    try:
        return tuple(str(one["name"]) for some in _listed(_folder(run)) for one in some)
    except DataError:
        return ()


def known_as(text: str) -> str:
    """Return the id of a run that is named by its id, its name, or the path of its folder, which is then copied into the workspace.

    Errors: DataError `no_run`, `earlier_run_names`, and those of `find`.
    """
    path = Path(text).expanduser()
    if {"/", "\\", "~"} & set(text) or (path / SPEC).is_file():
        return _add(path)
    runs = workspace() / "runs"
    if re.fullmatch(NAME, text) and any((workspace() / place / text).is_dir() for place in _PLACES):
        return text
    called = [p.parent.name for p in sorted(runs.glob(f"*/{SPEC}")) if text in _names_of(p.parent)]
    if len(called) > 1:
        raise DataError(
            "{count} runs are called {name!r}.",
            "Say which by its id: {known}.",
            "earlier_run_names",
            count=len(called),
            name=text[:80],
            known=", ".join(called[:10]),
        )
    return called[0] if called else text


def _names_of(folder: Path) -> set[str]:
    found = set()
    for file in (SPEC, "annotation.json"):
        try:
            found.add(read_object(folder / file).get("name"))
        except (OSError, Damaged):
            continue
    return {name for name in found if isinstance(name, str) and name}


def _add(path: Path) -> str:
    """Copy what a run's folder keeps of its models into the workspace; the name ends with the hash of the content."""
    if not (path / SPEC).is_file():
        raise DataError("{path!r} is no folder of a run.", "Check the path.", "no_run", path=str(path)[:200])
    path = path.resolve()
    (workspace() / "models").mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = Path(tempfile.mkdtemp(dir=workspace() / "models", prefix=".incoming-"))
    try:
        kept = [Kept(path, _told(path), one) for some in _listed(path) for one in some]
        digest = hashlib.sha256()
        try:
            for file in sorted({path / MODEL, path / SPEC, *(f for one in kept for f in one.files())}):
                target = beside / file.relative_to(path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data := _bytes(file))
                digest.update(hashlib.sha256(data).digest())
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise _damaged(path, error) from None
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", path.name).strip("-._")[:60] or "run"
        name = f"{plain}-{digest.hexdigest()[:8]}"
        if not (workspace() / "models" / name).exists():
            beside.replace(workspace() / "models" / name)
        return name
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _told(folder: Path) -> dict[str, Any]:
    try:
        return read_object(inside(folder, *MODEL.split("/")))
    except FileNotFoundError:
        raise DataError(
            "Run {run} has no model that can teach: it has not ended, or an earlier version made it.",
            "Take a finished run, or resume this one.",
            "earlier_run_unfinished",
            run=folder.name,
        ) from None
    except (Damaged, OSError, DataError) as error:
        raise _damaged(folder, error) from None


def _listed(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """List students, and the models without a teacher beside them, that have a view of their own. Errors: DataError as `_told`."""
    told = _told(folder)
    try:
        wanted = {"name", "weights", "view", "arch", "kind"}
        kept = [[one for one in told.get(key, []) if wanted <= set(one)] for key in ("students", "alone", "plain")]
        students, beside = kept[0], [*kept[1], *kept[2]]
        if not {"task", "classes", "target", "mean", "std"} <= set(told) or not students:
            raise ValueError("lists no student that reads raw rows")
    except (TypeError, ValueError) as error:
        raise _damaged(folder, error) from None
    return students, beside


def _bytes(path: Path) -> bytes:
    with open_own(path) as file:
        if (size := path.stat().st_size) > MOST_BYTES:
            raise ValueError(f"{path.name} has {size:,} bytes, at most {MOST_BYTES:,} are read")
        return file.read()


def _damaged(folder: Path, error: Exception) -> DataError:
    return DataError(
        "The models of run {run} can't be opened: {why}.",
        "Restore its folder from a copy, or take another run.",
        "earlier_run_damaged",
        run=folder.name,
        why=f"{type(error).__name__}: {str(error)[:200]}",
    )
