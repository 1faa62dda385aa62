"""One kept row taken apart: words, squares of a picture, or columns, for all models that can be asked."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder
from pages.ui.examine import drawn as charts
from pages.ui.look import ARMS, readable_on, shifted
from pages.ui.result import differences
from pages.ui.shared import picture, text
from pages.ui.shared.text import Safe, escape, t, term

SMALL = 0.1  # where no part's effect is larger, tenths of hundredths are written, too

if TYPE_CHECKING:
    from kd_core.runs.examining.explanation import Explanation


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(path: str, changed_ns: int, name: str) -> Any:
    """Open a student with everybody who can be asked beside it. Errors: KDError."""
    from kd_core.runs.examining.examination import opened_with_others

    return opened_with_others(path, name)


def show(folder: RunFolder, result: Mapping[str, Any], index: int) -> None:
    """Ask for a row and draw what counts in it."""
    from kd_core.runs.examining.explanation import columns_to_explain, explain

    st.markdown(f"#### {t('examine.row.title')}", help=term("occlusion"))
    name = str(result["students"][index]["name"])
    key = f"examine-row-{folder.id}-{index}"
    try:
        model, kept, who = _opened(str(folder.path), Path(folder.spec_path).stat().st_mtime_ns, name)
    except KDError as error:
        text.show_error(error)
        return
    offered = columns_to_explain(model)
    left, middle, right = st.columns([1, 1, 1], vertical_alignment="bottom")
    row = left.number_input(t("examine.row.pick"), 0, len(kept.labels) - 1, 0, key=f"{key}-row")
    part = middle.selectbox(
        t("examine.row.part"),
        offered,
        format_func=lambda c: str(t("examine.row.columns")) if c is None else escape(str(c)),
        key=f"{key}-part",
    )
    if not right.button(t("examine.row.explain"), key=f"{key}-go", icon=":material/lightbulb:"):
        return
    try:
        found = explain(model, who, kept, int(row), part)
    except KDError as error:
        text.show_error(error)
        return
    _draw(found, result, kept, int(row), key)


def _draw(found: Explanation, result: Mapping[str, Any], kept: Any, row: int, key: str) -> None:
    classes = [str(c) for c in result["dataset"]["classes"]]
    label = None if found.output is None else classes[found.output]
    st.markdown(t("examine.row.said_number") if label is None else t("examine.row.said", label=label))
    names = differences.arm_names()
    arms = [arm for arm in ARMS if arm in found.effects]
    if not found.parts:
        st.markdown(t("examine.row.empty"))
        return
    if found.kind == "columns":
        by_arm = {arm: dict(zip(found.parts, found.effects[arm], strict=True)) for arm in arms}
        order = sorted(found.parts, key=lambda c: -abs(by_arm["student"][c]))[:10]
        answers = [t("examine.row.answer", arm=names[arm], value=_answer(found, arm)) for arm in arms]
        st.markdown(Safe(" · ".join(answers)))
        fig = charts.leaning(order, by_arm, names, x=t("examine.row.column_x"), hover=t("examine.lean.hover"))
        picture.show(fig, f"{key}-columns", strongest(found, arms))
        st.caption(strongest(found, arms))
        return
    most = max((abs(v) for arm in arms for v in found.effects[arm]), default=0.0)
    dark = st.context.theme.type == "dark"
    if found.kind == "picture":
        places = st.columns(len(arms) + 1)
        with places[0]:
            st.image(kept.frame[found.column].iloc[row], width="stretch")
        for place, arm in zip(places[1:], arms, strict=True):
            with place:
                st.markdown(t("examine.row.answer", arm=names[arm], value=_answer(found, arm)))
                side = int(len(found.parts) ** 0.5)
                fig = charts.squares(found.effects[arm], side, most=most, dark=dark, hover=t("examine.row.hover"))
                picture.show(fig, f"{key}-{arm}", strongest(found, [arm]))
        st.caption(t("examine.row.square_note"))
        return
    for arm in arms:
        st.markdown(t("examine.row.answer", arm=names[arm], value=_answer(found, arm)))
        st.html(marked(found.parts, found.effects[arm], most, dark))
    st.caption(t("examine.row.word_note"))


def _answer(found: Explanation, arm: str) -> str:
    value = found.answers[arm]
    return text.score(value) if found.output is None else text.percent(value)


def strongest(found: Explanation, arms: Sequence[str]) -> Safe:
    """Say which part counts most for each model."""
    names, told = differences.arm_names(), []
    for arm in arms:
        at = max(range(len(found.parts)), key=lambda i: abs(found.effects[arm][i]))
        part = found.parts[at]
        shown = (
            f"{part[0] + 1}, {part[1] + 1}" if found.kind == "picture" else part if isinstance(part, str) else part[0]
        )
        told.append(
            t("examine.row.strongest", arm=names[arm], part=str(shown), effect=text.signed(found.effects[arm][at]))
        )
    return Safe("; ".join(told))


def marked(parts: Sequence[Any], effects: Sequence[float], most: float, dark: bool) -> str:
    """Write a text as HTML with each part on the colour of its effect, in hundredths below it."""
    words, digits = [], 0 if most >= SMALL else 1
    for (word, _, _), effect in zip(parts, effects, strict=True):
        colour = shifted(effect / most if most else 0.0, dark)
        hundredths = round(100 * effect, digits)
        number = text.signed(hundredths, digits) if hundredths else "0"
        words.append(
            f"<span style='background:{colour};color:{readable_on(colour)};padding:0 var(--kd-space-xs);border-radius:var(--kd-radius-s);display:inline-block;margin:2px;"
            f"text-align:center'>{html.escape(word)}<br><small>{number}</small></span>"
        )
    return f"<p style='line-height:2.2;margin:0'>{''.join(words)}</p>"
