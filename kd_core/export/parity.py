"""The proof that what is handed out answers like the app: asked in a process of its own, about raw rows.

Nothing that only this machine has can help it there: this project and the libraries that only training needs can't be imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from kd_core.errors import KDError
from kd_core.export.target import Answers, Row

MOST_ROWS = 1000
LIMIT = 1e-5  # of a probability, or of the target's spread
SECONDS = 300  # that a made target may take for all of them
REFUSED = ("kd_core", "torch", "pandas", "sklearn", "scipy", "pyarrow", "onnx", "lightgbm", "pydantic")
_SHOWN = 200  # letters of what a process said
_KEPT = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "LANG")  # of the environment: what a fresh shell would have as well

Asked = Callable[[Path, Path], list[str]]


@dataclass(frozen=True)
class Parity:
    """How far a made target's answers are from the app's. `largest`: in probabilities, or shares of the target's spread."""

    rows: int
    largest: float
    limit: float
    seconds: float

    def told(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return asdict(self)


def prove(
    asked: Asked, folder: Path, rows: Sequence[Row], answers: Answers, spread: float | npt.NDArray[Any] = 1.0
) -> Parity:
    """Ask a made target about raw rows in a clean process and compare.

    `spread`: of the target's numbers, each by itself where there are several; 1 for probabilities. Errors: KDError `export_not_run`, `export_unlike`.
    """
    before = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="kd-proof-") as place:
        path = write_rows(rows[:MOST_ROWS], Path(place))
        found = _answers(asked(folder, path), Path(place))
    wanted = np.asarray(answers[:MOST_ROWS], np.float64)
    if found.shape != wanted.shape:
        raise _not_run(f"it answered {found.shape} numbers where {wanted.shape} were asked for")
    apart = (np.abs(found - wanted) / spread).max(axis=1, initial=0.0)
    largest = float(apart.max(initial=0.0))
    if not largest <= LIMIT:  # NaN is no proof either
        worst = int(np.argmax(np.where(np.isnan(apart), np.inf, apart)))
        raise KDError(
            "What was made answers otherwise than the app: {largest:.2g} apart, {limit:.0e} is allowed. Row {number:,} of {rows:,}: {row}.",
            "It is not offered. Take the run's own file by `predict`, and report these rows.",
            "export_unlike",
            largest=largest,
            limit=LIMIT,
            number=worst + 1,
            rows=len(wanted),
            row=_shown(rows[worst]),
        )
    return Parity(len(wanted), largest, LIMIT, time.perf_counter() - before)


def write_rows(rows: Sequence[Row], place: Path) -> Path:
    """Write rows as JSON, pictures as files beside it that the rows name; return the JSON's path."""
    told: list[dict[str, Any]] = []
    for number, row in enumerate(rows):
        cells = dict(row)
        for at, (name, cell) in enumerate(row.items()):
            if isinstance(cell, bytes):
                cells[name] = f"{number}_{at}.png"
                (place / str(cells[name])).write_bytes(cell)
        told.append(cells)
    path = place / "rows.json"
    path.write_text(json.dumps(told), "utf-8")
    return path


def clean_python(code: str, *arguments: str) -> list[str]:
    """Return a command that runs a line of Python where none of `REFUSED` can be imported, and nothing of this folder."""
    gate = (
        "import sys\n"
        "class Gate:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {REFUSED!r}:\n"
        "            raise ModuleNotFoundError(name + ' is not there in a clean process', name=name)\n"
        "sys.meta_path.insert(0, Gate())\n"
    )
    return [sys.executable, "-I", "-B", "-c", gate + code, *arguments]


def _answers(command: Sequence[str], place: Path) -> Any:
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=place, env=kept, timeout=SECONDS, encoding="utf-8", check=False
        )
    except subprocess.TimeoutExpired:
        raise _not_run(f"it took longer than {SECONDS} seconds") from None
    except OSError as error:
        raise _not_run(str(error)) from None
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise _not_run(f"it ended with {done.returncode}: {said[:_SHOWN]}")
    try:
        return np.array(json.loads(lines[-1])["answers"], np.float64)
    except (ValueError, KeyError, TypeError):
        raise _not_run(f"it answered {lines[-1][:_SHOWN]!r}") from None


def _not_run(why: str) -> KDError:
    return KDError(
        "What was made could not be asked in a clean process: {why}.",
        "It is not offered, as nothing is proved. Try again; report it if it stays so.",
        "export_not_run",
        why=why,
    )


def _shown(row: Row) -> str:
    cells = {name: f"{len(cell):,} bytes" if isinstance(cell, bytes) else cell for name, cell in row.items()}
    text = json.dumps(cells, ensure_ascii=False)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
