"""What making a student smaller gave: which stage to take, the chains, and what stands behind them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import streamlit as st

from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller import same_seeds, tried, verdict
from pages.ui.access import aids
from pages.ui.charts import compress as charts
from pages.ui.compress import boxes, naming, points, siblings, table
from pages.ui.compress.typeset import typeset
from pages.ui.result import speed
from pages.ui.shared import picture, session, text
from pages.ui.shared.text import Safe, escape, t


def show(run_id: str, found: Mapping[str, Any]) -> None:
    """Draw it; nothing of a run that made nothing smaller."""
    block = found.get("compressed")
    if not block:
        return
    kept = same_seeds.of(block)
    block = naming.worded(kept)
    found = {**found, "compressed": block}
    judgement(naming.worded(kept, quoted=True), siblings.line(kept))
    narrow = aids.is_narrow()
    if narrow:  # the answer, what it is set beside and what can be done with it come before what they rest on
        take(run_id, kept)
        chart(run_id, found)
    with _part("compress.chains", folded=narrow):
        boxes.chains(block)
        for line in behind(block):
            st.markdown(line)
    if narrow:
        with _part("compress.layers.title", folded=True):
            layers(block, f"layers-{run_id}")
    else:
        take(run_id, kept)
        left, right = st.columns([3, 2], gap="large") if block.get("sensitivity") else (st.container(), st.container())
        with left:
            chart(run_id, found)
        with right, _part("compress.layers.title", folded=False):
            layers(block, f"layers-{run_id}")
    with _part("compress.table.title", folded=narrow):
        table.show(block)
        st.caption(t("compress.table.note", hardware=speed.hardware(found)))
        for line in compress_words.known(block):
            st.caption(typeset(line))


@contextmanager
def _part(title: str, *, folded: bool) -> Iterator[None]:
    """Draw what the verdict rests on under its title; on a phone it is folded, so that the answer is not screens long."""
    if folded:
        with st.expander(t(title)):
            yield
    else:
        st.markdown(f"##### {t(title)}")
        yield


def chart(run_id: str, found: Mapping[str, Any]) -> None:
    """Draw all stages of all chains under their title."""
    st.markdown(f"##### {t('compress.chart')}")
    points.show(found, f"compressed-{run_id}")


def judgement(block: Mapping[str, Any], sibling: Safe | None) -> None:
    """Say which stage to take, which other student of its run is smaller and as good, and how often its test rows were read."""
    with st.container(border=True, key="compressed"):
        if (best := compress_words.chosen(block)) is not None and verdict.gains(block, best):
            boxes.badge(block, best)
        st.markdown(f"##### {typeset(verdict.line(block))}", help=t("compress.rule_help"))
        about = {"student": str(block["student"]), "run": str(block["name"])}
        way = t("compress.searched" if block["searched"] else "compress.asked", num=len(block["chains"]))
        way = typeset(searched) if (searched := tried.line(block)) else way
        st.markdown(f"{t('compress.from', **about)} {way}")
        for line in (*verdict.nearest(block), *verdict.unchosen(block), *same_seeds.lines(block)):
            st.markdown(typeset(line))
        if sibling is not None:
            st.markdown(f":material/lightbulb: {sibling}")
        st.page_link(
            "runs.py",
            label=t("compress.open_first"),
            icon=":material/arrow_back:",
            query_params=session.link(run=str(block["run"])),
        )
        if block.get("test_reads"):
            st.caption(t("compress.reads", n=text.exact(block["test_reads"])))


def behind(block: Mapping[str, Any]) -> list[Safe]:
    """Say what the teacher gave to stages that learned again, by the name of the stage."""
    told = [(one["name"], compress_words.again(block, one)) for one in compress_words.made(block)]
    return [Safe(f"**{escape(name)}:** {typeset(words)}") for name, words in told if words]


def take(run_id: str, block: Mapping[str, Any]) -> None:
    """Offer to take one of the stages home, the one that the page advises first; what is no smaller is not offered."""
    names = [str(one["name"]) for one in verdict.takeable(block)]
    if not names:
        return
    whole, best = compress_words.student(block), compress_words.chosen(block)
    if best is not None and not verdict.gains(block, best):  # the student as it was is to be kept
        best = whole
        names = [str(whole["name"]), *names]
    first = str(best["name"]) if best is not None else None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        stage = st.selectbox(
            t("compress.take"),
            names,
            index=names.index(first) if first in names else None,
            format_func=lambda name: (
                str(t("export.as_it_was")) if name == whole["name"] else text.option(naming.said(name))
            ),
            placeholder=t("compress.take_none"),
            key=f"compress-take-{run_id}",
            help=t("compress.take_help"),
            width=320,
        )
        if stage is not None:
            where = session.link(run=run_id, student=str(stage))
            st.page_link("export.py", label=t("export.link"), icon=":material/ios_share:", query_params=where)


def layers(block: Mapping[str, Any], key: str) -> None:
    """Draw what each layer loses alone; say why there is nothing to draw."""
    found = block.get("sensitivity") or ()
    said = compress_words.sensitivity(block)
    if not found or said is None:
        st.caption(t("compress.layers.none"))
        return
    ways = list(dict.fromkeys(compress_words.treated(one) for one in found))
    series = [_series(block, way, [one for one in found if compress_words.treated(one) == way]) for way in ways]
    unit = t("compress.layers.percent" if block["metric"].get("relative") else "compress.layers.points")
    most = float(block["goals"]["most_lost"])
    fig = charts.sensitivity(series, x_title=unit, goal=(most, str(t("compress.layers.goal"))))
    picture.show(fig, key, typeset(said))
    st.caption(f"{typeset(said)} {t('compress.layers.note')}")


def _series(block: Mapping[str, Any], way: str, each: list[Mapping[str, Any]]) -> dict[str, Any]:
    spec = compress_words.layer_digits(block["sensitivity"])
    written = [compress_words.amount(block, one["lost"], spec) for one in each]
    hover = [
        f"{escape(one['layer'])}, {escape(one['kind'])}, {text.number(one['parameters'])}<br>{escape(lost)}"
        for one, lost in zip(each, written, strict=True)
    ]
    lost = [one["lost"] for one in each]
    shown = [f"{value:{spec}}".replace("-", "−") for value in lost]
    return {"name": way, "layers": [one["layer"] for one in each], "lost": lost, "written": shown, "hover": hover}
