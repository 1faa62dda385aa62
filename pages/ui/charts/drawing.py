"""A Plotly figure kept as plain data, because a page draws many and redraws often."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
import plotly.io

from pages.ui import look

_WHOLE = ("error_x", "error_y", "error_z", "paper_bgcolor", "plot_bgcolor")  # names that hold an underscore themselves


class Drawing(go.Figure):
    """A figure that is built without Plotly's checks, which cost 20-100 ms a chart; tests do the checking.

    `data` and `layout` give the checked objects (slow, for tests); the browser gets `to_dict()`.
    """

    def __init__(self) -> None:  # the base class would build its checked tree here
        self._plain: dict[str, Any] = {"data": [], "layout": {}}

    def _add(self, kind: str, values: Mapping[str, Any]) -> Drawing:
        self._plain["data"].append({"type": kind, **values})
        return self

    def add_scatter(self, **values: Any) -> Drawing:
        """Add lines or marks."""
        return self._add("scatter", values)

    def add_scattergl(self, **values: Any) -> Drawing:
        """Add many marks, drawn by the graphics card."""
        return self._add("scattergl", values)

    def add_bar(self, **values: Any) -> Drawing:
        """Add bars."""
        return self._add("bar", values)

    def add_heatmap(self, **values: Any) -> Drawing:
        """Add a heat map."""
        return self._add("heatmap", values)

    def add_shape(self, **values: Any) -> Drawing:
        """Add a shape in the plane of the chart."""
        self._plain["layout"].setdefault("shapes", []).append(values)
        return self

    def add_annotation(self, **values: Any) -> Drawing:
        """Add a text in the plane of the chart."""
        self._plain["layout"].setdefault("annotations", []).append(values)
        return self

    def update_layout(self, *_: Any, **values: Any) -> Drawing:
        """Merge settings into the layout; `xaxis_title="a"` is short for `xaxis={"title": "a"}`."""
        _merge(self._plain["layout"], _spelled(values))
        return self

    def update_xaxes(self, **values: Any) -> Drawing:
        """Merge settings into the x axis."""
        return self.update_layout(xaxis=_spelled(values))

    def update_yaxes(self, **values: Any) -> Drawing:
        """Merge settings into the y axis."""
        return self.update_layout(yaxis=_spelled(values))

    def on_page(self, dark: bool) -> Drawing:
        """Let words of a part's colour be read on the page, also where lines pass behind them."""
        shadow = ", ".join([f"0 0 2px {look.PAPER[dark]}"] * 4)
        words = [d["textfont"] for d in self._plain["data"] if "textfont" in d]
        words += [a["font"] for a in self._plain["layout"].get("annotations", ()) if "font" in a]
        for font in words:
            if font.get("color") in look.COLOUR.values():
                font |= {"color": look.inked(font["color"], dark), "shadow": shadow}
        return self

    def checked(self) -> go.Figure:
        """Build the real figure. Errors: ValueError for a property Plotly does not know."""
        return go.Figure(self.to_dict())

    @property
    def data(self) -> Any:
        return self.checked().data

    @property
    def layout(self) -> Any:
        return self.checked().layout

    def to_dict(self) -> dict[str, Any]:
        """Copy the figure as plain data; long lists of numbers are shared, for copying them took a third of a live page's time."""
        return {key: _copied(value) for key, value in self._plain.items()}

    to_plotly_json = to_dict

    def to_json(self, *_: Any, **__: Any) -> str:
        """Write the figure as JSON."""
        return str(plotly.io.to_json(self.to_dict(), validate=False))


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [_copied(one) for one in value]
    return value


def _spelled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Spell short names out: title_text -> {"title": {"text": ...}}."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        if "_" in key and key not in _WHOLE:
            first, rest = key.split("_", 1)
            _merge(found, {first: _spelled({rest: value})})
        else:
            _merge(found, {key: value})
    return found


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(dict(value)) if isinstance(value, Mapping) else value
