"""A chain of steps drawn as boxes: each stage with what it is, what it costs, and in words what is wrong with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import streamlit as st

from kd_core.requests.compress_spec import LEAST_AGREEMENT
from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller import verdict
from pages.ui.compress import naming
from pages.ui.compress.typeset import typeset
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t

WIDTH, FORM_WIDTH = 205, 280  # pixels of a box: the numbers of a stage stand on one line each; of one with settings
Block = Any
OF_GOALS = ("lost", "unproved_loss", "above_bytes", "above_microseconds")  # flags that the word of a stage says as well
BADGES: dict[str, tuple[str, Any]] = {
    "kept": (":material/check:", "green"),
    "unproved": (":material/warning:", "orange"),
    "missed": (":material/close:", "red"),
}
STATES = {"done": ":material/check:", "running": ":material/play_arrow:", "missed": ":material/close:"}


def chains(block: Block) -> None:
    """Draw every chain of a result; what two chains begin with alike was made once, and is drawn once."""
    stages = {one["id"]: one for one in block["stages"]}
    drawn: set[int] = set()
    for number, told in enumerate(block["chains"]):
        ids = compress_words.path(block, told)
        st.markdown(f"**{t('compress.chain', number=number + 1)}**" if len(block["chains"]) > 1 else "")
        with row(f"chain-{number}"):
            known = [i for i in ids if i in drawn]
            if known:
                shared(t("compress.as_above", stages=" → ".join(str(stages[i]["name"]) for i in known)))
            for i in ids[len(known) :]:
                with linked(f"link-{number}-{i}", joined=i != ids[0]):
                    stage(block, stages[i], f"box-{number}-{i}-{edge(block, stages[i])}")
            drawn |= set(ids)


@contextmanager
def row(key: str) -> Iterator[None]:
    """Lay boxes beside each other; what does not fit goes on below."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key=key):
        yield


@contextmanager
def box(key: str, width: int = WIDTH) -> Iterator[None]:
    """Draw one box."""
    with st.container(border=True, width=width, gap="xxsmall", key=key):
        yield


@contextmanager
def linked(key: str, *, joined: bool = True) -> Iterator[None]:
    """Point to what is drawn within from what stands before it; both go to the next line together."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content", wrap=False, key=key):
        if joined:
            st.markdown(":material/arrow_forward:", width="content")
        yield


def shared(words: Safe) -> None:
    """Name the stages that another chain began with, too."""
    st.caption(words, width=WIDTH)


def stage(block: Block, one: Any, key: str) -> None:
    """Draw a stage that was made, or say why it was not."""
    with box(key):
        st.markdown(f"**{escape(one['name'])}**")
        if one["step"] is not None:
            st.caption(typeset(compress_words.step(one["step"])))
        if taken(block, one):
            badge(block, one)
        if one.get("reason"):
            st.markdown(f":material/block: {t('compress.not_made', why=str(one['reason']))}")
            return
        for line in numbers(block, one):
            st.markdown(line)
        for words in compress_words.flags(block, weighed(block, one), brief=True):
            st.markdown(f":small[:orange[:material/warning:] {typeset(words)}]")


def badge(block: Block, one: Any) -> None:
    """Mark the stage to take in the colour and word of whether it keeps the goals on test rows."""
    word = verdict.standing(block, one)
    icon, colour = BADGES[word]
    st.badge(t(f"compress.take_words.{word}"), icon=icon, color=colour)


def warn(block: Block, name: str) -> None:
    """Repeat, where a stage is taken home, that its goals are not proved and what else its box warns of."""
    one = next((one for one in compress_words.made(block) if one["name"] == name), None)
    if one is None:
        return
    known = [words for words in [verdict.warning(block, one)] if words]
    read = naming.worded(block)
    at = next(each for each in read["stages"] if each["id"] == one["id"])
    rest = [flag for flag in at.get("flags") or () if flag["code"] not in OF_GOALS]
    for words in (*known, *compress_words.flags(read, weighed(read, {**at, "flags": rest}), brief=True)):
        st.markdown(f":orange[:material/warning:] {typeset(words)}")


def taken(block: Block, one: Any) -> bool:
    """Say whether a stage is the one to take, which its badge tells."""
    return one["id"] == block["best"] and verdict.gains(block, one)


def edge(block: Block, one: Any) -> str:
    """Name the edge of a stage by what came of it; the frame's style draws each in its own colour.

    It is that of the words beside it: a stage that grew is warned of, so it is not told as good unless its badge says so.
    """
    if one["step"] is None:
        return "student"
    if one.get("reason"):
        return "failed"
    grown = any(flag["code"] == "bigger" for flag in one.get("flags") or ())
    if grown and verdict.standing(block, one) == "kept" and not taken(block, one):
        return "unclear"
    return {"kept": "kept", "unproved": "unclear", "missed": "failed"}[verdict.standing(block, one)]


def weighed(block: Block, one: Any) -> Any:
    """Return a stage with those warnings alone that matter to its goals.

    Slower is no matter within the time that was asked for, which is that of one row; nor are other answers of a stage that
    answers as the one before, or that is nearer to the student as it was than the one before.
    """
    most = block["goals"].get("microseconds")

    def matters(flag: Any) -> bool:
        if flag["code"] == "slower" and most is not None:
            return flag["batch"] == 1 and bool(1000 * flag["milliseconds"] > most)
        if flag["code"] == "unlike" and (near := flag.get("before")) is not None:
            return near < LEAST_AGREEMENT and bool(flag["agreement"] <= near)
        return True

    return {**one, "flags": [flag for flag in one.get("flags") or () if matters(flag)]}


def numbers(block: Block, one: Any) -> list[Safe]:
    """Write what a stage costs: its file and the time of a row, its score, and what it lost."""
    time = compress_words.milliseconds(one)
    cost = f"{escape(compress_words.size(one['bytes']))} · {text.milliseconds(time)}" if time is not None else None
    said = [Safe(f"**{cost or escape(compress_words.size(one['bytes']))}**")]
    said.append(t("compress.score", metric=str(block["metric"]["title"]), value=compress_words.score(one)))
    if whole := one.get("beside"):
        said.append(t("compress.beside", num=len(whole["seeds"]), value=compress_words.score(whole)))
    if one["step"] is not None:
        lost = str(typeset(compress_words.lost_briefly(block, one)))
        said.append(Safe(lost.replace(", ", ",\u00a0")))  # in a narrow box both ends of an interval stay on one line
    return said


def planned(names: Sequence[str], done: Sequence[tuple[str, Safe] | None], key: str, *, joined: bool = True) -> None:
    """Draw a chain while it is made: per stage its name in words, and what is known of it; None while nothing is."""
    with row(key):
        for i, (name, known) in enumerate(zip(names, done, strict=True)):
            with linked(f"{key}-link-{i}", joined=joined and i > 0), box(f"{key}-{i}"):
                st.markdown(f"**{escape(naming.said(name))}**")
                if known is None:
                    st.caption(f":material/schedule: {t('compress.live.waiting')}")
                else:
                    state, words = known
                    st.markdown(f"{STATES[state]} {words}")
