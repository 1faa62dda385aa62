"""A small SVG picture in the colours of a light and a dark page; what shall be predicted is green in every one.

Units: pixels of a picture of 320 x 160.
"""

from __future__ import annotations

import base64
import io
import unicodedata
from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

WIDE, HIGH, EDGE = 320, 160, 10
TEXT, SMALL = 13, 11  # pixels of letters
GREEN, GREY = "#009E73", "#8A8F95"
_STYLE = (
    "text{font:13px 'Source Sans 3','Source Sans Pro','Noto Sans','Noto Sans CJK SC',system-ui,sans-serif;fill:#0b1218}"
    "text.s{font-size:11px;fill:#5b6876}text.g{fill:#00664a;font-weight:600}text.e{text-anchor:end}text.m{text-anchor:middle}"
    ".p{fill:#eef1f4}.gp{fill:#d9f0e8}.l{stroke:#c9d1d9;fill:none}.o{stroke:#8a8f95;fill:none}"
    "@media (prefers-color-scheme:dark){text{fill:#e4eaf0}text.s{fill:#9aa8b5}text.g{fill:#4fd0a8}"
    ".p{fill:#242d37}.gp{fill:#12382d}.l{stroke:#3a4653}}"
)


class Picture:
    """Shapes and words one after the other; words are cut to the room they have."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def word(self, x: float, y: float, said: object, room: float, look: str = "") -> None:
        """Write a line whose left end stands at x; `look`: s small and grey, g green, e ends at x, m has its middle at x."""
        size = SMALL if "s" in look.split() else TEXT
        shown = cut(str(said), room, size)
        kind = f' class="{look}"' if look else ""
        self._parts.append(f'<text x="{x:g}" y="{y:g}"{kind}>{escape(shown)}</text>')

    def chip(self, x: float, y: float, said: object, room: float, answer: bool = False) -> float:
        """Write a word in a rounded box; return how wide it is."""
        shown = cut(str(said), room - 14, TEXT)
        wide = min(room, width(shown, TEXT) + 14)
        paper, look = ("gp", ' class="g"') if answer else ("p", "")
        self._parts.append(f'<rect class="{paper}" x="{x:g}" y="{y:g}" width="{wide:.1f}" height="21" rx="5"/>')
        self._parts.append(f'<text x="{x + 7:g}" y="{y + 15:g}"{look}>{escape(shown)}</text>')
        return wide

    def line(self, points: Sequence[tuple[float, float]], colour: str, thick: float = 2, filled: bool = False) -> None:
        """Draw through points, from the left to the right."""
        path = "M" + "L".join(f"{x:.1f},{y:.1f}" for x, y in points)
        fill = f'fill="{colour}" fill-opacity=".25"' if filled else 'fill="none"'
        self._parts.append(f'<path d="{path}" {fill} stroke="{colour}" stroke-width="{thick:g}"/>')

    def axis(self, x: float, y: float, to_x: float, to_y: float) -> None:
        """Draw a thin grey line."""
        self._parts.append(f'<path class="l" d="M{x:g},{y:g}L{to_x:g},{to_y:g}"/>')

    def box(self, x: float, y: float, wide: float, high: float, strength: float = 1.0) -> None:
        """Fill a rectangle with green of a strength from 0 to 1, on the paper of a box."""
        self._parts.append(f'<rect class="p" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}"/>')
        if strength > 0:
            self._parts.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{high:.1f}" fill="{GREEN}" fill-opacity="{strength:.2f}"/>'
            )

    def dots(self, points: Sequence[tuple[float, float]], size: float) -> None:
        """Draw many green dots, where they lie on each other darker ones."""
        path = "".join(f"M{x:.0f},{y:.0f}h0" for x, y in points)
        self._parts.append(
            f'<path d="{path}" stroke="{GREEN}" stroke-width="{size:g}" stroke-linecap="round" stroke-opacity=".6"/>'
        )

    def dot(self, x: float, y: float, size: float, full: bool = True) -> None:
        """Draw a green dot, or an empty one."""
        look = f'fill="{GREEN}"' if full else 'class="o"'
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{size:g}" {look}/>')

    def photo(self, x: float, y: float, side: float, pixels: npt.NDArray[np.uint8]) -> None:
        """Show a picture of the data. Shape: (H, W, 3) or (H, W, 1)."""
        from PIL import Image

        file = io.BytesIO()
        Image.fromarray(pixels if pixels.shape[2] == 3 else pixels[:, :, 0]).save(file, "WEBP", quality=80, method=6)
        link = f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"
        self._parts.append(f'<image x="{x:g}" y="{y:g}" width="{side:g}" height="{side:g}" href="{link}"/>')

    def svg(self) -> str:
        """Return the picture as the text of a file."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDE} {HIGH}">'
        return f"{head}<style>{_STYLE}</style>{''.join(self._parts)}</svg>\n"


def width(said: str, size: float) -> float:
    """Estimate how wide a line is: Chinese characters are as wide as high, others about half."""
    return sum(size if unicodedata.east_asian_width(c) in "WF" else 0.5 * size for c in said)


def cut(said: str, room: float, size: float) -> str:
    """Shorten a line to its room, with a mark where it is cut."""
    said = " ".join(said.split())
    if width(said, size) <= room:
        return said
    while said and width(said + "…", size) > room:
        said = said[:-1]
    return said.rstrip() + "…"
