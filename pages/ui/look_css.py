"""The one look as custom properties of CSS, for pages and components."""

from __future__ import annotations

from collections.abc import Mapping

from pages.ui.look import (
    ARMS,
    AXIS_TEXT,
    BOX,
    COLOUR,
    DATA,
    EDGE,
    INK,
    ON_PRIMARY,
    PAPER,
    PRIMARY,
    RADIUS,
    SPACE,
    TINT,
    TONES,
    TYPE,
    WELL,
)


def variables() -> str:
    """Return the custom properties that `browser/frame.css` begins with; they reach into every component."""
    scales: Mapping[str, Mapping[str, float]] = {"space": SPACE, "text": TYPE, "radius": RADIUS}
    lines = [f"--kd-{kind}-{name}: {value:g}rem;" for kind, scale in scales.items() for name, value in scale.items()]
    lines += [f"--kd-{arm}: {COLOUR[arm].lower()};" for arm in ARMS]
    lines += [f"--kd-{tone}: {look[2].lower()};" for tone, look in TONES.items()]
    lines.append(f"--kd-data: {DATA.lower()};")
    both = {"ink": INK, "paper": PAPER, "edge": EDGE, "well": WELL, "quiet": AXIS_TEXT, "box": BOX}
    both |= {"primary": PRIMARY, "on-primary": ON_PRIMARY}
    for name, (behind, words) in TINT.items():
        both |= {f"{name}-tint": behind, f"{name}-ink": words}
    lines += [f"--kd-{n}: light-dark({c[False].lower()}, {c[True].lower()});" for n, c in both.items()]
    return ":root {\n" + "".join(f"  {one}\n" for one in lines) + "}\n"
