"""What a session found: sentences, the chart's points and the lines of its tables. No drawing here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from kd_core.evaluate.cost import CostSpec
from kd_core.runs.timing import told
from kd_core.runs.timing.told import Found
from pages.ui.latency.asking import names_of
from pages.ui.shared import text
from pages.ui.shared.text import Safe, t

JUST_NOW = 600  # seconds
ARMS = {"stage": "compressed"}  # how charts call a role


def models(found: Found) -> dict[str, Safe]:
    """Name the models of a session by their ids, as they are shown."""
    return names_of(list(told.names(found).values()))


def where(found: Found) -> Safe:
    """Say when, on what and how it was measured."""
    machine, rounds = found["machine"], found["rounds"]
    when = datetime.fromisoformat(str(found["utc"]).replace("Z", "+00:00"))
    fresh = (datetime.now(UTC) - when).total_seconds() < JUST_NOW
    said = t("latency.just_now") if fresh else t("latency.at", when=str(found["utc"])[:16].replace("T", " "))
    low, high = sorted(machine["load"])
    return t(
        "latency.where",
        when=said,
        hardware=str(machine["device_name"]),
        cores=machine["cores"],
        torch=str(machine["torch"]),
        onnxruntime=str(machine["onnxruntime"]),
        python=str(machine["python"]),
        done=rounds["done"],
        asked=rounds["asked"],
        low=f"{low:.1f}",
        high=f"{high:.1f}",
    )


def way(one: Mapping[str, Any]) -> Safe:
    """Name a way to run a model: ONNX Runtime, 2 threads."""
    runtime = t(f"latency.runtime.{one['runtime']}")
    if one.get("device", "cpu") != "cpu":
        return t("latency.way_gpu", runtime=runtime)
    if one["threads"] == 1:
        return t("latency.way_one", runtime=runtime)
    return t("latency.way", runtime=runtime, threads=one["threads"])


def times(found: Found, form: str, batch: int) -> list[Mapping[str, Any]]:
    """List the times of a form for so many rows, in the order of the models."""
    return [t for t in found["times"] if t["form"] == form and t["batch"] == batch]


def points(found: Found, form: str, batch: int) -> list[dict[str, Any]]:
    """Make the chart's points, one per model and way."""
    names, roles = models(found), {m: one["role"] for m, one in told.names(found).items()}
    made = []
    for one in times(found, form, batch):
        name, run = names[one["model"]], way(one)
        spread = t("latency.spread", low=text.milliseconds(one["low"]), high=text.milliseconds(one["high"]))
        hover = f"{name}<br>{run}<br>{text.milliseconds(one['p50'])} {spread}<br>p95 {text.milliseconds(one['p95'])}"
        role = roles[one["model"]]
        made.append(
            {"arm": ARMS.get(role, role), "label": Safe(f"{name} · {run}"), "hover": hover}
            | {k: one[k] for k in ("p50", "low", "high", "p95")}
        )
    return made


def alt(drawn: Sequence[Mapping[str, Any]], batch: int) -> Safe:
    """Tell the chart: every candidate's time from the fastest on, a few by name."""
    order = sorted(drawn, key=lambda p: p["p50"])[:6]
    said = [t("latency.alt_one", name=p["label"], time=text.milliseconds(p["p50"])) for p in order]
    return t("latency.alt", num=len(drawn), batch=batch, times=Safe("; ".join(said)))


def lines(found: Found, form: str, batch: int) -> list[dict[str, Any]]:
    """Lay times out as text cells."""
    names, c = models(found), "latency.column."
    return [
        {
            t(f"{c}model"): text.plain(names[one["model"]]),
            t(f"{c}way"): text.plain(way(one)),
            "p50": text.milliseconds(one["p50"]),
            t(
                f"{c}interval" if one["sure"] else f"{c}range"
            ): f"{text.milliseconds(one['low'])} – {text.milliseconds(one['high'])}",
            "p95": text.milliseconds(one["p95"]),
            "p99": text.milliseconds(one["p99"]),
            t(f"{c}speed"): text.number(one["per_second"]),
        }
        for one in times(found, form, batch)
    ]


