"""The command that looks at a student beyond its score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from kd_core import written
from kd_core.cli.carrying import DONE, guarded

FIRST = 5  # groups, and columns, that are told; the file has all


def examine(
    run: Annotated[str, typer.Argument(help="Run id, or a run folder.")],
    student: Annotated[str | None, typer.Option(help="A student; the best one when left out.")] = None,
    json_file: Annotated[Path | None, typer.Option("--json", help="File to write all that was found to.")] = None,
) -> None:
    """Look at a student beyond its score: groups of rows, disturbed rows, what it leans on, how sure it is."""

    def work() -> int:
        from kd_core.runs.examining.examination import examine as look
        from kd_core.safe_io import write_json

        found = look(run, student)
        for line in lines(found):
            typer.echo(line)
        if json_file is not None:
            write_json(json_file, found)
            typer.echo(f"file: {json_file}")
        return DONE

    guarded(work)


def lines(found: Mapping[str, Any]) -> Iterator[str]:
    """Tell what was found, the clearest of it."""
    yield f"{found['student']}: {found['rows']:,} kept test rows looked at in {found['seconds']:.1f} s; asked: {', '.join(found['asked'])}."
    for arm, why in found["left_out"].items():
        yield f"not asked: {arm}. {why}"
    for other in ("baseline", "teacher"):
        if f"versus_{other}" not in found:
            continue
        groups = found[f"versus_{other}"]
        sure = [one for one in groups if one["sure"]]
        yield f"against its {other}: surely different in {len(sure)} of {len(groups)} groups of rows."
        for one in sure[:FIRST]:
            half = "" if one["half"] is None else f" ± {one['half']:.3f}"
            yield f"  {_group(one)}: {one['gain']:+.3f}{half} ({one['rows']:,} rows)"
    strongest = max((one["strength"] for one in found["disturbed"]), default=0.0)
    for one in found["disturbed"]:
        if one["strength"] == strongest:
            clean = found["undisturbed"][one["arm"]]
            said = "undefined" if clean is None else f"{clean:.4f}"
            yield f"{one['way']} {strongest:.0%}: {one['arm']} {found['metric']} {said} -> {one['score']:.4f}"
    told, of = found["columns"]
    if told < of:
        yield f"what it leans on is told for the first {told} of {of} columns."
    for one in (found["importance"].get("student") or [])[:FIRST]:
        yield f"leans on {one['column']}: {one['lost']:+.4f} ± {one['spread']:.4f}"
    surer = found.get("confidence") or {}
    if "reason" in surer:
        yield f"how sure it is could not be told: {surer['reason']}"
    if "temperature" in surer:
        before, after = surer["before"], surer["after"]
        yield (
            f"temperature {surer['temperature']:.2f} suits the validation rows: calibration error {before['ece']:.4f} -> {after['ece']:.4f}, "
            f"log loss {before['log_loss']:.4f} -> {after['log_loss']:.4f} on test rows."
        )


def _group(one: Mapping[str, Any]) -> str:
    if one["column"] is None:
        return f"class {one['value']}"
    if one["low"] is not None:
        return f"{one['column']} {written.number(one['low'])} to {written.number(one['high'])}"
    return f"{one['column']} missing" if one["value"] is None else f"{one['column']} {one['value']}"
