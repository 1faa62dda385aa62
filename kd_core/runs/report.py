"""A result in a few plain lines, for the terminal."""

from __future__ import annotations

from typing import Any

from kd_core.runs import grid

WORDS = {"beats": "BEATS", "ties": "TIES", "hurts": "HURTS", "inconclusive": "INCONCLUSIVE"}


def verdict_lines(result: dict[str, Any]) -> list[str]:
    """Say, per student, whether learning from the teacher was worth it, with the interval and what it cost.

    A what-if first says which cell was chosen among how many, and how sure that choice is.
    """
    if result.get("sweep"):
        return [*(choice_line(result, s) for s in result["students"]), *_alike_lines(result), *_student_lines(result)]
    return _student_lines(result)


def choice_line(result: dict[str, Any], student: dict[str, Any]) -> str:
    """Say which cell was chosen on validation among how many, and what it came to on the test rows."""
    sweep, metric = result["sweep"], result["metric"]
    factor, unit = (100.0, " points") if metric["unit"] == "share" else (1.0, "")
    cells = [c for c in sweep["cells"] if c["student"] == student["name"] and c["gain"]["mean"] is not None]
    chosen = next(c for c in cells if c["cell"] == student["cell"])
    gain = student["gain"][metric["name"]]
    low, high = gain["ci95"]
    digits = "+.2f" if metric["unit"] == "share" else "+.3g"
    interval = (
        f"95 % {factor * low:{digits}} to {factor * high:{digits}}" if low is not None else "one seed, no interval"
    )
    of = f" of {student['name']}" if len(result["students"]) > 1 else ""
    if chosen["alpha"] == 0:
        return f"Best of {len(cells)} cells{of} on validation: {setting(chosen, sweep['axes'])}, the baseline itself; no share of the teacher helped."
    return (
        f"Best of {len(cells)} cells{of} on validation: {setting(chosen, sweep['axes'])}; on the test rows "
        f"{factor * gain['mean']:{digits}}{unit} {metric['title']} against its baseline ({interval})."
    )


def setting(cell: dict[str, Any], axes: dict[str, list[float]]) -> str:
    """Name a cell by its temperature, alpha and whatever else was varied: 'T 4, alpha 0.75'."""
    names = [n for n in grid.WORDS if n in ("temperature", "alpha") or len(axes[n]) > 1]
    return ", ".join(f"{grid.WORDS[n]} {cell[n]:g}" for n in names if cell[n] is not None)


def _alike_lines(result: dict[str, Any]) -> list[str]:
    """Say how many cells the seeds can't tell from the best one, and what is not finished."""
    sweep = result["sweep"]
    compared = sweep["cells_compared"]
    alike = sum(c["like_best"] for c in sweep["cells"]) - 1
    lines = []
    one_seed = (
        " (one seed: within the margin of the metric)" if max(len(c["scores"]) for c in sweep["cells"]) == 1 else ""
    )
    if alike and alike == compared - 1:
        others = "The other cell can't" if alike == 1 else f"None of the other {alike} cells can"
        lines.append(f"{others} be told apart from it on validation{one_seed}.")
    elif alike:
        lines.append(f"{alike} of the other {compared - 1} cells can't be told apart from it on validation{one_seed}.")
    elif compared > 1:
        lines.append(f"No other cell is like it on validation{one_seed}.")
    if compared < sweep["cells_asked"]:
        lines.append(f"{sweep['cells_asked'] - compared} of {sweep['cells_asked']} cells have no usable pair of student and baseline.")  # fmt: skip
    stopped = sum(c["stopped"] for c in sweep["cells"])
    if stopped == 1:
        lines.append("1 cell was stopped before its end and shows its best so far.")
    elif stopped:
        lines.append(f"{stopped} cells were stopped before their end and show their best so far.")
    diverged = sum(c["diverged"] for c in sweep["cells"])
    if diverged:
        lines.append(f"{diverged} training{'s' if diverged > 1 else ''} diverged.")
    return lines


def _student_lines(result: dict[str, Any]) -> list[str]:
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
