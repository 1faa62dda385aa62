"""Texts cut into word pieces, as students that read word order get them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from kd_core.data.table import Profile
from kd_core.data.types.base import ColumnType
from kd_core.data.views.tokens import UNKNOWN, TokensView

LEARNED_FROM = 5000  # rows in which pieces are looked for here; a run looks through all of its training rows


@dataclass(frozen=True)
class Piece:
    """A part of a text as it is written. `known`: it has a number of its own; `read`: it lies within what students read."""

    written: str
    known: bool
    read: bool


@dataclass(frozen=True)
class Cutter:
    """Cuts a file's texts; `length` is how many pieces of a row students read."""

    view: TokensView

    @property
    def length(self) -> int:
        """How many pieces of a row are read."""
        return self.view.length

    def cut(self, texts: Sequence[str]) -> list[list[Piece]]:
        """Cut the texts of one row, column after column: the length counts over all of them."""
        found, at = [], 0
        for text in texts:
            told = self.view.tokenizer.encode(text)
            pieces = []
            for token, (start, end) in zip(told.tokens, told.offsets, strict=True):
                pieces.append(Piece(text[start:end], token != UNKNOWN, at < self.length))
                at += 1
            found.append(pieces)
        return found


def columns(found: Profile) -> tuple[str, ...]:
    """Name the columns of free text that are read."""
    return tuple(c.name for c in found.columns if c.used and c.kind == "text" and c.name != found.target)


def cutter(found: Profile, key: str) -> Cutter | None:
    """Find the pieces of a file's texts; None where it has none. `key` is the same for the same file, read the same way."""
    names = columns(found)
    return _cutter(f"{key}|{names}", names, found) if names else None


@st.cache_resource(max_entries=6, show_spinner=False)
def _cutter(key: str, names: tuple[str, ...], _found: Profile) -> Cutter:
    view = TokensView({name: ColumnType("text") for name in names}, str(_found.task), 0)
    view.fit(_found.frame.head(LEARNED_FROM), None, None)
    return Cutter(view)
