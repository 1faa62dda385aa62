"""A student being made smaller: its chains as boxes that fill as stages are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from kd_core.runs.view import compress_words
from pages.ui.compress import boxes
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t

NEWEST = 12  # chains of a search that are shown


def show(now: Any) -> None:
    """Draw the chains with what is known of each stage; of a search what it tried, too. Nothing of other runs."""
    small = now.spec.compress
    if small is None:
        return
    made = by_name(now.stages)
    seeds = now.spec.training.seeds_at_first
    if small.chains:
        for number, names in enumerate(planned(small.chains)):
            st.markdown(f"**{t('compress.chain', number=number + 1)}**" if len(small.chains) > 1 else "")
            boxes.planned(names, [filled(made.get(name, ()), seeds) for name in names], f"chain-live-{number}")
        return
    if made:
        st.markdown(f"**{t('compress.live.found')}**")
        boxes.planned(list(made), [filled(known, seeds) for known in made.values()], "chain-live", joined=False)
    if now.tried:
        st.markdown(f"**{t('compress.live.tried', num=len(now.tried))}**")
        newest = now.tried[-NEWEST:]
        boxes.planned([str(one["name"]) for one in newest], [tried(one) for one in newest], "tried-live", joined=False)


def tried(one: Mapping[str, Any]) -> tuple[str, Safe]:
    """Say what a chain of a search came to: its file, and whether it keeps the goals."""
    if one.get("bytes") is None:
        return "missed", t("compress.not_made", why=str(one.get("why") or "–"))
    keeps = t("compress.live.keeps" if one["keeps"] else "compress.live.keeps_not")
    return "done" if one["keeps"] else "missed", Safe(f"{escape(compress_words.size(one['bytes']))} · {keeps}")


def planned(chains: Sequence[Any]) -> list[list[str]]:
    """Name the stages of each chain, the student as it was first."""
    from kd_core.runs.compressing.tree import tree_of

    tree = tree_of(chains)
    names = [node.name for node in tree.nodes]
    return [[names[0], *(names[i] for i in ids)] for ids in tree.chains]


def by_name(stages: Sequence[Mapping[str, Any]]) -> dict[str, list[Mapping[str, Any]]]:
    """Gather what is known of each stage by its name, seed by seed; twins that learn without the teacher are left out."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in stages:
        if one.get("side", "taught") == "taught":
            found.setdefault(str(one["name"]), []).append(one)
    return found


def filled(known: Sequence[Mapping[str, Any]], seeds: int) -> tuple[str, Safe] | None:
    """Say what a box holds: its file and its score so far; None before its first seed is made."""
    if not known:
        return None
    if all(one.get("reason") for one in known):
        return "missed", t("compress.not_made", why=str(known[0]["reason"]))
    size = next((one["bytes"] for one in known if one.get("bytes")), None)
    scores = [one["score"] for one in known if one.get("score") is not None]
    parts = [escape(compress_words.size(size))] if size else []
    parts += [t("compress.live.score", value=text.score(sum(scores) / len(scores), 4))] if scores else []
    if len(known) >= seeds:
        return "done", Safe(" · ".join(parts))
    return "running", Safe(" · ".join([*parts, t("compress.live.seeds", done=len(known), of=seeds)]))
