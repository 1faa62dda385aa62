"""A finished run put to use: raw rows in, answers out, by the rules and weights that the run kept."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors

from kd_core.data.encoding.taught import taught_labels
from kd_core.data.onnx_file import RUNTIME_ERRORS
from kd_core.data.pictures.column import picture_columns
from kd_core.data.types.raw_rows import Array, Rows
from kd_core.data.types.row_reader import RowReader
from kd_core.errors import KDError, raise_problems
from kd_core.export import compact
from kd_core.export.purpose import Purpose, purpose_from
from kd_core.export.raw_session import RawStudent
from kd_core.export.standalone.table_file import PICTURES
from kd_core.export.standalone.unseen import unseen
from kd_core.runs.store.folder import MODEL, RunFolder
from kd_core.runs.store.runs import RunStore
from kd_core.safe_io import Damaged
from kd_core.workspace import workspace

RANK = "rank"  # the column of ranks beside scores
_UNFIT = (
    OSError,
    KeyError,
    TypeError,
    ValueError,
    RuntimeError,
    safetensors.SafetensorError,
    *RUNTIME_ERRORS,
)  # files that don't fit together


def load(run: Path | str, student: str | None = None) -> Predictor:
    """Open a student of a finished run, by the run's folder or id; the best on validation unless one is named.

    Plain models that the result sets beside the students are kept as well, as `plain linear`, `plain trees_30x15` and so on; of a
    student that its teacher hurt the same one trained alone, as `alone small`.

    `run` may also be a student's file, taken from a run: `.onnx`, or packed, `.onnx.xz`.
    Errors: KDError `no_model`, `no_student`, `run_damaged`, `no_run`; of a file `no_student_file`, `compact_damaged`, `compact_large`.
    """
    if Path(run).is_file():
        return FromFile(Path(run), student)
    folder = RunFolder(run) if Path(run).is_dir() else RunStore(workspace()).folder(str(run))
    result, told = folder.result(), folder.read(MODEL)
    if result is None or told is None:
        raise KDError(
            "Run {run} has no model that takes raw rows: it has not ended, or an earlier version made it.",
            "Resume it, or run it again: open the run and press Clone.",
            "no_model",
            run=folder.id,
        )
    name = student or _best(result)
    with _fitting(folder):
        known = {one["name"]: one for one in (*told.get("alone", ()), *told.get("plain", ()), *told["students"])}
        small = result.get("compressed")
        if name not in known and small is not None and name == small["student"]:
            name = small["stages"][0]["name"]  # the student as it was
        if name in known:
            return Predictor(folder, told, known[name])
    raise KDError(
        "Run {run} has no student '{name}'.",
        "Its students: {known}.",
        "no_student",
        run=folder.id,
        name=name,
        known=", ".join(known),
    )


@contextmanager
def _fitting(folder: RunFolder) -> Iterator[None]:
    """Say that the files of a run do not fit together."""
    try:
        yield
    except _UNFIT as error:
        why = f"does not fit the other files ({type(error).__name__}: {str(error)[:200]})"
        raise folder.damaged(MODEL, Damaged(why)) from None


def _best(result: Mapping[str, Any]) -> str:
    from kd_core.runs.outcome import read_outcome

    if small := result.get("compressed"):
        return str(small["stages"][small["best"] or 0]["name"])
    outcome = read_outcome(result)
    return outcome.students[outcome.best].name


class Predictor:
    """A trained student that answers raw rows: by its deployed file, or by the engine where there is none.

    Legend: N rows, C classes.
    """

    def __init__(self, folder: RunFolder, told: Mapping[str, Any], student: Mapping[str, Any]) -> None:
        self.folder, self.student = folder, student
        self.deployed: RawStudent | None = None
        if student.get("raw"):
            self.deployed = RawStudent(self.kept(student["onnx"]))
            self.purpose = self.deployed.purpose
        else:
            self.purpose = purpose_from({**told, "threshold": student.get("threshold")})
            self.engine  # noqa: B018  # damage is found when the run is opened

    def kept(self, name: str) -> bytes:
        """Read a file that the run kept of the student, by its path in the run's folder. Errors: OSError, DataError."""
        return self.folder.artifact(name.removeprefix("artifacts/")).read_bytes()

    @functools.cached_property
    def engine(self) -> Engine:
        """The student as it was trained: its view and its network."""
        with _fitting(self.folder):
            view = {Path(name).name: self.kept(name) for name in self.student["view"]}
            return Engine(view, self.kept(self.student["weights"]), self.student, self.purpose)

    @property
    def columns(self) -> tuple[str, ...]:
        """Name the columns that a row must have, in the order of rows that are lists."""
        return tuple(self.deployed.reader.types if self.deployed else self.engine.view.types)

    def ask(self, rows: Rows) -> tuple[Array, tuple[str, ...]]:
        """Answer raw rows as `answers` does, and return what it would warn of. Errors: as `answers`."""
        return self.deployed.run(rows) if self.deployed else self.engine.run(rows)

    def untaught(self, rows: Rows) -> tuple[str, ...]:
        """Say which values of categories the student was never taught, as its bundle does. Errors: as `answers`."""
        reader = self.deployed.reader if self.deployed else self.engine.reader
        return unseen(self._taught, reader.read(rows)[0]) if self._taught else ()

    @functools.cached_property
    def _taught(self) -> dict[str, list[str]]:
        with _fitting(self.folder):
            return taught_labels({Path(name).name: self.kept(name) for name in self.student.get("view", ())})

    def answers(self, rows: Rows) -> Array:
        """Answer raw rows; warnings name columns that are not used and values that could not be read.

        Shape: N rows -> probabilities (N, C), or values (N, 1) in the target's unit; of several targets all side by side.
        Errors: DataError `columns_missing`, `columns_twice`, `row_width`, `cell_of_many`, `pictures_not_read`.
        """
        found, said = self.ask(rows)
        for one in said:
            warnings.warn(one, stacklevel=2)
        return found

    def answer(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one raw row quickly, with the columns of `predict` by name.

        Errors: as `answers`.
        """
        (found,) = self.answers(row).tolist()
        return self.purpose.questions.named(found)

    def predict(self, rows: Rows) -> pd.DataFrame:
        """Answer raw rows: dicts by column name, lists in the order of `columns`, or a data frame.

        The column named as the target holds the likeliest class, and `p_<class>` the probabilities; or it holds the number in
        the target's unit. Of labels each has a column of 0 and 1 and its `p_<label>`; of several targets each has its own, and
        `p_<target>: <class>`; of a catalogue `item_1` to `item_10` hold the likeliest items and `p_1` to `p_10` their shares. Where only the order within a group counts, and rows name their group, `rank` counts from its best row. The index is that of a data frame given, else 0 to N - 1.
        Errors: as `answers`.
        """
        group = self.purpose.group
        return self._ranked(self._answered(rows if group is None else _without(rows, group)), rows)

    def _answered(self, rows: Rows) -> pd.DataFrame:
        """Answer raw rows, each by itself. Errors: as `answers`."""
        index = rows.index if isinstance(rows, pd.DataFrame) else None
        return pd.DataFrame(self.purpose.questions.columns(self.answers(rows)), index)

    def _ranked(self, frame: pd.DataFrame, rows: Rows) -> pd.DataFrame:
        """Add the ranks of scores within their group, where the rows name it."""
        purpose = self.purpose
        group = None if purpose.group is None else _column(rows, purpose.group)
        if group is None:
            return frame
        name = RANK if purpose.target != RANK else f"{RANK}_"
        return frame.assign(**{name: ranks(frame[purpose.target].to_numpy(), group)})

    @property
    def classes_(self) -> Array:
        """Name the classes in the order of `predict_proba`, as scikit-learn's classifiers do; none where a number is predicted."""
        return np.array(self.purpose.classes, dtype=object)

    def predict_proba(self, rows: Rows) -> Array:
        """Answer raw rows with the probability of each of `classes_`, as scikit-learn's classifiers do.

        Shape: N rows -> (N, C). Errors: KDError `no_classes` where a number is predicted; as `answers`.
        """
        if not self.purpose.task.has_classes:
            raise KDError(
                "'{target}' is no single choice among classes, so there are no classes with probabilities that add up to 1.",
                "Ask predict or answers instead.",
                "no_classes",
                target=self.purpose.target,
            )
        return self.answers(rows)

    def predict_file(self, path: Path | str, name: str | None = None, beside: Path | None = None) -> pd.DataFrame:
        """Answer the rows of a file, laid out as the file of the run was: separator, encoding and first row; or one picture.

        What the reader found odd is told by warnings. `beside`: the folder of pictures that the rows name.
        Errors: DataError as for any file, `ragged_rows` where rows would be left out; as `answers`, `with_files`.
        """
        from kd_core.data.files.reading import read_table  # brings the readers along; rows alone need none

        types = self.deployed.reader.types if self.deployed else self.engine.view.types
        pictures = picture_columns(types)
        if Path(path).suffix.lower() in PICTURES and set(pictures) == set(types):
            return self.predict(dict.fromkeys(pictures, Path(path).read_bytes()))
        table = read_table(path, self.purpose.read, name)
        raise_problems([replace(p, severity="error") for p in table.problems if p.code == "ragged_rows"])
        for problem in table.problems:
            warnings.warn(problem.message, stacklevel=2)
        if beside is None:
            return self.predict(table.frame)
        from kd_core.data.pictures.beside import with_files

        return self.predict(with_files(table.frame, pictures, beside))


def _column(rows: Rows, name: str) -> Any:
    """Return a column that is not for the student, None where the rows have none, or can be read once alone."""
    if isinstance(rows, pd.DataFrame):
        return rows.get(name)
    several = [rows] if isinstance(rows, Mapping) else rows
    if not isinstance(several, (list, tuple)):
        return None
    found = [row[name] for row in several if isinstance(row, Mapping) and name in row]
    return pd.Series(found, dtype="object") if len(found) == len(several) else None


def _without(rows: Rows, name: str) -> Rows:
    """Leave a column out that is known not to be for the student, so that nobody is told that it is not used."""
    if isinstance(rows, pd.DataFrame):
        return rows.drop(columns=name, errors="ignore")
    if isinstance(rows, Mapping):
        return {key: cell for key, cell in rows.items() if key != name}
    if not isinstance(rows, (list, tuple)):
        return rows
    return [{k: c for k, c in row.items() if k != name} if isinstance(row, Mapping) else row for row in rows]


def ranks(score: Array, group: Any) -> Array:
    """Rank rows within their group, 1 the best; equal scores share the better rank, a row without a group is one of its own. Shape: (N,)."""
    codes = pd.factorize(np.asarray(group))[0]
    codes = np.where(codes < 0, len(codes) + np.arange(len(codes)), codes)
    return np.asarray(pd.Series(score).groupby(codes).rank(method="min", ascending=False).astype(np.int64))


class FromFile(Predictor):
    """A student that answers by its deployed file alone. Errors: KDError `no_student_file`, `no_student`, and as `compact.unpacked`."""

    def __init__(self, path: Path, student: str | None = None) -> None:
        if student is not None:
            raise KDError(
                "{name} holds one student, which has no name in it; '{student}' was asked for.",
                "Leave the name out, or give the run instead of the file.",
                "no_student",
                name=path.name,
                student=student,
            )
        data = path.read_bytes()
        if path.name.endswith(compact.SUFFIX):
            data = compact.unpacked(data)
        try:
            self.deployed = RawStudent(data)
            self._taught = {}  # only a run keeps what its view has learned
        except _UNFIT as error:
            raise KDError(
                "{name} is not a student's file that takes raw columns ({why}).",
                "Give a file .onnx or {suffix} from a run's artifacts/students, or the run itself.",
                "no_student_file",
                name=path.name,
                why=f"{type(error).__name__}: {str(error)[:200]}",
                suffix=compact.SUFFIX,
            ) from None
        self.purpose = self.deployed.purpose


class Engine:
    """A student as the engine answers with it, by the view and the weights that the run kept."""

    def __init__(
        self, learned: Mapping[str, bytes], weights: bytes, student: Mapping[str, Any], purpose: Purpose
    ) -> None:
        from kd_core.data.encoding.one_row import OneRow
        from kd_core.models.building import reopened  # torch takes seconds to import, and a deployed file does without

        self.purpose = purpose
        outputs = purpose.task.num_outputs(len(purpose.classes))
        self.view, self.module = reopened(student, learned, weights, purpose.task.name, outputs)
        self.reader = RowReader(self.view.types)
        self.one_row = OneRow.of(getattr(self.view, "blocks", {"": None}), self.view.types)

    def logits(self, rows: Rows) -> tuple[Array, tuple[str, ...]]:
        """Answer with logits, and say what a person should be told. Shape: N rows -> (N, C)."""
        import torch

        from kd_core.machine.device import threads
        from kd_core.training.predict import predict

        alone = self.one_row if type(rows) is dict else None
        if alone is not None and (read := self.reader.one(rows)) is not None:  # type: ignore[arg-type]
            with torch.inference_mode():
                return self.module(torch.from_numpy(alone.encode(read[0]))).logits.numpy(), read[1]
        x, said = self.view.read(rows)
        if not x.shape[0]:  # a batch may be empty
            return np.zeros((0, self.purpose.task.num_outputs(len(self.purpose.classes))), np.float32), said
        if alone is not None:
            self.reader.read(rows)  # texts that were met are read quickly the next time
        with threads(1):
            return predict(self.module, x), said

    def run(self, rows: Rows) -> tuple[Array, tuple[str, ...]]:
        """Answer rows; return what a person should be told as well. Shape: N rows -> (N, C), or (N, 1)."""
        z, said = self.logits(rows)
        return self.purpose.task.table(z, self.purpose.mean, self.purpose.std), said
