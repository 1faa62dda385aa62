"""Which class is taken for which: the confusion matrix, and what a student moves against another model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from kd_core.task import task_of
from pages.ui.charts import confusion as matrices
from pages.ui.result import differences
from pages.ui.shared import findings, picture, text
from pages.ui.shared.text import Safe, t
from pages.ui.tasks import labels, next_item

Result = Mapping[str, Any]


def show(found: Result, index: int) -> None:
    """Draw a confusion matrix, and beside it how many rows the student moves against another model."""
    student = found["students"][index]
    if task_of(found["task"]).each_alone:
        labels.mistakes(found, index)
        return
    if not task_of(found["task"]).has_classes or not student.get("confusion"):
        st.markdown(next_item.why("mistakes") if next_item.of_catalogue(found) else t("runs.mistakes.regression"))
        return
    classes = found["dataset"]["classes"]
    worst = most_frequent_mistake(student["confusion"])
    if worst is None:
        st.markdown(t("runs.mistakes.none"))
    else:
        i, j, count, share = worst
        st.markdown(
            t(
                "runs.mistakes.hardest",
                true=str(classes[i]),
                predicted=str(classes[j]),
                count=text.exact(round(count, 1)),
                share=text.percent(share),
                seeds=_seeds(student),
            )
        )
    blocks = {"teacher": found["teacher"], "baseline": student["baseline"], "student": student}
    told = () if found["teacher"].get("known") else ("teacher",)  # on other rows its counts are others
    columns = st.columns(2, gap="large") if len(classes) <= 8 else [st.container(), st.container()]
    shared = {
        "true_title": t("runs.mistakes.true"),
        "predicted_title": t("runs.mistakes.predicted"),
        "dark": st.context.theme.type == "dark",
    }
    with columns[0]:
        arm = _pick_arm(("student", "baseline", *told), "mistakes-of", "runs.mistakes.of")
        fig = matrices.confusion(blocks[arm]["confusion"], classes, hover=t("runs.mistakes.hover"), **shared)
        own = blocks[arm]["confusion"]
        picture.show(
            fig,
            f"confusion-{arm}",
            findings.of_confusion(differences.arm_names()[arm], own, classes, most_frequent_mistake(own)),
        )
        st.caption(t("runs.mistakes.note"))
    with columns[1]:
        other = _pick_arm(("baseline", *told), "mistakes-against", "runs.mistakes.against")
        moved = largest_shift(student["confusion"], blocks[other]["confusion"])
        fig = matrices.confusion_shift(
            student["confusion"], blocks[other]["confusion"], classes, hover=t("runs.mistakes.shift_hover"), **shared
        )
        said = t("runs.mistakes.same")
        if moved is not None:
            i, j, rows = moved
            key = "shift_right" if i == j else "shift_wrong"
            said = t(
                f"runs.mistakes.{key}",
                true=str(classes[i]),
                predicted=str(classes[j]),
                other=differences.arm_names()[other].lower(),
                count=text.exact(round(abs(rows), 1)),
                way=t("runs.mistakes.more" if rows > 0 else "runs.mistakes.fewer"),
            )
        picture.show(fig, f"confusion-shift-{other}", said)
        st.caption(f"{said} {t('runs.mistakes.shift_note')}")


def _pick_arm(arms: tuple[str, ...], key: str, label: str) -> str:
    chosen = st.segmented_control(
        t(label),
        arms,
        default=arms[0],
        format_func=lambda a: differences.arm_names()[a],
        key=key,
        help=t(f"{label}_help"),
        required=True,
    )
    return str(chosen or arms[0])


def _seeds(student: Result) -> Safe | str:
    """Say that counts are means, of more than one seed."""
    num = len(student.get("seeds") or ())
    return t("runs.mistakes.mean", num=num) if num > 1 else ""


def largest_shift(counts: Any, others: Any) -> tuple[int, int, float] | None:
    """Find the cell in which two confusion matrices differ most: true class, predicted class, rows more or fewer."""
    cells = [
        (a - b, i, j)
        for i, (x, y) in enumerate(zip(counts, others, strict=True))
        for j, (a, b) in enumerate(zip(x, y, strict=True))
    ]
    rows, i, j = max(
        cells, key=lambda c: (round(abs(c[0]), 6), c[1] != c[2])
    )  # of equal moves the mistake, which says more
    return (i, j, rows) if abs(rows) >= 0.05 else None


def most_frequent_mistake(counts: Any) -> tuple[int, int, float, float] | None:
    """Find the largest cell off the diagonal: true class, predicted class, rows, share of the true class."""
    cells = [(v, i, j) for i, r in enumerate(counts) for j, v in enumerate(r) if i != j and v > 0]
    if not cells:
        return None
    value, i, j = max(cells)
    return i, j, value, value / sum(counts[i])
