"""Choose who teaches: where the teacher comes from, which one it is, and its settings, or those of each of several."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import pandas as pd
import streamlit as st

from kd_core.registry import Entry, Situation
from kd_core.specs import Spec
from kd_core.task import IN_PARTS, task_of
from pages.ui.access import cards
from pages.ui.shared import engine, forms, text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import escape, t

GROUPS = {  # where a teacher comes from, by the families of its fact `family`
    "here": ("trees", "network", "classic"),
    "earlier": (),  # named by the fact `group`: it is asked like a given one
    "file": ("given",),
    "pretrained": ("pretrained",),
    "several": ("ensemble",),
}
MEMBERS, CLASSES, MOST = "members", "classes", 8
LEAST_CLASSES = 3  # of two, who knows one knows the other


def group_of(entry: Entry[Any]) -> str:
    """Say where a teacher comes from: by its fact `group`, or by its family. Errors: KeyError for a family of no group."""
    by_family = {family: group for group, families in GROUPS.items() for family in families}
    return str(entry.facts.get("group") or by_family[entry.facts["family"]])


def choose(at: Situation, facts: Facts, held: dict[str, Any], key: str) -> dict[str, Any]:
    """Draw the choice of a teacher and return it with its settings, as a draft holds it."""
    from kd_core.teachers import SOURCES

    groups: dict[str, list[tuple[Entry[Any], str | None]]] = {group: [] for group in GROUPS}
    for entry, why_not in SOURCES.offer(at):
        if "instead" not in entry.facts or entry.name == held["name"]:
            groups[group_of(entry)].append((entry, why_not))
    possible = [group for group, entries in groups.items() if any(why_not is None for _, why_not in entries)]
    if not possible:
        st.warning(t("common.nothing_fits", kind=SOURCES.kind))
        return held
    known = {entry.name: group for group, entries in groups.items() for entry, _ in entries}
    place = forms.seed(f"{key}.from", known.get(held["name"], possible[0]))
    if st.session_state[place] not in possible:
        st.session_state[place] = possible[0]
    group = st.selectbox(
        t("distill.teacher_from"),
        possible,
        key=place,
        format_func=lambda g: t(f"distill.teacher_groups.{g}"),
        help=t("distill.teacher_from_help"),
    )
    told = [group, *(g for g in groups if g not in possible)]  # what nobody can choose is said wherever one looks
    names = [entry.name for g in told for entry, _ in groups[g]]
    name = forms.part(SOURCES, at, held["name"], key, t("distill.teacher_name"), t("distill.train_here_help"), names)
    entry = SOURCES.get(name)
    given = held["settings"] if name == held["name"] else {}
    return {"name": name, "settings": _settings(entry, at, facts, given, f"{key}.{name}")}


def fields(
    spec: type[Spec], given: Mapping[str, Any], key: str, names: Collection[str], skip: Collection[str] = ()
) -> dict[str, Any]:
    """Draw the settings of one teacher, all at once."""
    return forms.form(spec, given, key, fold=False, skip=skip, names_of_data=names)


def _settings(entry: Entry[Any], at: Situation, facts: Facts, given: dict[str, Any], key: str) -> dict[str, Any]:
    """Draw the settings of a teacher; those of a given one, and of several, are seen at once."""
    several = MEMBERS in entry.spec.model_fields
    drawn: dict[str, Any] = {}
    if several:
        drawn[MEMBERS] = _members(at, facts, given.get(MEMBERS) or [], f"{key}.{MEMBERS}")
        drawn |= fields(entry.spec, given, key, facts.names, (MEMBERS, CLASSES))
        if CLASSES in entry.spec.model_fields:
            drawn[CLASSES] = _by_hand(facts, given.get(CLASSES) or (), f"{key}.{MEMBERS}", drawn["combine"])
        for options in entry.facts.get("barred", lambda at: {})(at).values():
            for option, why_not in options.items():
                said = t("common.cannot", titles=forms.option(option), reason=why_not)
                st.markdown(f":small[:gray[:material/block: {said}]]")
    else:
        with st.expander(
            t("distill.teacher_settings"), icon=":material/tune:", expanded=entry.facts["family"] == "given"
        ):
            drawn = fields(entry.spec, given, key, facts.names)
            if not entry.spec.model_fields:
                st.caption(t("distill.no_settings"))
    held = forms.changed(entry.spec, drawn, given)
    _what_is_sent(entry, facts, held)
    return held


def _what_is_sent(entry: Entry[Any], facts: Facts, settings: dict[str, Any]) -> None:
    """Say what would leave this machine, before anything does."""
    if "sends" in entry.facts:
        told = entry.facts["sends"](entry.spec.parse(settings), facts.rows, facts.read or facts.names)
        text.show_problem(told)


def _members(at: Situation, facts: Facts, given: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Draw several teachers, each with its own settings; more are added, and any but the last two taken away."""
    from kd_core.teachers import SOURCES

    able = [e for e, why_not in SOURCES.offer(at) if why_not is None and MEMBERS not in e.facts]
    first = sorted((e for e in able if "missing" not in e.facts), key=lambda e: e.facts["family"] != "trees")[:2]
    start = given or [{"name": e.name, "settings": {}} for e in first]
    held = st.session_state.setdefault(f"{key}.list", [{**one, "id": i} for i, one in enumerate(start)])
    found = []
    for number, one in enumerate(held, 1):
        entry, own = SOURCES.get(one["name"]), f"{key}.{one['id']}"
        with st.expander(f"{number} · {escape(entry.title)}", icon=":material/school:"):
            drawn = fields(entry.spec, one["settings"], own, facts.names)
            settings = forms.changed(entry.spec, drawn, one["settings"])
            _what_is_sent(entry, facts, settings)
            st.button(
                t("distill.member_remove"),
                key=f"{own}.remove",
                icon=":material/close:",
                type="tertiary",
                on_click=_remove,
                args=(key, one["id"]),
                disabled=len(held) <= 2,
                help=t("distill.member_remove_help"),
            )
        found.append({"name": one["name"], "settings": settings})
    titles = {e.name: e.title for e in able}
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        more = st.selectbox(t("distill.member_more"), list(titles), key=f"{key}.more", format_func=titles.__getitem__)
        st.button(
            t("distill.member_add"),
            key=f"{key}.add",
            icon=":material/add:",
            on_click=_add,
            args=(key, more),
            disabled=len(held) >= MOST,
        )
    return found


