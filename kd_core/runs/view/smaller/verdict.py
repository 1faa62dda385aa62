"""Which stage to take, and in one word of three whether a stage keeps its goals on test rows: kept, not proved, not kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from kd_core.runs.view.compress_words import (
    amount,
    chosen,
    goals,
    lost,
    lost_briefly,
    made,
    milliseconds,
    size,
    student,
    time,
)

Block = Mapping[str, Any]  # `compressed` of result.json
Stage = Mapping[str, Any]
HARDLY = 1.05  # times smaller: less is not worth another model
Standing = Literal["kept", "unproved", "missed"]


def line(block: Block) -> str:
    """Say which stage to take: the smallest that keeps the goals, chosen on validation rows and judged once on test rows."""
    whole, best = student(block), chosen(block)
    if best is None and {one["lost"]["ci95"][1] for one in made(block)} == {None}:
        return (
            f"NOTHING PROVED: with one seed no loss has an interval, so no stage is known to keep the goals ({goals(block)}). "
            f"Make a run with 3 seeds smaller; {_stays(block)}."
        )
    if best is None:
        if own := misses(block, whole):
            return f"NOTHING keeps the goals ({goals(block)}) on validation rows, and the student as it was breaks them as well: {'; '.join(own)}."
        return f"NOTHING SMALLER keeps the goals ({goals(block)}) on validation rows: keep the student as it was, {size(whole['bytes'])}."
    if not gains(block, best):
        return (
            f"NOTHING GAINED: {best['name']}, the smallest that keeps the goals ({goals(block)}), has {size(best['bytes'])}, "
            f"{'hardly' if best['bytes'] < whole['bytes'] else 'no'} less than the student as it was, {size(whole['bytes'])}: keep that."
        )
    small = whole["bytes"] / best["bytes"]
    ratio = f"{small:.2g} times smaller" if small >= HARDLY else "hardly smaller"
    about = f"{best['name']}, {size(best['bytes'])} ({ratio} than {size(whole['bytes'])})"
    word = standing(block, best)
    if word == "kept":
        return f"SMALLEST WITHIN THE GOALS ({goals(block)}): {about}; {block['metric']['title']}: {lost(block, best)}."
    why = "; ".join(misses(block, best))
    said = f"{about} keeps the goals ({goals(block)}) on validation rows, and on test rows it does not"
    return f"NOT PROVED: {said} for sure: {why}." if word == "unproved" else f"NOT KEPT: {said}: {why}."


def takeable(block: Block) -> list[Stage]:
    """Return the stages that a person may want: smaller than the student as it was; all, where that breaks a goal itself."""
    whole = student(block)
    if misses(block, whole):
        return made(block)
    return [one for one in made(block) if one["bytes"] is not None and one["bytes"] < whole["bytes"]]


def gains(block: Block, stage: Stage) -> bool:
    """Say whether a stage has anything over the student as it was: clearly fewer bytes, fewer and less time, or a goal which that breaks."""
    if stage["id"] not in [one["id"] for one in takeable(block)]:
        return False
    whole = student(block)
    now, before = milliseconds(stage), milliseconds(whole)
    faster = now is not None and before is not None and before >= HARDLY * now
    return faster or whole["bytes"] >= HARDLY * stage["bytes"] or bool(misses(block, whole))


def _stays(block: Block) -> str:
    """Say what a person has without a smaller stage."""
    whole = student(block)
    own = "; ".join(misses(block, whole))
    return (
        f"the student as it was breaks the goals as well: {own}"
        if own
        else f"until then keep the student as it was, {size(whole['bytes'])}"
    )


def nearest(block: Block) -> list[str]:
    """Say, where no stage is to be taken, which one comes nearest to the goals on test rows and what it misses by how little."""
    one = nearest_stage(block)
    if one is None:
        return []
    found = "; ".join(misses(block, one))
    also = lost_briefly(block, one) if lost(block, one) not in found else size(one["bytes"])
    return [f"Nearest to the goals: {one['name']}, {also}; it misses: {found}."]


def nearest_stage(block: Block) -> Stage | None:
    """Return the stage that comes nearest to the goals on test rows, where none is to be taken."""
    if chosen(block) is not None or unchosen(block):
        return None
    missing = [one for one in takeable(block) if misses(block, one)]
    return min(missing, key=lambda one: (_beyond(block, one), one["bytes"] or 0), default=None)


def _beyond(block: Block, stage: Stage) -> float:
    """Return by how many times a stage is above the goal that it misses most."""
    asked, found, now = block["goals"], stage["lost"], milliseconds(stage)
    low_high = (found or {}).get("ci95") or (None, None)
    high = None if found is None else found["mean"] if low_high[1] is None else low_high[1]
    values = {"most_lost": high, "bytes": stage["bytes"], "microseconds": None if now is None else 1000 * now}
    return max((v / asked[name] for name, v in values.items() if v is not None and asked.get(name)), default=0.0)


def standing(block: Block, stage: Stage) -> Standing:
    """Say whether a stage that was made keeps the goals that a person set, on test rows; older results held answers like the student's for one, too."""
    found = _missed(block, stage)
    if stage["passes"] or not found:
        return "kept"
    return "missed" if any(sure for sure, _ in found) else "unproved"


def warning(block: Block, stage: Stage) -> str | None:
    """Say of a stage that does not keep the goals for sure which and by how much; None of one that does."""
    word = standing(block, stage)
    if word == "kept":
        return None
    return f"{'NOT PROVED' if word == 'unproved' else 'NOT KEPT'} ({goals(block)}): {'; '.join(misses(block, stage))}"


def misses(block: Block, stage: Stage) -> list[str]:
    """Say which goals a stage does not keep for sure on test rows, and how far off it is."""
    return [words for _, words in _missed(block, stage)]


def _missed(block: Block, stage: Stage) -> list[tuple[bool, str]]:
    """Pair every goal that is missed with whether that is sure."""
    asked, found, said = block["goals"], stage["lost"], []
    low, high = (found or {}).get("ci95") or (None, None)
    most = asked["most_lost"]
    if found is not None and found["mean"] > most:
        said.append((low is not None and low > most, lost(block, stage)))
    elif found is not None and (high is None or high > most):
        said.append((False, f"{lost(block, stage)}, which reaches beyond {amount(block, most, 'g')}"))
    if (limit := asked.get("bytes")) and stage["bytes"] is None:
        said.append((False, "it has no file"))
    elif limit and stage["bytes"] > limit:
        said.append((True, f"{size(stage['bytes'])}, {size(stage['bytes'] - limit)} more than {size(limit)}"))
    if limit := asked.get("microseconds"):
        now = milliseconds(stage)
        if now is None:
            said.append((False, "it was not timed"))
        elif 1000 * now > limit:
            said.append((True, f"{time(now)} a row, {time(now - limit / 1000)} more than {time(limit / 1000)}"))
    return said


def unchosen(block: Block) -> list[str]:
    """Say why smaller stages were not chosen although they keep the goals on test rows: on validation rows that was not sure."""
    best = chosen(block) or student(block)
    kept = [one for one in made(block) if standing(block, one) == "kept"]
    names = [str(one["name"]) for one in kept if one["bytes"] < best["bytes"]]
    if not names:
        return []
    are = "are smaller and keep" if names[1:] else "is smaller and keeps"
    which = f"{', '.join(names[:-1])} and {names[-1]}" if names[1:] else names[0]
    return [f"{which} {are} the goals on test rows, but on validation rows, by which one is chosen, that was not sure."]
