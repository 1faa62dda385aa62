"""The soft labels of a result at a glance: one picture at the run's temperature with its finding, and how faithful the models are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import streamlit as st

from kd_core.errors import KDError
from kd_core.evaluate import soft_labels
from kd_core.runs.store.folder import RunFolder
from kd_core.task import IN_PARTS, task_of
from pages.ui.charts import soft_labels as charts
from pages.ui.charts.drawing import Drawing
from pages.ui.result import kept_rows
from pages.ui.result.differences import arm_names
from pages.ui.result.kept_rows import Kept
from pages.ui.shared import picture, session, text
from pages.ui.shared.text import Safe, t
from pages.ui.soft import component
from pages.ui.soft.labels import shares
from pages.ui.tasks import labels, one_target, ranking

ARMS = ("teacher", "baseline", "student")
BARS = 10  # classes drawn for one row
PAIRS = 5  # likenesses, or labels, in the picture of a result
LEAST_ROWS = 5  # of a class: of fewer a mean says little
UNSURE = (0.1, 0.9)  # a share between them is no clear yes or no
ENDS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)  # of an axis of shares
Result = Mapping[str, Any]


class Glance(NamedTuple):
    """A title, the picture, and what is seen on it."""

    title: Safe
    figure: Drawing
    said: Safe


def tab(folder: RunFolder, found: Result, index: int) -> None:
    """Draw the tab of a result: what soft labels are for, the picture with its finding, and the way to their page."""
    student = found["students"][index]
    st.markdown(_what_for(found))
    glance, whole = None, found
    if (found.get("artifacts") or {}).get("students"):
        try:
            kept, found = one_target.choose(kept_rows.load(folder, found, index), found, index, "soft-tab")
            glance = of_kept(kept, found, index)
        except KDError as error:
            text.show_error(error)
    left, right = st.columns([3, 2], gap="large") if glance else (st.container(), st.container())
    if glance:
        with left:
            st.markdown(f"**{glance.title}**")
            picture.show(glance.figure, "result-soft", glance.said)
            st.caption(_kept_note(whole, index, len(kept.labels)))
    with right:
        if glance:
            st.markdown(glance.said)
        if said := _agreement(found, index):
            st.markdown(said)
        st.page_link(
            "soft_labels.py",
            label=t("runs.soft.open"),
            icon=":material/equalizer:",
            query_params=session.link(run=folder.id, student=student["name"]),
        )


def _what_for(found: Result) -> Safe:
    task = task_of(found["task"])
    if IN_PARTS(task):
        return t("task.several.soft")
    if ranking.by_order(found["task"]):
        return t("ranking.soft_tab")
    if task.is_number:
        return t("runs.soft.regression")
    return t("runs.soft.note_two" if len(found["dataset"]["classes"]) == 2 else "runs.soft.note")


def _agreement(found: Result, index: int) -> Safe | None:
    """Say on how many rows of all seeds the same class is chosen; None where there are none to choose from, or a whole catalogue."""
    student = found["students"][index]
    ours, theirs = (side.get("fidelity") or {} for side in (student, student["baseline"]))
    if task_of(found["task"]).by_history or "agreement" not in ours or "agreement" not in theirs:
        return None
    return t(
        "labels.agreement_line" if labels.are_labels(found["task"]) else "runs.soft.agreement",
        student=text.percent(ours["agreement"]["mean"]),
        baseline=text.percent(theirs["agreement"]["mean"]),
    )


def _kept_note(found: Result, index: int, rows: int) -> Safe:
    of = found["artifacts"]
    seed = of["students"][index]["seed"]
    return t("soft_labels.tab.kept", num=text.exact(rows), of=text.exact(of["rows_of"]), seed=seed)


def of_kept(kept: Kept, found: Result, index: int) -> Glance | None:
    """Make the picture of a student's kept rows at the temperature it was taught at; None where a class's share is not kept."""
    task, classes = task_of(found["task"]), [str(name) for name in found["dataset"]["classes"] or ()]
    kept, at = answered(kept), component.softened(found["students"][index].get("temperature"))["start"]
    if task.by_order:
        return _lists(kept, found, at)
    if labels.are_labels(found["task"]):
        return _labels(kept, classes, at)
    if task.is_number:
        return _amounts(kept, found)
    if kept.logits["teacher"].shape[1] != len(classes):
        return _items(kept, len(classes), at) if task.by_history else None
    p = {arm: soft_labels.soften(kept.logits[arm], at) for arm in ARMS}
    return _yes(p, classes[1], at) if len(classes) == 2 else _classes(p, kept.labels, classes, at)


def answered(kept: Kept) -> Kept:
    """Leave out rows to which a model has no answer."""
    rows = np.flatnonzero(~np.any([np.isnan(kept.logits[arm]).any(axis=1) for arm in ARMS], axis=0))
    if len(rows) == len(kept.labels):
        return kept
    logits = {arm: kept.logits[arm][rows] for arm in ARMS}
    return Kept(kept.row_ids[rows], kept.labels[rows], logits, kept.rows.iloc[rows], kept.view)


def apart(p: Mapping[str, Any], arm: str) -> float:
    """How far a model's shares are from the teacher's: half the sum of the differences of all classes, mean of the rows."""
    return float(0.5 * np.abs(p[arm] - p["teacher"]).sum(axis=1).mean())


def _apart(p: Mapping[str, Any]) -> Safe:
    return _points(apart(p, "student"), apart(p, "baseline"))


def _points(student: float, baseline: float) -> Safe:
    return t("soft_labels.tab.apart", student=f"{100 * student:.1f}", baseline=f"{100 * baseline:.1f}")


def _yes(p: Mapping[str, Any], yes: str, at: float) -> Glance:
    unsure = {arm: float(((p[arm][:, 1] > UNSURE[0]) & (p[arm][:, 1] < UNSURE[1])).mean()) for arm in ARMS}
    figure = _histogram(
        {arm: p[arm][:, 1] for arm in ARMS}, t("soft_labels.tab.share_of", name=yes), t("soft_labels.tab.rows")
    )
    told = {arm: text.percent(share) for arm, share in unsure.items()}
    said = t("soft_labels.tab.two", t=f"{at:g}", yes=yes, **told)
    return Glance(t("soft_labels.tab.two_title", yes=yes, t=f"{at:g}"), figure, Safe(f"{said} {_apart(p)}"))


def likenesses(p: Mapping[str, Any], y: Any, num: int) -> list[tuple[int, int, dict[str, float]]]:
    """List the pairs of classes (label, looks like) of which the teacher gives the second the largest mean share, with every model's."""
    mean = {arm: soft_labels.class_similarity(p[arm], y, num) for arm in ARMS}
    rows = np.bincount(np.asarray(y, np.int64), minlength=num)
    told = rows >= (LEAST_ROWS if (rows >= LEAST_ROWS).any() else 1)
    strength = np.where(told[:, None] & ~np.eye(num, dtype=bool), mean["teacher"], -1.0)
    best = np.argsort(-strength, axis=None, kind="stable")[:PAIRS]
    places = [tuple(map(int, np.unravel_index(one, strength.shape))) for one in best]
    return [(a, b, {arm: float(mean[arm][a, b]) for arm in ARMS}) for a, b in places if strength[a, b] >= 0]


