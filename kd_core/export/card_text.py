"""A model card as text: plain words for somebody who never saw the app."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kd_core.data.plain.questions import CLASSES, NUMBER, Question, Questions

_MARKS = re.compile(r"[\\`*\[\]<>|#]|(?<![^\W_])_|_(?![^\W_])")  # an underscore within a word marks nothing
_STANDS = {"ahead": "this one is better", "behind": "that one is better", "level": "as good"}
_WORDS = {
    "beats": "better than the same model taught without a teacher, by the interval",
    "ties": "as good as the same model taught without a teacher",
    "hurts": "worse than the same model taught without a teacher",
    "inconclusive": "not to be told from the same model taught without a teacher: the interval is too wide",
}


def card_text(card: Mapping[str, Any], requirements: Sequence[str]) -> str:
    """Write a card (`runs/exporting/card.py`) as Markdown."""
    rows = card["data"]["rows"]
    predicts = _predicts(card)
    parts = [
        f"# {_plain(name_of(card))}",
        f"It answers one row of data with {predicts}: the column **{_plain(card['target'])}**. Made by {card['made_by']} from the run `{card['run']}`"
        f"{_when(card.get('created_utc'))}.",
        "## How to ask it",
        "```\npip install -r requirements.txt\npython predict.py --check\npython predict.py sample.csv\n```\n"
        f"It needs {', '.join(requirements)} and nothing else. `columns.json` says how each column is read.",
        "## How good it is",
        *(
            [f"Measured on {rows['test']:,} rows that it never learned from{_newest(card)}."]
            if card.get("metrics")
            else []
        ),
        _measured(card),
        *_by_task(card),
        *_compared(card),
        "## What it is made of",
        _made(card),
        "## What it is not for",
        "\n".join(f"- {_plain(one)}" for one in card["limits"]),
        "## Data",
        f"- File: {_plain(card['data'].get('name', ''))}\n- SHA-256 of data, target, encoding and split: `{card['data'].get('hash', '')}`\n"
        f"- Rows: {rows['train']:,} to learn from, {rows['validation']:,} to choose by, {rows['test']:,} to measure by",
        "## References",
        "\n".join(f"- {_plain(one['what'])}: {_plain(one['source'])}" for one in card["references"]) or "None.",
        "## Licence",
        _plain(card["licence"])
        or "Not stated. Whoever hands this out says here how it may be used; the data's own licence holds as well.",
        "## Recipe",
        "The whole of it, as the workbench repeats it (`python -m kd_core run recipe.json`):",
        f"```json\n{json.dumps(card['recipe'], ensure_ascii=False, indent=1)}\n```",
    ]
    return "\n\n".join(parts) + "\n"


def readme_text(card: Mapping[str, Any], file: str) -> str:
    """Write what somebody reads first: how to ask the model, and where the rest stands."""
    return f"""# {_plain(name_of(card))}

It answers one row of data with {_predicts(card)}: the column **{_plain(card["target"])}**.

```
python -m pip install -r requirements.txt
python predict.py --check
python predict.py {file}
```

The first line fetches what it needs, the second checks every file and the answers to the sample, the third answers the rows of a
file: one line of JSON for each, in the order of the file. Put a file with the same columns in the place of {file}.

