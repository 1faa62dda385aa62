"""What going on from a run gave, in plain words: what was learned of new rows, what was forgotten of old ones, and what the teacher had to do with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kd_core.evaluate import METRICS
from kd_core.evaluate.intervals.compare import Gain
from kd_core.runs.outcome import Metric
from kd_core.runs.store.measured import read_gain
from kd_core.runs.view.scale import Scale

NEW = {
    "learned": "LEARNED: the {name} student is better on new rows than before it went on",
    "nothing_new": "NOTHING NEW: the {name} student is on new rows as it was before it went on",
    "worse": "WORSE: the {name} student is worse on new rows than before it went on",
    "unclear": "NOT CLEAR: whether the {name} student learned from the new rows can't be told yet",
}
OLD = {
    "better": "BETTER on old rows, too",
    "kept": "NOTHING FORGOTTEN",
    "forgot": "FORGOT: it is worse on old rows than before",
    "unclear": "NOT CLEAR whether it forgot",
}


def lines(result: Mapping[str, Any]) -> list[str]:
    """Say it for a terminal, each student's part; nothing of a run that began anew."""
    told = result.get("continued")
    if not told:
        return []
    rows = told["rows"]
    bare = f", {rows['bare']:,} of them without a label" if rows["bare"] else ""
    found = [
        f"Continued from {told['run']} ({told['name']}): learned from {rows['learned']:,} new rows{bare} and {rows['old']:,} of the "
        f"{rows['old_of']:,} old training rows ({told['old_share']:.0%} asked)."
    ]
    for one in told["students"]:
        found += [_new(one), _old(one), *_teacher(one)]
    return found


def _new(one: Mapping[str, Any]) -> str:
    place = one["new"]
    against = (
        "" if place["against"] == "labels" else ", measured as agreement with the teacher, for they have no labels"
    )
    said = NEW[place["word"]].format(name=one["name"])
    return f"{said}: {change(place)} on {place['rows']:,} new rows that nothing was chosen by{against}."


def _old(one: Mapping[str, Any]) -> str:
    place = one["old"]
    return f"  {OLD[place['word']]}: {change(place)} on the {place['rows']:,} test rows of the run it went on from."


def _teacher(one: Mapping[str, Any]) -> list[str]:
    beside = besides(one["new"])
    return (
        []
        if beside is None
        else [f"  Beside the student that went on as long without the teacher, on new rows: {beside}."]
    )


def besides(place: Mapping[str, Any]) -> str | None:
    """Set the student beside the same one that went on without the teacher; None where they can't be compared."""
    if place["gain"]["baseline"] is None:
        return None
    gain, scale = _scaled(place, "baseline")
    return f"{scale(gain.mean)} {scale.points}{METRICS.get(place['metric']).title} ({scale.interval(gain)})"


def change(place: Mapping[str, Any]) -> str:
    """Write a metric before and after, and the difference with its interval."""
    title = METRICS.get(place["metric"]).title
    before, after = (place["values"][side]["mean"] for side in ("before", "student"))
    if place["gain"]["before"] is None:
        return f"{title} can't be compared"
    gain, scale = _scaled(place, "before")
    return f"{title} {scale.value(before)} -> {scale.value(after)}, {scale(gain.mean)}{' points' if scale.points else ''} ({scale.interval(gain)})"


def _scaled(place: Mapping[str, Any], side: str) -> tuple[Gain, Scale]:
    entry, gain = METRICS.get(place["metric"]), read_gain(place["gain"][side])
    return gain, Scale.of(Metric(entry.name, entry.title, entry.facts["better"], entry.facts["unit"]), gain)
