"""What a row is, as a card: its answers first, then its texts in pieces, pictures, histories, and all other values with their types."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import pandas as pd

from kd_core import written
from kd_core.data.histories.cells import separator_among
from kd_core.data.pictures.column import pixels_of, png
from kd_core.data.plain.history import items_of
from kd_core.data.table import ColumnProfile, Profile
from kd_core.task import task_of
from pages.ui.data.pieces import Cutter, Piece
from pages.ui.shared import text
from pages.ui.shared.picture import BROWSER
from pages.ui.shared.text import Safe, escape, t

STYLE = f"<style>{(BROWSER / 'row_card.css').read_text('utf-8')}</style>"
PIECES, LETTERS, FIELDS, ITEMS, DOCUMENTS = 150, 160, 40, 40, 12  # drawn of a row; what is beyond is counted
YEARS = 10_000  # below, whole numbers stand without commas, as years do
CELLS = 4  # of a document, beside its text
SEPARATED = 2000  # histories that are looked at to find what stands between items


def row(found: Profile, at: int, targets: Sequence[str], cutter: Cutter | None) -> Safe:
    """Draw one row. Shape: `at` counts from 0."""
    cells = found.frame.iloc[at]
    texts = [c for c in found.columns if c.kind == "text" and c.name not in targets]
    histories = [c for c in found.columns if c.kind == "items" and c.name not in targets]
    pictures = [c for c in found.columns if c.kind == "picture"]
    special = {c.name for c in (*texts, *histories, *pictures)}
    fields = [c for c in found.columns if c.name not in special and c.name not in targets]
    parts = [] if histories else [_answers(found, cells, targets)]
    parts += [_picture(found, c, at) for c in pictures]
    parts += [_texts(texts, cells, cutter)] if texts else []
    parts += [
        _history(
            c, cells, separator_among(found.frame[c.name].dropna().astype("str").head(SEPARATED)), _one(cells, targets)
        )
        for c in histories
    ]
    parts += [_fields(fields, cells)] if fields else []
    return Safe(f"<div class='kd-row'>{''.join(parts)}</div>")


def _counted(key: str, num: int, **values: str) -> Safe:
    """Say how many there are, of one in the singular."""
    return t(f"{key}_one" if num == 1 else key, n=text.exact(num), **values)


def _one(cells: pd.Series, targets: Sequence[str]) -> Any:
    return cells[targets[0]] if targets else None


def _answers(found: Profile, cells: pd.Series, targets: Sequence[str]) -> str:
    """All answers of a row; of labels those that hold are full and the others empty."""
    if not targets:
        return ""
    if found.task and task_of(found.task).each_alone and len(targets) > 1:
        named = "".join(
            f"<span class='answer{'' if _holds(cells[n]) else ' off'}'>{'✓ ' if _holds(cells[n]) else ''}{escape(n)}</span>"
            for n in targets
        )
        return f"<div class='answers'><span class='name'>{t('data.row.labels')}</span>{named}</div>"
    said = "".join(
        f"<span><span class='name'>{escape(n)}</span> <span class='answer'>{_value(cells[n])}</span></span>"
        for n in targets
    )
    return f"<div class='answers'>{said}</div>"


def _holds(value: Any) -> bool:
    return bool(pd.notna(value)) and str(value).strip().lower() in ("1", "1.0", "true", "yes")


def _picture(found: Profile, column: ColumnProfile, at: int) -> str:
    pixels = pixels_of(found.frame[column.name].iloc[[at]])[0]
    link = base64.b64encode(png(pixels)).decode()
    high, wide = pixels.shape[:2]
    said = t("data.row.picture", column=column.name, width=wide, height=high)
    return f"<div><div class='name'>{said}</div><img src='data:image/png;base64,{link}' alt='{t('data.row.picture_alt')}'></div>"


def _texts(columns: Sequence[ColumnProfile], cells: pd.Series, cutter: Cutter | None) -> str:
    read = [c for c in columns if c.used]
    written = {c.name: "" if pd.isna(cells[c.name]) else str(cells[c.name]) for c in columns}
    cut = dict(zip((c.name for c in read), cutter.cut([written[c.name] for c in read]), strict=True)) if cutter else {}
    parts = []
    for column in columns:
        name = f"<div class='name'>{_named(column)}</div>"
        if not written[column.name]:
            parts.append(f"<div>{name}<p>{_value(None)}</p></div>")
        elif column.name in cut:
            parts.append(f"<div>{name}<p class='pieces'>{_pieces(cut[column.name])}</p></div>")
        else:
            parts.append(f"<div>{name}<p>{_short(written[column.name])}</p></div>")
    if cutter is not None:
        every = [piece for pieces in cut.values() for piece in pieces]
        parts.append(f"<p class='cut'>{_told(every, cutter.length)}</p>")
    return "".join(parts)


def _pieces(pieces: Sequence[Piece]) -> str:
    drawn = []
    for piece in pieces[:PIECES]:
        look = " class='beyond'" if not piece.read else "" if piece.known else " class='unknown'"
        drawn.append(f"<span{look}>{escape(piece.written)}</span>")
    if len(pieces) > PIECES:
        drawn.append(str(_counted("data.row.more_pieces", len(pieces) - PIECES)))
    return " ".join(drawn)


def _told(pieces: Sequence[Piece], length: int) -> str:
    """Say how many pieces there are, how many are read, and how many are unknown."""
    said = [_counted("data.row.pieces", len(pieces), length=text.exact(length))]
    beyond, unknown = sum(not p.read for p in pieces), sum(not p.known for p in pieces)
    if beyond:
        said.append(_counted("data.row.beyond", beyond))
    if unknown:
        said.append(_counted("data.row.unknown", unknown))
    return " ".join(said)


def _history(column: ColumnProfile, cells: pd.Series, separator: str, following: Any) -> str:
    cell = cells[column.name]
    items = items_of("" if pd.isna(cell) else str(cell), separator)
    shown = "".join(f"<li>{escape(item)}</li>" for item in items[-ITEMS:])
    older = len(items) - ITEMS
    before = f"<li class='bare name'>{t('task.next_item.older', n=text.exact(older))}</li>" if older > 0 else ""
    after = "" if following is None else f"<li class='bare'>→</li><li class='answer'>{_value(following)}</li>"
    name = f"<div class='name'>{_named(column)} · {_counted('data.row.items', len(items))}</div>"
    return f"<div>{name}<ol class='strip'>{before}{shown}{after}</ol></div>"


def _fields(columns: Sequence[ColumnProfile], cells: pd.Series) -> str:
    drawn = "".join(
        f"<div{'' if c.used else ' class=unused'}><dt class='name'>{_named(c)}</dt><dd>{_value(cells[c.name])}</dd></div>"
        for c in columns[:FIELDS]
    )
    more = ""
    if len(columns) > FIELDS:
        more = f"<p class='cut'>{_counted('data.row.more_columns', len(columns) - FIELDS)}</p>"
    return f"<dl class='fields'>{drawn}</dl>{more}"


def _named(column: ColumnProfile) -> str:
    used = "" if column.used else f" · {t('data.row.unused')}"
    return f"{escape(column.name)} · {t(f'data.kinds.{column.kind}')}{used}"


def _value(value: Any) -> str:
    """Write one cell as people do; a missing one says so."""
    if value is None or pd.isna(value):
        return f"<span class='missing'>{t('data.row.missing')}</span>"
    if isinstance(value, pd.Timestamp):
        return escape(written.moment(value))
    if isinstance(value, float) and value.is_integer() and abs(value) < YEARS:
        return escape(f"{value:.0f}")
    if isinstance(value, float):
        return escape(text.exact(value))
    return _short(str(value))


def _short(said: str) -> str:
    """Cut a long cell, and say how much of it was cut off."""
    if len(said) <= LETTERS:
        return escape(said)
    return (
        f"{escape(said[:LETTERS])}… <span class='cut'>{_counted('data.row.more_letters', len(said) - LETTERS)}</span>"
    )


def group(found: Profile, rows: pd.DataFrame, name: str, column: str) -> Safe:
    """Draw a group with its rows in order of grade: what they have in common, then each with its grade as dots."""
    target = str(found.target)
    kinds = {c.name: c for c in found.columns}
    read = [n for n in rows.columns if n in kinds and n not in (target, column) and kinds[n].kind != "picture"]
    same = [n for n in read if len(rows) > 1 and rows[n].astype("str").nunique() == 1]
    own = sorted((n for n in read if n not in same), key=lambda n: kinds[n].kind not in ("text", "category"))
    most = int(found.frame[target].max())
    ordered = rows.sort_values(target, ascending=False, kind="stable")
    head = "".join(
        f"<div><dt class='name'>{escape(n)}</dt><dd>{_value(rows[n].iloc[0])}</dd></div>" for n in (column, *same)
    )
    drawn = []
    for place, (_, cells) in enumerate(ordered.head(DOCUMENTS).iterrows(), 1):
        first, *others = own or [target]
        more = " · ".join(f"{escape(n)} {_value(cells[n])}" for n in others[:CELLS])
        drawn.append(
            f"<li><span class='name'>{place}</span><span>{_value(cells[first])}</span>{_dots(cells[target], most)}<span class='more'>{more}</span></li>"
        )
    said = [_counted("data.row.documents", len(rows), target=target)]
    if len(rows) > DOCUMENTS:
        said.append(_counted("data.row.more_documents", len(rows) - DOCUMENTS))
    if len(own) > CELLS + 1:
        said.append(_counted("data.row.more_columns", len(own) - CELLS - 1))
    return Safe(
        f"<div class='kd-row'><dl class='fields'>{head}</dl><ol class='documents'>{''.join(drawn)}</ol><p class='cut'>{' '.join(said)}</p></div>"
    )


def _dots(grade: Any, most: int) -> str:
    """Draw a grade as full and empty dots, or as a number where there are many grades."""
    if pd.isna(grade) or most > 6 or float(grade) != int(grade):
        return f"<span class='answer'>{_value(grade)}</span>"
    return f"<span class='dots' role='img' aria-label='{t('data.row.grade', grade=int(grade), most=most)}'>{'●' * int(grade)}{'○' * (most - int(grade))}</span>"