`CARD.md` says how good it is, for what it is not, and from which data and recipe it was made. `columns.json` says how each column is read.
"""


def name_of(card: Mapping[str, Any]) -> str:
    """Name the model in words: a student with its kind, of a plain one what it is, not the code under which its run keeps it."""
    if card.get("plain") and card.get("title"):
        return f"{card['title']}, a plain model"
    return str(card.get("called") or card["name"])


def _newest(card: Mapping[str, Any]) -> str:
    return f": the newest of the file, by the column {_plain(card['time'])}" if card.get("time") else ""


def _predicts(card: Mapping[str, Any]) -> str:
    """Say what is answered: one class, a number, labels, or several of these."""
    told = Questions.of({**card, "target": card["target"]}).every
    said = [_kind(one) for one in told]
    return (
        said[0] if len(said) == 1 else "; ".join(f"{_plain(one.name)}: {s}" for one, s in zip(told, said, strict=True))
    )


def _kind(one: Question) -> str:
    if one.kind == NUMBER:
        return "a number"
    return f"{'one' if one.kind == CLASSES else 'any'} of {len(one.names):,} {one.kind} ({_some(one.names)})"


def _by_task(card: Mapping[str, Any]) -> list[str]:
    """Draw the table of the tasks of a row, each by its own metric; nothing of one target."""
    if not card.get("tasks"):
        return []
    lines = [
        "| target | metric | this model | same model without a teacher | difference, intervals that hold together (above 0: this model is better) | teacher |",
        "|---|---|---|---|---|---|",
    ]
    for one in card["tasks"]:
        own, alone, teacher = (
            _number(one["metrics"].get(side, {}).get(one["metric"], {}).get("mean"))
            for side in ("student", "baseline", "teacher")
        )
        gain = _gain({**one["gain"], "ci95": one["ci_family"]} if one["gain"] else None)
        lines.append(f"| {_plain(one['name'])} | {one['metric']} | {own} | {alone} | {gain} | {teacher} |")
    return ["Each target by itself:", "\n".join(lines)]


def _measured(card: Mapping[str, Any]) -> str:
    """Draw the table of metrics: over the trainings, beside the model without a teacher and the teacher."""
    baseline, teacher = card.get("baseline") or {}, card["teacher"]["metrics"]
    gains = card.get("gain") or {}
    lines = [
        "| metric | this model: mean (least to most) | trainings | same model without a teacher | difference, 95 % interval (above 0: this model is better) | teacher |",
        "|---|---|---|---|---|---|",
    ]
    for name, told in (card.get("metrics") or {}).items():
        values = told.get("values") or []
        mark = " (chosen by it)" if name == card["metric"]["name"] else ""
        spread = f"{_number(told.get('mean'))}" + (
            f" ({_number(min(values))} to {_number(max(values))})" if len(values) > 1 else ""
        )
        other = _number((baseline.get(name) or {}).get("mean"))
        lines.append(
            f"| {name}{mark} | {spread} | {len(values)} | {other} | {_gain(gains.get(name))} | {_number(teacher.get(name))} |"
        )
    if len(lines) > 2:
        return "\n".join(lines)
    if card.get("selected") is not None:
        return f"It was compared on validation rows only: {card['metric']['title']} {_number(card['selected'])}. No test row was spent on it."
    return "The run of this model tells no metrics of it."


def _compared(card: Mapping[str, Any]) -> list[str]:
    said = []
    if (verdict := card.get("verdict")) in _WORDS and card.get("taught"):
        said.append(f"The verdict of its run, by {card['metric']['title']}: {_WORDS[verdict]}.")
    if card.get("plain"):
        said.append("A plain model, taught by the labels alone, that the run set beside its students.")
    elif not card.get("taught"):
        said.append("This one learned without a teacher: in its run that was the better choice.")
    plain = card.get("reference") or {}
    if best := plain.get("best"):
        said.append(_beside(card, best, "The best plain model of at most its size"))
    if (smallest := plain.get("smallest")) and smallest.get("gain"):
        said.append(_beside(card, smallest, "A smaller plain model that kept up on validation rows"))
    return said


def _beside(card: Mapping[str, Any], plain: Mapping[str, Any], who: str) -> str:
    """Set a plain model beside it: its score, and by how much this one is better, as far as that can be told."""
    name, title = card["metric"]["name"], card["metric"]["title"]
    said = f"{who}: {_plain(plain.get('title') or plain.get('name'))}"
    score, gain = (plain.get("metrics") or {}).get(name), (plain.get("gain") or {}).get(name)
    if not score or not gain or not card.get("taught"):
        return f"{said}."
    word = _STANDS.get(plain.get("word", ""), "which of the two is better is not clear")
    return f"{said}, {title} {_number(score['mean'])}; this one's difference to it, above 0 where this one is better, is {_gain(gain)}: {word}."


def _made(card: Mapping[str, Any]) -> str:
    arch, latency = card["architecture"], (card.get("latency_ms") or {}).get("whole", {}).get("1", {})
    lines = [
        f"- Architecture: {arch['name']} {json.dumps(arch.get('settings', {}), ensure_ascii=False)}, rows read as {arch['reads']}",
        f"- Teacher: {card['teacher']['name'] if card.get('taught') else 'none'}",
    ]
    if steps := card.get("steps"):
        said = ", then ".join(f"{one['name']} {json.dumps(one['settings'], ensure_ascii=False)}" for one in steps)
        lines.append(f"- Made smaller by {said}")
    if lost := card.get("lost"):
        low, high = lost["ci95"]
        within = "" if low is None else f", 95 % interval {low:+.3g} to {high:+.3g}"
        lines.append(
            f"- Lost against the student as it was: {lost['mean']:+.3g} points (of errors: percent){within}; below 0 it got better"
        )
    if len(card.get("seeds") or ()) > 1 and card.get("seed") is not None:
        lines.append(
            f"- One of {len(card['seeds'])} trainings: the one with seed {card['seed']}, best on validation rows"
        )
    if (parameters := card.get("parameters")) is not None:
        lines.append(f"- Learned numbers: {parameters:,}")
    if (size := card.get("size_bytes")) is not None:
        lines.append(f"- Its file: {size:,} bytes")
    if "p50" in latency:
        where = card.get("environment", {})
        lines.append(
            f"- One row from raw cells to the answer: {latency['p50']:.3g} ms (median, one thread, {_plain(where.get('device_name', 'CPU'))})"
        )
    return "\n".join(lines)


def _gain(gain: Mapping[str, Any] | None) -> str:
    if not gain or gain.get("mean") is None:
        return "–"
    low, high = gain.get("ci95") or (None, None)
    return f"{gain['mean']:+.4g}" + ("" if low is None else f" ({low:+.4g} to {high:+.4g})")


def _number(value: Any) -> str:
    return "–" if value is None else f"{value:.4g}"


def _some(names: Iterable[str], most: int = 10) -> str:
    held = [_plain(name) for name in names]
    return ", ".join(held[:most]) + (", ..." if len(held) > most else "")


def _when(utc: Any) -> str:
    return f" of {str(utc)[:10]}" if utc else ""


def _plain(text: Any) -> str:
    """Keep names from data from being read as Markdown or HTML, and on one line."""
    held = " ".join(str(text).split())
    return _MARKS.sub(r"\\\g<0>", held)
