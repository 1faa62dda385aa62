"""A run on a terminal: its progress while it goes, and what it found."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer

from kd_core.specs import RunSpec


def follow(spec: RunSpec) -> Callable[[dict[str, Any]], None]:
    """Show phases and trainings: a live line on a terminal, plain lines elsewhere."""
    from kd_core.runs.view.progress_line import SHOWN, ProgressLine
    from kd_core.runs.view.wording import sentence

    live = sys.stderr.isatty()
    clear = "\r\033[K" if live else ""
    line = ProgressLine(spec)

    def show_event(event: dict[str, Any]) -> None:
        kind = event["kind"]
        line.take(event)
        if kind == "phase" and event["state"] == "end":
            typer.echo(f"{clear}{event['phase']}: {event['seconds']:.1f} s", err=True)
        elif kind == "warning":
            typer.echo(f"{clear}warning: {event['message']} {event['hint']}", err=True)
        elif kind == "sweep":
            typer.echo(f"{clear}{event['trainings']} trainings to do ({event['mode']}). {event['why']}", err=True)
        elif kind in ("plan", "seeds", "candidate", "chosen"):
            typer.echo(f"{clear}{sentence(event)}", err=True)
        elif live and kind in SHOWN:
            typer.echo(f"{clear}{line.text(event)}", err=True, nl=False)
        if kind != "epoch" and (said := line.correction()):
            typer.echo(f"{clear}{said}", err=True)

    return show_event


def fetching() -> Callable[[str, int, int], None]:
    """Say once of every file that is fetched that it is, and how large it is."""
    said: set[str] = set()

    def tell(file: str, done: int, whole: int) -> None:
        if file not in said:
            said.add(file)
            typer.echo(f"fetching {file}: {whole:,} bytes" if whole else f"fetching {file}", err=True)

    return tell


def show_result(result: dict[str, Any]) -> None:
    """Print what a run found: what a what-if answers and its heat map, then the verdicts."""
    from kd_core.runs import yes_no
    from kd_core.runs.view.heat_map import answered, heat_map
    from kd_core.runs.view.report import verdict_lines

    sweep = result.get("sweep")
    for line in [
        *answered(result),
        *(heat_map(result) if sweep else ()),
        *verdict_lines(result),
        *yes_no.lines(result),
    ]:
        typer.echo(line)
    if sweep:
        some = sweep["trained"] < sweep["trainings"]
        trained = f"{sweep['trained']} of {sweep['trainings']}" if some else sweep["trainings"]
        typer.echo(f"{trained} trainings, {sweep['mode'] or 'none anew'}, {sweep['seconds']:.1f} s. {sweep['why']}")
