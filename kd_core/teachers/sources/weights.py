"""Weights of a network of this workbench, from a safetensors file, as a teacher: names and shapes are checked, nothing is unpickled."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import safetensors
import safetensors.torch
import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.data.dataset import SPLITS, Array, Dataset
from kd_core.data.view import Viewed
from kd_core.errors import DataError, Says, SpecError
from kd_core.evaluate.latency import network_latency
from kd_core.machine.device import threads
from kd_core.models import ARCHS
from kd_core.models.base import SizeName
from kd_core.models.building import SHORT_FORM, build, build_for, start_weights, viewed
from kd_core.models.sizes import file_bytes
from kd_core.specs import FILE, Choice, Spec, unit
from kd_core.task import IN_FULL
from kd_core.teachers import foreign_files
from kd_core.teachers.base import SOURCES, Answered, Ask
from kd_core.teachers.estimator import stop_if_asked
from kd_core.teachers.given import MAYBE_SEEN, class_order, told
from kd_core.training.predict import predict

OPENS = ("safetensors",)
SHOWN = 3  # differences that are told
_READS = Says(
    "weights_read",
    "warning",
    "The weights are taken for {arch} ({settings}); they read the {view} view of this data ({shape}) and answer {answers}.",
    "That is right only if they learned from rows encoded in the same way: the same columns in the same order, of the same training "
    "rows. What leaves no trace in shapes, such as an activation, is as said here (shape). A model of a run brings its own encoding: take the "
    "teacher Earlier run.",
)


class WeightsSpec(Spec):
    """Which file, and which network it belongs to."""

    path: str = Field(
        "",
        pattern=f"{FILE}|^$",
        description="The weights, as safetensors: a state dict of one of the architectures here.",
        json_schema_extra=unit("file", file=(".safetensors", *foreign_files.ENDINGS)),
    )
    arch: str | None = Field(
        None,
        max_length=40,
        description="Architecture that the weights belong to; when empty the one whose names and shapes they have.",
        json_schema_extra=unit("name", archs="teacher"),
    )
    size: SizeName | None = Field(
        None, description="Its size by name; found by the shapes when empty.", json_schema_extra=unit("name")
    )
    shape: str = Field(
        "",
        max_length=500,
        description="Settings of the architecture that are not its usual ones, as name=value with commas between, such as "
        "'width=96, depth=3, activation=gelu'.",
        json_schema_extra=unit("name"),
    )
    classes: tuple[str, ...] = Field(
        (),
        max_length=1000,
        description="Classes in the order of its outputs; that of the data when empty.",
        json_schema_extra=unit("names"),
    )


@dataclass(frozen=True)
class WeightsModel:
    """A network with the weights of a file: `Live`."""

    choice: Choice
    module: nn.Module
    viewed: Viewed
    order: tuple[int, ...]

    def logits(self, x: Array) -> Array:
        """Answer encoded rows. Shape: (N, ...) -> (N, C) float32."""
        with threads(1):
            z = predict(self.module, x)
        return z[:, list(self.order)] if self.order else z

    def ask(self, rows: pd.DataFrame) -> Array:
        """Answer raw rows. Shape: N rows -> (N, C) float32 logits."""
        assert self.viewed.view is not None
        x, _ = self.viewed.view.read(rows[[name for name in self.viewed.view.types if name in rows]])
        return self.logits(x)

    def save(self, folder: Path) -> None:
        """Write weights and architecture; `load` opens them for a dataset that is read in the same way."""
        safetensors.torch.save_model(self.module, str(folder / "teacher.safetensors"))
        (folder / "teacher.json").write_text(json.dumps([self.choice.model_dump(mode="json"), self.order]), "utf-8")

    @classmethod
    def load(cls, folder: Path, dataset: Dataset) -> WeightsModel:
        """Open what `save` wrote. Errors: as `of`."""
        choice, order = json.loads((folder / "teacher.json").read_text("utf-8"))
        return cls.of(folder / "teacher.safetensors", Choice.model_validate(choice), dataset, tuple(order))

    @classmethod
    def of(cls, file: Path, choice: Choice, dataset: Dataset, order: tuple[int, ...] = ()) -> WeightsModel:
        """Fill an architecture with a file's weights, whose names and shapes fit. Errors: DataError `weights_damaged`, `weights_nan`."""
        with start_weights(0):
            module = build_for(dataset, choice)
        held = module.state_dict()
        try:
            with safetensors.safe_open(str(file), framework="pt") as kept:
                state = {name: kept.get_tensor(name) for name in held}
        except (safetensors.SafetensorError, OSError) as error:
            raise _damaged(error) from None
        if broken := [name for name, t in state.items() if t.is_floating_point() and not t.isfinite().all()]:
            raise DataError(
                "The weights '{name}' hold numbers that are not finite.",
                "Take the weights of another epoch.",
                "weights_nan",
                name=broken[0],
            )
        module.load_state_dict({name: t.to(held[name].dtype) for name, t in state.items()})
        return cls(choice, module.eval(), viewed(dataset, choice), order)


