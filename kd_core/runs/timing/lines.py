"""A session of the latency lab as lines of a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kd_core.evaluate.cost import CostSpec
from kd_core.runs.timing import told
from kd_core.runs.timing.told import Found

RUNTIMES = {
    "onnxruntime": "ONNX Runtime",
    "torch": "torch",
    "compile": "torch.compile",
    "own": "its own library",
    "native": "its own library",
    "whole": "as its run timed it",
}
FORMS = {"whole": "raw row to answer", "network": "network alone"}


def lines(found: Found, asked: CostSpec) -> Iterator[str]:
    """Write a session: times, the chosen runtimes, starts, sizes, cost, and what was not timed."""
    machine, rounds = found["machine"], found["rounds"]
    yield (
        f"{machine['device_name']}, {machine['cores']} cores; torch {machine['torch']}, ONNX Runtime {machine['onnxruntime']}, "
        f"Python {machine['python']}; {rounds['done']} of {rounds['asked']} rounds, load {machine['load'][0]:.1f} to {machine['load'][1]:.1f}."
    )
    if rounds["done"] < rounds["asked"]:
        yield "The time ran out before all rounds were made: the intervals are wider than asked for."
    if told.is_busy(found):
        yield "The machine was busy with other work: compare within this session, and not with other days."
    names = {
        m: f"{one['name']} ({one['role']}" + (f", {one['run']})" if _several(found) else ")")
        for m, one in told.names(found).items()
    }
    for form in told.FORMS:
        times = [t for t in found["times"] if t["form"] == form]
        if times:
            yield f"\n{FORMS[form]}: p50 with its interval over rounds, p95, p99, rows a second"
            yield from _table([_time(t, names) for t in times])
    if picked := told.fastest(found):
        yield "\nthe runtime chosen for the network alone, by a short probe"
        yield from _table([_fastest(one, names) for one in picked])
    if begun := told.starts(found):
        yield "\na fresh process: until its first answer, and its peak memory"
        yield from _table(
            [
                [
                    names[s["model"]],
                    RUNTIMES[s["runtime"]],
                    f"{s['seconds']:.2f} s",
                    f"[{s['low']:.2f}, {s['high']:.2f}]",
                    f"{s['peak_bytes'] / 2**20:,.0f} MB",
                ]
                for s in begun
            ]
        )
    yield "\nsize: bytes deployed, packed; parameters, not 0 of them; FLOPs of a row"
    yield from _table([[names[m], *_sizes(one["size"])] for m, one in told.names(found).items()])
    yield (
        f"\ncost of {asked.per_day:,.0f} predictions a day in batches of {asked.batch}, at {asked.price:g} per core-hour with cores at work "
        f"{asked.utilisation:.0%} of the time (assumptions: --per-day, --price, --utilisation)"
    )
    costs = told.costs(found, asked)
    yield from _table(
        [
            [
                names[c.time.model] + (" as its run timed it" if c.time.by_run else ""),
                f"{_ms(c.time.p50)} a batch",
                f"{c.cost.seconds:,.0f} core-seconds",
                f"{c.cost.core_hours:,.2f} core-hours paid",
                f"{c.cost.money:,.4f} a day",
            ]
            for c in costs
        ]
    )
    if not costs:
        yield f"No model was timed with batches of {asked.batch}."
    for model, one in told.names(found).items():
        yield from (f"{names[model]}: {note}" for note in one["notes"])
    yield from (f"not timed: {names[model]}: {reason}" for model, reason in told.not_timed(found))


def _several(found: Found) -> bool:
    return len({one["run"] for one in found["models"]}) > 1


def _time(one: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    where = "" if one["device"] == "cpu" else f" on {one['device']}"
    way = f"{RUNTIMES[one['runtime']]}{where}, {one['threads']} thread{'s' if one['threads'] != 1 else ''}"
    spread = f"[{_ms(one['low'])}, {_ms(one['high'])}]" + ("" if one["sure"] else " (range)")
    return [
        names[one["model"]],
        way,
        f"{one['batch']:,} rows",
        _ms(one["p50"]),
        spread,
        _ms(one["p95"]),
        _ms(one["p99"]),
        f"{one['per_second']:,.0f}/s",
    ]


def _fastest(one: told.Fastest, names: Mapping[str, str]) -> list[str]:
    way = f"{RUNTIMES[one.runtime]}, {one.threads} thread{'s' if one.threads != 1 else ''}"
    said = f"{_ms(one.p50)}"
    if one.file_is_slower:
        said += f", faster than the deployed file in ONNX Runtime ({_ms(one.deployed)})"
    elif one.runtime == "onnxruntime" and one.threads == 1:
        said += ", as it is deployed"
    after = "" if one.times is None else f"{one.times:.2f} times the session's fastest"
    return [names[one.model], f"{one.batch:,} rows", way, said, after]


def _sizes(size: Mapping[str, Any]) -> list[str]:
    cells = [size.get(name) for name in ("bytes", "compact", "parameters", "nonzero", "flops")]
    return ["-" if cell is None else f"{cell:,.0f}" for cell in cells]


def _ms(value: float | None) -> str:
    """Write milliseconds in three digits."""
    if value is None:
        return "-"
    return f"{value * 1000:.3g} us" if value < 1 else f"{value:.3g} ms" if value < 1000 else f"{value:,.0f} ms"


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
