"""The lesson on the form: one method with its soft share, or several terms with a weight each and their schedules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from kd_core.registry import Situation
from kd_core.specs import SEVERAL
from pages.ui.lesson import method
from pages.ui.shared import forms
from pages.ui.shared.text import t, term

OWN = ("alpha", "weight")  # of a loss that stands alone; beside others a term has one weight
SCHEDULES = ("schedule", "temperature_schedule")
Lesson = dict[str, Any]  # a choice as plain values: name and settings


def draw(at: Situation, held: Lesson, key: str, unlabelled: bool = False) -> Lesson:
    """Draw the lesson and return it; `held` fills widgets the first time. `unlabelled`: what labels count is not asked, as none is heard."""
    several = held["name"] == SEVERAL
    made = _together(at, held["settings"], key, unlabelled) if several else _alone(at, held, key, unlabelled)
    if unlabelled:
        st.caption(f":material/info: {t('distill.unlabelled')}")
    free = _free(at, names_of(made))
    if free and len(names_of(made)) < _most():
        st.button(
            t("distill.terms.add"),
            key=f"{key}-add",
            icon=":material/add:",
            help=t("distill.terms.add_help"),
            on_click=_put,
            args=(key, grown(made, free[0])),
        )
    return made


def names_of(lesson: Mapping[str, Any]) -> list[str]:
    """Name the losses of a lesson."""
    return [x["name"] for x in lesson["settings"]["terms"]] if lesson["name"] == SEVERAL else [lesson["name"]]


def names_drawn(lesson: Mapping[str, Any], key: str) -> list[str]:
    """Name the losses that the form's widgets hold, before they are drawn again."""
    drawn = st.session_state
    if lesson["name"] == SEVERAL:
        return [str(drawn.get(f"{key}.{i}.name", name)) for i, name in enumerate(names_of(lesson))]
    return [str(drawn.get(key, lesson["name"]))]


def temperature(lesson: Mapping[str, Any]) -> float | None:
    """Return the temperature of the first term that has one: what the picture shows."""
    from kd_core.distill import LOSSES

    terms = lesson["settings"]["terms"] if lesson["name"] == SEVERAL else [lesson]
    for one in terms:
        field = LOSSES.get(one["name"]).spec.model_fields.get("temperature")
        if field is not None:
            return float(one["settings"].get("temperature", field.default))
    return None


def grown(lesson: Lesson, name: str) -> Lesson:
    """Add a loss with the weight of its recipe; alpha of a lesson of one becomes two weights."""
    from kd_core.distill import LOSSES
    from kd_core.distill.terms import usual_weight

    more = {"name": name, "weight": usual_weight(name), "settings": {}}
    if lesson["name"] == SEVERAL:
        return {"name": SEVERAL, "settings": {**lesson["settings"], "terms": [*lesson["settings"]["terms"], more]}}
    settings: Any = LOSSES.get(lesson["name"]).spec.parse(dict(lesson["settings"]), lesson["name"])
    hard, soft = (round(w, 6) for w in settings.weights())
    first = {
        "name": lesson["name"],
        "weight": soft,
        "settings": {n: v for n, v in lesson["settings"].items() if n not in OWN},
    }
    return {"name": SEVERAL, "settings": {"hard": hard, "terms": [first, more]}}


def shrunk(lesson: Lesson, position: int) -> Lesson:
    """Take a term away; the weights of the last one become an alpha where it has one."""
    from kd_core.distill import LOSSES
    from kd_core.distill.terms import usual_weight

    held = lesson["settings"]
    left = [one for i, one in enumerate(held["terms"]) if i != position]
    if len(left) > 1:
        return {"name": SEVERAL, "settings": {**held, "terms": left}}
    if "alpha" not in LOSSES.get(left[0]["name"]).spec.model_fields:
        return {"name": left[0]["name"], "settings": left[0]["settings"]}
    soft = left[0]["weight"] / usual_weight(left[0]["name"])
    total = soft + held["hard"]
    alpha = round(soft / total, 2) if total else 0.0
    return {"name": left[0]["name"], "settings": {**left[0]["settings"], "alpha": alpha}}


def _most() -> int:
    from kd_core.distill.terms import MOST_TERMS

    return MOST_TERMS


