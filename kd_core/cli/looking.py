"""Commands that look and train nothing: what can be chosen, what a file holds, what runs found."""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Annotated

import typer

from kd_core.cli import terminal
from kd_core.cli.carrying import BAD_INPUT, DONE, guarded
from kd_core.cli.options import (
    Copies,
    Data,
    Group,
    HeaderRow,
    Item,
    Member,
    Missing,
    Names,
    NotMissing,
    OneClass,
    Part,
    Rare,
    Task,
    Time,
    User,
)
from kd_core.errors import DataError, UnknownName
from kd_core.specs import DatasetSpec

PLURALS = {
    "tasks": "task.TASKS",
    "losses": "distill.LOSSES",
    "modes": "distill.MODES",
    "archs": "models.ARCHS",
    "views": "data.views.VIEWS",
    "readers": "data.readers.READERS",
    "teachers": "teachers.SOURCES",
    "metrics": "evaluate.METRICS",
    "scenarios": "scenarios.SCENARIOS",
    "targets": "export.targets.TARGETS",
    "steps": "compress.steps.STEPS",
}


def list_parts(kind: Annotated[str, typer.Argument(help=", ".join(PLURALS))]) -> None:
    """List what can be chosen: losses, modes, archs, readers, teachers, metrics, tasks, scenarios, export targets or steps of compression."""

    def work() -> int:
        if kind not in PLURALS:
            raise UnknownName(
                "no list '{kind}'.", "Known: {known}.", "unknown_name", kind=kind, known=", ".join(PLURALS)
            )
        from kd_core.listing import parts

        package, registry = PLURALS[kind].rsplit(".", 1)
        for entry in parts(f"kd_core.{package}", registry):
            of = "for no task that is here yet" if entry.waits else ", ".join(entry.tasks)
            tasks = f"  ({of})" if of else ""
            source = f"  [{entry.source}]" if entry.source else ""
            can = f"  {entry.roles}" if entry.roles else ""
            typer.echo(f"{entry.name:<20} {entry.title}{tasks}{source}{can}")
        return DONE

    guarded(work)


def profile(
    data: Data,
    target: Annotated[list[str] | None, typer.Option(help="Column to predict, again for every further one.")] = None,
    task: Task = None,
    group: Group = None,
    user: User = None,
    item: Item = None,
    time: Time = None,
    copies: Copies = "together",
    part: Part = None,
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
        from kd_core.data.from_path import history_roles, missing_words, read_spec
        from kd_core.data.preparation import profile_source

        targets, kind, unit = history_roles(user, item, target, task, group)
        asked = DatasetSpec.parse(
            {
                "source": data,
                "target": targets[0] if targets else "",
                "more_targets": targets[1:] if targets else (),
                "task": kind,
                "group": unit,
                "time": time,
                "missing": missing_words(missing or (), not_missing or ()),
                "rare": rare,
                "one_class": one_class,
            },
            "data",
        )
        found = profile_source(
            data,
            read_spec(Path(data), member, header, names),
            target=asked.target or None,
            more_targets=asked.more_targets,
            task=asked.task,
            group=asked.group,
            time=asked.time,
            missing=asked.missing,
            rare=asked.rare,
            one_class=asked.one_class,
            copies=copies,
            part=part,
        )
        if as_json:
            typer.echo(json.dumps(account.values(found), indent=1, ensure_ascii=False))
        else:
            for line in account.lines(found):
                typer.echo(line)
        return BAD_INPUT if any(p.severity == "error" for p in found.problems) else DONE

    guarded(work)


def runs(limit: Annotated[int, typer.Option(help="Newest runs to show.")] = 20) -> None:
    """List the runs of the workspace, newest first."""

    def work() -> int:
        from kd_core.runs.store.runs import RunStore
        from kd_core.workspace import workspace

        store = RunStore(workspace())
        for listed in store.list(limit=limit):
            row = store.refresh(listed.id)  # the list remembers; the folder knows
            word = (row.headline.verdict if row.headline else "") or "-"
            typer.echo(f"{row.id}  {row.state:<11}  {word:<12}  {row.dataset_name} · {row.name}")
            if row.state == "damaged" and row.error:
                typer.echo(f"  {row.error}")
        return DONE

    guarded(work)


def predict(
    run: Annotated[str, typer.Argument(help="Run id, or a run folder.")],
    rows: Annotated[
        str,
        typer.Argument(
            help="A file of rows, laid out as the run's own, or one picture; - reads rows from the input. Pictures that it names lie beside it."
        ),
    ],
    student: Annotated[
        str | None,
        typer.Option(
            help="A student, or a model without a teacher kept beside it ('plain linear', 'alone small'); the best student when left out."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="File to write the answers to as CSV; the output when left out.")
    ] = None,
) -> None:
    """Answer raw rows by the student of a finished run: class and probabilities, or the number."""

    def work() -> int:
        from kd_core.runs.predictor import load

        opened = load(run, student)
        with tempfile.TemporaryDirectory(prefix="kd-") as folder, warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            path = Path(rows)
            beside = path.parent
            if rows == "-":
                path, beside = Path(folder) / "rows", Path()  # no ending: any kind of file may be piped in
                path.write_bytes(sys.stdin.buffer.read())
            found = opened.predict_file(path, beside=beside)
        for one in (w.message for w in said if w.category is UserWarning):
            typer.echo(f"note: {one}", err=True)
        written = found.to_csv(out, index=False)
        if out is None:
            typer.echo(written, nl=False)
        return DONE

    guarded(work)


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

    guarded(work)
