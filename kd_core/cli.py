"""The command line: the same engine as the browser, for scripts and terminals."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from kd_core.errors import DataError, KDError, SpecError, Stopped, UnknownName
from kd_core.runs.asked import numbers, student_spec
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, SweepSpec, TrainingSpec

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help="Knowledge distillation with honest comparisons.")  # fmt: skip

DONE, FAILED, BAD_INPUT, CANCELLED = 0, 1, 2, 130
PLURALS = {"losses": "distill.LOSSES", "archs": "models.ARCHS", "readers": "data.readers.READERS", "teachers": "teachers.SOURCES", "metrics": "evaluate.METRICS", "scenarios": "scenarios.SCENARIOS"}  # fmt: skip

Data = Annotated[str, typer.Argument(help="A file, or sample:<name>.")]
Target = Annotated[str, typer.Option(help="Column to predict.")]
Task = Annotated[str | None, typer.Option(help="binary, multiclass or regression; inferred when left out.")]
Teacher = Annotated[str, typer.Option(help="Teacher; see `list teachers`.")]
Students = Annotated[
    list[str] | None, typer.Option("--student", help="Student size or architecture[:size]; repeat for several.")
]
Objective = Annotated[str | None, typer.Option(help="Loss; see `list losses`.")]
Epochs = Annotated[int | None, typer.Option(help="Passes at most; chosen from the rows when left out.")]
Seeds = Annotated[int, typer.Option(help="Trainings per student and arm.")]
Group = Annotated[str | None, typer.Option(help="Rows of one group stay on one side of the split.")]
Time = Annotated[str | None, typer.Option(help="Split by this time column.")]
Drop = Annotated[list[str] | None, typer.Option(help="Column not to use; repeat for several.")]
Positive = Annotated[str | None, typer.Option(help="The class that counts as yes.")]
Member = Annotated[str | None, typer.Option(help="Table inside a zip, or sheet of a workbook.")]
HeaderRow = Annotated[str, typer.Option("--header", help="Whether the first row holds names: yes, no or auto.")]
Names = Annotated[str | None, typer.Option("--names", help="Names of the columns, with commas between them.")]
Missing = Annotated[
    list[str] | None, typer.Option("--missing", help="Category column where words such as NA are missing cells.")
]
NotMissing = Annotated[list[str] | None, typer.Option("--not-missing", help="Category column where ? is a value.")]
Rare = Annotated[str, typer.Option("--rare", help="Classes with too few rows: refuse, drop or merge.")]
OneClass = Annotated[str | None, typer.Option("--one-class", help="Predict this class against all the rest.")]
Out = Annotated[Path | None, typer.Option("--out", help="Folder to write the run to.")]


@app.command()
def distill(
    data: Data,
    target: Target,
    task: Task = None,
    teacher: Teacher = "gradient_boosting",
    student: Students = None,
    temperature: Annotated[float | None, typer.Option(help="Softens both sides; 2 when left out.")] = None,
    alpha: Annotated[
        float | None, typer.Option(help="Share of the lesson that comes from the teacher; 0.7 when left out.")
    ] = None,
    objective: Objective = None,
    epochs: Epochs = None,
    seeds: Seeds = 3,
    group: Group = None,
    time: Time = None,
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
        from kd_core.data.from_path import dataset_spec, missing_words, read_spec

        chosen = {"task": task, "group": group, "time": time, "drop": tuple(drop or ()), "positive": positive,
                  "missing": missing_words(missing or (), not_missing or ()), "rare": rare, "one_class": one_class}  # fmt: skip
        dataset = dataset_spec(data, target, read_spec(Path(data), member, header, names), **chosen)
        loss = objective or _loss(dataset)
        spec = RunSpec.parse(
            {"name": dataset.name, "dataset": dataset, "teacher": Choice(name=teacher),
             "training": TrainingSpec.parse({"epochs": epochs, "seeds": seeds}, "training"),
             "students": tuple(student_spec(s) for s in student or ["small"]), "evaluation": EvaluationSpec(),
             "objective": Choice(name=loss, settings=_lesson(loss, temperature, alpha))}, "run",
        )  # fmt: skip
        return _execute(spec, out)

    _guarded(work)


@app.command()
def sweep(
    data: Data,
    target: Target,
    temperature: Annotated[str | None, typer.Option(help="Temperatures, for example 1,2,4,8,16.")] = None,
    alpha: Annotated[
        str | None, typer.Option(help="Shares of the teacher's lesson, for example 0,.25,.5,.75,1.")
    ] = None,
    learning_rate: Annotated[str | None, typer.Option(help="Step sizes, for example .001,.003.")] = None,
    weight_decay: Annotated[str | None, typer.Option(help="Pulls towards zero, for example 0,.0001.")] = None,
    dropout: Annotated[str | None, typer.Option(help="Shares of silenced hidden units, for example 0,.1.")] = None,
    seeds: Seeds = 3,
    student: Students = None,
    teacher: Teacher = "gradient_boosting",
    objective: Objective = None,
    epochs: Epochs = None,
    mode: Annotated[str, typer.Option(help="auto, fused, sequential or processes.")] = "auto",
    task: Task = None,
    group: Group = None,
    time: Time = None,
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
        from kd_core.data.from_path import dataset_spec, missing_words, read_spec

        chosen = {"task": task, "group": group, "time": time, "drop": tuple(drop or ()), "positive": positive,
                  "missing": missing_words(missing or (), not_missing or ()), "rare": rare, "one_class": one_class}  # fmt: skip
        lists = {"temperature": temperature, "alpha": alpha, "learning_rate": learning_rate,
                 "weight_decay": weight_decay, "dropout": dropout}  # fmt: skip
        asked = SweepSpec.parse({**{n: numbers(n, v) for n, v in lists.items()}, "mode": mode}, "sweep")
        dataset = dataset_spec(data, target, read_spec(Path(data), member, header, names), **chosen)
        loss = objective or _loss(dataset)
        spec = RunSpec.parse(
            {"name": dataset.name, "dataset": dataset, "teacher": Choice(name=teacher), "sweep": asked,
             "training": TrainingSpec.parse({"epochs": epochs, "seeds": seeds}, "training"),
             "students": tuple(student_spec(s) for s in student or ["small"]), "evaluation": EvaluationSpec(),
             "objective": Choice(name=loss, settings=_lesson(loss, None, None))}, "sweep",
        )  # fmt: skip
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
    """List what can be chosen: losses, archs, readers, teachers, metrics or scenarios."""

    def work() -> int:
        if kind not in PLURALS:
            raise UnknownName(
                "no list '{kind}'.", "Known: {known}.", "unknown_name", kind=kind, known=", ".join(PLURALS)
            )
        import importlib

        module, name = PLURALS[kind].rsplit(".", 1)
        for entry in getattr(importlib.import_module(f"kd_core.{module}"), name).entries():
            tasks = f"  ({', '.join(entry.tasks)})" if entry.tasks else ""
            source = f"  [{entry.source}]" if entry.source else ""
            typer.echo(f"{entry.name:<20} {entry.title}{tasks}{source}")
        return DONE

    _guarded(work)


@app.command()
def profile(
    data: Data,
    target: Annotated[str | None, typer.Option(help="Column to predict.")] = None,
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
            {"source": data, "target": target or "", "missing": missing_words(missing or (), not_missing or ()),
             "rare": rare, "one_class": one_class}, "data",
        )  # fmt: skip
        found = profile_source(
            data, read_spec(Path(data), member, header, names), target=target, missing=asked.missing, rare=asked.rare,
            one_class=asked.one_class,
        )  # fmt: skip
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
        from kd_core.runs.store import RunStore
        from kd_core.workspace import workspace

        for row in RunStore(workspace()).list(limit=limit):
            typer.echo(f"{row.id}  {row.state:<11}  {row.headline.verdict if row.headline else '-':<12}  {row.name}")
        return DONE

    _guarded(work)


@app.command()
def show(run: Annotated[str, typer.Argument(help="Run id, or a run folder.")]) -> None:
    """Print a run's verdict and where its files are."""

    def work() -> int:
        from kd_core.runs.folder import RunFolder
        from kd_core.runs.store import RunStore
        from kd_core.workspace import workspace

        folder = RunFolder(Path(run)) if Path(run).is_dir() else RunStore(workspace()).folder(run)
        result = folder.result()
        if result is None:
            raise DataError("Run {run} has no result.", "Resume it, or look at another one.", "no_result", run=run)
        _print_verdict(result)
        typer.echo(f"files: {folder.path}")
        return DONE

    _guarded(work)