def _free(at: Situation, taken: Sequence[str]) -> list[str]:
    """Name the losses that can work here and are not in the lesson yet."""
    from kd_core.distill import LOSSES

    return [e.name for e, why_not in LOSSES.offer(at) if why_not is None and e.name not in taken]


def _put(key: str, lesson: Lesson) -> None:
    """Make another lesson the draft's; the widgets take it the next time they are drawn."""
    st.session_state["distill_draft"]["values"]["objective"] = lesson
    forms.forget(key)


def _alone(at: Situation, held: Lesson, key: str, unlabelled: bool) -> Lesson:
    from kd_core.distill import LOSSES

    name = forms.part(LOSSES, at, held["name"], key, t("distill.method"), term("objective"))
    entry = LOSSES.get(name)
    method.explain(entry)
    given = held["settings"] if name == held["name"] else {}
    settings = forms.form(entry.spec, given, f"{key}.{name}", skip=("alpha",) if unlabelled else ())
    if unlabelled and "alpha" in given:  # it counts again in another mode
        settings["alpha"] = given["alpha"]
    return {"name": name, "settings": forms.changed(entry.spec, settings, given)}


def _together(at: Situation, held: Mapping[str, Any], key: str, unlabelled: bool) -> Lesson:
    from kd_core.distill.terms import SeveralSpec

    st.caption(t("distill.terms.lead"))
    asked = {} if unlabelled else forms.form(SeveralSpec, held, key, only=("hard",))
    hard = asked.get("hard", held.get("hard", SeveralSpec.model_fields["hard"].default))
    terms: list[Lesson] = []
    drawn = names_drawn({"name": SEVERAL, "settings": held}, key)
    gone = None
    for i, one in enumerate(held["terms"]):
        made, remove = _term(at, one, drawn[:i] + drawn[i + 1 :], key, i)
        terms.append(made)
        gone = i if remove else gone
    lesson = {"name": SEVERAL, "settings": {"hard": hard, "terms": terms}}
    if gone is not None:
        _put(key, shrunk(lesson, gone))
        st.rerun()
    return lesson


def _term(at: Situation, held: Lesson, others: Sequence[str], key: str, number: int) -> tuple[Lesson, bool]:
    """Draw one term; return it, and whether it is to be taken away."""
    from kd_core.distill import LOSSES
    from kd_core.distill.terms import TermSpec, usual_weight

    place = f"{key}.{number}"
    with st.container(border=True, key=f"{key}-term-{number}"):
        title = t("distill.terms.term", number=number + 1)
        name = forms.part(LOSSES, at, held["name"], f"{place}.name", title, term("objective"), _free(at, others))
        entry = LOSSES.get(name)
        method.explain(entry)
        given = held if name == held["name"] else {"name": name, "weight": usual_weight(name), "settings": {}}
        weight = forms.form(TermSpec, given, f"{place}.{name}", only=("weight",))["weight"]
        settings = forms.form(entry.spec, given["settings"], f"{place}.{name}.settings", skip=OWN)
        kept = forms.changed(entry.spec, settings, given["settings"])
        ways = [n for n in SCHEDULES if n == "schedule" or "temperature" in entry.spec.model_fields]
        with st.expander(t("distill.terms.change"), icon=":material/timeline:", key=f"{place}.ways"):
            changes = {n: _schedule(n, given.get(n) or {}, f"{place}.{name}.{n}") for n in ways}
        made = {"name": name, "weight": weight, "settings": kept, **{n: v for n, v in changes.items() if v}}
        return made, st.button(
            t("distill.remove"),
            key=f"{key}-remove-{number}",
            type="tertiary",
            icon=":material/close:",
            help=t("distill.terms.remove_help"),
        )


def _schedule(name: str, held: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Draw how a weight or a temperature changes; nothing where it stays."""
    from kd_core.distill.terms import Schedule

    st.markdown(f"**{t('distill.terms.' + name)}**")
    kind = forms.form(Schedule, held, key, only=("kind",))["kind"]
    if kind == "constant":
        return {}
    only = ("epochs",) if kind == "warm_up" else ("epochs", "to")
    start = {"to": 1.0, **held} if name == "temperature_schedule" else held
    told = forms.form(Schedule, start, key, only=only, columns=2)
    return {"kind": kind, **{n: v for n, v in told.items() if v is not None}}
