"""What leaves this machine on purpose: a package of soft labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kd_core.cli.carrying import DONE, guarded
from kd_core.errors import DataError


def export_labels(
    run: Annotated[str, typer.Argument(help="Run id, or a run folder.")],
    out: Annotated[Path, typer.Option(help="Zip file to write.")],
    columns: Annotated[
        str | None,
        typer.Option(help="Columns to share, with commas between them; or all; or encoded: numbers without names."),
    ] = None,
    made: Annotated[
        bool, typer.Option("--made", help="Share rows made of near rows in place of the rows themselves.")
    ] = False,
) -> None:
    """Write a run's teacher as a package: rows with its answers and without labels, for `distill PACKAGE.zip` elsewhere."""

    def work() -> int:
        from kd_core.export import label_package
        from kd_core.runs import plan
        from kd_core.runs.store.folder import RunFolder
        from kd_core.runs.store.runs import RunStore
        from kd_core.workspace import workspace

        folder = RunFolder(Path(run)) if Path(run).is_dir() else RunStore(workspace()).folder(run)
        result = folder.result()
        if result is None:
            raise DataError("Run {run} has no result.", "Resume it, or look at another one.", "no_result", run=run)
        spec = folder.spec()
        named = [name for one in (columns or "").split(",") if (name := one.strip())]
        told = label_package.write(
            spec,
            plan.folds_of(spec, result["dataset"]["rows"]["train"]),
            out,
            named,
            made=made,
            notify=_tell,
            should_stop=lambda: False,
        )
        shared = f"{len(told.kinds)} encoded columns" if told.encoded else f"the columns {', '.join(told.kinds)}"
        left = f"; {told.left_out:,} rows without an answer were left out" if told.left_out else ""
        typer.echo(f"{told.rows:,} {'made rows' if told.made else 'rows'} with {shared}, no labels{left}.")
        for line in told.leaks:
            typer.echo(f"What it tells anyway: {line}")
        typer.echo(f"file: {out} ({out.stat().st_size / 1024:,.0f} KB)")
        return DONE

    guarded(work)


def _tell(event: dict[str, object]) -> None:
    if event["kind"] == "warning":
        typer.echo(f"warning: {event['message']} {event['hint']}", err=True)