def _loss(dataset: DatasetSpec) -> str:
    """Choose the loss that suits the task."""
    from kd_core.data.preparation import profile_source

    if dataset.task is not None:
        return "mse" if dataset.task == "regression" else "hinton"
    found = profile_source(
        dataset.source, dataset.read, target=dataset.target, drop=dataset.drop, missing=dataset.missing,
        rare=dataset.rare, one_class=dataset.one_class,
    )  # fmt: skip
    return "mse" if found.task == "regression" else "hinton"


def _lesson(loss: str, temperature: float | None, alpha: float | None) -> dict[str, Any]:
    """Fill in a loss's settings; one that was asked for and that it does not have is refused."""
    from kd_core.distill import LOSSES

    asked = {k: v for k, v in {"temperature": temperature, "alpha": alpha}.items() if v is not None}
    spec = LOSSES.get(loss).spec.parse(asked, f"the loss {loss}").model_dump()
    return {k: v for k, v in spec.items() if k in ("temperature", "alpha")}


def _execute(spec: RunSpec, out: Path | None) -> int:
    """Carry out a spec in `out`, or in a new run of the workspace; Ctrl-C stops and keeps the best so far."""
    from kd_core.runs.direct import run_here
    from kd_core.runs.execution import StopSignal

    asked = StopSignal()

    def stop(_signal: int, _frame: object) -> None:
        if asked.reason:
            raise KeyboardInterrupt
        asked.ask("cancel")
        typer.echo("\nStopping; what is finished is kept. Press Ctrl-C again to stop at once.", err=True)

    before = signal.signal(signal.SIGINT, stop)
    try:
        result, folder = run_here(spec, out, _progress(), asked)
    finally:
        signal.signal(signal.SIGINT, before)
    _print_verdict(result)
    typer.echo(f"files: {folder}")
    return CANCELLED if asked.noticed else DONE


