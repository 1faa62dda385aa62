"""A run on disk: its spec, events, state, result and artifacts in one folder that can be copied anywhere."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from kd_core import safe_io
from kd_core.errors import DataError, KDError
from kd_core.runs.store.events import Event, EventLog, EventReader
from kd_core.runs.store.timed_once import timed_once
from kd_core.specs import RunSpec

ACTIVE = ("queued", "starting", "running", "cancelling")
ENDED = ("done", "cancelled", "failed", "interrupted")
DAMAGED = "damaged"  # its folder can't be read as a run, or is gone; nothing can be done with it but delete it
STATES = (*ACTIVE, *ENDED, DAMAGED)

_UNLISTED = frozenset({"status.json", "annotation.json", "manifest.json", "lock", "stop", "reserve"})
_OF_STUDENT: tuple[tuple[str, type], ...] = (("name", str), ("metrics", dict), ("baseline", dict), ("gain", dict))

MODEL = "artifacts/model.json"  # what turns raw rows into answers, beside weights and views


class RunFolder:
    """A run's folder: spec.json, events.jsonl, status.json, checkpoints/, result.json, artifacts/, manifest.json.

    `manifest.json` lists the sha256 of every other lasting file and is written last: with it, the run is complete.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._marks: dict[int, int] = {}  # last event number read -> byte offset behind it
        self._lock = threading.Lock()

    @classmethod
    def create(cls, path: Path | str, spec: RunSpec, **status: Any) -> RunFolder:
        """Make a new folder with its spec. Errors: KDError `run_exists` when a run is already there."""
        folder = cls(path)
        folder.path.mkdir(parents=True, exist_ok=True)
        if folder.spec_path.exists():
            raise KDError(
                "The folder {path} already holds a run.", "Choose another folder.", "run_exists", path=folder.path
            )
        folder.checkpoints.mkdir(exist_ok=True)
        (folder.path / "artifacts").mkdir(exist_ok=True)
        folder.write_status(state="queued", run_id=folder.id, work_hash=spec.work_hash(), **status)
        safe_io.write_text(folder.spec_path, spec.to_json() + "\n")
        return folder

    @property
    def id(self) -> str:
        """Return the run id, which is the folder's name."""
        return self.path.name

    @property
    def run_id(self) -> str:
        """Return the run id."""
        return self.id

    @property
    def spec_path(self) -> Path:
        """Return where the spec is kept."""
        return self.path / "spec.json"

    @property
    def events_path(self) -> Path:
        """Return where the events are kept."""
        return self.path / "events.jsonl"

    @property
    def checkpoints(self) -> Path:
        """Return the folder of what a resumed run continues from."""
        return self.path / "checkpoints"

    @property
    def lock_path(self) -> Path:
        """Return the file that whoever executes the run keeps locked."""
        return self.path / "lock"

    @property
    def stop_path(self) -> Path:
        """Return the file whose presence asks the run to stop."""
        return self.path / "stop"

    def spec(self) -> RunSpec:
        """Read the spec. Errors: SpecError or KDError `run_damaged` when it is damaged, `run_missing` when there is none."""
        try:
            with safe_io.open_own(self.spec_path) as file:
                return RunSpec.from_json(file.read().decode("utf-8"))
        except (safe_io.Damaged, UnicodeDecodeError, RecursionError) as error:
            raise self.damaged("spec.json", error) from None
        except FileNotFoundError:
            raise KDError(
                "There is no run in {path}: spec.json is missing.",
                "Choose another folder.",
                "run_missing",
                path=self.path,
            ) from None

    def status(self) -> dict[str, Any]:
        """Read the state and times; a running run that was asked to stop reads as `cancelling`.

        Errors: KDError `run_damaged`.
        """
        found = self.read("status.json") or {}
        if found.get("state") in ("starting", "running") and self.stop_path.exists():
            found["state"] = "cancelling"
        return found

    def read(self, name: str) -> dict[str, Any] | None:
        """Read one of the run's JSON files, or None while there is none. Errors: KDError `run_damaged`."""
        try:
            return safe_io.read_object(self.path / name)
        except FileNotFoundError:
            return None
        except safe_io.Damaged as error:
            raise self.damaged(name, error) from None

    def damaged(self, name: str, why: object) -> KDError:
        """Make the error that names a file of the run that can't be used, and why."""
        why = why if isinstance(why, safe_io.Damaged) else "is not text that can be read"
        return KDError(
            "Run {run_id} is damaged: {file} {why}.",
            "Restore its folder from a copy, or delete the run.",
            "run_damaged",
            run_id=self.id,
            file=name,
            why=str(why),
        )

    def write_status(self, **changes: Any) -> dict[str, Any]:
        """Change some fields of the status in one step and return all; only the lock's holder may do so.

        Errors: KDError `folder_gone` when the folder was removed, which must not make it again; `run_damaged`.
        """
        with self._lock:
            if not self.path.is_dir():
                raise KDError(
                    "The folder of run {run_id} is gone.",
                    "Restore it from a copy, or delete the run.",
                    "folder_gone",
                    run_id=self.id,
                )
            status = {"schema": 1, **self.status(), **changes}
            safe_io.write_json(self.path / "status.json", status)
        return status

    def annotation(self) -> dict[str, Any]:
        """Read the person's star, note and name for the run; an empty name keeps the recipe's own."""
        try:
            return {"star": False, "note": "", "name": "", **safe_io.read_object(self.path / "annotation.json")}
        except (FileNotFoundError, safe_io.Damaged):
            return {"star": False, "note": "", "name": ""}

    def annotate(self, **changes: Any) -> None:
        """Change the star, the note or the name. Kept apart from the status, which the worker writes."""
        safe_io.write_json(self.path / "annotation.json", {**self.annotation(), **changes})

    def events(self, since: int = 0) -> list[Event]:
        """Return the events numbered above `since`; asking again with the last number seen reads only the rest."""
        reader = EventReader(self.events_path)
        with self._lock:
            reader.offset = self._marks.get(since, 0)
        fresh = reader.read()
        if fresh:
            with self._lock:
                if len(self._marks) > 64:
                    self._marks.clear()
                self._marks[int(fresh[-1]["n"])] = reader.offset
        return [e for e in fresh if e["n"] > since]

    def append_events(self, events: list[Event]) -> None:
        """Append events as one batch, numbered and timed after the last."""
        log = EventLog(self.events_path)
        for event in events:
            log.emit(event)
        if not log.close():
            raise KDError(
                "{n} events of run {run_id} could not be written.",
                "Free some disk space.",
                "events_refused",
                n=len(events),
                run_id=self.id,
            )

    def result(self) -> dict[str, Any] | None:
        """Read result.json, or None while there is none. Errors: KDError `run_damaged` when it is no result."""
        found = self.read("result.json")
        if found is None:
            return None
        wanted: tuple[tuple[str, type], ...] = (("metric", dict), ("students", list))
        for name, kind in wanted:
            if not isinstance(found.get(name), kind):
                raise self.damaged("result.json", safe_io.Damaged(f"is no result: '{name}' is missing"))
        for student in found["students"]:
            held = student if isinstance(student, dict) else {}
            for name, kind in _OF_STUDENT:
                if not isinstance(held.get(name), kind):
                    raise self.damaged("result.json", safe_io.Damaged(f"is no result: a student lacks '{name}'"))
        return timed_once(found)

    def write_result(self, result: dict[str, Any]) -> None:
        """Write result.json in one step. Errors: ValueError when it holds NaN or infinity."""
        safe_io.write_json(self.path / "result.json", result)

    def artifact(self, name: str) -> Path:
        """Return the path of an artifact by its name below artifacts/.

        Errors: DataError when it leads outside, also by a link.
        """
        return safe_io.inside(safe_io.inside(self.path, "artifacts"), *name.split("/"))

    def finish(self, state: str = "done", result: dict[str, Any] | None = None) -> None:
        """Write the result, then the manifest: from then on the run is complete.

        Errors: ValueError when the result holds NaN or infinity.
        """
        if result is not None:
            self.write_result(result)
        files = {}
        for file in sorted(self.path.rglob("*")):
            name = file.relative_to(self.path)
            kept = file.is_file() and not file.is_symlink()
            if kept and name.parts[0] != "checkpoints" and str(name) not in _UNLISTED:
                files[name.as_posix()] = safe_io.sha256_file(file)
        safe_io.write_json(self.path / "manifest.json", {"schema": 1, "state": state, "files": files})

    def manifest(self) -> dict[str, Any] | None:
        """Read the manifest, or None while the run is not complete. Errors: KDError `run_damaged`."""
        found = self.read("manifest.json")
        if found is None:
            return None
        if not isinstance(found.get("files"), dict) or found.get("state") not in ("done", "cancelled"):
            raise self.damaged("manifest.json", safe_io.Damaged("lists no files of a finished run"))
        return found

    @property
    def complete(self) -> bool:
        """Say whether the run has ended with a result. Errors: KDError `run_damaged`."""
        return self.manifest() is not None

    def damage(self) -> list[str]:
        """List what differs from the manifest, as sentences; empty when all files are as they were written."""
        try:
            manifest = self.manifest()
        except KDError as error:
            return [error.message]
        if manifest is None:
            return ["The run has no manifest: it did not end with a result."]
        found = []
        for name, digest in manifest["files"].items():
            try:
                file = safe_io.inside(self.path, *name.split("/"))
            except DataError as error:
                found.append(f"manifest.json: {error.message}")
                continue
            if not file.is_file():
                found.append(f"{name} is missing.")
            elif safe_io.sha256_file(file) != digest:
                found.append(f"{name} has changed since the run ended.")
        return found
