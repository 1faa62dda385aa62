"""What making a student smaller gave, in plain words: the chains with what each stage costs, which stage to take, and what went wrong."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from kd_core import listing, written

Block = Mapping[str, Any]  # `compressed` of result.json
Stage = Mapping[str, Any]
WHOLE = "whole"  # from the raw row on
# settings that tell steps of one name apart
MAIN = {"share": "share {:g}", "energy": "energy {:g}", "epochs": "{:g} of the student's epochs"}
KNOWN = {
    "alone": "The student was trained without a teacher, as the run chose it: it learns again from labels alone.",
    "other_lesson": "Its lesson ({own}) looks inside the teacher, whose inner answers are not at hand here: it learns again by {taken}.",
    "mode": "It was taught in the mode {name}; it learns again from the teacher's stored answers.",
    "no_lesson": "In the mode {name} students never learn from the rows themselves: nothing that was tried learned again.",
    "step": "{title} is not for this student: it {reason}.",
}


def student(block: Block) -> Stage:
    """Return the student as it was: the stage that all others come from."""
    return next(one for one in block["stages"] if one["step"] is None)


def chosen(block: Block) -> Stage | None:
    """Return the stage that was chosen on validation rows; None where none keeps the goals."""
    return next((one for one in block["stages"] if one["id"] == block["best"]), None)


def made(block: Block) -> list[Stage]:
    """Return the stages that could be made, the student as it was aside."""
    return [one for one in block["stages"] if one["step"] is not None and not one.get("reason")]


def before(block: Block, stage: Stage) -> Stage:
    """Return the stage that a stage was made from."""
    return next(one for one in block["stages"] if one["id"] == stage["parent"])


def goals(block: Block) -> str:
    """Say what was asked for. Example: `at most 1 point lost, at most 20 KB`."""
    asked = block["goals"]
    said = [f"at most {amount(block, asked['most_lost'], 'g')} lost"]
    said += [f"at most {size(asked['bytes'])}"] if asked.get("bytes") else []
    said += [f"at most {time(asked['microseconds'] / 1000)} a row"] if asked.get("microseconds") else []
    return ", ".join(said)


def chain(block: Block, ids: Sequence[int]) -> str:
    """Write a chain stage by stage, each with its bytes and score. Example: `student 84 KB 0.9271 -> half 46 KB 0.9240`."""
    stages = {one["id"]: one for one in block["stages"]}
    ids = path(block, ids)
    return " -> ".join(
        f"{stages[i]['name']} {size(stages[i]['bytes'])} {score(stages[i])}"
        if not stages[i].get("reason")
        else f"{stages[i]['name']} not made"
        for i in ids
    )


def path(block: Block, ids: Sequence[int]) -> list[int]:
    """Return the stages of a chain with the student as it was before them."""
    first = int(student(block)["id"])
    return [first, *(i for i in ids if i != first)]


def sentence(block: Block, stage: Stage) -> str:
    """Say what a stage is and what it costs."""
    about = [step(stage["step"]), size(stage["bytes"])]
    about += [f"{time(ms)} a row" if (ms := milliseconds(stage)) is not None else "not timed"]
    about += [f"{block['metric']['title']} {score(stage)}", lost(block, stage)]
    if stage.get("agreement") is not None:
        about.append(f"answers as the student as it was on {stage['agreement']:.1%} of test rows")
    return f"{stage['name']}: {', '.join(about)}."


def failed(stage: Stage) -> str:
    """Say why a stage could not be made."""
    return f"{stage['name']} could not be made: {str(stage['reason']).rstrip('.')}."


def lost(block: Block, stage: Stage) -> str:
    """Say how much a stage lost against the student as it was, with the interval. Example: `0.06 points lost (95 %: -0.10 to +0.22)`."""
    word, found = _way(stage)
    return f"{amount(block, found['mean'], digits(found))} {word} ({interval(found)})"


def lost_briefly(block: Block, stage: Stage) -> str:
    """Say the same in the room of a box. Example: `0.06 points lost [-0.10, +0.22]`."""
    word, found = _way(stage)
    low, high = found["ci95"]
    bounds = f" [{low:+{digits(found)}}, {high:+{digits(found)}}]" if low is not None else ""
    return f"{amount(block, found['mean'], digits(found))} {word}{bounds}"


def _way(stage: Stage) -> tuple[str, dict[str, Any]]:
    """Return the word for a difference and the difference that goes with the word: what was gained is above 0 when it is told as gained."""
    found = stage["lost"]
    low, high = found.get("ci95") or (None, None)
    if found["mean"] >= 0:
        return "lost", {**found, "ci95": [low, high]}
    return "gained", {**found, "mean": -found["mean"], "ci95": [None if v is None else -v for v in (high, low)]}


def interval(found: Mapping[str, Any]) -> str:
    """Write the interval of a difference with its two parts, in points."""
    spec = digits(found)
    low, high = found.get("ci95") or (None, None)
    rows = "" if found.get("rows_half") is None else f"rows +-{found['rows_half']:{spec}}"
    if low is None or high is None:
        return f"{found['n']} seed, no interval{'; ' + rows if rows else ''}" if found["n"] == 1 else "no interval"
    parts = f"; seeds +-{found['seeds_half']:{spec}}, {rows}" if rows and found.get("seeds_half") is not None else ""
    return f"95 %: {low:+{spec}} to {high:+{spec}}{parts}"


def digits(found: Mapping[str, Any]) -> str:
    """Choose the digits so that half the interval shows two that count, as a format."""
    low, high = found.get("ci95") or (None, None)
    half = (high - low) / 2 if low is not None and high is not None else found.get("rows_half") or abs(found["mean"])
    return f".{min(4, max(1, 1 - math.floor(math.log10(half)))) if half > 0 else 2}f"


def flags(block: Block, stage: Stage, *, brief: bool = False) -> list[str]:
    """Say what is wrong with a stage: bigger or slower than the one before, more lost than the goal, other answers, above a limit.

    `brief`: of several batches that are slower, the first alone is told with its times.
    """
    found = list(stage.get("flags") or ())
    slow = [one for one in found if one["code"] == "slower"]
    said = [_flag(block, stage, one) for one in found if one["code"] != "slower"]
    if slow:
        shown = slow[:1] if brief else slow
        left = len(slow) - len(shown)
        more = f"; {left} other time{'s' if left > 1 else ''} as well" if left else ""
        said.append(f"SLOWER than {slow[0]['than']}: {'; '.join(map(_slow, shown))}{more}")
    return said


def _slow(flag: Mapping[str, Any]) -> str:
    batch = int(flag["batch"])
    rows = "a row" if batch == 1 else f"{batch:,} rows"
    of = "" if flag["runtime"] == WHOLE else " of the network alone"
    before, now = time(flag["before"]), time(flag["milliseconds"])
    if before == now and flag.get("ratio"):  # in rounds where both took turns; the middles of all rounds hide it
        return f"{rows}{of} {flag['ratio']:.2g} times as long, round by round"
    return f"{rows}{of} {before} -> {now}"


def _sizes(before: int, now: int) -> str:
    """Write two sizes, in bytes where they would else look the same."""
    if size(before) == size(now):
        return f"{before:,} -> {now:,} bytes"
    return f"{size(before)} -> {size(now)}"


def _flag(block: Block, stage: Stage, flag: Mapping[str, Any]) -> str:
    code, found = str(flag["code"]), stage["lost"]
    most = amount(block, block["goals"]["most_lost"], "g")
    if code == "bigger":
        return f"BIGGER than {flag['than']}: {_sizes(flag['before'], flag['bytes'])}"
    if code == "lost":
        sure = "LOSES MORE than the goal" if flag["sure"] else "LOST MORE than the goal, though not for sure"
        return f"{sure}: {amount(block, found['mean'], _above(block, found['mean'], found))}, and at most {most} may be lost"
    if code == "unproved_loss":
        high = found["ci95"][1]
        up_to = (
            "one seed has no interval"
            if high is None
            else f"it may lose up to {amount(block, high, _above(block, high, found))}"
        )
        return f"NOT PROVED to keep the goal of at most {most} lost: {up_to}"
    if code == "unlike":
        other = (
            stage["parent"] is not None and before(block, stage)["step"] is not None and flag.get("before") is not None
        )
        beside = f", and as {before(block, stage)['name']} on {flag['before']:.1%}" if other else ""
        return f"UNLIKE the student as it was: the same answer on {flag['agreement']:.1%} of test rows{beside}"
    if code == "above_bytes":
        own, asked = written.apart(size, flag["value"], flag["most"])
        return f"ABOVE THE GOAL: {own}, and {asked} are asked for"
    if code == "above_microseconds":
        own, asked = written.apart(time, flag["value"] / 1000, flag["most"] / 1000)
        return f"ABOVE THE GOAL: {own} a row, and {asked} are asked for"
    told = ", ".join(f"{name} {value}" for name, value in flag.items() if name != "code")
    return f"{code.replace('_', ' ').upper()}{f': {told}' if told else ''}"


def _above(block: Block, value: float, found: Mapping[str, Any]) -> str:
    """Choose the digits of a loss that is above the goal so that it reads so, as a format."""
    spec, most = digits(found), block["goals"]["most_lost"]
    places = range(int(spec[1:-1]), written.MOST_MORE)
    return next((f".{n}f" for n in places if float(f"{value:.{n}f}") > most), spec)


def again(block: Block, stage: Stage) -> str | None:
    """Say what the teacher gave to a stage that learned again: beside the same one that learned as long from labels alone."""
    found = stage.get("again")
    if not found:
        return None
    low, high = found.get("ci95") or (None, None)
    sure = low is not None and high is not None and (low > 0 or high < 0)
    better = found["mean"] >= 0
    way = "helped" if better else "hurt"
    word = f"The teacher {way}" if sure else "Whether the teacher helped is not clear"
    than = f"{'better' if better else 'worse'} than learning again as long without it"
    return f"{word}: {amount(block, abs(found['mean']), digits(found))} {than} ({interval(found)})."


def sensitivity(block: Block) -> str | None:
    """Say which layer is best left alone and which gives most for least; None where no layer was looked at by itself."""
    found = block.get("sensitivity") or ()
    if not found:
        return None
    worst, least = (pick(found, key=lambda one: one["lost"]) for pick in (max, min))
    spec = layer_digits(found)
    said = f"Layer by layer, on validation rows: {worst['layer']} {treated(worst)} loses {amount(block, worst['lost'], spec)}"
    rest = f", {least['layer']} {treated(least)} {amount(block, least['lost'], spec)}" if worst is not least else ""
    return f"{said}{rest}."


def layer_digits(found: Sequence[Mapping[str, Any]]) -> str:
    """Choose the digits so that the layer that loses the most shows two that count, as a format."""
    most = max(abs(float(one["lost"])) for one in found)
    return f".{min(4, max(2, 1 - math.floor(math.log10(most)))) if most > 0 else 2}f"


def treated(one: Mapping[str, Any]) -> str:
    """Say what was done to a layer that was looked at by itself. Example: `by 50 %`, `as int8`."""
    return f"by {one['share']:.0%}" if one.get("share") is not None else f"as {one['precision']}"


def known(block: Block) -> list[str]:
    """Say what a person should know of how it was done, and which steps are not for this student."""
    found = []
    for one in block.get("known") or ():
        values = {name: str(value).rstrip(".") for name, value in (one.get("values") or {}).items()}
        if "step" in values:  # a reason tells what the student is or has, some what it keeps
            values["title"] = titles().get(values["step"], values["step"].replace("_", " "))
        said = KNOWN.get(str(one["code"]))
        found.append(said.format(**values) if said else str(one["code"]).replace("_", " "))
    return found


def step(told: Mapping[str, Any]) -> str:
    """Name a step as people do, with the setting that tells it from others of its name. Example: `structured pruning, share 0.5`."""
    name, settings = str(told["name"]), told.get("settings") or {}
    title = titles().get(name, name.replace("_", " "))
    main = [words.format(settings[key]) for key, words in MAIN.items() if settings.get(key) is not None]
    return ", ".join([title[:1].lower() + title[1:] if title[1:2].islower() else title, *main])


@functools.cache
def titles() -> dict[str, str]:
    """Read what the steps are called, without loading what carries them out."""
    return {part.name: part.title for part in listing.parts("kd_core.compress.steps", "STEPS")}


def amount(block: Block, value: float, spec: str) -> str:
    """Write a difference in points, of errors in percent. Example: `0.06 points`."""
    shown = f"{value:{spec}}"
    shown = shown if float(shown) else shown.lstrip("-")  # nothing lost is no less than nothing
    return f"{shown} point{'' if float(shown) == 1 else 's'}" if not block["metric"].get("relative") else f"{shown} %"


def score(stage: Stage) -> str:
    """Write the mean score of a stage on test rows."""
    known_scores = [s for s in stage["scores"] if s is not None]
    return f"{sum(known_scores) / len(known_scores):.4f}" if known_scores else "undefined"


def milliseconds(stage: Stage) -> float | None:
    """Return the middle time of one raw row to its answer; None where it was not timed."""
    found = ((stage.get("latency") or {}).get(WHOLE) or {}).get("1")
    return None if found is None else float(found["p50"])


def size(num_bytes: float | None, more: int = 0) -> str:
    """Shorten bytes: 980 B, 14 KB, 3.1 MB (1 KB = 1024 B); with so many `more` digits."""
    if num_bytes is None:
        return "no file"
    for limit, divisor, suffix in ((1023.5, 1, "B"), (1023.5 * 2**10, 2**10, "KB"), (math.inf, 2**20, "MB")):
        if num_bytes < limit:
            short = num_bytes / divisor
            shown = f"{short:.{more}f}" if short >= 10 or float(short).is_integer() else f"{short:.{1 + more}f}"
            return f"{shown.rstrip('0').rstrip('.') if more else shown} {suffix}"
    raise AssertionError


def time(ms: float, more: int = 0) -> str:
    """Shorten a time, in microseconds below 0.1 ms: 20 us, 0.31 ms, 12 ms; with so many `more` digits."""
    if ms < 0.0995:
        return f"{float(f'{1000 * ms:.{2 + more}g}'):.10g} us"
    return f"{ms:.{2 + more}f} ms" if ms < 9.995 else f"{ms:.{more}f} ms"