def sizes(found: Found) -> list[dict[str, Any]]:
    """Lay bytes, numbers and operations out, with cold start and memory of what was started."""
    names, c = models(found), "latency.column."
    begun = {(s["model"], s["runtime"]): s for s in told.starts(found)}
    rows = []
    for model, one in told.names(found).items():
        size = one["size"]
        row = {
            t(f"{c}model"): text.plain(names[model]),
            t(f"{c}bytes"): text.size(size.get("bytes")),
            t(f"{c}compact"): text.size(size.get("compact")),
            t(f"{c}parameters"): text.number(size.get("parameters")),
            t(f"{c}nonzero"): text.number(size.get("nonzero")),
            t(f"{c}flops"): text.number(size.get("flops")),
        }
        for runtime in ("onnxruntime", "torch"):
            start = begun.get((model, runtime))
            if any(name == runtime for _, name in begun):
                title = t(f"latency.runtime.{runtime}")
                row[t(f"{c}start", runtime=title)] = "–" if start is None else text.seconds(start["seconds"])
                row[t(f"{c}memory", runtime=title)] = "–" if start is None else text.size(start["peak_bytes"])
        rows.append(row)
    return rows


def fastest(found: Found) -> list[dict[str, Any]]:
    """Lay out which runtime was chosen for each network, and how the session saw it."""
    names, c = models(found), "latency.column."
    return [
        {
            t(f"{c}model"): text.plain(names[one.model]),
            t("latency.rows_at_once"): f"{one.batch:,}",
            t(f"{c}chosen"): text.plain(way({"runtime": one.runtime, "threads": one.threads})),
            t(f"{c}probe"): text.milliseconds(one.p50),
            t(f"{c}file"): text.milliseconds(one.deployed),
            t(f"{c}checked"): "–" if one.times is None else str(t("latency.times_best", times=f"{one.times:.2f}")),
        }
        for one in told.fastest(found)
    ]


def slower(found: Found) -> list[Safe]:
    """Say where torch answers faster than the deployed file."""
    names = models(found)
    return [
        t(
            "latency.file_slower",
            model=names[one.model],
            batch=one.batch,
            time=text.milliseconds(one.p50),
            file=text.milliseconds(one.deployed),
        )
        for one in told.fastest(found)
        if one.file_is_slower
    ]


def notes(found: Found) -> list[Safe]:
    """Say what was timed otherwise than it is deployed, and what was not timed and why."""
    names = models(found)
    said = [
        t("latency.note", model=names[m], note=str(note))
        for m, one in told.names(found).items()
        for note in one["notes"]
    ]
    heard = {m: " ".join(map(str, one["notes"])) for m, one in told.names(found).items()}
    more = [(m, reason) for m, reason in told.not_timed(found) if reason.rstrip(".") not in heard[m]]
    return said + [t("latency.not_timed", model=names[m], reason=reason) for m, reason in more]


def costs(found: Found, asked: CostSpec, currency: str) -> list[dict[str, Any]]:
    """Lay the cost of a day out."""
    names, c = models(found), "latency.column."
    rows = []
    for one in told.costs(found, asked):
        taken = one.time
        name = text.plain(names[taken.model])
        source = t("latency.by_run") if taken.by_run else way({"runtime": taken.runtime, "threads": taken.threads})
        rows.append(
            {
                t(f"{c}model"): name,
                t(f"{c}way"): text.plain(source),
                t(f"{c}form"): str(t(f"latency.form.{taken.form}")),
                t(f"{c}batch_time"): text.milliseconds(taken.p50),
                t(f"{c}cpu"): text.seconds(one.cost.seconds) if one.cost.seconds >= 1 else t("latency.below_second"),
                t(f"{c}cores"): _small(one.cost.cores),
                t(f"{c}money"): f"{_small(one.cost.money)} {currency}",
            }
        )
    return rows


def _small(value: float) -> str:
    """Write a number of two digits where it is small: 0.0005, 0.34, 12, 1,240."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.2g}" if value >= 0.0001 or value == 0 else f"{value:.0e}"
