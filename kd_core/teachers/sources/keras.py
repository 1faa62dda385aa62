"""A Keras file as a teacher: its layers and weights are taken over, and no code of it is run."""

from __future__ import annotations

import json
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.files import sandbox
from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.data.plain.counted import plural
from kd_core.errors import DataError, Says
from kd_core.machine.device import threads
from kd_core.machine.timing import measure_latency
from kd_core.models.building import SHORT_FORM
from kd_core.specs import FILE, Spec, unit
from kd_core.task import IN_FULL, SOME_CLASSES, task_of
from kd_core.teachers import foreign_files
from kd_core.teachers.base import SOURCES, Answered, Ask, ShouldStop
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import MAYBE_SEEN, Form, class_order, logits_of, settled, told
from kd_core.teachers.keras.rows import Numbers, Rows, Side, Words, reader
from kd_core.teachers.keras.stack import Stack, read
from kd_core.workspace import workspace

OPENS = ("keras", "keras_zip")
MOST_CONFIG_BYTES = 2**24
_READS = Says(
    "keras_reads",
    "note",
    "The Keras file reads {what}; its {outputs} {outputs:output is|outputs are} taken for the classes in the order {classes}.",
    "Check the order of columns and classes: the file does not tell them.",
)
_GAPS = Says(
    "keras_gaps",
    "warning",
    "{count:,} of {all:,} rows have a missing number in a column that the Keras file reads, or no word that it knows.",
    "It does not answer them; they are learned from their label alone.",
)


class KerasSpec(Spec):
    """Which file, and how rows are fed to it."""

    path: str = Field(
        "",
        pattern=f"{FILE}|^$",
        description="The model: .h5, .weights.h5 or .keras, of dense, embedding and LSTM layers.",
        json_schema_extra=unit("file", file=(".h5", ".hdf5", ".keras", *foreign_files.ENDINGS)),
    )
    config: str | None = Field(
        None,
        pattern=FILE,
        description="Of a file of weights alone: its architecture, as model.to_json() writes it.",
        json_schema_extra=unit("file", file=(".json",)),
    )
    layers: str = Field(
        "",
        max_length=2000,
        description="Of a file of weights alone, instead of the architecture: its layers in order with their activations, such as "
        "'embedding, lstm, dense relu, dense softmax'.",
        json_schema_extra=unit("name"),
    )
    columns: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="Columns with the numbers that it reads, in the order of its inputs; all number columns when empty.",
        json_schema_extra=unit("names", columns=True),
    )
    numbers: Literal["as_is", "standardised"] = Field(
        "as_is",
        description="as_is: numbers as they stand in the data; standardised: mean 0 and standard deviation 1 over the training rows here.",
        json_schema_extra=unit("name"),
    )
    text: str | None = Field(
        None,
        max_length=200,
        description="Column of text that a model with an embedding reads instead of numbers.",
        json_schema_extra=unit("name", columns=True),
    )
    vocabulary: str | None = Field(
        None,
        pattern=FILE,
        description="Words and their ids: JSON of a Tokenizer's word_index, or a list as TextVectorization gives it, one word a line. "
        "When empty the text column holds ids.",
        json_schema_extra=unit("file", file=(".json", ".txt")),
    )
    steps: int | None = Field(
        None, ge=1, le=10_000, description="Ids a row, where the model takes any number.", json_schema_extra=unit("ids")
    )
    fill: Side = Field(
        "end", description="Where short texts are filled up with 0.", json_schema_extra=unit("name", advanced=True)
    )
    cut: Side = Field("end", description="Where long texts are cut.", json_schema_extra=unit("name", advanced=True))
    classes: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="Classes in the order of its outputs; that of the data when empty.",
        json_schema_extra=unit("names"),
    )
    form: Form = Field(
        "auto", description="What the numbers are; told from the numbers when auto.", json_schema_extra=unit("name")
    )


