"""What a search tried on validation rows, and which goals broke what it did not carry out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kd_core.runs.view.compress_words import amount, size, time

Block = Mapping[str, Any]  # `compressed` of result.json
Tried = Mapping[str, Any]  # one of its `tried`


def line(block: Block) -> str | None:
    """Count what was tried, what was carried out for every seed, and by goals what was not; None where nothing was searched."""
    every = block.get("tried") or ()
    if not every:
        return None
    chains, kept = len(block["chains"]), sum(bool(one["keeps"]) for one in every)
    broken: dict[tuple[str, ...], list[Tried]] = {}
    for one in every:
        if not one["keeps"]:
            broken.setdefault(_broken(block, one), []).append(one)
    said = f"{_chains(len(every))} tried on validation rows with one seed, {chains} carried out for every seed."
    if not broken:
        return f"{said} All keep the goals there."
    keep = f"{kept} keep{'' if kept > 1 else 's'} the goals there" if kept else "None keeps the goals there"
    return f"{said} {keep}; {', '.join(_told(block, goals, each) for goals, each in broken.items())}."


def _chains(number: int) -> str:
    return f"{number} chain was" if number == 1 else f"{number} chains were"


def _broken(block: Block, one: Tried) -> tuple[str, ...]:
    """Name the goals that a chain broke; ('made',) where nothing could be made of it, nothing where its numbers do not tell."""
    if one["bytes"] is None or one.get("why"):
        return ("made",)
    values = {"most_lost": one["lost"], "bytes": one["bytes"], "microseconds": one.get("microseconds")}
    return tuple(n for n, v in values.items() if v is not None and block["goals"].get(n) and v > block["goals"][n])


def _told(block: Block, goals: tuple[str, ...], each: Sequence[Tried]) -> str:
    number, one = len(each), len(each) == 1
    if goals == ("made",):
        return f"{number} could not be made ({_names(each)})"
    if not goals:
        return f"{number} {'is' if one else 'are'} not known to keep them ({_names(each)})"
    asked = block["goals"]
    words = {
        "most_lost": f"{'loses' if one else 'lose'} more than {amount(block, asked['most_lost'], 'g')}",
        "bytes": f"{'is' if one else 'are'} above {size(asked['bytes'])}" if asked.get("bytes") else "",
        "microseconds": f"{'takes' if one else 'take'} more than {time(asked['microseconds'] / 1000)} a row"
        if asked.get("microseconds")
        else "",
    }
    near = min(each, key=lambda tried: max(_value(tried, goal) / asked[goal] for goal in goals))
    values = {
        "most_lost": lambda: f"{amount(block, near['lost'], '.2f')} lost",
        "bytes": lambda: size(near["bytes"]),
        "microseconds": lambda: time(near["microseconds"] / 1000),
    }
    which = "" if one else "the nearest: "
    return f"{number} {' and '.join(words[g] for g in goals)} ({which}{near['name']}, {', '.join(values[g]() for g in goals)})"


def _value(one: Tried, goal: str) -> float:
    return float(one["lost" if goal == "most_lost" else goal])


def _names(each: Sequence[Tried]) -> str:
    names = [str(one["name"]) for one in each]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if names[3:] else "")
