"""The tab itself: a button that looks, and the parts of what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from kd_core.errors import KDError
from kd_core.runs.store.folder import RunFolder
from pages.ui.examine import confidence, disturbed, groups, leaning, one_row
from pages.ui.result import differences
from pages.ui.shared import text
from pages.ui.shared.text import t

Found = Mapping[str, Any]


def show(folder: RunFolder, result: Mapping[str, Any], index: int) -> None:
    """Draw what was found of a student, or offer to look."""
    from kd_core.runs.examining.examination import MOST_ROWS, why_not

    if why := why_not(str(result["task"])):
        st.markdown(t("examine.not_here", why=why))
        return
    name = str(result["students"][index]["name"])
    st.markdown(t("examine.lead"))
    kept = read(folder, index)
    pressed = st.button(
        t("examine.again" if kept else "examine.look"),
        key=f"examine-{folder.id}-{index}",
        icon=":material/search:",
        type="secondary" if kept else "primary",
        help=t("examine.look_help", rows=f"{min(MOST_ROWS, int(result['artifacts']['rows_kept'])):,}"),
    )
    if pressed:
        try:
            _look(folder.path, name)
        except KDError as error:
            text.show_error(error)
            return
        st.rerun()  # so that the button says that it was done
    if kept is None:
        return
    arms = differences.arm_names()
    asked = t("examine.asked", names=", ".join(arms[a] for a in kept["asked"]))
    st.caption(t("examine.done", rows=f"{kept['rows']:,}", seconds=text.seconds(kept["seconds"]), asked=asked))
    if len(result["students"][index]["seeds"]) > 1:
        st.markdown(one_seed(result, index))
    for arm, why in kept["left_out"].items():
        st.caption(t("examine.left_out", arm=arms[arm], why=why))
    for part in (groups, disturbed, leaning, confidence):
        part.show(folder, result, index, kept)
    one_row.show(folder, result, index)


def one_seed(result: Mapping[str, Any], index: int) -> text.Safe:
    """Say that this looks at the model taken home, one seed of several, so that its scores differ from the table's means."""
    student, name = result["students"][index], result["metric"]["name"]
    block = student["metrics"][name]
    (kept,) = [one["seed"] for one in result["artifacts"]["students"] if one["index"] == index]
    own = block["values"][student["seeds"].index(kept)]
    told = {"metric": differences.metric_title(name), "own": text.score(own), "mean": text.score(block["mean"])}
    return t("examine.one_seed", seed=kept, seeds=len(student["seeds"]), **told)


def read(folder: RunFolder, index: int) -> dict[str, Any] | None:
    """Read what was found of a student before; None where nothing was, or another version found it."""
    from kd_core.runs.examining.examination import SCHEMA

    path = folder.path / "examined" / f"{index}.json"
    if not path.is_file():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
        return found if found.get("schema") == SCHEMA else None
    except (OSError, ValueError) as error:
        st.caption(t("examine.old", why=str(error)[:100]))
        return None


def _look(path: Path, name: str) -> None:
    from kd_core.runs.examining.examination import examine

    bar = st.progress(0.0, t("examine.busy"))

    def tell(what: str, done: int, of: int) -> None:
        if what != "open":
            bar.progress(done / of, t(f"examine.busy_{what}", done=done, of=of))

    try:
        examine(path, name, notify=tell)
    finally:
        bar.empty()
