"""One picture for each kind of data, drawn from a scenario's own rows: which one follows from its columns and its task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.pictures.column import pixels_of, shape_of
from kd_core.registry import Entry
from kd_core.scenarios.cards.drawing import EDGE, GREEN, GREY, HIGH, WIDE, Picture
from kd_core.task import task_of

ROOM = WIDE - 2 * EDGE
BINS, DOTS, CUSTOMERS, ITEMS = 24, 220, 12, 8
Drawn = tuple[Picture, str, dict[str, Any]]  # the picture, its kind, and what its words name


def drawn(entry: Entry[Any], frame: pd.DataFrame) -> Drawn:
    """Draw a scenario's data. Errors: ValueError where a table has no column that the picture needs."""
    facts = entry.facts
    target, more = facts["target"], facts.get("dataset", {})
    task = task_of(facts["task"])
    pictures = [str(n) for n in frame.columns if shape_of(frame[n])]
    texts = [str(n) for n in frame.columns if n not in (target, *pictures) and _is_text(frame[n])]
    if task.by_history:
        return _history(frame, target, more)
    if task.by_order:
        return _query(frame, target, more["group"], texts)
    if pictures:
        return _offers(frame, target, pictures[0], texts[0]) if texts else _photos(frame, target, pictures[0])
    if more.get("more_targets"):
        targets = [target, *more["more_targets"]]
        return _labels(frame, targets) if task.each_alone else _answers(frame, targets)
    if texts:
        return _sentences(frame, target, texts[0])
    if not task.has_classes:
        return _days(frame, target, more["time"]) if more.get("time") else _points(frame, target)
    return _two(frame, target, facts["positive"]) if task.positive else _grid(frame, target)


def _is_text(column: pd.Series) -> bool:
    """Say whether cells are written by people: nearly each is another one, of several words or without spaces between them."""
    if pd.api.types.is_numeric_dtype(column):
        return False
    some = column.dropna().astype("str").head(400)
    return bool(some.str.len().mean() > 10 and some.nunique() > 0.05 * len(some)) and not some.str.match(r"\d").all()


def _one_of_each(frame: pd.DataFrame, target: str, most: int) -> pd.DataFrame:
    """Take the first row of each of the first classes that occur, and further rows where there are fewer classes."""
    first = frame.drop_duplicates(target)
    return pd.concat([first, frame.drop(first.index)]).head(most)


def _sentences(frame: pd.DataFrame, target: str, text: str) -> Drawn:
    picture = Picture()
    for at, (said, label) in enumerate(_one_of_each(frame, target, 3)[[text, target]].itertuples(index=False)):
        y = 4 + 51 * at
        picture.word(EDGE, y + 17, said, ROOM)
        picture.chip(EDGE, y + 24, label, ROOM, answer=True)
    return picture, "sentences", {"text": text, "target": target}


