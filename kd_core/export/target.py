"""Ways to take a student home: what a target is given, and the registry of them.

A target writes files into an empty folder; whoever asked for it proves that what was written answers like the app, hashes the
files and hands them out (`kd_core/runs/exporting`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kd_core.registry import Registry

SAMPLE_ROWS = 20

Row = Mapping[
    str, Any
]  # by column: texts as a file holds them, None where nothing stands; pictures are the bytes of a file
Answers = Sequence[Sequence[float]]  # per row: each class's probability, or the number alone


@dataclass(frozen=True)
class Taken:
    """A student as plain values: everything that a target may need, and nothing of the run's folder.

    `model`: the deployed ONNX file, the very one that metrics and latency were measured on. `facts`: what it tells about itself
    (`raw_model.facts_of`): columns and how they are read, task, target, classes, what encodes texts, the view. `arch`: name and settings of
    its architecture; `view`: the way in which it reads rows. `sample`: raw rows of the test part, `answers` the app's own to them. `card`: plain JSON (`runs/exporting/card.py`).
    `weights`: the student's alone, as safetensors.
    """

    model: bytes
    facts: Mapping[str, Any]
    name: str
    arch: Mapping[str, Any]
    view: str
    sample: Sequence[Row]
    answers: Answers
    card: Mapping[str, Any]
    weights: bytes


# Writes files into an empty folder.
Target = Callable[[Taken, Path], None]

# facts: runs_with=function(Taken) -> what is needed to run it, in words; suits=function(Taken) -> None where it can be made, else why not, in words;
# asked=function(folder, rows) -> the command that answers in a clean process: `rows` is a JSON file, a list of rows by column, pictures named
# by files beside it; what the command prints last is a line of JSON {"answers": [[...], ...]}. None where no command can ask it, which
# must then say why in `unproved`. single=the one file that is handed out; all as a zip where it is None. carries=what it holds beside the model, in words. usage=lines that a person
# copies to use what was handed out, FILE standing for its name.
TARGETS: Registry[Target] = Registry("target", "kd_core.export.targets")
