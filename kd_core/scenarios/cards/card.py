"""A scenario's card: its picture as SVG, and beside it what the picture shows and what a run is estimated from, as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kd_core import safe_io
from kd_core.data.input_spec import InputSpec
from kd_core.scenarios.base import SCENARIOS, default_spec
from kd_core.scenarios.cards.pictures import drawn
from kd_core.scenarios.samples import SEED
from kd_core.seeding import derive
from kd_core.task import task_of

FOLDER = "cards"  # beside the samples


@dataclass(frozen=True)
class Card:
    """What is kept of a scenario: its picture, the picture's kind with what its words name, and the size of its run.

    `inputs`: how rows look in every view; `outputs`: of a model.
    """

    svg: str
    shows: str
    names: dict[str, Any] = field(default_factory=dict)
    rows: int = 0
    columns: int = 0
    outputs: int = 0
    task: str = ""
    inputs: dict[str, InputSpec] = field(default_factory=dict)


def picture(name: str) -> tuple[str, str, dict[str, Any]]:
    """Draw a scenario from its own generator; return the SVG, its kind and what its words name. Errors: UnknownName."""
    entry = SCENARIOS.get(name)
    frame = entry.make(np.random.default_rng(derive(SEED, name)), entry.facts["rows"])
    made, shows, names = drawn(entry, frame)
    return made.svg(), shows, names


def made(name: str) -> Card:
    """Make a scenario's card from its generator and its sample. Errors: UnknownName; DataError without a sample."""
    from kd_core.data.preparation import look_at  # a second to load, and who reads a kept card needs none of it
    from kd_core.data.views import foreseen

    svg, shows, names = picture(name)
    found = look_at(default_spec(name).dataset)
    task = str(found.task)
    outputs = task_of(task).num_outputs(len(found.classes))
    return Card(svg, shows, names, found.num_rows, len(found.columns), outputs, task, foreseen(found))


def write(name: str, samples: Path) -> Path:
    """Make a card and keep it beside the samples; return the picture's path."""
    card, folder = made(name), samples / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    values = asdict(card)
    path = folder / f"{name}.svg"
    path.write_text(values.pop("svg"), "utf-8")
    safe_io.write_json(folder / f"{name}.json", values)
    return path


def read(name: str, samples: Path) -> Card | None:
    """Return the kept card; None where these samples have none."""
    path = samples / FOLDER / f"{name}.svg"
    try:
        values = safe_io.read_json(path.with_suffix(".json"))
        inputs = {kind: InputSpec.of(spec) for kind, spec in values["inputs"].items()}
        return Card(path.read_text("utf-8"), **{**values, "inputs": inputs})
    except FileNotFoundError:
        return None
