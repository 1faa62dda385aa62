"""The curves of a student that adds its columns up: what each value of a column does to the answer; and tables of its pairs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from kd_core import written
from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder
from kd_core.safe_io import Damaged, read_json
from pages.ui.charts.column_curves import curve, table
from pages.ui.charts.marks import padded
from pages.ui.shared import picture, text
from pages.ui.shared.text import escape, t

FIRST = 6  # columns that are drawn at once
SIDE_BY_SIDE = 3
FIRST_PAIRS, PAIRS_BESIDE = 4, 2


def kept(found: Mapping[str, Any], index: int) -> str | None:
    """Name the file that holds a student's curves; None where it has none, or an earlier version made the run."""
    name = ((found.get("artifacts") or {}).get("students") or [{}] * (index + 1))[index].get("curves")
    return None if name is None else str(name)


def show(folder: RunFolder, found: Mapping[str, Any], index: int) -> None:
    """Draw the curves of the most influential columns, the others behind a button."""
    try:
        told = _read(folder, kept(found, index) or "")
    except KDError as error:
        text.show_error(error)
        return
    answers = told["answers"]
    at = 0
    if len(answers) > 1:
        picked = st.pills(
            t("runs.columns.answer"),
            list(range(len(answers))),
            default=0,
            format_func=lambda i: escape(str(answers[i])),
            key=f"columns-answer-{folder.id}-{index}",
            required=True,
        )
        at = int(picked or 0)
    drawn = [c for c in told["columns"] if "added" in c]
    if drawn:
        st.markdown(
            t("runs.columns.first", column=str(drawn[0]["column"]), by=f"{drawn[0]['influence']:.2g}")
            + " "
            + t(f"runs.columns.unit_{told['unit']}", answer=str(answers[at]))
        )
    scale = padded([value for c in drawn for value in _parts(c, at)[1]]) or [-1.0, 1.0]
    _grid(drawn[:FIRST], at, scale, told, f"{folder.id}-{index}")
    rest = drawn[FIRST:]
    if rest and st.toggle(t("runs.columns.more", num=len(rest)), key=f"columns-more-{folder.id}-{index}"):
        _grid(rest, at, scale, told, f"{folder.id}-{index}")
    if left := [str(c["column"]) for c in told["columns"] if "added" not in c]:
        st.caption(t("runs.columns.left_out", names=", ".join(left)))
    pairs = told.get("pairs", [])
    _pairs(pairs, at, told, f"{folder.id}-{index}")
    st.caption(t("runs.columns.note_pairs" if pairs else "runs.columns.note", level=text.signed(told["level"][at], 4)))


def _pairs(pairs: Sequence[Mapping[str, Any]], at: int, told: Mapping[str, Any], key: str) -> None:
    """Draw the most influential pairs as tables, the others behind a button."""
    drawn = [p for p in pairs if "added" in p]
    if drawn:
        st.markdown(f"**{t('runs.columns.pairs')}**")
        st.markdown(t("runs.columns.pairs_unit"))
    scale = max((abs(float(v[at])) for p in drawn for row in p["added"] for v in row), default=0.0) or 1.0
    shown = drawn[:FIRST_PAIRS]
    if (rest := drawn[FIRST_PAIRS:]) and st.toggle(
        t("runs.columns.pairs_more", num=len(rest)), key=f"pairs-more-{key}"
    ):
        shown = drawn
    for start in range(0, len(shown), PAIRS_BESIDE):
        places = st.columns(PAIRS_BESIDE, gap="medium")
        for number, (pair, place) in enumerate(zip(shown[start : start + PAIRS_BESIDE], places, strict=False), start):
            with place:
                _pair(pair, at, scale, told, f"pair-{key}-{at}-{number}")
    if left := [
        str(t("runs.columns.pair", first=p["columns"][0], second=p["columns"][1])) for p in pairs if "added" not in p
    ]:
        st.caption(t("runs.columns.pairs_left_out", names=", ".join(left)))