def open_model(file: Path, spec: WeightsSpec, dataset: Dataset) -> WeightsModel:
    """Fill the architecture that fits a file. Errors: those of `fitting`, `WeightsModel.of` and `class_order`."""
    choice = fitting(file, spec, dataset)
    return WeightsModel.of(file, choice, dataset, class_order(spec.classes, dataset) if spec.classes else ())


def fitting(file: Path, spec: WeightsSpec, dataset: Dataset) -> Choice:
    """Find the architecture whose names and shapes a file has, among what the settings leave open.

    Errors: DataError `weights_damaged`, `weights_differ`, `weights_several`; UnknownName, SpecError for settings that can't work.
    """
    theirs, tried = _shapes(file), list(_candidates(spec, dataset))
    if not tried:
        raise SpecError(
            "No architecture that can teach reads the rows of this dataset.", "Take another teacher.", "weights_view"
        )
    compared = [(_differences(ours, theirs), choice) for choice, ours in tried]
    exact = [choice for differ, choice in compared if not differ]
    if len(exact) == 1:
        return exact[0]
    if exact:
        raise DataError(
            "The weights fit several architectures: {names}.",
            "Say which (arch, size).",
            "weights_several",
            names=", ".join(_told(choice) for choice in exact),
        )
    differ, nearest = min(compared, key=lambda one: len(one[0]))
    raise DataError(
        "The weights don't fit {arch}{nearest}: {differ}.",
        "Say what they belong to (arch, size, shape), for data encoded in the same way; of another network export ONNX.",
        "weights_differ",
        arch=_told(nearest),
        nearest=f", the nearest of {len(tried)} that were tried" if len(tried) > 1 else "",
        differ="; ".join(differ[:SHOWN])
        + (f" and {len(differ) - SHOWN} more differences" if len(differ) > SHOWN else ""),
    )


def _shapes(file: Path) -> dict[str, tuple[tuple[int, ...], str]]:
    """Read names, shapes and kinds of numbers from the head of a file. Errors: DataError `weights_damaged`."""
    try:
        with safetensors.safe_open(str(file), framework="pt") as kept:
            parts = {name: kept.get_slice(name) for name in kept.keys()}  # noqa: SIM118  # it is no dict
            return {name: (tuple(part.get_shape()), str(part.get_dtype())) for name, part in parts.items()}
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise _damaged(error) from None


def _candidates(spec: WeightsSpec, dataset: Dataset) -> Iterable[tuple[Choice, Mapping[str, Tensor]]]:
    """List what the weights may belong to, without its numbers: the architecture asked for or all, in the size asked for or all."""
    named = [ARCHS.get(spec.arch)] if spec.arch else [e for e in ARCHS.entries() if "teacher" in e.facts["roles"]]
    given = _settings(spec.shape)
    for entry in named:
        presets = entry.facts["presets"]
        sizes = (
            [spec.size] if spec.size else list(presets) if presets and not {"size", "width"} & set(given) else [None]
        )
        for size in sizes:
            own = {"size": size} if size or ("size" in entry.spec.model_fields and "width" in given) else {}
            choice = Choice(name=entry.name, settings={**own, **given})
            try:
                with torch.device("meta"):
                    module = build(choice, viewed(dataset, choice).spec, dataset.num_outputs, dataset.task)
            except SpecError:
                if spec.arch:
                    raise
                continue  # it reads other data, or has no such setting
            yield choice, module.state_dict()


