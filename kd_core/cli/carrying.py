"""Carrying a command out: a run with its progress, and every error as a message with a hint and an exit code."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import typer

from kd_core.cli import terminal
from kd_core.errors import DataError, KDError, SpecError, Stopped, UnknownName
from kd_core.specs import RunSpec

DONE, FAILED, BAD_INPUT, CANCELLED = 0, 1, 2, 130


def execute(spec: RunSpec, out: Path | None) -> int:
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
        result, folder = run_here(spec, out, terminal.follow(spec), asked)
    finally:
        signal.signal(signal.SIGINT, before)
    terminal.show_result(result)
    typer.echo(f"files: {folder}")
    return CANCELLED if asked.noticed else DONE


def guarded(work: Callable[[], int]) -> None:
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
