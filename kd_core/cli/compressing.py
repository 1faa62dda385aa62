"""The command that makes a finished run's student smaller."""

from __future__ import annotations

from typing import Annotated

import typer

from kd_core.cli.carrying import execute, guarded
from kd_core.cli.options import Out
from kd_core.errors import SpecError


def compress(
    run: Annotated[str, typer.Argument(help="A finished run: its id, or its folder.")],
    student: Annotated[
        str | None, typer.Option(help="Which student of the run; the one that it would deploy when left out.")
    ] = None,
    step: Annotated[
        list[str] | None,
        typer.Option(
            help="A step, see `list steps`, with its first setting where that is not to be the usual one: prune_structured=0.5; repeat for a chain."
        ),
    ] = None,
    chain: Annotated[
        list[str] | None,
        typer.Option(help="A whole chain, for example prune_structured=0.5,distill,int8; repeat to compare several."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="A setting of a step in every chain, for example distill.epochs=1; repeat."),
    ] = None,
    auto: Annotated[
        bool, typer.Option("--auto", help="Search chains, on validation rows, within the minutes.")
    ] = False,
    minutes: Annotated[float | None, typer.Option(help="With --auto: time for searching; 5 when left out.")] = None,
    most_lost: Annotated[
        float, typer.Option(help="Points (for errors: percent) that a stage may lose against the student as it was.")
    ] = 1.0,
    bytes_: Annotated[
        str | None, typer.Option("--bytes", help="The file may be this large at most, for example 40KB.")
    ] = None,
    microseconds: Annotated[float | None, typer.Option(help="One raw row may take this long at most.")] = None,
    out: Out = None,
) -> None:
    """Make a student of a finished run smaller, stage by stage, and say what each stage cost."""

    def work() -> int:
        from kd_core.runs.asked import size
        from kd_core.runs.compressing.asked import chains_of, spec_of

        named = bool(step or chain)
        if named == auto:
            raise SpecError(
                "Steps were named, and --auto searches them itself."
                if auto
                else "Neither steps nor --auto were asked for.",
                "Name steps (--step prune_structured=0.5 --step distill), or search them with --auto.",
                "steps_or_auto",
            )
        if minutes is not None and not auto:
            raise SpecError("--minutes are for a search.", "Add --auto, or leave them out.", "minutes_without_auto")
        goals = {"bytes": size(bytes_) if bytes_ else None, "microseconds": microseconds, "minutes": minutes}
        asked = {name: value for name, value in goals.items() if value is not None}
        chains = chains_of(step or (), chain or (), settings or ())
        return execute(spec_of(run, student=student, chains=chains, most_lost=most_lost, **asked), out)

    guarded(work)
