"""A pretrained encoder of texts as a teacher: BERT, MiniLM and their like, probed, fine-tuned, or asked as they are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from pydantic import Field

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.encoding.text_block import texts_of
from kd_core.data.input_spec import InputSpec
from kd_core.errors import DataError, KDError, Says
from kd_core.machine.device import pick
from kd_core.specs import Spec, unit
from kd_core.teachers.base import SOURCES, Answered, Ask, FittedTeacher
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.fitting import from_fit
from kd_core.teachers.given import told
from kd_core.teachers.pretrained import finetune, folders, hub
from kd_core.teachers.pretrained.config import read_config
from kd_core.teachers.pretrained.encoder import Encoder, open_encoder
from kd_core.teachers.pretrained.timing import text_latency, text_seconds
from kd_core.teachers.pretrained.vectors import VectorStore, embed
from kd_core.teachers.pretrained.ways import (
    GIVES,
    PROBE_SECONDS,
    AsItIs,
    Opened,
    as_is_only,
    as_it_is,
    order_of,
    probed,
    reading,
)

PIECES = "pieces"  # the way to read rows that fine-tuning makes for itself
OPEN_SECONDS = 5.0  # of loading the library and the model
TRAINED_TIMES = (
    4.0  # as long as it is read a text takes to be trained on: forward, backward, filling, the steps themselves
)
_OTHERS = Says(
    "texts_only",
    "note",
    "The pretrained encoder reads the columns of free text ({read}); it does not read the {count} other {count:column|columns}.",
    "Take another teacher where those columns matter.",
)
_LONG = Says(
    "long_texts",
    "note",
    "{count:,} of {texts:,} different texts have {length} word pieces or more; what is beyond is not read.",
    "Raise the length where the end of a text matters; time and memory grow with it.",
)


class PretrainedSpec(Spec):
    """Which encoder, and what is done with it."""

    model: str = Field(
        folders.MINILM,
        pattern=f"^{folders.NAME}$",
        description="minilm, or the name of a folder in the workspace's folder 'models' (config.json, tokenizer.json, model.safetensors); "
        "on the command line also the path of such a folder, or owner/name@commit of an allowed model of the hub. It reads the columns of free text and no others.",
        json_schema_extra=unit("name", model=folders.TEXTS),
    )
    mode: Literal["probe", "finetune", "as_is"] = Field(
        "probe",
        description="probe: the encoder stays as it is, and a linear model learns from its vectors of the texts; finetune: all of its weights "
        "go on learning from there, once for every fold, many times as long; as_is: its own classes are asked, which must have the names "
        "of the classes here.",
        json_schema_extra=unit("name"),
    )
    epochs: int = Field(
        3, ge=1, le=50, description="finetune: passes over the training texts.", json_schema_extra=unit("epochs")
    )
    batch_size: int = Field(
        32, ge=8, le=512, description="finetune: texts per step.", json_schema_extra=unit("rows", advanced=True)
    )
    learning_rate: float = Field(
        5e-5,
        gt=0,
        le=1e-2,
        description="finetune: step size of the optimiser.",
        json_schema_extra=unit("per step", log=True, advanced=True),
    )
    length: int = Field(
        256,
        ge=8,
        le=512,
        description="Word pieces of a text that are read at most; what is beyond is cut off.",
        json_schema_extra=unit("word pieces", advanced=True),
    )


def _seconds(spec: PretrainedSpec, rows: int, features: int, outputs: int) -> float:
    """Estimate one fit."""
    if spec.mode == "as_is":
        return 0.0
    trained = TRAINED_TIMES * spec.epochs * rows * text_seconds(spec.model) if spec.mode == "finetune" else 0.0
    return 0.2 + PROBE_SECONDS * rows * 768 * max(1, outputs) + trained


def _once(spec: PretrainedSpec, rows: int) -> float:
    """Estimate what is done once for all rows of the file, whatever the folds: reading the texts."""
    return OPEN_SECONDS + rows * text_seconds(spec.model)


def _refuses(spec: PretrainedSpec) -> KDError | None:
    """Look at a model's folder and config before anything is begun."""
    try:
        read_config(folders.find(spec.model))
    except KDError as error:
        return error
    return None


@SOURCES.register(
    "pretrained",
    title="Pretrained encoder",
    spec=PretrainedSpec,
    source="arXiv:1908.10084",
    takes=("tokens",),
    gives=frozenset({"logits", "features", "head"}),
    gives_as=lambda spec: GIVES[spec.mode],
    family="pretrained",
    lacks=folders.lacks,
    refuses=_refuses,
    content=lambda spec: folders.content(spec.model),
    seconds=_seconds,
    once=_once,
    live=lambda spec, dataset: _live(spec, dataset),
    live_as=as_is_only,
)
def answer(spec: PretrainedSpec, ask: Ask) -> Answered:
    """Open the model, read every text once, and answer in the way that is asked for.

    Errors: Stopped; KDError for what is not installed; DataError for a folder that can't be used; SpecError `model_labels`.
    """
    stop_if_asked(ask.should_stop)
    folder = folders.find(spec.model)
    return _MODES[spec.mode](spec, ask, folder)


def _texts(dataset: Dataset) -> dict[str, list[str]]:
    """Join the columns of free text of every row, by part."""
    if not dataset.texts:
        raise DataError(
            "The data has no column of free text, and a pretrained encoder reads nothing else.",
            "Choose another teacher, or say that a column holds text.",
            "no_texts",
        )
    joined = _joined(dataset, dataset.rows)
    return {split: [joined[i] for i in dataset.parts[split].row_ids] for split in SPLITS}


def _joined(dataset: Dataset, rows: pd.DataFrame) -> list[str]:
    columns = [texts_of(rows[name]) for name in dataset.texts]
    return [" ".join(parts).encode("utf-8", "replace").decode() for parts in zip(*columns, strict=True)]


