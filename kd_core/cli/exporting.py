"""What is taken home: a student of a run as a file that answers elsewhere, proved first."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kd_core.cli.carrying import DONE, guarded


def export_student(
    run: Annotated[str, typer.Argument(help="Run id, or a run folder.")],
    out: Annotated[Path, typer.Option(help="File to write.")],
    target: Annotated[str, typer.Option(help="What to make of it; list targets shows them.")] = "bundle",
    student: Annotated[
        str | None,
        typer.Option(
            help="A student, or a model without a teacher kept beside it ('plain linear', 'alone small'); the best student when left out."
        ),
    ] = None,
    licence: Annotated[str, typer.Option(help="What the card says of how it may be used.")] = "",
) -> None:
    """Write a student as one file to hand out, once it has answered like the app in a clean process."""

    def work() -> int:
        from kd_core.runs.exporting.exporting import export

        made = export(run, target, out, student=student, licence=licence)
        if made.parity:
            proof = made.parity
            typer.echo(
                f"Proved: {proof.rows:,} rows answered in a clean process, at most {proof.largest:.1e} from the app's answers "
                f"({proof.limit:.0e} is allowed); {proof.seconds:.1f} s."
            )
        else:
            typer.echo(f"Not proved: {made.unproved}")
        typer.echo(f"file: {made.path} ({made.size_bytes / 1024:,.0f} KB)\nsha256: {made.sha256}")
        return DONE

    guarded(work)
