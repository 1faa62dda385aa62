"""The command that writes a run's report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kd_core.cli.carrying import DONE, guarded


def report(
    run: Annotated[str, typer.Argument(help="Run id, or a run folder.")],
    out: Annotated[Path, typer.Option(help="HTML file to write.")],
) -> None:
    """Write a run's report: one HTML file with verdict, charts, tables and recipe, that needs no network and prints on A4."""

    def work() -> int:
        from kd_core import safe_io
        from kd_core.reports.page import page
        from kd_core.runs.store.folder import RunFolder
        from kd_core.runs.store.runs import RunStore
        from kd_core.workspace import workspace

        folder = RunFolder(Path(run)) if Path(run).is_dir() else RunStore(workspace()).folder(run)
        safe_io.write_text(out, page(folder))
        typer.echo(f"file: {out} ({out.stat().st_size / 1024:,.0f} KB)")
        return DONE

    guarded(work)
