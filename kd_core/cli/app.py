"""The command line: the same engine as the browser, for scripts and terminals."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from kd_core.cli import (
    asked_lesson,
    asked_mode,
    compressing,
    continuing,
    examining,
    exporting,
    looking,
    reporting,
    serving,
    sharing,
    timing,
)
from kd_core.cli.carrying import execute, guarded
from kd_core.cli.options import (
    ClassWeights,
    Copies,
    Data,
    Drop,
    Epochs,
    Folds,
    Group,
    HeaderRow,
    Item,
    LeastScore,
    MadeRows,
    Member,
    Metric,
    Minutes,
    Missing,
    ModeName,
    MostBytes,
    MostLost,
    MostMicroseconds,
    Names,
    NotMissing,
    Objective,
    OneClass,
    Out,
    Part,
    Placebo,
    Positive,
    Rare,
    References,
    Seeds,
    Settings,
    Splits,
    Students,
    Target,
    Task,
    Teachers,
    Threshold,
    Time,
    User,
)
from kd_core.cli.terminal import fetching
from kd_core.errors import DataError
from kd_core.runs.asked import (
    asked_teacher,
    choose_spec,
    default_loss,
    evaluation_spec,
    make_spec,
    numbers,
    seeing_all,
    table_spec,
)
from kd_core.specs import OFFLINE, RunSpec, SweepSpec

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Knowledge distillation with honest comparisons.",
)


@app.command()
def distill(
    data: Data,
    target: Target = None,
    task: Task = None,
    teacher: Teachers = None,
    settings: Settings = None,
    folds: Folds = None,
    student: Students = None,
    minutes: Minutes = None,
    bytes_: MostBytes = None,
    microseconds: MostMicroseconds = None,
    score: LeastScore = None,
    lost: MostLost = None,
    temperature: Annotated[float | None, typer.Option(help="Softens both sides; 2 when left out.")] = None,
    alpha: Annotated[
        float | None,
        typer.Option(
            help="Share of the lesson that comes from the teacher; when left out 0.7, or 1 without true labels."
        ),
    ] = None,
    objective: Objective = None,
    mode: ModeName = OFFLINE,
    epochs: Epochs = None,
    seeds: Seeds = None,
    made_rows: MadeRows = 0,
    metric: Metric = None,
    threshold: Threshold = None,
    class_weights: ClassWeights = "none",
    placebo: Placebo = True,
    references: References = True,
    splits: Splits = 1,
    group: Group = None,
    user: User = None,
    item: Item = None,
    time: Time = None,
    part: Part = None,
    copies: Copies = "together",
    drop: Drop = None,
    positive: Positive = None,
    member: Member = None,
    header: HeaderRow = "auto",
    names: Names = None,
    missing: Missing = None,
    not_missing: NotMissing = None,
    rare: Rare = "refuse",
    one_class: OneClass = None,
    out: Out = None,
) -> None:
    """Train a teacher, students and their baselines, and print the verdict."""

    def work() -> int:
        chosen = choose_spec(student, minutes=minutes, bytes=bytes_, microseconds=microseconds, score=score, lost=lost)
        goals = {} if chosen is None else {"choose": chosen}
        meeting, rest = asked_mode.mode(mode, settings), asked_mode.of_others(settings)
        from kd_core.data.from_path import history_roles  # brings pandas along

        targets, kind, unit = history_roles(user, item, target, task, group)
        taught_by = asked_teacher(teacher, asked_lesson.of_others(rest), student, data, targets, fetching())
        dataset = table_spec(
            data,
            targets,
            (member, header, names),
            missing,
            not_missing,
            taught_by,
            task=kind,
            group=unit,
            time=time,
            part=part,
            drop=tuple(drop or ()),
            positive=positive,
            rare=rare,
            one_class=one_class,
            copies=copies,
        )
        taught_by = seeing_all(dataset, taught_by, teacher, asked_lesson.of_others(rest))
        judged = {"metric": metric, "threshold": threshold}
        asked = evaluation_spec(folds, placebo=placebo, references=references, splits=splits, **judged)
        losses = objective or [default_loss(dataset)]
        taught = asked_lesson.lesson(losses, settings, temperature, alpha, dataset)
        trained = epochs, seeds, made_rows
        spec = make_spec(dataset, taught_by, student, taught, trained, evaluation=asked, mode=meeting, **goals)
        return execute(asked_lesson.weighed(spec, class_weights), out)

    guarded(work)


@app.command()
def sweep(
    data: Data,
    target: Target = None,
    temperature: Annotated[str | None, typer.Option(help="Temperatures, for example 1,2,4,8,16.")] = None,
    alpha: Annotated[
        str | None, typer.Option(help="Shares of the teacher's lesson, for example 0,.25,.5,.75,1.")
    ] = None,
    learning_rate: Annotated[str | None, typer.Option(help="Step sizes, for example .001,.003.")] = None,
    weight_decay: Annotated[str | None, typer.Option(help="Pulls towards zero, for example 0,.0001.")] = None,
    dropout: Annotated[str | None, typer.Option(help="Shares of silenced hidden units, for example 0,.1.")] = None,
    made_rows: Annotated[
        str | None, typer.Option(help="Made rows, as many times the training rows: for example 0,1,4.")
    ] = None,
    seeds: Seeds = None,
    student: Students = None,
    teacher: Teachers = None,
    settings: Settings = None,
    folds: Folds = None,
    objective: Objective = None,
    epochs: Epochs = None,
    mode: Annotated[str, typer.Option(help="auto, fused or sequential.")] = "auto",
    task: Task = None,
    group: Group = None,
    user: User = None,
    item: Item = None,
    time: Time = None,
    part: Part = None,
    copies: Copies = "together",
    drop: Drop = None,
    positive: Positive = None,
    member: Member = None,
    header: HeaderRow = "auto",
    names: Names = None,
    missing: Missing = None,
    not_missing: NotMissing = None,
    rare: Rare = "refuse",
    one_class: OneClass = None,
    out: Out = None,
) -> None:
    """Train every combination of the values as one run, and print which settings are worth it."""

    def work() -> int:
        lists = {
            "temperature": temperature,
            "alpha": alpha,
            "learning_rate": learning_rate,
            "weight_decay": weight_decay,
            "dropout": dropout,
            "made_rows": made_rows,
        }
        asked = SweepSpec.parse({**{n: numbers(n, v) for n, v in lists.items()}, "mode": mode}, "sweep")
        from kd_core.data.from_path import history_roles  # brings pandas along

        targets, kind, unit = history_roles(user, item, target, task, group)
        taught_by = asked_teacher(teacher, asked_lesson.of_others(settings), student, data, targets, fetching())
        dataset = table_spec(
            data,
            targets,
            (member, header, names),
            missing,
            not_missing,
            taught_by,
            task=kind,
            group=unit,
            time=time,
            part=part,
            drop=tuple(drop or ()),
            positive=positive,
            rare=rare,
            one_class=one_class,
            copies=copies,
        )
        taught_by = seeing_all(dataset, taught_by, teacher, asked_lesson.of_others(settings))
        losses = objective or [default_loss(dataset)]
        taught = asked_lesson.lesson(losses[:1], settings, None, None, dataset)
        judged = evaluation_spec(folds)
        spec = make_spec(dataset, taught_by, student, taught, (epochs, seeds, 0), sweep=asked, evaluation=judged)
        spec = asked_lesson.by_each(spec, losses)
        return execute(spec, out)

    guarded(work)


@app.command()
def scenario(
    name: Annotated[str, typer.Argument(help="See `list scenarios`.")],
    smoke: Annotated[bool, typer.Option(help="A small sample and a hasty run, to see that all parts work.")] = False,
    out: Out = None,
) -> None:
    """Run a scenario as one click does: its made-up sample, its teacher, its students, and the verdict."""

    def work() -> int:
        from kd_core.scenarios.ready import ready

        story, spec = ready(name, smoke)
        typer.echo(f"{spec.name}. {story}")
        return execute(spec, out)

    guarded(work)


@app.command("run")
def run_spec(
    spec: Annotated[Path, typer.Argument(help="A spec.json, for example of an earlier run.")], out: Out = None
) -> None:
    """Repeat the run that a spec file describes."""

    def work() -> int:
        if not spec.is_file():
            raise DataError("There is no file {path}.", "Check the path.", "no_file", path=str(spec))
        return execute(RunSpec.from_json(spec.read_text("utf-8", errors="replace")), out)

    guarded(work)


for command, name in (
    (continuing.go_on, "continue"),
    (compressing.compress, None),
    (looking.list_parts, "list"),
    (looking.profile, None),
    (looking.runs, None),
    (looking.show, None),
    (looking.predict, None),
    (exporting.export_student, "export"),
    (sharing.export_labels, "export-labels"),
    (reporting.report, None),
    (examining.examine, None),
    (serving.serve, None),
    (timing.latency, None),
):
    app.command(name)(command)


def main() -> None:
    """Run the command line."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    app()