def _pair(pair: Mapping[str, Any], at: int, scale: float, told: Mapping[str, Any], key: str) -> None:
    first, second = (str(name) for name in pair["columns"])
    st.markdown(f"**{t('runs.columns.pair', first=first, second=second)}**")
    gaps = {str(c["column"]) for c in told["columns"] if c.get("gaps")}
    # a label that is missing is drawn only where some are
    there = [
        [i for i, v in enumerate(side["values"]) if v is not None or name in gaps]
        for name, side in zip((first, second), pair["sides"], strict=True)
    ]
    values = [[_named(side, side["values"][i]) for i in some] for side, some in zip(pair["sides"], there, strict=True)]
    added = [[float(pair["added"][i][j][at]) for j in there[1]] for i in there[0]]
    fig = table(
        *values,
        added,
        names=(first, second),
        scale=scale,
        hover=f"{escape(first)} {{first}}<br>{escape(second)} {{second}}<br>{{added}}",
    )
    cells = [(v, i, j) for i, row in enumerate(added) for j, v in enumerate(row)]

    def of(cell: tuple[float, int, int]) -> str:
        return f"{values[0][cell[1]]}, {values[1][cell[2]]}"

    highest, lowest = max(cells), min(cells)
    ends = {
        "high": text.signed(highest[0], 3),
        "at_high": of(highest),
        "low": text.signed(lowest[0], 3),
        "at_low": of(lowest),
    }
    said = t("runs.columns.pair_alt", first=first, second=second, answer=str(told["answers"][at]), **ends)
    picture.show(fig, key, said)
    notes = [
        t("runs.columns.pair_missing", column=name, value=written.number(float(side["missing_as"])))
        for name, side in zip((first, second), pair["sides"], strict=True)
        if side["missing_as"] is not None and name in gaps
    ]
    if notes:
        st.caption(" ".join(map(str, notes)))


def _named(side: Mapping[str, Any], value: Any) -> str:
    if value is None:
        return str(t("runs.columns.missing"))
    return written.number(float(value)) if side["kind"] == "number" else str(value)


def _read(folder: RunFolder, name: str) -> dict[str, Any]:
    path = folder.path / name
    try:
        if not name or not path.resolve().is_relative_to(folder.path.resolve()):
            raise ValueError("it lies outside the run")
        told: dict[str, Any] = read_json(path)
        for column in told["columns"]:
            [float(v) for _, row in zip(column.get("values", ()), column.get("added", ()), strict=True) for v in row]
        for pair in told.get("pairs", ()):
            _, _ = pair["columns"]
            for one, row in zip(pair["sides"][0]["values"], pair["added"], strict=True) if "added" in pair else ():
                [(one, other, float(v[0])) for other, v in zip(pair["sides"][1]["values"], row, strict=True)]
        float(told["level"][len(told["answers"]) - 1])
        return told
    except (OSError, ValueError, KeyError, TypeError, IndexError, Damaged, json.JSONDecodeError) as error:
        raise KDError(
            "The curves of run {run_id} can't be read: {error}.",
            "Run it again: open the run and press Clone.",
            "no_curves",
            run_id=folder.id,
            error=f"{type(error).__name__}: {str(error)[:200]}",
        ) from error


def _parts(column: Mapping[str, Any], at: int) -> tuple[list[Any], list[float]]:
    """Return a column's values and what they add; a missing label is the last one, None."""
    values, added = list(column["values"]), [float(row[at]) for row in column["added"]]
    if column["kind"] == "labels" and column.get("gaps"):
        values, added = [*values, None], [*added, float(column["missing"][0][at])]
    return values, added


def _grid(
    columns: Sequence[Mapping[str, Any]], at: int, scale: Sequence[float], told: Mapping[str, Any], key: str
) -> None:
    for start in range(0, len(columns), SIDE_BY_SIDE):
        places = st.columns(SIDE_BY_SIDE, gap="medium")
        for number, (column, place) in enumerate(
            zip(columns[start : start + SIDE_BY_SIDE], places, strict=False), start
        ):
            with place:
                _one(column, at, scale, told, f"column-{key}-{at}-{len(columns)}-{number}")


def _one(column: Mapping[str, Any], at: int, scale: Sequence[float], told: Mapping[str, Any], key: str) -> None:
    name, (values, added) = str(column["column"]), _parts(column, at)
    st.markdown(f"**{escape(name)}**")
    fig = curve(
        column["kind"],
        values,
        added,
        scale=(scale[0], scale[1]),
        hover=f"{escape(name)} {{value}}<br>{{added}}",
        missing=str(t("runs.columns.missing")),
    )
    highest, lowest = max(zip(added, values, strict=True)), min(zip(added, values, strict=True))

    def of(end: tuple[float, Any]) -> str:
        return text.score(end[1]) if column["kind"] == "number" else str(end[1] or t("runs.columns.missing"))

    said = t(
        "runs.columns.alt",
        column=name,
        answer=str(told["answers"][at]),
        high=text.signed(highest[0], 3),
        at_high=of(highest),
        low=text.signed(lowest[0], 3),
        at_low=of(lowest),
    )
    picture.show(fig, key, said)
    notes = []
    if column["kind"] != "labels" and column.get("gaps"):
        notes.append(t("runs.columns.gap", added=text.signed(float(column["missing"][0][at]), 3)))
    if column.get("more"):
        notes.append(t("runs.columns.labels_left_out", num=column["more"]))
    if notes:
        st.caption(" ".join(map(str, notes)))