def _photos(frame: pd.DataFrame, target: str, column: str) -> Drawn:
    picture, across, side = Picture(), 4, 56
    some = _one_of_each(frame, target, 8).sort_values(target, kind="stable")
    step = ROOM / across
    for at, (pixels, label) in enumerate(zip(pixels_of(some[column]), some[target], strict=True)):
        x, y = EDGE + step * (at % across), 4 + 78 * (at // across)
        picture.photo(x + (step - side) / 2, y, side, pixels)
        picture.word(x + step / 2, y + side + 14, label, step, "g m")
    return picture, "photos", {"target": target}


def _offers(frame: pd.DataFrame, target: str, column: str, text: str) -> Drawn:
    picture, side = Picture(), 46
    some = _one_of_each(frame, target, 3)
    for at, (pixels, said, label) in enumerate(zip(pixels_of(some[column]), some[text], some[target], strict=True)):
        y = 5 + 52 * at
        picture.photo(EDGE, y, side, pixels)
        picture.word(EDGE + side + 10, y + 17, said, ROOM - side - 10)
        picture.chip(EDGE + side + 10, y + 24, label, ROOM - side - 10, answer=True)
    return picture, "offers", {"text": text, "target": target}


def _history(frame: pd.DataFrame, target: str, more: Mapping[str, Any]) -> Drawn:
    picture = Picture()
    ordered = frame.sort_values([more["group"], more["time"]], kind="stable")
    counts = ordered[more["group"]].value_counts(sort=False)
    items = list(ordered.loc[ordered[more["group"]] == counts[counts >= ITEMS].index[0], target].astype("str"))[:ITEMS]
    x, y = float(EDGE), 8.0
    for item in items:
        last = item is items[-1]
        room = 9.0 + min(ROOM, 14 + 7 * len(item))
        if x > EDGE and x + room + 14 > WIDE - EDGE:
            x, y = float(EDGE), y + 31
        if last:
            picture.word(x, y + 15, "→", 20)
            x += 18
        x += picture.chip(x, y, item, WIDE - EDGE - x, answer=last) + 8
    return picture, "history", {"items": len(items) - 1, "group": more["group"]}


def _query(frame: pd.DataFrame, target: str, group: str, texts: list[str]) -> Drawn:
    picture = Picture()
    grades = frame.groupby(group, sort=False)[target].nunique()
    rows = frame[frame[group] == grades[grades >= 4].index[0]]
    query, title = texts[0], texts[1]
    shown = rows.sort_values(target, ascending=False, kind="stable")
    shown = shown.iloc[np.linspace(0, len(shown) - 1, 4).astype(int)]
    most = int(frame[target].max())
    picture.word(EDGE, 19, f"“{rows[query].iloc[0]}”", ROOM)
    picture.axis(EDGE, 28, WIDE - EDGE, 28)
    for at, (said, grade) in enumerate(shown[[title, target]].itertuples(index=False)):
        y = 49 + 30 * at
        picture.word(EDGE, y, f"{at + 1}  {said}", ROOM - 14 * most - 10)
        for one in range(most):
            picture.dot(WIDE - EDGE - 14 * (most - one) + 7, y - 4, 5, full=one < grade)
    return picture, "query", {"most": most}


def _labels(frame: pd.DataFrame, targets: list[str]) -> Drawn:
    picture, some = Picture(), frame.head(CUSTOMERS)
    step = (HIGH - 12) / len(targets)
    for at, name in enumerate(targets):
        y = 6 + step * (at + 0.5)
        picture.word(EDGE, y + 4, name, 90, "g")
        for place, value in enumerate(some[name]):
            picture.dot(EDGE + 105 + 17 * place, y, 6, full=bool(value))
    return picture, "labels", {"rows": len(some), "labels": len(targets)}


def _answers(frame: pd.DataFrame, targets: list[str]) -> Drawn:
    picture, row = Picture(), frame.iloc[0]
    inputs = [str(n) for n in frame.columns if n not in targets][:4]
    for at, name in enumerate(inputs):
        y = 22 + 40 * at
        picture.word(EDGE, y, _plain(name), 108, "s")
        picture.word(EDGE, y + 15, _cell(row[name]), 108)
    picture.axis(126, 12, 126, HIGH - 12)
    for at, name in enumerate(targets[:3]):
        y = 8 + 51 * at
        picture.word(140, y + 12, _plain(name), WIDE - EDGE - 140, "s")
        picture.chip(140, y + 18, _cell(row[name]), WIDE - EDGE - 140, answer=True)
    return picture, "answers", {"targets": len(targets)}


def _days(frame: pd.DataFrame, target: str, time: str) -> Drawn:
    picture = Picture()
    when = pd.to_datetime(frame[time])
    weekly = frame[target].groupby(when.dt.to_period("W")).mean()
    weekly = weekly.iloc[1:-1]  # the first and the last week are parts of one
    top = float(weekly.max())
    x = np.linspace(EDGE + 28, WIDE - EDGE, len(weekly))
    y = 130 - 112 * weekly.to_numpy() / top
    picture.axis(EDGE + 28, 130, WIDE - EDGE, 130)
    picture.line([(x[0], 130), *zip(x, y, strict=True), (x[-1], 130)], GREEN, 1.5, filled=True)
    picture.word(EDGE + 24, 22, f"{top:.0f}", 30, "s e")
    picture.word(EDGE + 24, 133, "0", 20, "s e")
    picture.word(EDGE + 28, 149, when.min().date(), 90, "s")
    picture.word(WIDE - EDGE, 149, when.max().date(), 90, "s e")
    return picture, "days", {"target": target, "weeks": len(weekly)}


def _points(frame: pd.DataFrame, target: str) -> Drawn:
    picture = Picture()
    numbers = [str(n) for n in frame.columns if n != target and pd.api.types.is_numeric_dtype(frame[n])]
    ranks = frame[[*numbers, target]].rank()
    together = np.abs(np.corrcoef(ranks[[*numbers, target]].to_numpy(), rowvar=False)[-1, :-1])
    column = numbers[int(together.argmax())]
    some = frame.head(DOTS)
    x, y = _scaled(some[column], EDGE + 34, WIDE - EDGE), _scaled(some[target], 128, 12)
    picture.axis(EDGE + 30, 131, WIDE - EDGE, 131)
    picture.axis(EDGE + 30, 10, EDGE + 30, 131)
    picture.dots(list(zip(x, y, strict=True)), 5)
    picture.word(EDGE + 26, 20, f"{some[target].max():.0f}", 30, "s e")
    picture.word(EDGE + 26, 130, f"{some[target].min():.0f}", 30, "s e")
    picture.word(WIDE - EDGE, 148, _plain(column), 200, "s e")
    picture.word(EDGE + 36, 20, _plain(target), 120, "g")
    return picture, "points", {"column": column, "target": target, "rows": len(some)}


def _two(frame: pd.DataFrame, target: str, positive: str) -> Drawn:
    picture = Picture()
    yes = (frame[target] == positive).to_numpy()
    numbers = [str(n) for n in frame.columns if n != target and pd.api.types.is_numeric_dtype(frame[n])]
    column = max(numbers, key=lambda n: _apart(frame[n].to_numpy(np.float64), yes))
    values = frame[column].to_numpy(np.float64)
    low, high = np.nanquantile(values, [0.0, 0.985])
    edges = np.linspace(low, high, BINS + 1)
    shares = [np.histogram(values[part], edges)[0] / max(1, part.sum()) for part in (~yes, yes)]
    top = max(float(s.max()) for s in shares)
    x = np.linspace(EDGE, WIDE - EDGE, BINS + 1)
    for share, colour in zip(shares, (GREY, GREEN), strict=True):
        y = 130 - 100 * share / top
        steps = [(a, b) for at in range(BINS) for a, b in ((x[at], y[at]), (x[at + 1], y[at]))]
        picture.line([(x[0], 130), *steps, (x[-1], 130)], colour, 2, filled=True)
    picture.axis(EDGE, 130, WIDE - EDGE, 130)
    picture.word(WIDE - EDGE, 17, f"{_plain(target)}: {positive}", 200, "g e")
    picture.word(WIDE - EDGE, 32, f"the other {(~yes).mean():.0%}", 200, "s e")
    picture.word(EDGE, 148, f"{low:.4g}", 60, "s")
    picture.word(WIDE / 2, 148, _plain(column), 180, "s m")
    picture.word(WIDE - EDGE, 148, f"{high:.4g}", 60, "s e")
    return picture, "two", {"column": column, "target": target, "positive": positive}


def _grid(frame: pd.DataFrame, target: str) -> Drawn:
    """Shares of the classes for each value of the category that tells most of them; darker is more often."""
    picture = Picture()
    names = [str(n) for n in frame.columns if n != target and not pd.api.types.is_numeric_dtype(frame[n])]
    column = max(names, key=lambda n: _dependence(_counts(frame, n, target)))
    counts = _counts(frame, column, target).iloc[:8, :12]
    shares = counts.div(counts.sum(axis=1), axis=0).to_numpy()
    high, wide = (HIGH - 26) / len(counts), (ROOM - 84) / counts.shape[1]
    for i, name in enumerate(counts.index):
        picture.word(EDGE + 78, 4 + high * (i + 0.5) + 4, name, 78, "s e")
        for j in range(counts.shape[1]):
            strength = float(shares[i, j] / shares.max())
            picture.box(EDGE + 84 + wide * j, 4 + high * i, wide - 1.5, high - 1.5, strength)
    picture.word(EDGE, HIGH - 6, _plain(column), 110, "s")
    picture.word(WIDE - EDGE, HIGH - 6, f"{_plain(target)} →", ROOM - 120, "g e")
    return picture, "grid", {"column": column, "target": target, "most": round(100 * float(shares.max()))}


def _counts(frame: pd.DataFrame, column: str, target: str) -> pd.DataFrame:
    """Count rows by the values of a category and by class."""
    return frame.groupby([column, target]).size().unstack(fill_value=0)


def _apart(values: Any, yes: Any) -> float:
    """Measure how far two distributions are apart (Kolmogorov and Smirnov)."""
    known = ~np.isnan(values)
    edges = np.unique(values[known])
    parts = [np.searchsorted(np.sort(values[known & part]), edges, side="right") for part in (yes, ~yes)]
    return float(np.abs(parts[0] / max(1, parts[0][-1]) - parts[1] / max(1, parts[1][-1])).max())


def _dependence(counts: pd.DataFrame) -> float:
    """Measure how much a category tells of the classes: Pearson's mean square contingency."""
    table = counts.to_numpy(np.float64)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    return float(((table - expected) ** 2 / expected).sum() / table.sum())


def _scaled(values: pd.Series, start: float, end: float) -> Any:
    numbers = values.to_numpy(np.float64)
    low, high = np.nanmin(numbers), np.nanmax(numbers)
    return start + (numbers - low) / (high - low) * (end - start)


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _cell(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
