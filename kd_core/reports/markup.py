"""HTML and SVG as a tree of elements in which every text is escaped: names of files, columns and classes may hold anything."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_INVISIBLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufffe\uffff]"
)
_EMPTY = frozenset({"meta", "br", "line", "circle", "rect", "path", "polyline", "polygon"})


class Markup(str):
    """Text that is already markup and so is not escaped again."""


def escape(text: object) -> Markup:
    """Make text that is shown literally; characters that are invisible or turn the direction of writing are named.

    Example:
        >>> escape("<b>\u202e")
        '&lt;b&gt;⟨U+202E⟩'
    """
    if isinstance(text, Markup):
        return text
    shown = _INVISIBLE.sub(lambda m: f"⟨U+{ord(m[0]):04X}⟩", str(text))
    return Markup(html.escape(shown, quote=True))


def element(name: str, /, *inside: object, **attributes: object) -> Markup:
    """Write an element; what is no markup is escaped. `class_` is class, `_` in names is `-`; None leaves an attribute out.

    Example:
        >>> element("p", "a < b", class_="x")
        '<p class="x">a &lt; b</p>'
    """
    given = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY and not inside:
        return Markup(f"<{name}{given}/>")
    return Markup(f"<{name}{given}>{''.join(escape(part) for part in inside)}</{name}>")


def table(
    head: Iterable[object], rows: Iterable[Iterable[object]], caption: str = "", class_: str | None = None
) -> Markup:
    """Write a table whose first column names the lines; it scrolls by itself where the screen is narrow."""
    top = element("tr", *(element("th", cell, scope="col") for cell in head))
    lines = [[*row] for row in rows]
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in lines
    ]
    named = [element("caption", caption)] if caption else []
    whole = element("table", *named, element("thead", top), element("tbody", *body))
    return element(
        "div",
        whole,
        class_=f"table {class_}" if class_ else "table",
        tabindex="0",
        role="group",
        aria_label=caption or None,
    )
