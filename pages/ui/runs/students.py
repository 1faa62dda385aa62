"""Choose who learns: sizes of one architecture by name, and networks of one's own shape."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.specs import Choice
from pages.ui.access import aids
from pages.ui.chain.sizes import about, awaits_texts, reads, weighs_words
from pages.ui.models import unable
from pages.ui.runs import draft
from pages.ui.shared import forms, text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import Safe, escape, t, term

KEY = f"{draft.KEY}.students"
FIRST = "distill_students_first"  # in the session: the architectures that are listed at once
SHORT, WINNERS = 9, 3  # a list that is shown whole; architectures that are shown of a longer one, beside the usual
MOST = 12
SIGNS = {"cost": "≈ ", "cost_file": "≈ ", "cost_most": "≤ "}  # before a size, by how it is told


@st.cache_data(max_entries=256, show_spinner=False)
def _sizes(
    arch_json: str, inputs: InputSpec, outputs: int, names: tuple[str, ...], texts: int, labels: int
) -> tuple[int, int, int | None, int]:
    from kd_core.models.file_sizes import file_bytes
    from kd_core.models.sizes import sizes

    arch = Choice.from_json(arch_json)
    found = sizes(arch, inputs, outputs)
    return found.parameters, found.size_bytes, file_bytes(arch, inputs, outputs, names, texts, labels), found.flops


def cost(arch: dict[str, Any], facts: Facts) -> Safe:
    """Say how large a student is, before it is trained: its file, where that can be foreseen, else its weights."""
    try:
        way, shown = _cost(arch, facts)
    except KDError as error:
        return escape(error.message)
    return t(f"distill.{way}", **shown)


def weighs(arch: dict[str, Any], facts: Facts) -> str:
    """Write the same as numbers in columns, under `weighs_titles`; where the size is not known, or can't be told, as a sentence."""
    try:
        way, shown = _cost(arch, facts)
    except KDError as error:
        return _across([error.message])
    if way not in SIGNS:
        return _across([text.plain(t(f"distill.{way}", **shown))])
    weights = shown["parameters"] if way == "cost_most" else f"≈ {shown['parameters']}"
    return _across([weights, f"{SIGNS[way]}{shown['size']}", shown["flops"]])


def weighs_titles() -> str:
    """Write the titles of the columns of `weighs`."""
    return _across([str(t(f"distill.weighs.{name}")) for name in ("weights", "file", "flops")])


def _across(told: list[str]) -> str:
    kind = ' class="whole"' if len(told) == 1 else ""
    return f'<div class="kd-weighs">{"".join(f"<span{kind}>{html.escape(one)}</span>" for one in told)}</div>'


def _cost(arch: dict[str, Any], facts: Facts) -> tuple[str, dict[str, str]]:
    """Return how the size of a student is told, and its numbers as text. Errors: KDError of one that can't be built."""
    from kd_core.models import ARCHS
    from kd_core.models.building import view_of

    choice = Choice.parse(arch)
    inputs = facts.inputs[view_of(choice, facts.inputs)]
    known = facts.outputs, facts.names, facts.texts, facts.labels
    parameters, weights, file, flops = _sizes(choice.to_json(), inputs, *known)
    shown = {"parameters": text.number(parameters), "flops": text.number(flops)}
    if awaits_texts(inputs.kind, facts):
        return "cost_words" if weighs_words(inputs, facts) else "cost_texts", shown
    entry = ARCHS.get(choice.name)
    if file is not None and "file_bytes" in entry.facts:
        return "cost_most", {**shown, "size": text.size(file)}
    shown["parameters"] = about(parameters, inputs)
    smaller = entry.facts.get("smaller_file")
    if file is not None and smaller is not None and smaller(entry.spec.parse(choice.settings)):
        return "cost_most", {**shown, "size": text.size(file)}
    return (
        ("cost", {**shown, "size": text.size(weights)})
        if file is None
        else ("cost_file", {**shown, "size": text.size(file)})
    )


def family(arch: str, facts: Facts) -> Safe:
    """Name an architecture and what it reads of a row."""
    from kd_core.models import ARCHS
    from kd_core.models.building import view_of

    return t(
        "distill.family", title=ARCHS.get(arch).title, reads=reads(view_of(Choice(name=arch), facts.inputs), facts)
    )


def grown(arch: str) -> Safe | None:
    """Say what the sizes of trees stand for, whose bytes no name can tell; None for what is no trees."""
    from kd_core.models import ARCHS

    presets = ARCHS.get(arch).facts.get("presets") or {}
    if not all("trees" in shape for shape in presets.values()) or not presets:
        return None
    sizes = [
        t("distill.grown", name=name, trees=shape["trees"], leaves=shape["leaves"]) for name, shape in presets.items()
    ]
    return t("distill.grown_names", sizes=Safe(", ".join(sizes)))


def choose(held: list[dict[str, Any]], facts: Facts) -> list[dict[str, Any]]:
    """Draw the students and return the chosen ones; the draft's own shapes stay listed when unticked."""
    presets = draft.presets(facts)
    own = [s for s in held if s not in presets]
    extra = st.session_state.setdefault("distill_own_students", [])
    extra.extend(s for s in own if s not in extra)
    listed = list(enumerate([*presets, *extra]))
    first = _first(presets, held, facts)
    shown = [(i, s) for i, s in listed if i >= len(presets) or s["arch"]["name"] in first]
    rest = [one for one in listed if one not in shown]
    ticked = _boxes(shown, held, len(presets), facts)
    if rest:
        with st.expander(t("distill.students_more", num=len(rest))):  # another label would fold it at every tick
            ticked += _boxes(rest, held, len(presets), facts)
    chosen = [student for _, student in sorted(ticked, key=lambda one: one[0])]
    _add(extra, chosen, facts)
    return chosen


