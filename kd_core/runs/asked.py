"""Settings of a run as they are typed on a command line."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kd_core.errors import SpecError, raise_problems
from kd_core.specs import Choice, ChooseSpec, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec, TrainingSpec
from kd_core.task import task_of, usual
from kd_core.workspace import workspace

NO_PART = "none"  # said in place of a column of parts
BEST = "best"  # said in place of a student: the app chooses one
Tell = Callable[[str, int, int], None]  # what is fetched: a file, its bytes so far, those of the whole


def _quiet(file: str, done: int, whole: int) -> None:
    return


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
    """Read `small`, `resmlp:base`, `linear`, `additive:pairs` or `mlp:16x2` (width x depth)."""
    presets = ("tiny", "small", "base", "large")
    arch, _, size = ("mlp", "", text) if text in presets else text.partition(":")
    width, _, depth = size.partition("x")
    if text and size in presets:
        settings: dict[str, Any] = {"size": size}
    elif width.isdigit():
        settings = {"width": int(width), "depth": int(depth) if depth.isdigit() else 1}
    elif arch and not size:
        settings = {}
    elif named := _named(arch, size):
        settings = named
    else:
        raise SpecError(
            "The student '{text}' is not understood.",
            "Write best, small, mlp:16x2 (width x depth), resmlp:base or linear.",
            "bad_student",
            text=text,
        )
    return StudentSpec(name=text[:40], arch=Choice(name=arch, settings=settings))


def _named(arch: str, name: str) -> dict[str, Any]:
    """Return the settings that an architecture has under a name in place of a size; none where it has no such name."""
    from kd_core.models import ARCHS  # brings torch along

    return dict(ARCHS.get(arch).facts.get("named", {}).get(name, {})) if arch in ARCHS.names() else {}


def choose_spec(students: list[str] | None, **goals: Any) -> ChooseSpec | None:
    """Read the goals of the best student, None where students are named. Errors: SpecError for one without the other."""
    asked = {n: v for n, v in goals.items() if v is not None}
    others = [s for s in students or () if s != BEST]
    if BEST not in (students or ()):
        if asked:
            raise SpecError(
                "{goals}: goals are for the student that the app chooses, and no such one was asked for.",
                "Add --student best, or leave the goals out.",
                "goals_without_best",
                goals=", ".join(f"--{n}" for n in asked),
            )
        return None
    if others:
        raise SpecError(
            "'--student best' stands beside '{others}', but the best student is chosen among candidates of its own.",
            "Leave the other students out, or name only them.",
            "best_and_others",
            others=", ".join(others),
        )
    if "bytes" in asked:
        asked["bytes"] = size(asked["bytes"])
    return ChooseSpec.parse(asked, "the goals")


def size(text: str) -> int:
    """Read a size such as `40000`, `40KB`, `20k` or `1.5 MB`. Units: bytes; 1 KB is 1,024. Errors: SpecError `bad_size`."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+) *(|KB?|MB?)", text.strip(), re.IGNORECASE)
    if not found:
        raise SpecError(
            "The size '{text}' is not understood.",
            "Write bytes, KB or MB, for example 40000 or 40KB.",
            "bad_size",
            text=text,
        )
    return round(float(found[1]) * {"": 1, "K": 1024, "M": 1024**2}[found[2][:1].upper()])


def best_students(dataset: DatasetSpec, teacher: Choice, lesson: Choice) -> tuple[StudentSpec, ...]:
    """List the candidates for the best student of a dataset. Errors: DataError for a file that can't be used; as `candidates`."""
    from kd_core.data.preparation import look_at
    from kd_core.data.views import foreseen
    from kd_core.runs.choosing.candidates import candidates
    from kd_core.runs.plan import situation
    from kd_core.teachers.base import without_own_columns

    found = look_at(without_own_columns(dataset, teacher))
    raise_problems(list(found.problems))
    task = found.task or usual("classes").name
    at = situation(task, len(found.classes), teacher, foreseen(found), (), dataset.group is not None)
    return candidates(at, lesson).students


def usual_teacher(students: list[str] | None) -> str:
    """Name who teaches where nobody was named: for the best student the best of several teachers."""
    return "best" if BEST in (students or ()) else "gradient_boosting"


