"""All runs of a workspace: found, listed, annotated, deleted."""

from __future__ import annotations

import random
import re
import shutil
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kd_core import limits, safe_io
from kd_core.errors import KDError
from kd_core.runs.service.disk import may_pass
from kd_core.runs.service.locks import is_locked
from kd_core.runs.store.events import utc_now
from kd_core.runs.store.folder import ACTIVE, DAMAGED, RunFolder
from kd_core.runs.store.index import RunIndex
from kd_core.runs.store.rows import RunError, RunRow, damaged_row, row_of
from kd_core.specs import RunSpec

if TYPE_CHECKING:
    from kd_core.runs.view.snapshot import Snapshot

NAME_LENGTH = 120
PAGE = 50  # rows per page of the list
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_READING = (KDError, OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError)  # what damage raises
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # no letters that look like digits


States = tuple[str, ...] | list[str] | None
Strings = list[str]
Rows = list[RunRow]


class RunStore:
    """The runs of a workspace. The folders are the truth; the database is an index that can be built again."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root)
        self.runs = self.root / "runs"
        self.runs.mkdir(parents=True, exist_ok=True)
        self._notices: list[str] = []
        self._unreadable: list[str] = []
        self._lock = threading.Lock()
        self.index = RunIndex(self.root / "runs.sqlite", self._read_folders, self._notices.append)

    def create(self, spec: RunSpec, *, click: str | None = None) -> str:
        """Make a queued run and return its id; it takes the last place in the queue."""
        with self._lock:
            number = (self.index.ask("SELECT max(queue_number) FROM runs")[0][0] or 0) + 1
            while (self.runs / (run_id := new_id())).exists():
                pass
            folder = RunFolder.create(
                self.runs / run_id, spec, created_utc=utc_now(), queue_number=number, click=click, attempts=0
            )
            self.index.put(row_of(folder))
        return run_id

    def folder(self, run_id: str) -> RunFolder:
        """Return a run's folder.

        Errors: KDError `no_run`, also for ids that are no plain names; DataError for a link that leads elsewhere.
        """
        if _ID.fullmatch(run_id):
            path = safe_io.inside(self.runs, run_id)
            if path.is_dir():
                return RunFolder(path)
        raise KDError("There is no run {run_id!r}.", "Choose one from the list of runs.", "no_run", run_id=run_id[:80])

    def get(self, run_id: str) -> RunRow:
        """Return a run's row. Errors: KDError `no_run`."""
        found = self.index.rows("WHERE id = ?", (run_id,))
        return found[0] if found else self.refresh(run_id)

    def refresh(self, run_id: str) -> RunRow:
        """Read a run's row from its folder again and remember it; one that can't be read is marked damaged.

        Errors: KDError `no_run` when neither the list nor a folder knows it.
        """
        try:
            row = row_of(self.folder(run_id))
        except _READING as error:
            found = self.index.rows("WHERE id = ?", (run_id,))
            if may_pass(error) or not (found or self._is_run(run_id)):
                raise
            return self._keep_damaged(run_id, self._damage(run_id, error), found[0] if found else None)
        self.index.put(row)
        return row

    def mark_damaged(self, run_id: str, error: RunError) -> RunRow:
        """Mark a run of the list damaged, whatever its folder says."""
        found = self.index.rows("WHERE id = ?", (run_id,))
        return self._keep_damaged(run_id, error, found[0] if found else None)

    def _keep_damaged(self, run_id: str, error: RunError, before: RunRow | None) -> RunRow:
        row = damaged_row(run_id, error, before)
        self.index.put(row)
        return row

    def _is_run(self, run_id: str) -> bool:
        kept = (self.runs / run_id / name for name in ("spec.json", "status.json", "manifest.json"))
        return bool(_ID.fullmatch(run_id)) and any(file.exists() for file in kept)

    def _damage(self, run_id: str, error: Exception) -> RunError:
        """Say in words why a run's folder gives no row."""
        path = self.runs / run_id
        if not path.exists() and not path.is_symlink():
            return RunError(
                "folder_gone",
                f"The folder of run {run_id} is gone: it was removed or moved by hand.",
                "Put it back, or delete the run to take it from the list.",
            )
        if isinstance(error, KDError):
            return RunError(error.code, error.message, error.hint)
        return RunError(
            "run_damaged",
            f"Run {run_id} is damaged: {type(error).__name__} while its folder was read.",
            "Restore its folder from a copy, or delete the run.",
        )

    def list(
        self,
        states: States = None,
        text: str | None = None,
        starred: bool | None = None,
        limit: int = PAGE,
        offset: int = 0,
        sweep: bool | None = None,
    ) -> Rows:
        """Return one page of rows, newest first; `sweep` True: what-ifs only, False: ordinary runs only.

        `text` is looked for in name, id, dataset, target, teacher, students and note, whatever the case.
        """
        where, values = _filter(states, text, starred, sweep)
        return self.index.rows(
            f"{where} ORDER BY created_utc DESC, id DESC LIMIT ? OFFSET ?", (*values, int(limit), int(offset))
        )

    def count(
        self, states: States = None, text: str | None = None, starred: bool | None = None, sweep: bool | None = None
    ) -> int:
        """Count the rows that `list` would page through."""
        where, values = _filter(states, text, starred, sweep)
        return int(self.index.ask(f"SELECT count(*) FROM runs {where}", values)[0][0])  # noqa: S608

    def queue(self) -> tuple[str, ...]:
        """Return the ids of waiting runs, next first."""
        found = self.index.ask("SELECT id FROM runs WHERE state = 'queued' ORDER BY queue_number, id")
        return tuple(r[0] for r in found)

    def requeue(self, run_id: str) -> None:
        """Put a run that has ended at the end of the queue; what it kept is gone on from."""
        folder = self.folder(run_id)
        number = (self.index.ask("SELECT max(queue_number) FROM runs")[0][0] or 0) + 1
        folder.stop_path.unlink(missing_ok=True)
        folder.write_status(state="queued", queue_number=number, error=None, ended_utc=None)
        self.refresh(run_id)

    def find_work(self, work_hash: str, states: tuple[str, ...] = (*ACTIVE, "done")) -> RunRow | None:
        """Find the newest run of the same work, active ones first; None when there is none."""
        marks = ", ".join("?" * len(states))
        found = self.index.rows(
            f"WHERE work_hash = ? AND state IN ({marks}) ORDER BY state = 'done', created_utc DESC LIMIT 1",
            (work_hash, *states),
        )
        return found[0] if found else None

    def find_click(self, click: str) -> RunRow | None:
        """Find the run that a press of Start made already."""
        found = self.index.rows("WHERE click = ? ORDER BY created_utc LIMIT 1", (click,))
        return found[0] if found else None

    def snapshot(self, run_id: str, max_points: int = limits.CURVE_POINTS) -> Snapshot:
        """Return everything a live page shows of a run; cheap to ask every 2 s. `max_points` 0 leaves its curves out."""
        from kd_core.runs.view.snapshot import snapshot  # needs numpy, which listing runs does not

        found = snapshot(self.folder(run_id), max_points)
        return found.at_place(self.place(run_id) if found.state == "queued" else None)

    def place(self, run_id: str) -> int | None:
        """Return a waiting run's place in the queue, 1 for the next; None when it isn't waiting."""
        waiting = self.queue()
        return waiting.index(run_id) + 1 if run_id in waiting else None

    def set_note(self, run_id: str, note: str) -> None:
        """Keep a person's note with the run."""
        self.folder(run_id).annotate(note=note)
        self.refresh(run_id)

    def set_name(self, run_id: str, name: str) -> None:
        """Call a run by a name of the person's own; an empty one brings the recipe's back. The recipe stays as it is."""
        self.folder(run_id).annotate(name=" ".join(name.split())[:NAME_LENGTH])
        self.refresh(run_id)

    def star(self, run_id: str, star: bool = True) -> None:
        """Mark a run, or take the mark away."""
        self.folder(run_id).annotate(star=bool(star))
        self.refresh(run_id)

    def delete(self, run_id: str) -> None:
        """Delete a run with its folder; a damaged one too, and one whose folder is gone already.

        Errors: KDError `run_active` while it waits or works.
        """
        row, path = self.get(run_id), self.runs / run_id
        if row.state != DAMAGED:
            row = self.refresh(run_id)
        if row.state in ACTIVE or is_locked(path / "lock"):
            raise KDError(
                "Run {run_id} is still {state}.",
                "Stop it first, then delete it.",
                "run_active",
                run_id=run_id,
                state=row.state if row.state in ACTIVE else "running",
            )
        if path.is_symlink() or path.is_file():
            path.unlink()  # what a link leads to is not ours
        elif path.exists():
            shutil.rmtree(path)
        self.index.drop(run_id)

    def rebuild(self) -> int:
        """Build the index again from the run folders and return how many runs it holds."""
        rows = self._read_folders()
        self.index.replace_all(rows)
        return len(rows)

    def adopt(self) -> int:
        """Add run folders that the index doesn't know, such as copied ones, and return how many.

        Runs whose folder is gone are marked so; damaged ones are looked at again.
        """
        known = dict(self.index.ask("SELECT id, state FROM runs"))
        rows = self._read_folders(set(known))
        for row in rows:
            self.index.put(row)
        here = {p.name for p in self.runs.iterdir()}
        for run_id, state in known.items():
            if run_id not in here or state == DAMAGED:
                self.refresh(run_id)
        return len(rows)

    def take_notices(self) -> Strings:
        """Return what a person should be told once, such as a rebuilt list; the next call returns nothing."""
        told, self._notices[:] = list(self._notices), []
        return told

    def _read_folders(self, known: set[str] | frozenset[str] = frozenset()) -> Rows:
        rows, unreadable = [], []
        for path in sorted(self.runs.iterdir()):
            if path.name in known or not self._is_run(path.name):
                continue
            try:
                rows.append(row_of(self.folder(path.name)))
            except _READING as error:
                said = self._damage(path.name, error)
                rows.append(damaged_row(path.name, said, None))
                unreadable.append(f"Run {path.name} can't be read and is marked damaged: {said.message}")
        self._notices.extend(t for t in unreadable if t not in self._unreadable)
        self._unreadable = unreadable
        return rows


def new_id() -> str:
    """Make a short id that sorts by time and is safe in a URL, such as `20261120-2151-k3f9`."""
    return f"{datetime.now(UTC):%Y%m%d-%H%M}-" + "".join(random.SystemRandom().choices(_ALPHABET, k=4))


def _filter(states: States, text: str | None, starred: bool | None, sweep: bool | None) -> tuple[str, tuple[Any, ...]]:
    parts: list[str] = []
    values: list[Any] = []
    if states is not None:
        parts.append(f"state IN ({', '.join('?' * len(states))})")
        values.extend(states)
    for word in (text or "").casefold().split():
        parts.append("search LIKE ? ESCAPE '\\'")
        values.append("%" + re.sub(r"([\\%_])", r"\\\1", word) + "%")
    if starred is not None:
        parts.append("star = ?")
        values.append(int(starred))
    if sweep is not None:
        parts.append("sweep = ?")
        values.append(int(sweep))
    return ("WHERE " + " AND ".join(parts) if parts else ""), tuple(values)