@dataclass(frozen=True)
class KerasModel:
    """Layers and the way rows are fed to them: `Live`."""

    stack: Stack
    rows: Rows
    dataset: Dataset
    order: tuple[int, ...]
    form: Form

    def numbers(self, rows: pd.DataFrame, should_stop: ShouldStop = lambda: False) -> Array:
        """Answer raw rows; one with a gap is a row of NaN. Shape: N rows -> (N, K) float32."""
        x, whole = self.rows.read(rows)
        found = np.full((len(rows), self.stack.outputs), np.nan, np.float32)
        parts = []
        for part in self.stack.chunks(x) if len(x) else ():
            stop_if_asked(should_stop)
            parts.append(part)
        if parts:
            found[whole] = np.concatenate(parts)
        if not np.isfinite(found[whole]).all() and not (isinstance(self.rows, Words) and np.isnan(found).any()):
            raise DataError(
                "The Keras file answers some rows with no number.", "Check the model and its columns.", "keras_nan"
            )
        return found[:, list(self.order)] if self.order else found

    def ask(self, rows: pd.DataFrame) -> Array:
        """Answer raw rows. Shape: N rows -> (N, C) float32 logits."""
        return logits_of(self.numbers(rows), self.dataset, self.form)[0]

    def save(self, folder: Path) -> None:
        """Write the layers, their weights and how rows are fed."""
        self.stack.save(folder)
        kept = {"rows": vars(self.rows), "order": self.order, "form": self.form}
        (folder / "rows.json").write_text(json.dumps(kept), "utf-8")

    @classmethod
    def load(cls, folder: Path, dataset: Dataset) -> KerasModel:
        """Open what `save` wrote. Errors: DataError as `stack.made`."""
        kept = json.loads((folder / "rows.json").read_text("utf-8"))
        rows: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in kept["rows"].items()}
        made = Words(**rows) if "column" in rows else Numbers(**rows)
        return cls(Stack.load(folder), made, dataset, tuple(kept["order"]), kept["form"])


def open_stack(spec: KerasSpec) -> Stack:
    """Read the file in a limited child process and put its layers together. Errors: DataError as `foreign_files.check`, `h5_contents.unpack`, `stack.read`."""
    library = DataLibrary(workspace(), UPLOADS)
    path = foreign_files.check(spec.path, OPENS)
    config = None if spec.config is None else _json(library.resolve(spec.config))
    name = foreign_files.name_of(library, spec.path)
    with tempfile.TemporaryDirectory(prefix="kd-keras-") as folder:
        skip = ["optimizer_weights", "optimizer", "_optimizer"]
        members = ["model.weights.h5", "config.json", "metadata.json"]
        found = sandbox.call("kd_core.data.archives.h5_contents:unpack", str(path.resolve()), folder, skip, members)
        count = len(found["arrays"])
        arrays = [np.load(Path(folder) / f"{i}.npy", allow_pickle=False) for i in range(count)]
    return read(found, arrays, config, spec.layers, name)


def open_model(spec: KerasSpec, dataset: Dataset) -> KerasModel:
    """Open the file and find what it reads and answers in a dataset. Errors: those of `open_stack` and `reader`, DataError `keras_outputs`."""
    stack = open_stack(spec)
    words = None if spec.vocabulary is None else DataLibrary(workspace(), UPLOADS).resolve(spec.vocabulary)
    rows = reader(spec, dataset, stack.shape, stack.words, words)
    order = class_order(spec.classes, dataset) if spec.classes else ()
    if stack.outputs not in (dataset.num_outputs, 1):
        raise DataError(
            "The Keras file answers with {found} numbers a row, {wanted} are needed.",
            "Give one per class; for a number or for two classes one is enough.",
            "keras_outputs",
            found=stack.outputs,
            wanted=dataset.num_outputs,
        )
    return KerasModel(stack, rows, dataset, () if stack.outputs == 1 else order, spec.form)