def _classes(p: Mapping[str, Any], y: Any, classes: list[str], at: float) -> Glance:
    pairs = likenesses(p, y, len(classes))
    figure = _bars(
        {arm: [told[arm] for *_, told in pairs] for arm in ARMS},
        [f"{classes[a]}\n→ {classes[b]}" for a, b, _ in pairs],
        t("soft_labels.tab.mean_share"),
    )
    a, b, strongest = pairs[0]
    told = {arm: text.percent(share) for arm, share in strongest.items()}
    said = t("soft_labels.tab.classes", t=f"{at:g}", a=classes[a], b=classes[b], **told)
    return Glance(t("soft_labels.tab.classes_title", t=f"{at:g}"), figure, Safe(f"{said} {_apart(p)}"))


def _labels(kept: Kept, classes: list[str], at: float) -> Glance:
    p = {arm: shares(kept.logits[arm], at) for arm in ARMS}
    mean = {arm: p[arm].mean(axis=0) for arm in ARMS}
    order = np.argsort(-mean["teacher"], kind="stable")[:BARS]
    figure = _bars(
        {arm: [float(mean[arm][k]) for k in order] for arm in ARMS},
        [classes[k] for k in order],
        t("soft_labels.tab.mean_share"),
    )
    expected = {arm: f"{p[arm].sum(axis=1).mean():.2f}" for arm in ARMS}
    has = f"{(np.asarray(kept.labels) > 0).sum(axis=1).mean():.2f}"
    said = t("soft_labels.tab.labels", t=f"{at:g}", has=has, **expected)
    away = {arm: float(np.abs(p[arm] - p["teacher"]).mean()) for arm in ARMS}
    more = _points(away["student"], away["baseline"])
    return Glance(t("soft_labels.tab.labels_title", t=f"{at:g}"), figure, Safe(f"{said} {more}"))


def _amounts(kept: Kept, found: Result) -> Glance:
    centre, unit = (float(np.ravel(found["artifacts"][side])[0]) for side in ("target_mean", "target_std"))
    answer = {arm: kept.logits[arm][:, 0].astype(np.float64) * unit + centre for arm in ARMS}
    target = str(found["dataset"]["target"])
    figure = charts.predictions(
        answer["teacher"].tolist(),
        {arm: answer[arm].tolist() for arm in ("baseline", "student")},
        names=arm_names(),
        x_title=t("soft_labels.tab.number_x", target=target),
        y_title=t("soft_labels.tab.number_y", target=target),
        diagonal=t("soft_labels.tab.number_same"),
        row_ids=(np.asarray(kept.row_ids) + 1).tolist(),
        row_title=t("soft_labels.row_choice"),
        height=360,
    )
    off = {arm: answer[arm] - np.asarray(kept.labels, np.float64) for arm in ARMS}
    with np.errstate(invalid="ignore"):  # a model that errs alike on every row correlates with nothing
        alike = {arm: float(np.corrcoef(off[arm], off["teacher"])[0, 1]) for arm in ("student", "baseline")}
    said = t(
        "soft_labels.amounts.effective",
        **{arm: text.score(float(np.abs(answer[arm] - answer["teacher"]).mean())) for arm in alike},
        alike=text.score(alike["student"], 2),
        alike_baseline=text.score(alike["baseline"], 2),
    )
    return Glance(t("soft_labels.tab.number_title"), figure, said)