def _progress() -> Callable[[dict[str, Any]], None]:
    """Show phases and trainings: a live line on a terminal, plain lines elsewhere."""
    from kd_core.runs.progress_line import ProgressLine

    live = sys.stderr.isatty()
    clear = "\r\033[K" if live else ""
    line = ProgressLine()

    def show_event(event: dict[str, Any]) -> None:
        kind = event["kind"]
        line.take(event)
        if kind == "phase" and event["state"] == "end":
            typer.echo(f"{clear}{event['phase']}: {event['seconds']:.1f} s", err=True)
        elif kind == "warning":
            typer.echo(f"{clear}warning: {event['message']} {event['hint']}", err=True)
        elif kind == "sweep":
            typer.echo(f"{clear}{event['trainings']} trainings to do ({event['mode']}). {event['why']}", err=True)
        elif live and kind in ("trained", "scores", "variant"):
            typer.echo(f"{clear}{line.text(event)}", err=True, nl=False)

    return show_event


def _print_verdict(result: dict[str, Any]) -> None:
    from kd_core.runs.heat_map import heat_map
    from kd_core.runs.report import verdict_lines

    sweep = result.get("sweep")
    for line in [*(heat_map(result) if sweep else ()), *verdict_lines(result)]:
        typer.echo(line)
    if sweep:
        some = sweep["trained"] < sweep["trainings"]
        trained = f"{sweep['trained']} of {sweep['trainings']}" if some else sweep["trainings"]
        typer.echo(f"{trained} trainings, {sweep['mode'] or 'none anew'}, {sweep['seconds']:.1f} s. {sweep['why']}")


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
