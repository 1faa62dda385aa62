"""The recipe of a run as a person repeats it: as JSON, as a line for the terminal, and as a Python program of ten lines."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from kd_core.specs import OFFLINE, SEVERAL, Choice, EvaluationSpec, ReadSpec, RunSpec, TrainingSpec

PARTS = (
    "dataset",
    "teacher",
    "students",
    "objective",
    "mode",
    "training",
    "evaluation",
    "sweep",
    "choose",
    "continues",
    "compress",
)


def as_json(spec: RunSpec) -> str:
    """Write the recipe as the file that `python -m kd_core run` reads."""
    return spec.model_dump_json(indent=1)


def run_line(name: str) -> str:
    """Write the command that repeats a recipe kept in a file."""
    return f"python -m kd_core run {shlex.quote(name)} --out my-run"


def script(spec: RunSpec) -> str:
    """Write a program that holds the recipe and repeats the run: the same numbers on the same machine and versions."""
    held = json.loads(spec.to_json())
    parts = "".join(f"    {key!r}: {held.pop(key)!r},\n" for key in PARTS if key in held)
    rest = "".join(f"    {key!r}: {value!r},\n" for key, value in held.items())
    return (
        "from pathlib import Path\n\n"
        "from kd_core.runs.direct import run_here\n"
        "from kd_core.runs.service.execution import StopSignal\n"
        "from kd_core.specs import RunSpec\n\n"
        f"RECIPE = {{\n{rest}{parts}}}\n"
        'result, folder = run_here(RunSpec.parse(RECIPE, "the recipe"), Path("my-run"), lambda event: None, StopSignal())\n'
        'for student in result["students"]:\n'
        '    print(student["name"], student["verdict"], student["gain"][result["metric"]["name"]])\n'
    )


def command(spec: RunSpec) -> str | None:
    """Write the recipe as one line of options; None where options don't reach all of it, and the file is needed.

    The line holds what differs from the defaults of `distill`, and nothing is left to be found out that the recipe says.
    """
    words = [] if spec.continues or spec.compress or spec.sweep or spec.choose else [*_words(spec)]
    if not words or None in words:
        return None
    return shlex.join(["python", "-m", "kd_core", "distill", *(w for w in words if w is not None)])


def _words(spec: RunSpec) -> Iterator[str | None]:
    """Give the words after `distill`; None for what no option says."""
    data = spec.dataset
    reached = {
        "source",
        "sha256",
        "name",
        "read",
        "target",
        "task",
        "positive",
        "drop",
        "group",
        "time",
        "part",
        "copies",
    }
    reached |= {"rare", "one_class"}
    usual = type(data)(source="", target="")
    if any(getattr(data, n) != getattr(usual, n) for n in type(data).model_fields if n not in reached):
        yield None
    if data.read != ReadSpec() or data.source.startswith("sha256:"):
        yield None
    yield data.source
    yield from ("--target", data.target)
    for name in ("task", "positive", "group", "time", "one_class"):
        if (value := getattr(data, name)) is not None:
            yield from (f"--{name.replace('_', '-')}", value)
    yield from ("--part", data.part or "none")
    yield from (word for name in data.drop for word in ("--drop", name))
    yield from ("--copies", data.copies, "--rare", data.rare)
    yield from ("--teacher", spec.teacher.name)
    yield from _settings("teacher", spec.teacher.settings)
    for student in spec.students:
        yield from ("--student", _student(student.arch) if student.objective is None else None)
        if _student(student.arch) != student.name and student.name:
            yield None
    yield from _lesson(spec.objective)
    if spec.mode.name != OFFLINE:
        yield from ("--mode", spec.mode.name)
        yield from _settings("mode", spec.mode.settings)
    yield from _trained(spec.training, spec.evaluation)


def _settings(of: str, settings: Mapping[str, Any]) -> Iterator[str | None]:
    for name, value in settings.items():
        parts = value if isinstance(value, list | tuple) else [value]
        if any(isinstance(one, dict) or (isinstance(one, str) and one.startswith("sha256:")) for one in parts):
            yield None
        yield from ("--set", f"{of}.{name}={_typed(value)}")


def _typed(value: Any) -> str:
    """Write a value as options read it: JSON, or a text that is not taken for JSON."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except ValueError:
            return value
    return json.dumps(value, ensure_ascii=False)


def _student(arch: Choice) -> str | None:
    """Write an architecture as `--student` reads it; None where it holds more than a size."""
    if arch.settings.keys() == {"size"}:
        size = str(arch.settings["size"])
        return size if arch.name == "mlp" else f"{arch.name}:{size}"
    if arch.settings.keys() == {"width", "depth"}:
        return f"{arch.name}:{arch.settings['width']}x{arch.settings['depth']}"
    return None if arch.settings else arch.name


def _lesson(objective: Choice) -> Iterator[str | None]:
    if objective.name == SEVERAL:
        yield None
    yield from ("--objective", objective.name)
    yield from _settings("objective", objective.settings)


_JUDGED = ("folds", "metric", "threshold", "splits", "placebo", "references")  # what the command line says of it


def _trained(training: TrainingSpec, evaluation: EvaluationSpec) -> Iterator[str | None]:
    asked: dict[str, int | str | None] = {
        "epochs": training.epochs,
        "seeds": training.seeds,
        "made_rows": training.made_rows or None,
    }
    asked |= {"folds": evaluation.folds, "metric": evaluation.metric, "threshold": evaluation.threshold}
    asked |= {"class_weights": None if training.class_weights == "none" else training.class_weights}
    asked |= {"splits": evaluation.splits}
    for name, value in asked.items():
        if value is not None:
            yield from (f"--{name.replace('_', '-')}", str(value))
    for name in ("placebo", "references"):
        yield f"--{name}" if getattr(evaluation, name) else f"--no-{name}"
    by_file = type(training)(**{n: getattr(training, n) for n in ("epochs", "seeds", "made_rows", "class_weights")})
    judged = type(evaluation)(**{n: getattr(evaluation, n) for n in _JUDGED})
    if training != by_file or evaluation != judged:
        yield None