def _lists(kept: Kept, found: Result, at: float) -> Glance:
    code = ranking.Queries.of(kept, found).code_N
    rows = [np.flatnonzero(code == q) for q in range(code.max() + 1)]
    z = {arm: kept.logits[arm][:, 0] for arm in ARMS}
    first = {arm: np.array([soft_labels.soften(z[arm][at_q], at).max() for at_q in rows]) for arm in ARMS}
    top = {arm: np.array([z[arm][at_q].argmax() for at_q in rows]) for arm in ARMS}
    return _firsts("lists", "row", t("ranking.spread_y"), first, top, at)


def _items(kept: Kept, catalogue: int, at: float) -> Glance:
    first = {arm: first_item(kept.logits[arm], catalogue, at) for arm in ARMS}
    top = {arm: kept.logits[arm][:, 0] for arm in ARMS}
    return _firsts("items", "item", t("soft_labels.tab.rows"), first, top, at)


def _firsts(kind: str, one: str, y_title: str, first: Mapping[str, Any], top: Mapping[str, Any], at: float) -> Glance:
    """Draw the shares of what stands first, and say whether it is the same as the teacher's. `kind`, `one`: of catalogue keys."""
    same = {arm: text.percent(float((top[arm] == top["teacher"]).mean())) for arm in ("student", "baseline")}
    told = {f"{arm}_first": text.percent(float(first[arm].mean())) for arm in ARMS}
    said = t(f"soft_labels.tab.{kind}", t=f"{at:g}", **told, **same)
    figure = _histogram(first, t(f"soft_labels.tab.first_{one}"), y_title)
    return Glance(t(f"soft_labels.tab.{kind}_title", t=f"{at:g}"), figure, said)


def first_item(answers: Any, catalogue: int, at: float) -> Any:
    """Share of the likeliest item at a temperature: kept are K items, their log shares, and that of each other item. Shape: (N,)."""
    count = answers.shape[1] // 2
    logs, others = answers[:, count : 2 * count].astype(np.float64) / at, answers[:, 2 * count].astype(np.float64) / at
    rest = (catalogue - count) * np.exp(others) if catalogue > count else 0.0
    return np.exp(logs[:, 0]) / (np.exp(logs).sum(axis=1) + rest)


def _histogram(shares_by: Mapping[str, Any], x_title: str, y_title: str) -> Drawing:
    values = {arm: share.tolist() for arm, share in shares_by.items()}
    largest = max(max(share) for share in values.values())
    most = next((end for end in ENDS if end >= largest), ENDS[-1])
    return charts.spread(values, names=arm_names(), x_title=x_title, y_title=y_title, most=most)


def _bars(mean: Mapping[str, list[float]], names: list[str], x_title: str) -> Drawing:
    return charts.bars(mean, names, names=arm_names(), x_title=x_title, whole=False)


def drawn_classes(p: Mapping[str, Any], label: int) -> list[int]:
    """Choose the classes to draw: likeliest for teacher and student, and the label, in the teacher's order."""
    ranked = [int(c) for c in np.argsort(-p["teacher"], kind="stable")]
    if len(ranked) <= BARS:
        return ranked
    kept = {*ranked[: BARS - 3], *(int(c) for c in np.argsort(-p["student"], kind="stable")[:2]), label}
    return [c for c in ranked if c in kept]


def faithful(found: Mapping[str, Any], index: int) -> None:
    """Say how faithfully student and baseline follow the teacher over all seeds and test rows at T = 1, as the result does."""
    student, entry = found["students"][index], found["artifacts"]["students"][index]
    for place, (arm, block) in zip(
        st.columns(2), (("student", student), ("baseline", student["baseline"])), strict=True
    ):
        told = block.get("fidelity") or {}
        far = text.score((told.get("kl") or {}).get("mean"))
        place.metric(
            t("soft_labels.agreement", arm=arm_names()[arm]),
            text.percent((told.get("agreement") or {}).get("mean")),
            help=t("soft_labels.agreement_help"),
            delta=t("soft_labels.kl_line", value=far),
            delta_color="off",
            delta_arrow="off",
        )
    told = t(
        "soft_labels.faithful_result", num=len(student["seeds"]), rows=text.exact(found["dataset"]["rows"]["test"])
    )
    st.caption(f"{told} {t('soft_labels.faithful_here', seed=entry['seed'])}")