def _heard_of(facts: Facts, combine: str) -> tuple[str, ...]:
    """Name the classes, or the tasks of a row, of which one teacher each is heard; none where all are."""
    if combine == "per_class" and len(facts.classes) >= LEAST_CLASSES:
        return tuple(facts.classes)
    told = task_of(facts.task) if combine == "per_task" else None
    return tuple(one[0] for one in told.questions("", facts.classes)) if told and IN_PARTS(told) else ()


def _by_hand(facts: Facts, given: Collection[str], key: str, combine: str) -> tuple[str, ...]:
    """Let a person name who is heard of which class or task, where one teacher is heard of each; each has one teacher."""
    names = _heard_of(facts, combine)
    if not names:
        return ()
    from kd_core.teachers import SOURCES

    held = st.session_state[f"{key}.list"]
    for number, one in enumerate(held, 1):
        named = [pair.rpartition(":")[0] for pair in given if pair.endswith(f":{number}")]
        forms.seed(f"{key}.{one['id']}.{CLASSES}", [label for label in named if label in names])
    chosen = {one["id"]: list(st.session_state[f"{key}.{one['id']}.{CLASSES}"]) for one in held}
    found = []
    for number, one in enumerate(held, 1):
        taken = {label for who, labels in chosen.items() if who != one["id"] for label in labels}
        title = f"{number} · {escape(SOURCES.get(one['name']).title)}"
        own = st.multiselect(
            t("distill.member_classes", teacher=title),
            [label for label in names if label not in taken],
            key=f"{key}.{one['id']}.{CLASSES}",
            placeholder=t("distill.member_classes_none"),
            help=t("distill.member_classes_help") if number == 1 else None,
        )
        found += [f"{label}:{number}" for label in own]
    return tuple(found)


def _add(key: str, name: str) -> None:
    held = st.session_state[f"{key}.list"]
    held.append({"name": name, "settings": {}, "id": 1 + max(one["id"] for one in held)})


def _remove(key: str, number: int) -> None:
    st.session_state[f"{key}.list"] = [one for one in st.session_state[f"{key}.list"] if one["id"] != number]
    forms.forget(f"{key}.{number}.")


def beside(found: Mapping[str, Any]) -> None:
    """Set the members of an ensemble beside it, on the validation rows; nothing where one teacher taught."""
    teacher, metric = found["teacher"], found["metric"]["name"]
    if not teacher.get("members"):
        return
    lines = [(t("runs.members.together"), "", teacher["validation"].get(metric))]
    for one in teacher["members"]:
        weight = "" if one["weight"] is None else f"{one['weight']:.3f}"
        title = f"{one['number']} · {engine.part_title('teacher', one['name'])}"
        lines.append((title, weight, one["validation"].get(metric)))
    columns = [str(t("runs.members.teacher")), str(t("runs.members.weight")), str(found["metric"]["title"])]
    frame = pd.DataFrame([(str(a), b, text.score(c)) for a, b, c in lines], columns=columns)
    frame = frame if any(b for _, b, _ in lines) else frame.drop(columns=columns[1])
    st.markdown(f"**{t('runs.members.title')}**")
    cards.table(frame, hide_index=True, width="content", alt=t("runs.members.title"))
    named, classes = teacher.get("by_hand", (0, 0))
    how = f"named_{'all' if named == classes else 'some'}" if named else f"combine_{teacher['combine']}"
    st.caption(t(f"runs.members.{how}", **({"named": named, "classes": classes} if named else {})))