def _settings(text: str) -> dict[str, Any]:
    """Read 'width=96, depth=3'. Errors: SpecError `weights_shape`."""
    found: dict[str, Any] = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise SpecError(
                "The setting '{part}' of the architecture is not understood.",
                "Write name=value, with commas between: width=96, depth=3.",
                "weights_shape",
                part=part,
            )
        try:
            found[name] = json.loads(value)
        except ValueError:
            found[name] = value
    return found


def _differences(ours: Mapping[str, Tensor], theirs: Mapping[str, tuple[tuple[int, ...], str]]) -> list[str]:
    found = [f"it lacks '{name}' {tuple(t.shape)}" for name, t in ours.items() if name not in theirs]
    for name, (shape, kind) in theirs.items():
        if name not in ours:
            found.append(f"'{name[:80]}' {shape} is not part of it")
        elif shape != tuple(ours[name].shape):
            found.append(f"'{name}' is {shape}, needed is {tuple(ours[name].shape)}")
        elif kind.startswith(("F", "BF")) != ours[name].is_floating_point():
            found.append(f"'{name}' holds {kind}, needed is {ours[name].dtype}")
    return found


def _told(choice: Choice) -> str:
    settings = ", ".join(f"{name}={value}" for name, value in choice.settings.items())
    return f"{choice.name} ({settings})" if settings else choice.name


def _damaged(error: Exception) -> DataError:
    return DataError(
        "This is no safetensors file that can be read: {why}.",
        "It may be damaged or cut off. Write it with safetensors.torch.save_file(model.state_dict(), 'teacher.safetensors').",
        "weights_damaged",
        why=(str(error).splitlines() or [type(error).__name__])[0][:200],
    )


def _missing(spec: WeightsSpec) -> DataError | None:
    return None if spec.path else DataError("No file of weights is chosen.", "Upload one (path).", "no_file")


@SOURCES.register(
    "weights",
    title="Weights (safetensors)",
    spec=WeightsSpec,
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    takes=(),
    gives=frozenset({"logits"}),
    family="given",
    missing=_missing,
    opens=OPENS,
    live=lambda spec, dataset: open_model(foreign_files.check(spec.path, OPENS), spec, dataset),
    refuses=lambda spec: foreign_files.why_not(spec.path, OPENS),
)
def answer(spec: WeightsSpec, ask: Ask) -> Answered:
    """Ask the network about every row of the dataset, encoded as it is here. Errors: DataError, SpecError, UnknownName, Stopped."""
    stop_if_asked(ask.should_stop)
    if error := _missing(spec):
        raise error
    start, dataset = time.perf_counter(), ask.dataset
    file = foreign_files.check(spec.path, OPENS)
    model = open_model(file, spec, dataset)
    choice = model.choice
    logits: dict[Any, Array] = {}
    for split in SPLITS:
        stop_if_asked(ask.should_stop)
        logits[split] = model.logits(model.viewed.parts[split])
        if not np.isfinite(logits[split]).all():
            raise DataError("The weights answer some rows with no number.", "Check the weights.", "weights_nan")
    usual = ARCHS.get(choice.name).spec.parse(choice.settings)
    settings = ", ".join(f"{name} {value}" for name, value in usual.model_dump().items() if value is not None)
    classes = f"the classes in the order {', '.join((spec.classes or dataset.classes)[:20])}"
    about = _READS.problem(
        arch=choice.name,
        settings=settings or "no settings",
        view=model.viewed.spec.kind,
        shape=f"{model.viewed.spec.dtype} {list(model.viewed.spec.shape)}",
        answers=classes if dataset.classes else "the target in the scale of this data's training rows",
    )
    return Answered(
        logits,
        sum(p.numel() for p in model.module.parameters()),
        file_bytes(model.module.state_dict()),
        network_latency(model.module, model.viewed.spec),
        time.perf_counter() - start,
        details={"arch": choice.name, "settings": choice.settings},
        notes=(told(about), told(MAYBE_SEEN.problem())),
        live=model,
    )