def opened(spec: KerasSpec, dataset: Dataset) -> KerasModel:
    """Open a file for new rows, what its numbers are settled by all validation rows. Errors: as `open_model`."""
    model = open_model(spec, dataset)
    if spec.form != "auto" or not SOME_CLASSES(task_of(dataset.task)):
        return model
    values = model.numbers(dataset.rows.iloc[dataset.validation.row_ids])
    return replace(model, form=settled(values, spec.form))


def _json(path: Path) -> Any:
    try:
        if path.stat().st_size > MOST_CONFIG_BYTES:
            raise ValueError(f"it has more than {MOST_CONFIG_BYTES // 2**20} MB")
        return json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError) as error:
        raise DataError(
            "The architecture can't be read as JSON: {why}.",
            "Write it where the model came from: open('model.json', 'w').write(model.to_json())",
            "keras_config",
            why=str(error)[:100],
        ) from None


def _missing(spec: KerasSpec) -> DataError | None:
    return None if spec.path else DataError("No Keras file is chosen.", "Upload one (path).", "no_file")


@SOURCES.register(
    "keras",
    title="Keras file",
    spec=KerasSpec,
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    takes=(),
    gives=frozenset({"logits"}),
    family="given",
    missing=_missing,
    opens=OPENS,
    live=lambda spec, dataset: opened(spec, dataset),
    refuses=lambda spec: foreign_files.why_not(spec.path, OPENS),
)
def answer(spec: KerasSpec, ask: Ask) -> Answered:
    """Ask the file about every row of the dataset. Errors: DataError, Stopped."""
    stop_if_asked(ask.should_stop)
    if error := _missing(spec):
        raise error
    start, dataset = time.perf_counter(), ask.dataset
    model = open_model(spec, dataset)
    stack, rows = model.stack, model.rows
    with threads(1):
        found = [model.numbers(dataset.rows.iloc[dataset.parts[split].row_ids], ask.should_stop) for split in SPLITS]
        latency = {"whole": measure_latency(model.numbers, lambda n: _some(dataset, n))}
    values = np.concatenate(found)
    gaps = np.isnan(values).all(axis=1)
    if gaps[: len(dataset.train)].all():
        raise DataError(
            "The Keras file answers none of the {rows:,} training rows: all have a missing number in a column that it reads.",
            "Fill the gaps in the data, or read other columns.",
            "keras_no_rows",
            rows=len(dataset.train),
        )
    z, taken = logits_of(values, dataset, spec.form)
    logits = dict(zip(SPLITS, np.split(z, np.cumsum([len(x) for x in found])[:-1]), strict=True))
    notes = [_READS.problem(what=_what(rows), outputs=stack.outputs, classes=_classes(spec, dataset)), taken]
    notes += [_GAPS.problem(count=int(gaps.sum()), all=len(gaps))] if gaps.any() else []
    details = {"layers": [one.kind for one in stack.named]}
    told_notes = tuple(told(problem) for problem in (*notes, MAYBE_SEEN.problem()))
    seconds = time.perf_counter() - start
    size = 4 * stack.parameters
    return Answered(logits, stack.parameters, size, latency, seconds, details=details, notes=told_notes, live=model)


def _some(dataset: Dataset, count: int) -> pd.DataFrame:
    ids = dataset.validation.row_ids
    return dataset.rows.iloc[ids[np.arange(count) % len(ids)]]


def _what(rows: Rows) -> str:
    if isinstance(rows, Words):
        how = "ids" if rows.numbers is None else f"words by a vocabulary of {len(rows.numbers):,}"
        return f"{rows.length} {how} of '{rows.column}', filled up at the {rows.fill}"
    shown = ", ".join(rows.columns[:20]) + (f" and {len(rows.columns) - 20} more" if len(rows.columns) > 20 else "")
    return f"{plural(len(rows.columns), 'column')} in the order {shown}"


def _classes(spec: KerasSpec, dataset: Dataset) -> str:
    return ", ".join((spec.classes or dataset.classes)[:20]) or "of one number"