def setting(text: str, part: str, example: str) -> tuple[str, Any, str]:
    """Read `part.key=value` as key, value (JSON, or text) and the value as it was typed. Errors: SpecError `bad_setting`."""
    where, equals, value = text.partition("=")
    of, _, key = where.strip().partition(".")
    if of != part or not key or not equals:
        raise SpecError(
            "The setting '{text}' is not understood.",
            "Write {part}.<setting>=<value>, for example {part}.{example}.",
            "bad_setting",
            text=text,
            part=part,
            example=example,
        )
    try:
        return key, json.loads(value), value
    except ValueError:
        return key, value, value


def teacher_choice(name: str, settings: list[str] | None, tell: Tell = _quiet) -> Choice:
    """Read settings such as `teacher.trees=400`; values are JSON, or text; of lists, texts with commas between them.

    A file or a folder, of a model or a run, that is named by its path is kept in the workspace, and so is a model of a hub.
    Errors: SpecError naming what is not understood, DataError for the file, KDError of `hub.known_as`.
    """
    from kd_core.data.library import UPLOADS, DataLibrary
    from kd_core.teachers import SOURCES, kept_models
    from kd_core.teachers.pretrained import folders, hub

    found: dict[str, Any] = {}
    fields = SOURCES.get(name).spec.model_fields
    for text in settings or ():
        key, found_value, value = setting(text, "teacher", "trees=400")
        found[key] = found_value
        hints = fields[key].json_schema_extra if key in fields else None
        if isinstance(hints, dict) and "file" in hints and not value.startswith("sha256:"):
            library = DataLibrary(workspace(), UPLOADS)
            with library.resolve(value).open("rb") as file:
                found[key] = library.add(file, Path(value).name).source
        elif isinstance(hints, dict) and "model" in hints and hub.is_meant(value):
            found[key] = hub.known_as(value, str(hints["model"]), tell)
        elif isinstance(hints, dict) and "model" in hints and {"/", "\\", "~"} & set(value):
            found[key] = folders.add(Path(value).expanduser(), str(hints["model"]))
        elif isinstance(hints, dict) and "run" in hints:
            found[key] = kept_models.known_as(value)
        elif isinstance(hints, dict) and hints["unit"] == "names" and isinstance(found[key], str):
            found[key] = value.split(",")
    return Choice(name=name, settings=found)


def asked_teacher(
    names: list[str] | None,
    settings: list[str] | None,
    students: list[str] | None,
    data: str,
    targets: Sequence[str] | None,
    tell: Tell = _quiet,
) -> Choice:
    """Read who teaches; where nobody is named and the file has a teacher's answers in place of a target, these do. Errors: as `chosen_teacher`."""
    from kd_core.data.from_path import implied_answers

    if not targets and names in (None, [], ["soft_labels"]) and (own := implied_answers(data)):
        more = chosen_teacher(["soft_labels"], settings, tell)
        return more.model_copy(update={"settings": {"columns": list(own), **more.settings}})
    return chosen_teacher(names or [usual_teacher(students)], settings, tell)


def seeing_all(dataset: DatasetSpec, teacher: Choice, named: list[str] | None, settings: list[str] | None) -> Choice:
    """Let late fusion teach where nobody named a teacher and pictures lie beside other columns, which the usual one would read alone.

    A file without pictures is not looked at. Errors: DataError for a file that can't be used.
    """
    from kd_core.data.input_spec import TOGETHER
    from kd_core.models.building import reads_all
    from kd_core.teachers import SOURCES

    usual_one = teacher.name in (usual_teacher(None), usual_teacher([BEST]))
    if named or settings or not usual_one or not reads_all(_views(dataset)):
        return teacher
    return Choice(name=next(e.name for e in SOURCES.entries() if e.facts.get("takes") == (TOGETHER,)))


def usual_student(dataset: DatasetSpec) -> str:
    """Name who learns where nobody was named, as a command line names it. A file without pictures is not looked at.

    Errors: DataError for a file that can't be used.
    """
    from kd_core.models import building

    chosen = building.usual_student(_views(dataset))
    return str(chosen.settings["size"]) if chosen.name == "mlp" else f"{chosen.name}:{chosen.settings['size']}"


def _views(dataset: DatasetSpec) -> tuple[str, ...]:
    """Name the ways in which the rows of a file that may hold pictures can be read; of others the table alone."""
    from kd_core.data.input_spec import TABLE
    from kd_core.data.preparation import look_at
    from kd_core.data.views import foreseen

    if Path(dataset.source).suffix.lower() != ".zip" and not dataset.source.startswith("sample:"):
        return (TABLE,)
    return tuple(foreseen(look_at(dataset)))


