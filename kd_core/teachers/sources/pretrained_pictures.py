"""A pretrained network of pictures as a teacher: ViT, ResNet, MobileNetV2 or ConvNeXt from a folder, probed or asked as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.errors import DataError, KDError
from kd_core.machine.device import pick
from kd_core.specs import Spec, unit
from kd_core.teachers.base import SOURCES, Answered, Ask, FittedTeacher
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.pretrained import folders, hub
from kd_core.teachers.pretrained.picture_config import read_pictures
from kd_core.teachers.pretrained.picture_encoder import PictureEncoder, open_pictures
from kd_core.teachers.pretrained.timing import picture_latency, picture_seconds
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
)

OPEN_SECONDS = 5.0  # of loading the library and the model
USUAL_NUMBERS = 1_000  # of a vector, for the estimate: 768 to 2,048 in usual models


class PicturesSpec(Spec):
    """Which network, and what is done with it."""

    folder: str = Field(
        "",
        pattern=f"^({folders.NAME})?$",
        description="The name of a folder in the workspace's folder 'models' (config.json, preprocessor_config.json, model.safetensors, as "
        "save_pretrained() of transformers writes them); on the command line also the path of such a folder, or owner/name@commit of an allowed model of the hub. Families: ViT, ResNet, "
        "MobileNetV2, ConvNeXt. It reads the first column of pictures and no others. Tried with random weights only.",
        json_schema_extra=unit("name", model=folders.PICTURES),
    )
    mode: Literal["probe", "as_is"] = Field(
        "probe",
        description="probe: the network stays as it is, and a linear model learns from its vectors of the pictures; as_is: its own classes "
        "are asked, which must have the names of the classes here.",
        json_schema_extra=unit("name"),
    )


def _seconds(spec: PicturesSpec, rows: int, features: int, outputs: int) -> float:
    """Estimate one fit."""
    return 0.0 if spec.mode == "as_is" else 0.2 + PROBE_SECONDS * rows * USUAL_NUMBERS * max(1, outputs)


def _once(spec: PicturesSpec, rows: int) -> float:
    """Estimate what is done once for all rows of the file, whatever the folds: reading the pictures."""
    return OPEN_SECONDS + rows * picture_seconds(spec.folder)


def _missing(spec: PicturesSpec) -> DataError | None:
    if spec.folder:
        return None
    return DataError(
        "No model of pictures is chosen.",
        "Name one of the workspace's folder 'models' (folder): {known}.",
        "no_model",
        known=", ".join(folders.names(folders.PICTURES)) or "none is there yet",
    )


def _refuses(spec: PicturesSpec) -> KDError | None:
    """Look at a model's folder and config before anything is begun."""
    try:
        read_pictures(folders.find(spec.folder, folders.PICTURES))
    except KDError as error:
        return error
    return None


@SOURCES.register(
    "pretrained_pictures",
    title="Pretrained network of pictures",
    spec=PicturesSpec,
    source="arXiv:1805.08974",
    takes=("pixels",),
    gives=frozenset({"logits", "features", "head"}),
    gives_as=lambda spec: GIVES[spec.mode],
    family="pretrained",
    lacks=folders.lacks,
    missing=_missing,
    refuses=_refuses,
    content=lambda spec: folders.content(spec.folder, folders.PICTURES),
    seconds=_seconds,
    once=_once,
    live=lambda spec, dataset: _live(spec, dataset),
    live_as=as_is_only,
)
def answer(spec: PicturesSpec, ask: Ask) -> Answered:
    """Open the model, read every picture once, and answer in the way that is asked for.

    Errors: Stopped; KDError for what is not installed; DataError for a folder that can't be used; SpecError `model_labels`.
    """
    stop_if_asked(ask.should_stop)
    if error := _missing(spec):
        raise error
    return _MODES[spec.mode](spec, ask, folders.find(spec.folder, folders.PICTURES))


def _live(spec: PicturesSpec, dataset: Dataset) -> AsItIs:
    """Open the model with its own head for new rows. Errors: DataError for a folder that can't be used; SpecError `model_labels`."""
    folder, view = folders.find(spec.folder, folders.PICTURES), dataset.view("pixels").view
    assert view is not None  # pixels are read from rows
    order = order_of(dataset, read_pictures(folder).labels)
    return AsItIs(
        order, lambda rows: list(view.read(rows[list(view.types)])[0]), open_pictures(folder, head=True).answers
    )


def _probe(spec: PicturesSpec, ask: Ask, folder: Path) -> Answered:
    """Learn a linear model on the vectors of the pictures. Source: Kornblith, Shlens and Le 2019 (arXiv:1805.08974)."""
    encoder, pixels = open_pictures(folder), _pixels(ask)
    every = [picture for split in SPLITS for picture in pixels[split]]
    store = VectorStore.of(ask.cache, folders.content(spec.folder, folders.PICTURES), 0, ask.notify)
    once, fits = _once(spec, len(every)), ask.folds + 1 if ask.folds > 1 else 1
    worth = once / (once + fits * _seconds(spec, len(pixels["train"]), encoder.numbers, ask.dataset.num_outputs))
    vectors, facts = embed(every, store, encoder, pick(ask.device), ask.should_stop, worth)
    return probed(spec, ask, _opened(spec, encoder, pixels, encoder.vectors, facts), vectors)


def _as_is(spec: PicturesSpec, ask: Ask, folder: Path) -> Answered:
    """Ask the model's own classes, in the order of the classes here."""
    order = order_of(ask.dataset, read_pictures(folder).labels, ask.hidden)
    encoder, pixels = open_pictures(folder, head=True), _pixels(ask)
    every = [picture for split in SPLITS for picture in pixels[split]]
    answers = encoder.answers(every, pick(ask.device), lambda: stop_if_asked(ask.should_stop))
    return as_it_is(ask, _opened(spec, encoder, pixels, encoder.answers, {}), order, answers)


_MODES: Mapping[str, Callable[[PicturesSpec, Ask, Path], Answered]] = {"probe": _probe, "as_is": _as_is}


def _pixels(ask: Ask) -> Mapping[Any, Array]:
    return ask.dataset.view(ask.reads or "pixels").parts


def _opened(
    spec: PicturesSpec,
    encoder: PictureEncoder,
    pixels: Mapping[Any, Array],
    asked: Callable[..., Iterator[tuple[Array, Array]]],
    facts: Mapping[str, Any],
) -> Opened:
    def latency(head: FittedTeacher | None) -> dict[str, Any]:
        def answer(some: list[Array]) -> None:
            for _, found in asked(some, torch.device("cpu")):
                if head is not None:
                    head.logits(found.astype(np.float32))

        return picture_latency(list(pixels["validation"]), answer)

    height, width = encoder.config.reading.size
    about = {
        "model": spec.folder,
        **({"fetched": told} if (told := hub.origin(spec.folder)) else {}),
        "mode": spec.mode,
        "family": encoder.config.family,
        "pixels": f"{width} x {height}",
        "unused_weights": len(encoder.left_out),
    }
    counts = {str(split): len(pixels[split]) for split in SPLITS}
    return Opened(encoder.network, counts, encoder.what, {**about, **facts}, latency)
