"""A student being made smaller: its chains as boxes that fill as stages are made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from kd_core.runs.view import compress_words
from pages.ui.compress import boxes
from pages.ui.shared import text
from pages.ui.shared.text import Safe, escape, t

NEWEST = 12  # stages of a search that are shown; the result shows all


def show(now: Any) -> None:
    """Draw the chains with what is known of each stage; nothing of other runs, or before the first stage of a search."""
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
    found = list(made)[-NEWEST:]
    if found:
        st.markdown(f"**{t('compress.live.searched', num=len(made))}**")
        boxes.planned(found, [filled(made[name], 1) for name in found], "chain-live", joined=False)


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
        return "done", t("compress.not_made", why=str(known[0]["reason"]))
    size = next((one["bytes"] for one in known if one.get("bytes")), None)
    scores = [one["score"] for one in known if one.get("score") is not None]
    parts = [escape(compress_words.size(size))] if size else []
    parts += [t("compress.live.score", value=text.score(sum(scores) / len(scores), 4))] if scores else []
    if len(known) >= seeds:
        return "done", Safe(" · ".join(parts))
    return "running", Safe(" · ".join([*parts, t("compress.live.seeds", done=len(known), of=seeds)]))
