"""The list of runs as a small database: quick to ask, and never the only copy of anything."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kd_core.errors import KDError
from kd_core.runs.store.rows import COLUMNS, RunRow, from_record, to_record

VERSION = 11  # 2: what-ifs are marked; 3: the student shown is the best on validation, with its difference to the teacher; 4: its bytes; 5: of a run that made a student smaller the chosen stage; 6: the gain has the interval that its word follows; 7: a what-if's name tells the seeds that it has, and a row whether its score is of the student trained alone; 8: a run that made nothing smaller says so; 9: the plain model that is no worse; 10: a student that is its own baseline has no gain; 11: the plain model that is to be taken
BUSY_SECONDS = 5.0

_SCHEMA = f"""
CREATE TABLE runs (
  {", ".join("id TEXT PRIMARY KEY" if c == "id" else c for c in COLUMNS)}
)
"""
_INDEXES = (
    "CREATE INDEX by_created ON runs (created_utc DESC, id DESC)",
    "CREATE INDEX by_state ON runs (state)",
    "CREATE INDEX by_work ON runs (work_hash)",
    "CREATE INDEX by_click ON runs (click) WHERE click IS NOT NULL",
)


class RunIndex:
    """SQLite in WAL mode with short connections; a damaged file is set aside and filled again from the folders.

    `refill` yields the rows to start again from; `on_damage` is told the sentence to show.
    """

    def __init__(self, path: Path, refill: Callable[[], list[RunRow]], on_damage: Callable[[str], None]) -> None:
        self.path = path
        self._refill = refill
        self._on_damage = on_damage
        self._mending = threading.RLock()
        self._release: Callable[[], object] = lambda: None
        self._open_first()
        if not getattr(self._release, "alive", False):
            self._hold()

    def _hold(self) -> None:
        """Keep one idle connection, so that the WAL files stay: making them anew fails on a full disk."""
        self._anchor = self._connect()
        self._anchor.execute("SELECT count(*) FROM sqlite_master").fetchone()
        self._release = weakref.finalize(self, self._anchor.close)

    def _open_first(self) -> None:
        try:
            with contextlib.closing(self._connect()) as db:
                version = db.execute("PRAGMA user_version").fetchone()[0]
                sound = db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
                tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'runs'").fetchone()[0]
        except sqlite3.DatabaseError as error:
            if not _damaged(error):
                raise _refused(error) from error
            sound, version, tables = False, VERSION, 1
        if not sound:
            self._set_aside("damaged")
        elif version not in (0, VERSION):
            self._set_aside("of another version")
        elif not tables:
            self.replace_all(self._refill())

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = NORMAL")  # a power cut may lose the last commits; the folders keep them
        except BaseException:
            db.close()
            raise
        return db

    def _is_sound(self) -> bool:
        try:
            with contextlib.closing(self._connect()) as db:
                checked = db.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok"
                return checked and bool(db.execute("SELECT count(*) FROM runs").fetchall())
        except sqlite3.DatabaseError as error:
            return not _damaged(error)

    def _set_aside(self, why: str) -> None:
        with self._mending:
            if why == "damaged" and self._is_sound():
                return  # another thread has built it again already
            self._release()
            kept = self.path.with_name(f"{self.path.name}.corrupt-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
            self.path.replace(kept)
            for tail in ("-wal", "-shm"):
                self.path.with_name(self.path.name + tail).unlink(missing_ok=True)
            rows = self._refill()
            self.replace_all(rows)
            self._hold()
        self._on_damage(
            f"The list of runs was {why}; it has been built again from {len(rows)} run folders. "
            f"The old file is kept as {kept.name}."
        )

    @contextlib.contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        try:
            with contextlib.closing(self._connect()) as db:
                yield db
        except sqlite3.DatabaseError as error:
            if not _damaged(error):
                raise _refused(error) from error
            raise _Damaged from error

    def ask(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Run one query and return all its records."""
        try:
            with self._using() as db:
                return db.execute(query, values).fetchall()
        except _Damaged:
            self._set_aside("damaged")
        with self._using() as db:
            return db.execute(query, values).fetchall()

    def rows(self, where: str = "", values: tuple[Any, ...] = ()) -> list[RunRow]:
        """Return the rows that fit; `where` starts with WHERE or ORDER BY."""
        return [from_record(r) for r in self.ask(f"SELECT {', '.join(COLUMNS)} FROM runs {where}", values)]  # noqa: S608

    def put(self, row: RunRow) -> None:
        """Add or replace one row."""
        self.ask(f"INSERT OR REPLACE INTO runs VALUES ({', '.join('?' * len(COLUMNS))})", to_record(row))  # noqa: S608

    def drop(self, run_id: str) -> None:
        """Remove one row."""
        self.ask("DELETE FROM runs WHERE id = ?", (run_id,))

    def replace_all(self, rows: list[RunRow]) -> None:
        """Start again with exactly these rows, in one transaction."""
        with self._using() as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute("DROP TABLE IF EXISTS runs")
            db.execute(_SCHEMA)
            for index in _INDEXES:
                db.execute(index)
            marks = ", ".join("?" * len(COLUMNS))
            db.executemany(f"INSERT OR REPLACE INTO runs VALUES ({marks})", [to_record(r) for r in rows])  # noqa: S608
            db.execute(f"PRAGMA user_version = {VERSION}")
            db.execute("COMMIT")


class _Damaged(Exception):
    """The file holds no readable database."""


_DAMAGE = frozenset({"SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_IOERR_SHORT_READ"})


def _damaged(error: sqlite3.DatabaseError) -> bool:
    """Tell damage from a full disk, a lock or a missing right, where setting the file aside would only harm."""
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith(tuple(_DAMAGE)) or "no such table" in str(error)


def _refused(error: sqlite3.DatabaseError) -> KDError:
    return KDError(
        "The list of runs can't be used: {error}.",
        "Try again in a moment; check the free disk space.",
        "index_refused",
        error=str(error),
    )
