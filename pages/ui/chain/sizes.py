"""Sizes of networks that are not built yet, in words."""

from __future__ import annotations

import streamlit as st

from kd_core.data.input_spec import COLUMNS, TABLE, InputSpec
from kd_core.specs import Choice
from pages.ui.shared import text
from pages.ui.shared.facts import Facts
from pages.ui.shared.text import Safe, plain, t


@st.cache_data(max_entries=256, show_spinner=False)
def weights(arch_json: str, inputs: InputSpec, outputs: int) -> tuple[int, int]:
    """Return parameters and bytes of a network. Errors: KDError."""
    from kd_core.models.sizes import sizes

    found = sizes(Choice.from_json(arch_json), inputs, outputs)
    return found.parameters, found.size_bytes


@st.cache_data(max_entries=256, show_spinner=False)
def _file(
    arch_json: str, inputs: InputSpec, outputs: int, names: tuple[str, ...], texts: int, labels: int
) -> int | None:
    from kd_core.models.file_sizes import file_bytes

    return file_bytes(Choice.from_json(arch_json), inputs, outputs, names, texts, labels)


def awaits_texts(view: str, facts: Facts) -> bool:
    """Say whether the words of texts that nobody has read yet decide how large a model is: the table holds them, or each has weights."""
    return facts.texts > 0 and view not in ("ngrams", "pixels")  # those have a fixed number of weights, or no text


def weighs_words(inputs: InputSpec, facts: Facts) -> bool:
    """Say whether even the number of weights waits for the texts: each piece of a word has some of its own."""
    return awaits_texts(inputs.kind, facts) and inputs.kind not in ("table", "columns")


def after_texts(inputs: InputSpec, parameters: int, facts: Facts) -> str:
    """Write the size of a model that waits for the texts: its weights where they are known already."""
    key = "distill.chain.size_words" if weighs_words(inputs, facts) else "distill.chain.size_texts"
    return plain(t(key, parameters=text.number(parameters)))


def about(count: int, inputs: InputSpec) -> str:
    """Write a number of weights that is foreseen: of what reads columns to two digits, as how wide they are encoded is seen in the run."""
    return text.number(int(float(f"{count:.2g}")) if inputs.kind in (TABLE, COLUMNS) else count)


def told(parameters: int, num_bytes: int, *, most: bool = False) -> str:
    """Write a size."""
    key = "distill.chain.size_most" if most else "distill.chain.size"
    return plain(t(key, parameters=text.number(parameters), size=text.size(num_bytes)))


def student_bytes(arch: Choice, facts: Facts) -> tuple[str, str]:
    """Return how a student reads rows, and its size: of its file where that can be foreseen, else of its weights. Errors: KDError."""
    from kd_core.models import ARCHS
    from kd_core.models.building import view_of

    view = view_of(arch, facts.inputs)
    inputs, written = facts.inputs[view], arch.to_json()
    parameters, alone = weights(written, inputs, facts.outputs)
    if awaits_texts(view, facts):
        return view, after_texts(inputs, parameters, facts)
    file = _file(written, inputs, facts.outputs, facts.names, facts.texts, facts.labels)
    most = file is not None and "file_bytes" in ARCHS.get(arch.name).facts
    if most:
        return view, told(parameters, file or alone, most=True)
    size = text.size(alone if file is None else file)
    return view, plain(t("distill.chain.size_about", parameters=about(parameters, inputs), size=size))


def reads(view: str, facts: Facts) -> Safe:
    """Say what a model reads of a row; the table holds texts as a few numbers each."""
    from kd_core.registry import view_title

    said = t("distill.chain.reads", view=view_title(view))
    return t("distill.chain.reads_texts", reads=said) if view == TABLE and facts.texts else said
