"""Values of categories that a student was never taught: it answers all the same, and whoever asks should know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kd_core.data.plain.counted import plural

EXAMPLES = 3


def unseen(known: Mapping[str, Sequence[str]], typed: Mapping[str, Any]) -> tuple[str, ...]:
    """Say of each column how many rows hold such a value, with examples. Shape: (N, 1) per column, as `Rows` reads them."""
    said = []
    for name, labels in known.items():
        if name not in typed:
            continue
        values = typed[name][:, 0].tolist()
        held = set(map(float, labels)) if typed[name].dtype.kind == "f" else set(labels)
        odd = [value for value in values if value != "" and value == value and value not in held]
        if odd:
            shown = ", ".join(
                f"{value:g}" if isinstance(value, float) else repr(value[:60])
                for value in list(dict.fromkeys(odd))[:EXAMPLES]
            )
            said.append(
                f"{plural(len(odd), 'row holds', 'rows hold')} a value of {name} that the model was not taught; it is answered as an unknown one: {shown}."
            )
    return tuple(said)