def chosen_teacher(names: list[str], settings: list[str] | None, tell: Tell = _quiet) -> Choice:
    """Read the teachers that were named; several are members of an ensemble, counted from 1 in settings.

    Example: `chosen_teacher(["mlp", "linear"], ["teacher.1.size=small", "teacher.ensemble.combine=weighted"])`
    Errors: SpecError naming the setting that belongs to none of them; those of `teacher_choice`.
    """
    if len(names) == 1:
        return teacher_choice(names[0], [re.sub(r"^teacher\.1\.", "teacher.", text) for text in settings or ()], tell)
    asked: dict[str, list[str]] = {"ensemble": [], **{str(i): [] for i in range(1, len(names) + 1)}}
    for text in settings or ():
        part, _, rest = text.strip().partition(".")
        who, _, setting = rest.partition(".")
        if part != "teacher" or who not in asked:
            raise SpecError(
                "The setting '{text}' does not say which of the {count} teachers it is for ({named}).",
                "Write teacher.1.<setting>=<value> for the first, or teacher.ensemble.combine=weighted for all of them together.",
                "setting_of_whom",
                text=text,
                count=len(names),
                named=", ".join(f"{i} {name}" for i, name in enumerate(names, 1)),
            )
        asked[who].append(f"teacher.{setting}")
    members = [teacher_choice(name, asked[str(i)], tell).model_dump() for i, name in enumerate(names, 1)]
    together = teacher_choice("ensemble", asked["ensemble"])
    return together.model_copy(update={"settings": {"members": members, **together.settings}})


def evaluation_spec(folds: int | None, **asked: Any) -> EvaluationSpec:
    """Read how a run is judged; what was left out is the default. Errors: SpecError."""
    return EvaluationSpec.parse({**asked, **({} if folds is None else {"folds": folds})}, "evaluation")


def table_spec(
    data: str,
    targets: Sequence[str] | None,
    read: tuple[str | None, Any, Any],
    missing: list[str] | None,
    not_missing: list[str] | None,
    teacher: Choice,
    **chosen: Any,
) -> DatasetSpec:
    """Describe the file as the options say; `read` holds member, header and names.

    Further targets after the first are predicted beside it. Without columns of parts and of groups they are those that an archive makes. Without a target it is made from the teacher's answers, where these are columns of the table.

    Errors: DataError `no_target` for a file that does not say itself what is predicted.
    """
    from kd_core.data.from_path import (
        dataset_spec,
        implied_group,
        implied_part,
        implied_target,
        missing_words,
        read_spec,
    )
    from kd_core.data.types.answered import MADE_TARGET
    from kd_core.teachers.base import own_columns

    words = missing_words(missing or (), not_missing or ())
    target, *more = targets or (None,)
    chosen |= {"more_targets": tuple(more)} if more else {}
    if target is None and (own := own_columns(teacher)):
        target, chosen = MADE_TARGET, {**chosen, "answer_columns": own}
    target = implied_target(data) if target is None else target
    if chosen.get("part") is None and chosen.get("time") is None and read[0] is None:
        chosen["part"] = implied_part(data)
    elif chosen.get("part") == NO_PART:
        chosen["part"] = None
    if chosen.get("group") is None:
        chosen["group"] = implied_group(data)
    return dataset_spec(data, target, read_spec(Path(data), *read), missing=words, **chosen)


def make_spec(
    dataset: DatasetSpec,
    teacher: Choice,
    students: list[str] | None,
    lesson: Choice,
    trained: tuple[int | None, int | None, int],
    **parts: Any,
) -> RunSpec:
    """Put a run together; `trained` holds epochs, seeds and made rows, `parts` are further parts of the spec.

    `best` among the students stands for its candidates.
    """
    epochs, seeds, made = trained
    if BEST in (students or ()):
        parts["choose"] = parts.get("choose") or ChooseSpec()
        learning = best_students(dataset, teacher, lesson)
    else:
        learning = tuple(student_spec(s) for s in students or [usual_student(dataset)])
    values = {
        "dataset": dataset,
        "teacher": teacher,
        "training": TrainingSpec.parse({"epochs": epochs, "seeds": seeds, "made_rows": made}, "training"),
        "students": learning,
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
