"""A run's name, made from what a person chose: 'Visits: T=2 α=.9 tiny+small'. Settings at their default go without saying."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.errors import KDError
from kd_core.registry import Registry
from kd_core.runs.cells import grid, modes
from kd_core.specs import OFFLINE, SEVERAL, Choice, ChooseSpec, EvaluationSpec, RunSpec, Spec, TrainingSpec

MOST_OF_DATA = 32  # letters of the name of the data in it
MOST = 120  # as long as a spec's name may be
USUAL = {"hinton", "mse", "gradient_boosting"}  # the loss and the teacher that a form offers first
SIGNS = {"temperature": "T", "alpha": "α", "learning_rate": "lr", "weight_decay": "decay", "batch_size": "batch"}


def short_name(spec: RunSpec) -> str:
    """Name a run by its data, its lesson, its students, and every further setting that is not the default.

    Two runs with different recipes get different names, up to the length of a name.
    Example: `Visits: T=2 α=.9 tiny+small seeds=5`; a what-if is `Visits: what-if T=1–16 α=0–1 tiny`.
    """
    from kd_core.distill import LOSSES, MODES
    from kd_core.teachers import SOURCES

    sweep = spec.sweep.model_dump(exclude={"mode"}) if spec.sweep else {}
    ranges = {n: tuple(v) for n, v in sweep.items() if v}
    lesson = {n: v for n, v in _filled(LOSSES, spec.objective).items() if n not in ranges}
    usual = {"temperature": lesson.pop("temperature", None), "alpha": lesson.pop("alpha", None)}
    if modes.unlabelled(spec.mode.name):
        del usual["alpha"]
    parts = ["what-if"] if spec.sweep else []
    parts += [_range(n, ranges[n]) for n in grid.AXES if n in ranges]
    parts += [_setting(n, v) for n, v in usual.items() if v is not None]
    if spec.objective.name == SEVERAL:
        parts += _terms(spec.objective)
    else:
        parts += [spec.objective.name] if spec.objective.name not in USUAL else []
        parts += _changed(_defaults(LOSSES, spec.objective.name), lesson)
    parts += [spec.mode.name.replace("_", " ")] if spec.mode.name != OFFLINE else []
    parts += _changed(_defaults(MODES, spec.mode.name), spec.mode.settings)
    asked = _changed(ChooseSpec().model_dump(), spec.choose.model_dump()) if spec.choose else []
    parts += ["best student", *asked] if spec.choose else ["+".join(s.name for s in spec.students)]
    if spec.teacher.name not in USUAL:
        parts.append(f"by {'best teacher' if spec.teacher.name == 'best' else spec.teacher.name}")
    parts += _changed(_defaults(SOURCES, spec.teacher.name), spec.teacher.settings, "teacher ")
    parts += _changed(TrainingSpec().model_dump(), spec.training.model_dump())
    parts += _changed(EvaluationSpec().model_dump(), spec.evaluation.model_dump())
    if spec.dataset.split_seed:
        parts.append(f"split={spec.dataset.split_seed}")
    data = spec.dataset.name or spec.dataset.target
    data = data if len(data) <= MOST_OF_DATA else f"{data[: MOST_OF_DATA - 1]}…"
    name = f"{data}: {' '.join(parts)}"
    return name if len(name) <= MOST else name[: MOST - 1] + "…"


def _terms(objective: Choice) -> list[str]:
    """Name each term with its weight and what differs from its defaults: 'hinton:.5 T=4 mse:1 hard=.3'."""
    from kd_core.distill import LOSSES

    said = []
    for term in objective.settings.get("terms", ()):
        said.append(f"{term['name']}:{_short(term.get('weight', 1.0))}")
        said += _changed(_defaults(LOSSES, term["name"]), term.get("settings", {}))
        ways = [term.get(n, {}).get("kind") for n in ("schedule", "temperature_schedule")]
        said += [str(way).replace("_", "-") for way in ways if way]
    return [*said, f"hard={_short(objective.settings.get('hard', 1.0))}"]


def _defaults(registry: Registry[Any], name: str) -> dict[str, Any]:
    try:
        made: type[Spec] = registry.get(name).spec
    except KDError:  # a part of another version: its settings are all told
        return {}
    return {n: f.get_default(call_default_factory=True) for n, f in made.model_fields.items()}


def _filled(registry: Registry[Any], choice: Choice) -> dict[str, Any]:
    return {**_defaults(registry, choice.name), **choice.settings}


def _changed(defaults: Mapping[str, Any], held: Mapping[str, Any], of: str = "") -> list[str]:
    return [
        f"{of}{_setting(n, v)}" for n, v in held.items() if v is not None and (n not in defaults or v != defaults[n])
    ]


def _setting(name: str, value: Any) -> str:
    if name == "bytes":
        return f"{value / 1024:.4g} KB" if value >= 1024 else f"{value} bytes"
    if name == "lost":
        return f"≤{_short(value)} lost"
    if name == "microseconds":
        return f"{value / 1000:.4g} ms a row" if value >= 1000 else f"{value:.4g} µs a row"
    return f"{SIGNS.get(name, name.replace('_', ' '))}={_short(value)}"


def _range(name: str, values: tuple[float, ...]) -> str:
    sign = SIGNS.get(name, name)
    if len(values) < 3:
        return f"{sign}={','.join(map(_short, values))}"
    return f"{sign}={_short(values[0])}–{_short(values[-1])} ({len(values)})"


def _short(value: Any) -> str:
    """Write a number without a leading zero: .9; several values with commas, a file by the start of its hash."""
    if isinstance(value, list | tuple):
        return ",".join(map(_short, value))
    if isinstance(value, str) and value.startswith("sha256:"):
        return value[7:15]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    shown = f"{value:g}"
    return shown[1:] if shown.startswith("0.") else shown
