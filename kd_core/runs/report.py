"""A result in a few plain lines, for the terminal."""

from __future__ import annotations

from typing import Any

WORDS = {"beats": "BEATS", "ties": "TIES", "hurts": "HURTS", "inconclusive": "INCONCLUSIVE"}


def verdict_lines(result: dict[str, Any]) -> list[str]:
    """Say, per student, whether learning from the teacher was worth it, with the interval and what it cost."""
    metric = result["metric"]
    name, title, unit = metric["name"], metric["title"], metric["unit"]
    factor, points = (100.0, "points of ") if unit == "share" else (1.0, "")
    teacher = result["teacher"]
    lines = []
    for student in result["students"]:
        gain = student["gain"][name]
        low, high = gain["ci95"]
        seeds = f"{gain['n']} seed" + ("s" if gain["n"] != 1 else "")
        if low is None:
            interval = f"{seeds}, no interval"
        else:
            interval = f"95 %: {factor * low:+.2f} to {factor * high:+.2f}, {seeds}"
        better = "" if metric["better"] == "higher" else " (less is better; a positive gain is an improvement)"
        lines.append(
            f"{WORDS[student['verdict']]}: the {student['name']} student gains {factor * gain['mean']:+.2f} {points}{title} "
            f"from the teacher ({interval}){better}."
        )
        ours, theirs = student["metrics"][name]["mean"], student["baseline"]["metrics"][name]["mean"]
        gap = student["gap_closed"].get(name)
        closed = f"gap closed {100 * gap:.0f} %" if gap is not None else "no gap to close beyond the noise"
        lines.append(
            f"  {title}: teacher {teacher['metrics'][name]:.4f}, baseline {theirs:.4f}, student {ours:.4f}; {closed}; "
            f"{student['parameters']:,} parameters, {student['size_bytes'] / 1024:.1f} KB "
            f"(teacher {teacher['size_bytes'] / 1024:,.0f} KB)."
        )
    return lines
