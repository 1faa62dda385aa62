"""An uploaded ONNX file as a teacher: asked about every row in a limited child process."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.files import sandbox
from kd_core.data.input_spec import TABLE, InputSpec
from kd_core.data.view import View
from kd_core.errors import DataError, Says
from kd_core.limits import ONNX_SECONDS
from kd_core.models.building import SHORT_FORM
from kd_core.specs import FILE, Spec, unit
from kd_core.task import IN_FULL, SOME_CLASSES, task_of
from kd_core.teachers import foreign_files
from kd_core.teachers.base import SOURCES, Answered, Ask
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import MAYBE_SEEN, Form, logits_of, settled, told

PIXELS = "pixels"
VIEWS = (TABLE, "tokens", PIXELS)  # ways to read rows that a file may have been made for
OPENS = ("onnx",)
_WORDS = ("logit", "prob", "score", "output")  # in names of outputs that hold answers, first things first
_READS = Says(
    "onnx_reads",
    "note",
    "The ONNX file reads the {view} view ({shape}); its output '{output}' is taken for the classes in the order {classes}.",
)


class OnnxSpec(Spec):
    """Which file, and what its numbers are."""

    later = ("pixels",)

    path: str = Field(
        "",
        pattern=f"{FILE}|^$",
        description="The model, as one ONNX file.",
        json_schema_extra=unit("file", file=(".onnx", *foreign_files.ENDINGS)),
    )
    form: Form = Field(
        "auto", description="What the numbers are; told from the numbers when auto.", json_schema_extra=unit("name")
    )
    pixels: Literal["0_to_1", "0_to_255"] = Field(
        "0_to_1",
        description="Of a model that reads pictures as fractions: from what to what a band goes.",
        json_schema_extra=unit("name"),
    )


@dataclass(frozen=True)
class OnnxModel:
    """A file that can be asked about rows: `Live`."""

    file: Path
    source: Mapping[str, Any]
    output: str
    dataset: Dataset
    view: View | None
    form: Form
    pixels: str = "0_to_1"

    def _given(self, x: Array) -> Array:
        """Turn pictures (N, bands, height, width) as the file wants them: bands last, where it takes them so."""
        wanted = self.source["shape"][1:]
        return np.moveaxis(x, 1, -1) if x.ndim == 4 and not _same(wanted, x.shape[1:]) else x

    def numbers(self, parts: Sequence[Array]) -> tuple[list[Array], dict[str, Any]]:
        """Ask about encoded rows; with the time per batch. Shape: each (N, ...) -> (N, K) float32."""
        with tempfile.TemporaryDirectory(prefix="kd-onnx-") as folder:
            names = [str(Path(folder) / str(i)) for i in range(len(parts))]
            for name, x in zip(names, parts, strict=True):
                np.save(f"{name}.npy", self._given(x), allow_pickle=False)
            batch, dtype = self.source["shape"][0], self.source["dtype"]
            fractions = parts[0].dtype == np.uint8 and dtype.startswith("float") and self.pixels == "0_to_1"
            factor = 1 / 255 if fractions else 1.0
            latency = _limited("answer", str(self.file), self.source["name"], self.output, dtype, batch, names, factor)
            return [np.load(f"{name}.answer.npy", allow_pickle=False) for name in names], latency

    def ask(self, rows: pd.DataFrame) -> Array:
        """Answer raw rows. Shape: N rows -> (N, C) float32 logits."""
        assert self.view is not None
        x, _ = self.view.read(rows[[name for name in self.view.types if name in rows]])
        found, _ = self.numbers([x])
        return logits_of(found[0], self.dataset, self.form)[0]

    def save(self, folder: Path) -> None:
        """Copy the file; `load` opens it for a dataset that is read in the same way."""
        shutil.copyfile(self.file, folder / "teacher.onnx")

    @classmethod
    def load(cls, folder: Path, dataset: Dataset, form: Form = "auto", pixels: str = "0_to_1") -> OnnxModel:
        """Open what `save` wrote. Errors: DataError as `open_model`."""
        return open_model(folder / "teacher.onnx", dataset, form, pixels)[0]


def open_model(file: Path, dataset: Dataset, form: Form, pixels: str = "0_to_1") -> tuple[OnnxModel, InputSpec, int]:
    """Find what a file reads and answers among what a dataset offers; with its view and the number of its weights.

    Errors: DataError `onnx_input`, `onnx_output`, and those of `onnx_file.describe`.
    """
    found = _limited("describe", str(file.resolve()))
    source = found["inputs"][0]
    offered = {kind: dataset.view(kind) for kind in VIEWS if kind in dataset.views.kinds}
    fitting = [v for v in offered.values() if len(found["inputs"]) == 1 and _fits(source, v.spec)]
    if not fitting:
        raise DataError(
            "The ONNX file reads {found}; rows of this dataset can be read as {offered}.",
            "Export it with one input for rows as this dataset is read: all columns encoded, word pieces, or pictures.",
            "onnx_input",
            found=" and ".join(f"'{i['name']}' {_shape(i['dtype'], i['shape'][1:])}" for i in found["inputs"]),
            offered=" or ".join(f"{kind} {_shape(v.spec.dtype, v.spec.shape)}" for kind, v in offered.items())
            or "nothing",
        )
    sizes = (dataset.num_outputs, 1, None)
    outputs = [o for o in found["outputs"] if o["dtype"].startswith("float") and (o["shape"][1:] or [1])[-1] in sizes]
    if not outputs:
        raise DataError(
            "No output of the ONNX file holds {wanted} numbers a row; found: {found}.",
            "Export one with logits or probabilities of all classes; of scikit-learn models with zipmap=False.",
            "onnx_output",
            wanted=dataset.num_outputs,
            found=", ".join(f"'{o['name']}' {_shape(o['dtype'], o['shape'][1:])}" for o in found["outputs"]),
        )
    output = min(
        outputs, key=lambda o: next((i for i, w in enumerate(_WORDS) if w in o["name"].casefold()), len(_WORDS))
    )
    view = fitting[0]
    return OnnxModel(file, source, output["name"], dataset, view.view, form, pixels), view.spec, found["parameters"]


def opened(spec: OnnxSpec, dataset: Dataset) -> OnnxModel:
    """Open a file for new rows, what its numbers are settled by all validation rows. Errors: as `open_model`."""
    model, reads, _ = open_model(foreign_files.check(spec.path, OPENS), dataset, spec.form, spec.pixels)
    if spec.form != "auto" or not SOME_CLASSES(task_of(dataset.task)):
        return model
    (values,), _ = model.numbers([dataset.view(reads.kind).parts["validation"]])
    return replace(model, form=settled(values, spec.form))


def _missing(spec: OnnxSpec) -> DataError | None:
    return None if spec.path else DataError("No ONNX file is chosen.", "Upload one (path).", "no_file")


@SOURCES.register(
    "onnx",
    title="ONNX file",
    spec=OnnxSpec,
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    takes=VIEWS,
    gives=frozenset({"logits"}),
    family="given",
    missing=_missing,
    opens=OPENS,
    live=lambda spec, dataset: opened(spec, dataset),
    refuses=lambda spec: foreign_files.why_not(spec.path, OPENS),
)
def answer(spec: OnnxSpec, ask: Ask) -> Answered:
    """Ask the file about every row of the dataset. Errors: DataError, Stopped."""
    stop_if_asked(ask.should_stop)
    if error := _missing(spec):
        raise error
    start, dataset = time.perf_counter(), ask.dataset
    file = foreign_files.check(spec.path, OPENS)
    model, reads, parameters = open_model(file, dataset, spec.form, spec.pixels)
    stop_if_asked(ask.should_stop)
    parts = dataset.view(reads.kind).parts
    found, latency = model.numbers([parts[split] for split in SPLITS])
    if not all(np.isfinite(z).all() for z in found):
        raise DataError("The ONNX file answers some rows with no number.", "Check the model.", "onnx_nan")
    z, taken = logits_of(np.concatenate(found), dataset, spec.form)
    logits = dict(zip(SPLITS, np.split(z, np.cumsum([len(x) for x in found])[:-1]), strict=True))
    about = _READS.problem(
        view=reads.kind,
        shape=_shape(reads.dtype, reads.shape),
        output=model.output,
        classes=", ".join(dataset.classes[:20]) or "of one number",
    )
    notes = tuple(told(problem) for problem in (about, taken, MAYBE_SEEN.problem()))
    seconds = time.perf_counter() - start
    size = file.stat().st_size
    return Answered(logits, parameters, size, {"onnxruntime": latency}, seconds, notes=notes, live=model)


def _limited(function: str, *arguments: Any) -> Any:
    try:
        return sandbox.call(f"kd_core.data.onnx_file:{function}", *arguments, seconds=ONNX_SECONDS)
    except DataError as error:
        if not error.code.startswith("parse_"):
            raise
        raise DataError(
            "The ONNX file was stopped in its child process: {why}",
            "Use a smaller model, or fewer rows; or save its answers as soft labels.",
            "onnx_stopped",
            why=error.message,
        ) from None


def _fits(source: Mapping[str, Any], rows: InputSpec) -> bool:
    """Say whether rows have the shape that is read; where both are whole numbers, or both are not. Pictures may have their bands last."""
    own, theirs = source["shape"][1:], list(rows.shape)
    if rows.kind == PIXELS:
        return source["dtype"] != "other" and (_same(own, theirs) or _same(own, [*theirs[1:], theirs[0]]))
    kinds = [np.dtype(rows.dtype).kind, "f" if source["dtype"].startswith("float") else "i"]
    return _same(own, theirs) and source["dtype"] != "other" and kinds[0] == kinds[1]


def _same(own: Sequence[int | None], theirs: Sequence[int]) -> bool:
    return len(own) == len(theirs) and all(a in (None, b) for a, b in zip(own, theirs, strict=True))


def _shape(dtype: str, shape: Sequence[int | None]) -> str:
    return f"{dtype} [{', '.join(['rows', *('any' if n is None else str(n) for n in shape)])}]"