def _live(spec: PretrainedSpec, dataset: Dataset) -> AsItIs:
    """Open the model with its own head for new rows. Errors: DataError for a folder that can't be used; SpecError `model_labels`."""
    folder = folders.find(spec.model)
    order = order_of(dataset, read_config(folder).labels)
    encoder = open_encoder(folder, spec.length, head=True)
    return AsItIs(order, lambda rows: _joined(dataset, rows), encoder.answers)


def _probe(spec: PretrainedSpec, ask: Ask, folder: Path) -> Answered:
    """Learn a linear model on the vectors of the texts."""
    read = _read(spec, ask, folder)
    return probed(
        spec, ask, _opened(spec, ask, read.encoder, read.texts, read.encoder.vectors, read.facts), read.vectors
    )


def _finetune(spec: PretrainedSpec, ask: Ask, folder: Path) -> Answered:
    """Train all weights, from a probe on; each fold begins with the untouched encoder."""
    read = _read(spec, ask, folder)
    encoder = read.encoder

    def timing(tuned: finetune.FineTuned) -> dict[str, Any]:
        return finetune.latency(encoder, tuned, read.texts["validation"])

    rows = finetune.rows_of(encoder, read.every)
    inputs = InputSpec(PIECES, rows.shape[1:], "int32", high=int(encoder.config.fields["vocab_size"]))
    made = finetune.FineTuning(encoder, read.vectors, timing)
    opened = _opened(spec, ask, encoder, read.texts, encoder.vectors, read.facts)
    found = from_fit(made.fit)(spec, reading(ask, inputs, opened.split(rows), hidden=ask.hidden))
    return replace(
        found,
        seconds=found.seconds + read.facts["vector_seconds"],
        details={**found.details, **opened.facts},
        notes=(*found.notes, *opened.notes),
    )


@dataclass(frozen=True)
class _Read:
    """An opened model, the texts of every part, all of them in one list, and their vectors with what was computed of them."""

    encoder: Encoder
    texts: dict[str, list[str]]
    every: list[str]
    vectors: Array
    facts: dict[str, Any]


def _read(spec: PretrainedSpec, ask: Ask, folder: Path) -> _Read:
    encoder, texts = open_encoder(folder, spec.length), _texts(ask.dataset)
    every = [text for split in SPLITS for text in texts[split]]
    store = VectorStore.of(ask.cache, folders.content(spec.model), encoder.length, ask.notify)
    once, fits = _once(spec, len(every)), ask.folds + 1 if ask.folds > 1 else 1
    worth = once / (once + fits * _seconds(spec, len(texts["train"]), encoder.config.width, ask.dataset.num_outputs))
    vectors, facts = embed(every, store, encoder, pick(ask.device), ask.should_stop, worth)
    return _Read(encoder, texts, every, vectors, facts)


def _as_is(spec: PretrainedSpec, ask: Ask, folder: Path) -> Answered:
    """Ask the model's own classes, in the order of the classes here."""
    order = order_of(ask.dataset, read_config(folder).labels, ask.hidden)
    encoder, texts = open_encoder(folder, spec.length, head=True), _texts(ask.dataset)
    every = [text for split in SPLITS for text in texts[split]]
    answers = encoder.answers(every, pick(ask.device), lambda: stop_if_asked(ask.should_stop))
    return as_it_is(ask, _opened(spec, ask, encoder, texts, encoder.answers, {}), order, answers)


def _opened(
    spec: PretrainedSpec,
    ask: Ask,
    encoder: Encoder,
    texts: Mapping[str, list[str]],
    asked: Callable[..., Iterator[tuple[Array, Array]]],
    facts: Mapping[str, Any],
) -> Opened:
    every = [text for split in SPLITS for text in texts[split]]
    return Opened(
        encoder.network,
        {split: len(some) for split, some in texts.items()},
        encoder.what,
        {**_about(spec, encoder), **facts},
        lambda head: _latency(asked, texts["validation"], head),
        tuple(_notes(ask.dataset, encoder, every)),
    )


_MODES: Mapping[str, Callable[[PretrainedSpec, Ask, Path], Answered]] = {
    "probe": _probe,
    "finetune": _finetune,
    "as_is": _as_is,
}


def _latency(
    ask: Callable[..., Iterator[tuple[Array, Array]]], texts: list[str], head: FittedTeacher | None
) -> dict[str, Any]:
    """Time an encoder and the head on its vectors; of fits that an earlier run kept the head is gone, and next to nothing."""
    cpu = torch.device("cpu")

    def answer(some: list[str]) -> None:
        for _, found in ask(some, cpu):
            if head is not None:
                head.logits(found.astype(np.float32))

    return text_latency(texts, answer)


def _about(spec: PretrainedSpec, encoder: Encoder) -> dict[str, Any]:
    return {
        "model": spec.model,
        **({"fetched": told} if (told := hub.origin(spec.model)) else {}),
        "mode": spec.mode,
        "family": encoder.config.family,
        "word_pieces": encoder.length,
        "unused_weights": len(encoder.left_out),
    }


def _notes(dataset: Dataset, encoder: Encoder, texts: list[str]) -> list[dict[str, str]]:
    """Say which columns are not read, and how many texts are too long."""
    found, others = [], len(dataset.columns) - len(dataset.texts)
    if others:
        found.append(told(_OTHERS.problem(count=others, read=", ".join(dataset.texts))))
    different = list(dict.fromkeys(texts))
    if long := sum(len(one) >= encoder.length for one in encoder.pieces(different)):
        found.append(told(_LONG.problem(count=long, texts=len(different), length=encoder.length)))
    return found
