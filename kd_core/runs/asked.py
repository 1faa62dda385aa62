"""Settings of a run as they are typed on a command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kd_core.errors import SpecError
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec
from kd_core.task import task_of, usual
from kd_core.workspace import workspace


def numbers(name: str, text: str | None) -> tuple[float, ...]:
    """Read a list such as `0,.25,.5`. Errors: SpecError naming what is no number."""
    found: list[float] = []
    for part in (text or "").split(",") if text is not None else ():
        try:
            found.append(float(part))
        except ValueError:
            raise SpecError(
                "The list --{name} {text} is not understood: {part!r} is not a number.",
                "Write numbers with commas between them, for example 0,.5,1.",
                "bad_list",
                name=name.replace("_", "-"),
                text=text,
                part=part.strip(),
            ) from None
    return tuple(found)


def student_spec(text: str) -> StudentSpec:
    """Read `small`, `resmlp:base`, `linear` or `mlp:16x2` (width x depth)."""
    presets = ("tiny", "small", "base", "large")
    arch, _, size = ("mlp", "", text) if text in presets else text.partition(":")
    width, _, depth = size.partition("x")
    if text and size in presets:
        settings: dict[str, Any] = {"size": size}
    elif width.isdigit():
        settings = {"width": int(width), "depth": int(depth) if depth.isdigit() else 1}
    elif arch and not size:
        settings = {}
    else:
        raise SpecError(
            "The student '{text}' is not understood.",
            "Write small, mlp:16x2 (width x depth), resmlp:base or linear.",
            "bad_student",
            text=text,
        )
    return StudentSpec(name=text[:40], arch=Choice(name=arch, settings=settings))


def teacher_choice(name: str, settings: list[str] | None) -> Choice:
    """Read settings such as `teacher.trees=400`; values are JSON, or text; of lists, texts with commas between them.

    A file that is named by its path is kept in the workspace. Errors: SpecError naming what is not understood, DataError for the file.
    """
    from kd_core.data.library import UPLOADS, DataLibrary
    from kd_core.teachers import SOURCES

    found: dict[str, Any] = {}
    fields = SOURCES.get(name).spec.model_fields
    for text in settings or ():
        where, equals, value = text.partition("=")
        part, _, key = where.strip().partition(".")
        if part != "teacher" or not key or not equals:
            raise SpecError(
                "The setting '{text}' is not understood.",
                "Write teacher.<setting>=<value>, for example teacher.trees=400.",
                "bad_setting",
                text=text,
            )
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
        hints = fields[key].json_schema_extra if key in fields else None
        if isinstance(hints, dict) and "file" in hints and not value.startswith("sha256:"):
            library = DataLibrary(workspace(), UPLOADS)
            with library.resolve(value).open("rb") as file:
                found[key] = library.add(file, Path(value).name).source
        elif isinstance(hints, dict) and hints["unit"] == "names" and isinstance(found[key], str):
            found[key] = value.split(",")
    return Choice(name=name, settings=found)


def evaluation_spec(folds: int | None, **asked: Any) -> EvaluationSpec:
    """Read how a run is judged; what was left out is the default. Errors: SpecError."""
    return EvaluationSpec.parse({**asked, **({} if folds is None else {"folds": folds})}, "evaluation")


def table_spec(
    data: str,
    target: str | None,
    read: tuple[str | None, Any, Any],
    missing: list[str] | None,
    not_missing: list[str] | None,
    teacher: Choice,
    **chosen: Any,
) -> DatasetSpec:
    """Describe the file as the options say; `read` holds member, header and names.

    Without a target it is made from the teacher's answers, where these are columns of the table.

    Errors: DataError `no_target` for a file that does not say itself what is predicted.
    """
    from kd_core.data.from_path import dataset_spec, implied_target, missing_words, read_spec
    from kd_core.data.types.answered import MADE_TARGET
    from kd_core.teachers.base import own_columns

    words = missing_words(missing or (), not_missing or ())
    if target is None and (own := own_columns(teacher)):
        target, chosen = MADE_TARGET, {**chosen, "answer_columns": own}
    target = implied_target(data) if target is None else target
    return dataset_spec(data, target, read_spec(Path(data), *read), missing=words, **chosen)


def make_spec(
    dataset: DatasetSpec,
    teacher: Choice,
    students: list[str] | None,
    lesson: Choice,
    trained: tuple[int | None, int | None, int],
    **parts: Any,
) -> RunSpec:
    """Put a run together; `trained` holds epochs, seeds and made rows, `parts` are further parts of the spec."""
    epochs, seeds, made = trained
    values = {
        "dataset": dataset,
        "teacher": teacher,
        "training": TrainingSpec.parse({"epochs": epochs, "seeds": seeds, "made_rows": made}, "training"),
        "students": tuple(student_spec(s) for s in students or ["small"]),
        "objective": lesson,
        **parts,
    }
    return RunSpec.parse(values, "sweep" if "sweep" in parts else "run")


def default_loss(dataset: DatasetSpec) -> str:
    """Choose the loss that suits the task."""
    from kd_core.data.preparation import look_at

    if dataset.task is not None:
        return task_of(dataset.task).objective
    found = look_at(dataset)
    return (task_of(found.task) if found.task else usual("classes")).objective


def lesson_settings(
    loss: str, temperature: float | None, alpha: float | None, dataset: DatasetSpec | None = None
) -> dict[str, Any]:
    """Fill in a loss's settings; one that was asked for and that it does not have is refused.

    The teacher has the whole lesson of a dataset without true labels, where nothing else is asked for.
    """
    from kd_core.distill import LOSSES

    alpha = 1.0 if alpha is None and dataset is not None and dataset.answer_columns else alpha
    asked = {k: v for k, v in {"temperature": temperature, "alpha": alpha}.items() if v is not None}
    spec = LOSSES.get(loss).spec.parse(asked, f"the loss {loss}").model_dump()
    return {k: v for k, v in spec.items() if k in ("temperature", "alpha")}
