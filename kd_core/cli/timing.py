"""How long models of finished runs take, measured now on this machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kd_core.cli.carrying import DONE, guarded
from kd_core.runs.asked import numbers

_PHASES = {
    "open": "opening models",
    "choose": "choosing runtimes",
    "prepare": "making ready",
    "rounds": "rounds",
    "starts": "fresh processes",
}


def latency(
    runs: Annotated[list[str], typer.Argument(help="Finished runs, by id or folder.")],
    model: Annotated[
        list[str] | None, typer.Option(help="RUN/ROLE/NAME, as this command names them; all when left out.")
    ] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option(help="onnxruntime, torch or compile; repeat for several; the first two when left out."),
    ] = None,
    batch: Annotated[str | None, typer.Option(help="Rows at once, for example 1,32,256, up to 1024.")] = None,
    threads: Annotated[str | None, typer.Option(help="Threads of one answer, for example 1,2.")] = None,
    device: Annotated[list[str] | None, typer.Option(help="cpu or cuda; repeat for both.")] = None,
    form: Annotated[
        list[str] | None, typer.Option(help="whole (raw row to answer) or network (alone); repeat; both when left out.")
    ] = None,
    rounds: Annotated[int | None, typer.Option(help="Turns of every candidate; 10 when left out.")] = None,
    seconds: Annotated[float | None, typer.Option(help="The rounds may take this long; 60 when left out.")] = None,
    starts: Annotated[
        int | None, typer.Option(help="Fresh processes of each, for cold start and memory; 3 when left out, 0: none.")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Train a teacher again that is not at hand any more, only to time it.")
    ] = False,
    per_day: Annotated[float | None, typer.Option(help="Predictions a day, for the cost; 1,000,000.")] = None,
    price: Annotated[float | None, typer.Option(help="Price of one core for one hour; 0.04.")] = None,
    utilisation: Annotated[float | None, typer.Option(help="Share of the time in which cores have work; 0.5.")] = None,
    json_: Annotated[Path | None, typer.Option("--json", help="File to write the session to.")] = None,
) -> None:
    """Time the models of finished runs in one session, all in turns, and keep it beside the runs."""

    def work() -> int:
        from kd_core import safe_io
        from kd_core.evaluate.cost import CostSpec
        from kd_core.runs.timing.asked import LatencySpec
        from kd_core.runs.timing.job import carry_out
        from kd_core.runs.timing.lines import lines

        values: dict[str, Any] = {
            "runs": runs,
            "models": model or None,
            "runtimes": runtime,
            "batches": numbers("batch", batch) if batch else None,
            "threads": numbers("threads", threads) if threads else None,
            "devices": device,
            "forms": form,
            "rounds": rounds,
            "seconds": seconds,
            "starts": starts,
            "again": again,
        }
        asked = LatencySpec.parse({name: value for name, value in values.items() if value is not None}, "latency")
        money = {"per_day": per_day, "price": price, "utilisation": utilisation}
        given = {name: value for name, value in money.items() if value is not None}
        cost = CostSpec.parse({**given, "batch": asked.batches[0]}, "cost")
        live = sys.stderr.isatty()
        said: set[str] = set()

        def tell(event: dict[str, Any]) -> None:
            phase = _PHASES[event["phase"]]
            if live:
                typer.echo(f"\r\033[K{phase} {event['done']} of {event['of']} {event['name']}", err=True, nl=False)
            elif phase not in said:
                said.add(phase)
                typer.echo(phase, err=True)

        found = carry_out(asked, tell)
        if live:
            typer.echo("\r\033[K", err=True, nl=False)
        for line in lines(found, cost):
            typer.echo(line)
        if json_ is not None:
            safe_io.write_json(json_, found)
        return DONE

    guarded(work)
