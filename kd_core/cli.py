"""The command line: the same engine as the browser, for scripts and terminals."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from kd_core import terminal
from kd_core.errors import DataError, KDError, SpecError, Stopped, UnknownName
from kd_core.options import (
    Copies,
    Data,
    Drop,
    Epochs,
    Folds,
    Group,
    HeaderRow,
    Member,
    Missing,
    Names,
    NotMissing,
    Objective,
    OneClass,
    Out,
    Placebo,
    Positive,
    Rare,
    Seeds,
    Settings,
    Splits,
    Students,
    Target,
    Task,
    Teacher,
    Time,
)
from kd_core.runs.asked import (
    default_loss,
    evaluation_spec,
    lesson_settings,
    make_spec,
    numbers,
    table_spec,
    teacher_choice,
)
from kd_core.specs import Choice, DatasetSpec, RunSpec, SweepSpec

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Knowledge distillation with honest comparisons.",
)

DONE, FAILED, BAD_INPUT, CANCELLED = 0, 1, 2, 130
PLURALS = {
    "tasks": "task.TASKS",
    "losses": "distill.LOSSES",
    "archs": "models.ARCHS",
    "views": "data.views.VIEWS",
    "readers": "data.readers.READERS",
    "teachers": "teachers.SOURCES",
    "metrics": "evaluate.METRICS",
    "scenarios": "scenarios.SCENARIOS",
}


@app.command()
def distill(
    data: Data,
    target: Target = None,
    task: Task = None,
    teacher: Teacher = "gradient_boosting",
    settings: Settings = None,
    folds: Folds = None,
    student: Students = None,
    temperature: Annotated[float | None, typer.Option(help="Softens both sides; 2 when left out.")] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Share of the lesson that comes from the teacher; 0.7 when left out.")
    ] = None,
    objective: Objective = None,
    epochs: Epochs = None,
    seeds: Seeds = None,
    placebo: Placebo = True,
    splits: Splits = 1,
    group: Group = None,
    time: Time = None,
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
        taught_by = teacher_choice(teacher, settings)
        dataset = table_spec(
            data,
            target,
            (member, header, names),
            missing,
            not_missing,
            taught_by,
            task=task,
            group=group,
            time=time,
            drop=tuple(drop or ()),
            positive=positive,
            rare=rare,
            one_class=one_class,
            copies=copies,
        )
        asked = evaluation_spec(folds, placebo=placebo, splits=splits)
        loss = objective or default_loss(dataset)
        lesson = Choice(name=loss, settings=lesson_settings(loss, temperature, alpha, dataset))
        spec = make_spec(dataset, taught_by, student, lesson, epochs, seeds, evaluation=asked)
        return _execute(spec, out)

    _guarded(work)


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
    seeds: Seeds = None,
    student: Students = None,
    teacher: Teacher = "gradient_boosting",
    settings: Settings = None,
    folds: Folds = None,
    objective: Objective = None,
    epochs: Epochs = None,
    mode: Annotated[str, typer.Option(help="auto, fused or sequential.")] = "auto",
    task: Task = None,
    group: Group = None,
    time: Time = None,
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
        }
        asked = SweepSpec.parse({**{n: numbers(n, v) for n, v in lists.items()}, "mode": mode}, "sweep")
        taught_by = teacher_choice(teacher, settings)
        dataset = table_spec(
            data,
            target,
            (member, header, names),
            missing,
            not_missing,
            taught_by,
            task=task,
            group=group,
            time=time,
            drop=tuple(drop or ()),
            positive=positive,
            rare=rare,
            one_class=one_class,
            copies=copies,
        )
        loss = objective or default_loss(dataset)
        lesson = Choice(name=loss, settings=lesson_settings(loss, None, None, dataset))
        judged = evaluation_spec(folds)
        spec = make_spec(dataset, taught_by, student, lesson, epochs, seeds, sweep=asked, evaluation=judged)
        return _execute(spec, out)

    _guarded(work)


@app.command("run")
def run_spec(
    spec: Annotated[Path, typer.Argument(help="A spec.json, for example of an earlier run.")], out: Out = None
) -> None:
    """Repeat the run that a spec file describes."""

    def work() -> int:
        if not spec.is_file():
            raise DataError("There is no file {path}.", "Check the path.", "no_file", path=str(spec))
        return _execute(RunSpec.from_json(spec.read_text("utf-8", errors="replace")), out)

    _guarded(work)


@app.command("list")
def list_parts(kind: Annotated[str, typer.Argument(help=", ".join(PLURALS))]) -> None:
    """List what can be chosen: losses, archs, readers, teachers, metrics, tasks or scenarios."""

    def work() -> int:
        if kind not in PLURALS:
            raise UnknownName(
                "no list '{kind}'.", "Known: {known}.", "unknown_name", kind=kind, known=", ".join(PLURALS)
            )
        from kd_core.listing import parts

        package, registry = PLURALS[kind].rsplit(".", 1)
        for entry in parts(f"kd_core.{package}", registry):
            tasks = f"  ({', '.join(entry.tasks)})" if entry.tasks else ""
            source = f"  [{entry.source}]" if entry.source else ""
            typer.echo(f"{entry.name:<20} {entry.title}{tasks}{source}")
        return DONE

    _guarded(work)


@app.command()
def profile(
    data: Data,
    target: Annotated[str | None, typer.Option(help="Column to predict.")] = None,
    copies: Copies = "together",
    member: Member = None,
    header: HeaderRow = "auto",
    names: Names = None,
    missing: Missing = None,
    not_missing: NotMissing = None,
    rare: Rare = "refuse",
    one_class: OneClass = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Show what was understood of a file: columns, target, task and problems."""

    def work() -> int:
        from kd_core.data import account
        from kd_core.data.from_path import missing_words, read_spec
        from kd_core.data.preparation import profile_source

        asked = DatasetSpec.parse(
            {
                "source": data,
                "target": target or "",
                "missing": missing_words(missing or (), not_missing or ()),
                "rare": rare,
                "one_class": one_class,
            },
            "data",
        )
        found = profile_source(
            data,
            read_spec(Path(data), member, header, names),
            target=target,
            missing=asked.missing,
            rare=asked.rare,
            one_class=asked.one_class,
            copies=copies,
        )
        if as_json:
            typer.echo(json.dumps(account.values(found), indent=1, ensure_ascii=False))
        else:
            for line in account.lines(found):
                typer.echo(line)
        return BAD_INPUT if any(p.severity == "error" for p in found.problems) else DONE

    _guarded(work)


