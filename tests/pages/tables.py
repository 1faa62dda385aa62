"""Small tables for the screens' tests."""

from __future__ import annotations


def table(columns: list[str], rows: int = 60, separator: str = ",") -> bytes:
    """A small table: numbers, then a yes/no target in the last column."""
    head = separator.join('"' + c.replace('"', '""') + '"' for c in columns)
    lines = [head]
    for i in range(rows):
        cells = [f"{(i * 37 + 11 * j) % 101 / 7:.2f}" for j in range(len(columns) - 1)]
        lines.append(separator.join([*cells, "yes" if (i * 7) % 10 < 4 else "no"]))
    return ("\n".join(lines) + "\n").encode()
