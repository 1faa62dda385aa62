"""What can be asked of a what-if that has ended: is it luck (more seeds of the contenders), and what is left with a shuffled teacher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from kd_core.errors import KDError, Problem
from kd_core.evaluate.intervals import advice
from kd_core.runs.cells import grid
from kd_core.runs.cells.older_cells import written_cells
from kd_core.runs.settings import luck, sentence
from kd_core.runs.settings.added import Added, Round
from kd_core.runs.settings.answers import Answer, Answers
from kd_core.runs.store.folder import RunFolder
from kd_core.specs import RunSpec
from pages.ui.shared import engine, forms, text
from pages.ui.shared.text import Safe, escape, t
from pages.ui.what_if import whatif_map, whatif_reader
from pages.ui.what_if.answers.typeset import typeset
from pages.ui.what_if.whatif_cells import Grid

Result = Mapping[str, Any]


def show(found: Result, snapshot: Any, answers: Answers) -> None:
    """Draw what can be asked, what was, and what `answers` make of it."""
    spec, run_id = snapshot.spec, snapshot.run_id
    folder = engine.store().folder(run_id)
    try:
        added = Added.of(folder)
        asked = luck.more(found, spec, added)
    except KDError as error:
        text.show_error(error)
        return
    shuffles = _gains(found) and not added.shuffled
    settled = bool(added.rounds) and not answers.unclear  # the question is answered: no
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        if not settled:
            _seeds(folder, found, spec, added, asked)
        if shuffles:
            shuffle = st.button(t("what_if.luck.shuffle"), key="whatif-shuffle", icon=":material/shuffle:")
            if shuffle:
                _go_on(folder, found, spec, replace(added, shuffled=True))
    told = []
    if isinstance(asked, Round) and not settled:
        time = _time(found, spec, added.with_round(spec, asked))
        gives = _gives(answers, asked)
        told.append(t("what_if.luck.what", seeds=len(asked.seeds), cells=len(asked.cells), time=time, gives=gives))
    if shuffles:
        told.append(t("what_if.luck.what_shuffled", time=_time(found, spec, replace(added, shuffled=True))))
    if told:
        with st.expander(t("what_if.luck.fold"), icon=":material/tune:", key="whatif-luck-told"):
            st.caption(Safe(" ".join(told)))
    if added.rounds:
        st.markdown(_settled(answers))
        uneven = _uneven(found)
        whole = all(len(r.cells) == grid.count(spec).cells for r in added.rounds)
        which = t(f"what_if.luck.added_{'all' if whole else 'some'}")
        said = t("what_if.luck.added", seeds=sum(len(r.seeds) for r in added.rounds), which=which)
        st.caption(Safe(f"{uneven} {said}") if uneven else said)
    if (found.get("sweep") or {}).get("shuffled"):
        _shuffled(folder, found)


def _settled(answers: Answers) -> Safe:
    """Say whether anything may still be as good as the best, now that there are more seeds, and what that makes of the teacher."""
    still = [sentence.named(s.name, one.value) for s in answers.settings for one in s.having("unclear")]
    zero = next((a for s in answers.settings if s.name == "alpha" for a in s.answers if a.value == 0), None)
    if not still:
        said = [t("what_if.luck.no", seeds=answers.seeds), *_of_the_teacher(zero)]
        return Safe(" ".join(said))
    beside = [sentence.named(s.name, a.value) for s in answers.settings for a in s.having("worse") if a.elsewhere]
    said = [t("what_if.luck.not_yet", seeds=answers.seeds, names=escape(typeset(", ".join(still))))]
    said += [t("what_if.luck.elsewhere", names=escape(typeset(", ".join(beside))))] if beside else []
    return Safe(" ".join([*said, *_of_the_teacher(zero)]))


def _of_the_teacher(zero: Answer | None) -> list[Safe]:
    """Say whether a teacher helps at all, where that is settled. `zero`: the answer for no teacher."""
    if zero is None or zero.word not in ("best", "enough", "worse") or (zero.word == "worse" and zero.elsewhere):
        return []
    return [t(f"what_if.luck.{ {'best': 'untaught', 'enough': 'needless', 'worse': 'taught'}[zero.word] }")]


def _seeds(folder: RunFolder, found: Result, spec: RunSpec, added: Added, asked: Round | Problem) -> None:
    if isinstance(asked, Problem):
        st.caption(t("what_if.luck.why", why=f"{asked.message} {asked.hint}"), width="content")
        return
    # No `help` on buttons that are gone once pressed: the browser would leave their bubble on the page. The line below tells it.
    pressed = st.button(t("what_if.luck.press"), key="whatif-luck", icon=":material/casino:")
    if pressed:
        _go_on(folder, found, spec, added.with_round(spec, asked))


def _gives(answers: Answers, asked: Round) -> Safe:
    """Say what a round is worth beside the number of seeds that the line on top says."""
    after = answers.seeds + len(asked.seeds)
    if not answers.unclear:
        return t("what_if.luck.gives_none", after=after)
    if advice.too_many(answers.need):
        return t("what_if.luck.gives_never", after=after, most=advice.SENSIBLE_SEEDS)
    enough = answers.need is not None and answers.need <= after
    return t(f"what_if.luck.gives_{'all' if enough else 'some'}", after=after)


def _time(found: Result, spec: RunSpec, added: Added) -> Safe:
    """Say how long it takes, by what this run took, as the plan says once it runs."""
    known = luck.seconds(found, spec, added)
    return (
        t("what_if.luck.unknown")
        if known is None
        else t("what_if.luck.about", time=text.forecast(max(1.0, round(known))))
    )


def _uneven(found: Result) -> Safe | None:
    """Say how many seeds the contenders and the other cells have, None where all have as many."""
    numbers = sorted({len(c["seeds"]) for c in written_cells(found) if c["seeds"]})
    if len(numbers) < 2:
        return None
    *fewer, most = numbers
    fewest = str(fewer[0]) if len(fewer) == 1 else f"{fewer[0]}–{fewer[-1]}"
    return t("what_if.luck.uneven", most=most, fewest=fewest)


def _gains(found: Result) -> bool:
    """Say whether the best cell of any student has a teacher: else there is no gain to ask about."""
    best = set(((found.get("sweep") or {}).get("best_of") or {}).values())
    return any(c["alpha"] != 0 for c in written_cells(found) if c["cell"] in best)


def _go_on(folder: RunFolder, found: Result, spec: RunSpec, added: Added) -> None:
    """Let the run go on, and draw the page as that of one at work."""
    if problem := luck.why_not(found, spec, added):
        text.show_problem(problem)
        return
    try:
        engine.jobs().go_on(folder.id, added)
    except KDError as error:
        text.show_error(error)
        return
    st.rerun()


def _shuffled(folder: RunFolder, found: Result) -> None:
    """Say what is left with a shuffled teacher, and lay both maps beside each other on demand."""
    told = found["sweep"]["shuffled"]
    with st.container(border=True, key="whatif.shuffled"):
        st.markdown(escape(typeset(str(told["line"]))))
        if not st.toggle(t("what_if.luck.shuffled"), key=f"whatif-shuffled-{folder.id}"):
            return
        own = whatif_reader.read(folder)
        if own is None:
            return
        left, right = st.columns(2, gap="medium")
        with left:
            st.caption(t("what_if.luck.own"))
            whatif_map.show(own, f"{folder.id}-own", live=True)
        best = own.cell(own.best)
        if best is not None and len(own.students) > 1:
            forms.seed(f"whatif-student-{folder.id}-shuffled-live", best.student)  # both begin with the same one
        with right:
            st.caption(t("what_if.luck.other"))
            whatif_map.show(_as_grid(own, told), f"{folder.id}-shuffled", live=True)
        st.caption(t("what_if.luck.note"))


def _as_grid(own: Grid, told: Mapping[str, Any]) -> Grid:
    """Lay the scores with a shuffled teacher out as a grid; cells without soft labels are the baseline in both."""
    cells, held = own.cells.copy(), {c["cell"]: c for c in told["cells"]}
    for number in cells.index:
        one = held.get(number)
        if cells.at[number, "alpha"] == 0:
            continue
        low, high = one["gain"]["ci95"] if one else (None, None)
        changed = {"mean": one and one["mean"], "gain": one and one["gain"]["mean"], "low": low, "high": high}
        for name, value in changed.items():
            cells.at[number, name] = float("nan") if value is None else value
        cells.at[number, "word"] = None
    nothing = dict.fromkeys(("behind", "behind_low", "behind_high"), float("nan"))
    cells = cells.assign(like_best=False, **nothing)
    return replace(own, cells=cells, best=None)