@app.command()
def runs(limit: Annotated[int, typer.Option(help="Newest runs to show.")] = 20) -> None:
    """List the runs of the workspace, newest first."""

    def work() -> int:
        from kd_core.runs.store.runs import RunStore
        from kd_core.workspace import workspace

        store = RunStore(workspace())
        for listed in store.list(limit=limit):
            row = store.refresh(listed.id)  # the list remembers; the folder knows
            word = row.headline.verdict if row.headline else "-"
            typer.echo(f"{row.id}  {row.state:<11}  {word:<12}  {row.dataset_name} · {row.name}")
            if row.state == "damaged" and row.error:
                typer.echo(f"  {row.error}")
        return DONE

    _guarded(work)


@app.command()
def show(run: Annotated[str, typer.Argument(help="Run id, or a run folder.")]) -> None:
    """Print a run's verdict and where its files are."""

    def work() -> int:
        from kd_core.runs.store.folder import RunFolder
        from kd_core.runs.store.runs import RunStore
        from kd_core.workspace import workspace

        folder = RunFolder(Path(run)) if Path(run).is_dir() else RunStore(workspace()).folder(run)
        result = folder.result()
        if result is None:
            raise DataError("Run {run} has no result.", "Resume it, or look at another one.", "no_result", run=run)
        folder.manifest()  # one that can't be read is damage, too
        terminal.show_result(result)
        typer.echo(f"files: {folder.path}")
        return DONE

    _guarded(work)


def _execute(spec: RunSpec, out: Path | None) -> int:
    """Carry out a spec in `out`, or in a new run of the workspace; Ctrl-C stops and keeps the best so far."""
    from kd_core.runs.direct import run_here
    from kd_core.runs.service.execution import StopSignal
    from kd_core.runs.view.naming import short_name

    asked = StopSignal()

    def stop(_signal: int, _frame: object) -> None:
        if asked.reason:
            raise KeyboardInterrupt
        asked.ask("cancel")
        typer.echo("\nStopping; what is finished is kept. Press Ctrl-C again to stop at once.", err=True)

    spec = spec if spec.name else spec.model_copy(update={"name": short_name(spec)})
    before = signal.signal(signal.SIGINT, stop)
    try:
        result, folder = run_here(spec, out, terminal.follow(), asked)
    finally:
        signal.signal(signal.SIGINT, before)
    terminal.show_result(result)
    typer.echo(f"files: {folder}")
    return CANCELLED if asked.noticed else DONE


def _guarded(work: Callable[[], int]) -> None:
    """Turn errors into a message with a hint and the right exit code, never a traceback for bad input."""
    try:
        code = work()
    except (DataError, SpecError, UnknownName) as error:
        typer.echo(f"error: {error.message}\nhint: {error.hint}", err=True)
        code = BAD_INPUT
    except KDError as error:
        typer.echo(f"error: {error.message}\nhint: {error.hint}", err=True)
        code = FAILED
    except OSError as error:  # a folder that can't be made, a file that can't be read
        place = f": {error.filename}" if error.filename else ""
        typer.echo(f"error: {error.strerror or error}{place}\nhint: Choose another path.", err=True)
        code = BAD_INPUT
    except Stopped as stopped:
        typer.echo(str(stopped), err=True)
        code = CANCELLED
    except KeyboardInterrupt:
        typer.echo("Stopped at once.", err=True)
        code = CANCELLED
    raise typer.Exit(code)


def main() -> None:
    """Run the command line."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    app()
