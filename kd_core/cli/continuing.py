"""The command that goes on from a finished run with new rows."""

from __future__ import annotations

from typing import Annotated

import typer

from kd_core.cli.carrying import execute, guarded
from kd_core.cli.options import Epochs, Out


def go_on(
    run: Annotated[str, typer.Argument(help="A finished run: its id, or its folder.")],
    rows: Annotated[
        str,
        typer.Argument(help="A file of new rows, laid out as the run's own; labels may be left out, in part or all."),
    ],
    old_share: Annotated[
        float, typer.Option(help="Share of the run's training rows to learn again beside the new ones.")
    ] = 1.0,
    held_out: Annotated[
        float, typer.Option(help="Share of the new rows kept apart, to measure what was learned.")
    ] = 0.25,
    epochs: Epochs = None,
    out: Out = None,
) -> None:
    """Let the students of a finished run learn on from new rows, and say what they learned and forgot."""

    def work() -> int:
        from kd_core.runs.continuing.asked import spec_of

        return execute(spec_of(run, rows, epochs=epochs, old_share=old_share, held_out=held_out), out)

    guarded(work)