def _first(presets: list[dict[str, Any]], held: list[dict[str, Any]], facts: Facts) -> frozenset[str]:
    """Name the architectures that are listed at once: the usual one, those that win most often on such rows, and the chosen ones.

    All of a short list. Told anew when the form is: what is ticked among the others stays where it is.
    """
    if presets and f"{KEY}.0.{presets[0]['name']}" in st.session_state and FIRST in st.session_state:
        found: frozenset[str] = st.session_state[FIRST]
        return found
    archs = list(dict.fromkeys(str(s["arch"]["name"]) for s in presets))
    found = frozenset(archs)
    if len(presets) > SHORT:
        winners = [name for name in _by_wins(facts) if name in archs][:WINNERS]
        found = frozenset([archs[0], *winners, *(str(s["arch"]["name"]) for s in held)])
    st.session_state[FIRST] = found
    return found


def _by_wins(facts: Facts) -> list[str]:
    """Name the architectures that can read the rows, those first that are tried first for the best student."""
    from kd_core.models import ARCHS

    fits = [e for e in ARCHS.entries() if e.why_not(draft.situation(facts)) is None and e.facts.get("candidates")]
    return [e.name for e in sorted(fits, key=lambda e: min(e.facts["candidates"].values()))]


def _boxes(
    listed: list[tuple[int, dict[str, Any]]], held: list[dict[str, Any]], presets: int, facts: Facts
) -> list[tuple[int, dict[str, Any]]]:
    """Draw a box to tick for each student under the name of its architecture; return those ticked, with their places."""
    chosen, before = [], None
    st.html(weighs_titles())
    for i, student in listed:
        if (arch := str(student["arch"]["name"])) != before:
            told = grown(arch)
            st.markdown(family(arch, facts), help=told if aids.is_narrow() else None)
            if told and not aids.is_narrow():
                st.caption(told)
            before = arch
        with st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False):
            key = f"{KEY}.{i}.{student['name']}"
            forms.seed(key, student in held)
            if st.checkbox(escape(student["name"]), key=key):  # the label is the widget's name: no markup in it
                chosen.append((i, student))
            st.html(weighs(student["arch"], facts), width="stretch")
            if i >= presets and st.button(
                t("distill.remove"),
                key=f"distill-remove-{i}",
                type="tertiary",
                icon=":material/close:",
                help=t("distill.remove_help"),
            ):
                st.session_state["distill_own_students"].remove(student)
                forms.forget(f"{KEY}.{i}.")
                st.session_state["distill_draft"]["values"]["students"] = [s for s in held if s != student]
                st.rerun()
    return chosen


def _add(extra: list[dict[str, Any]], chosen: list[dict[str, Any]], facts: Facts) -> None:
    """Set up a network of one's own and put it on the list."""
    from kd_core.models import ARCHS

    with st.popover(t("distill.own"), icon=":material/add:", width="stretch"):
        archs = [e for e in ARCHS.entries() if "student" in e.facts.get("roles", ())]
        archs.sort(key=lambda e: "width" not in e.spec.model_fields)
        at = draft.situation(facts)
        offered = [(e, e.why_not(at)) for e in archs]
        titles = {e.name: e.title for e, why_not in offered if why_not is None}
        name = st.selectbox(
            t("distill.architecture"),
            list(titles),
            format_func=titles.__getitem__,
            key="distill_own_arch",
            help=term("architecture"),
        )
        unable.show(offered, at)
        spec = ARCHS.get(name).spec
        own = {"size": None, "width": 16, "depth": 1} if "width" in spec.model_fields else {}
        start = {k: v for k, v in own.items() if k in spec.model_fields}
        settings = forms.form(spec, start, f"distill_own.{name}", fold=False, columns=2)
        arch = {"name": name, "settings": settings}
        st.caption(cost(arch, facts))
        known = {s["name"] for s in extra} | set(ARCHS.get("mlp").facts["presets"])
        shown = st.text_input(
            t("distill.own_name"),
            value=_name(name, settings),
            max_chars=40,
            key=f"distill_own_name.{name}.{settings.get('size')}.{settings.get('width')}.{settings.get('depth')}",
        )
        taken = shown in known or not shown
        full = len(chosen) >= MOST
        reason = t("distill.name_taken") if taken else t("distill.students_full", most=MOST) if full else None
        try:
            spec.parse(settings)
        except KDError as error:
            reason = escape(error.message)
        if st.button(t("distill.add"), key="distill-add", disabled=reason is not None, help=reason):
            student = {"name": shown, "arch": arch}
            extra.append(student)
            st.session_state["distill_draft"]["values"]["students"] = [*chosen, student]
            st.rerun()
        if reason:
            st.caption(reason)


def _name(arch: str, settings: dict[str, Any]) -> str:
    """A short name from the shape: 'mlp 2 x 16'."""
    if settings.get("size"):
        return f"{arch} {settings['size']}"
    if settings.get("width"):
        return " ".join([arch, "x".join(str(settings[k]) for k in ("depth", "width") if settings.get(k))])
    return arch
