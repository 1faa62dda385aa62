"""What a result says of a yes-or-no model's threshold: the curve with it marked, and precision and recall at one half and there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from pages.ui.charts import confusion as charts
from pages.ui.result import differences
from pages.ui.shared import picture, text
from pages.ui.shared.text import Safe, escape, t, term

Result = Mapping[str, Any]
HALF = 0.5
ARMS = ("teacher", "baseline", "student")
MEASURES = ("precision", "recall", "f1", "called")


def sentence(found: Result, index: int) -> Safe | None:
    """Say from which probability on the answer is yes, where that is not one half."""
    told = found["students"][index].get("threshold")
    if not told or not told["used"] or told["value"] is None:
        return None
    why = t(f"task.binary.rule_{told['rule']}", wanted=text.percent(told["wanted"] or 0.0))
    alone = "" if told["asked"] else f" {t('task.binary.unasked', share=text.percent(told['share']))}"
    yes = escape(found["dataset"]["classes"][1])
    return Safe(f"{t('task.binary.from', yes=yes, at=text.percent(told['value'], 1), why=why)}{alone}")


def line(found: Result, index: int) -> None:
    """Say it, with where the curve is; nothing where one half is the answer."""
    if said := sentence(found, index):
        st.markdown(f":material/rule: {said} {t('task.binary.where')}")


def show(found: Result, index: int) -> None:
    """Draw the curve and lay precision, recall and F1 out at both thresholds; nothing for other tasks and older results."""
    told = found["students"][index].get("threshold")
    if not told or not told["arms"].get("student") or not told["curve"]["recall"]:
        return
    yes, student = str(found["dataset"]["classes"][1]), told["arms"]["student"]
    st.space("small")
    st.markdown(f"**{t('task.binary.title', yes=escape(yes))}**", help=term("threshold"))
    said = sentence(found, index)
    rule = t(f"task.binary.rule_{told['rule']}", wanted=text.percent(told["wanted"] or 0.0))
    st.markdown(said or _half(told, escape(yes), rule))
    kept, marks = told["kept"], []
    for name, at in (("half", HALF), ("chosen", student["values"][kept])):
        values = {m: student[name][m]["values"][kept] for m in MEASURES}
        in_use = "chosen" if told["used"] else "other"
        title = t(f"task.binary.mark_{in_use if name == 'chosen' else name}", at=text.percent(at, 1), rule=rule)
        told_of = t(
            "task.binary.mark_hover", precision=text.percent(values["precision"]), recall=text.percent(values["recall"])
        )
        marks.append({"name": str(title), "hover": f"{title}<br>{told_of}", "filled": name == "chosen", **values})
    fig = charts.precision_recall(
        told["curve"],
        marks,
        name=str(found["students"][index]["name"]),
        x_title=t("task.binary.recall_axis", yes=yes),
        y_title=t("task.binary.precision_axis", yes=yes),
        hover=t("task.binary.hover", yes=yes),
        guess=(told["positives"] / told["rows"], str(t("task.binary.guess"))),
    )
    picture.show(fig, "threshold", t("task.binary.alt", half=marks[0]["hover"], chosen=marks[1]["hover"]))
    st.table(_lines(told), border="horizontal")
    seeds = len(student["values"])
    st.caption(
        t(
            "task.binary.note",
            seeds=seeds,
            positives=text.exact(told["positives"]),
            rows=text.exact(told["rows"]),
            yes=escape(yes),
        )
    )


def _half(told: Result, yes: str, rule: Safe) -> Safe:
    """Say that one half is in use, and how the threshold that validation rows prefer does on the test rows."""
    chosen, half = (told["arms"]["student"][name]["f1"]["mean"] for name in ("chosen", "half"))
    does = "worse" if round(chosen, 3) < round(half, 3) else "better"
    said = t(f"task.binary.does_{does}", chosen=text.score(chosen), half=text.score(half))
    return t("task.binary.half", yes=yes, rule=rule, does=said, where=t("distill.advanced"))


def _lines(told: Result) -> pd.DataFrame:
    lines = []
    for arm in ARMS:
        if not (block := told["arms"].get(arm)):
            continue
        at = text.percent(sum(block["values"]) / len(block["values"]), 1)
        for name in ("half", "chosen"):
            cells = [text.plus_minus(block[name][m]["mean"], block[name][m]["std"]) for m in MEASURES]
            lines.append((f"{differences.arm_names()[arm]}, {t(f'task.binary.at_{name}', at=at)}", *cells))
    columns = ["", *(str(t(f"task.binary.{m}")) for m in MEASURES)]
    return pd.DataFrame(lines, columns=columns).set_index("").astype("object")
