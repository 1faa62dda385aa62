"""Pictures on the Data page: some of each class side by side, and small ones in the table of rows."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import streamlit as st

from kd_core.data.pictures.column import pixels_of, png, shape_of
from kd_core.data.table import Profile
from kd_core.task import task_of
from pages.ui.shared.text import escape, exact, t

CLASSES, EACH, SHOWN = 12, 6, 44  # classes and pictures of each drawn; pixels of one on the screen


def columns(frame: pd.DataFrame) -> list[str]:
    """Name the columns of pictures."""
    return [str(name) for name in frame.columns if shape_of(frame[name])]


def rows(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Make some rows fit for a table on the screen: pictures as links that hold them, with how their columns are drawn."""
    links = {
        name: [f"data:image/png;base64,{base64.b64encode(png(p)).decode()}" for p in pixels_of(frame[name])]
        for name in columns(frame)
    }
    return frame.assign(**links), {name: st.column_config.ImageColumn(name) for name in links}


def strip(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Put pictures side by side, two grey pixels apart. Shape: (N, H, W, K) -> (H, N * (W + 2), K)."""
    apart = np.pad(pixels, ((0, 0), (0, 0), (0, 2), (0, 0)), constant_values=128)
    return np.concatenate(list(apart), axis=1)


def examples(found: Profile) -> None:
    """Draw the first pictures of each class; the rest of many classes is counted."""
    names = columns(found.frame)
    if not names or found.target is None or not found.classes or not task_of(str(found.task)).has_classes:
        return
    labels = found.frame[found.target].astype("str")
    with st.expander(t("data.examples"), icon=":material/photo_library:", expanded=True):
        places = st.columns(3)
        for number, (name, count) in enumerate(zip(found.classes[:CLASSES], found.class_counts, strict=False)):
            some = found.frame.loc[np.flatnonzero(labels == name)[:EACH], names[0]]
            with places[number % 3]:
                st.caption(f"**{escape(name)}** · {exact(count)}")
                if len(some):
                    drawn = strip(pixels_of(some))
                    st.image(png(drawn), width=SHOWN * len(some), alt=t("data.examples_of", name=name))
        if len(found.classes) > CLASSES:
            st.caption(t("data.more_classes", n=len(found.classes) - CLASSES))
