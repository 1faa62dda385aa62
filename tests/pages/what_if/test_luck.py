"""Is it luck? What can be asked of a what-if that has ended, and what is then said."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kd_core.errors import KDError
from kd_core.evaluate.intervals.stepping import Behind
from kd_core.runs.cells import grid
from kd_core.runs.cells.variant_store import code_of_trainings
from kd_core.runs.settings import reading, shuffled
from kd_core.runs.settings.added import Added, Round
from kd_core.runs.settings.answers import Answer, Answers, Setting
from pages.ui.shared.text import t
from pages.ui.what_if.answers import luck_asked
from tests.pages.screen import jobs  # noqa: F401
from tests.pages.sweeps import NO_TEACHER_HELPS, make_sweep
from tests.pages.what_if.test_answers import _quiet, change, folder_of, page, said  # noqa: F401


def test_buttons_that_are_gone_once_pressed_have_no_bubble_that_would_stay_and_are_told_in_a_line(jobs):  # noqa: F811
    at = page(make_sweep("done", seeds=3))
    buttons = [b for b in at.button if b.key in ("whatif-luck", "whatif-shuffle")]
    assert len(buttons) == 2 and not any(b.help for b in buttons)
    told = said(at)
    assert "Is it luck? trains" in told and "and of their baselines" in told
    assert "Shuffle the teacher trains the grid once more" in told and "is not the teacher's knowledge" in told


def test_is_it_luck_lets_the_run_go_on_with_seeds_for_the_contenders(jobs):  # noqa: F811
    run_id = make_sweep("done", seeds=3)
    found = change(run_id, code=code_of_trainings())
    at = page(run_id)
    at.button(key="whatif-luck").click().run()
    assert not at.exception
    ((asked, added),) = jobs.submitted
    (more,) = added.rounds
    near = {c["cell"] for c in found["cells"] if c["like_best"]}
    assert asked == run_id and more.seeds[0] == 3 and found["sweep"]["best"] in more.cells and near <= set(more.cells)
    assert len(more.cells) < len(found["cells"]) and not added.shuffled


def test_what_other_code_trained_is_never_mixed_with_new_seeds(jobs):  # noqa: F811
    run_id = make_sweep("done", seeds=3)
    change(run_id, code="older")
    at = page(run_id)
    at.button(key="whatif-luck").click().run()
    assert jobs.submitted == [] and "made by another version of the code" in said(at)


def test_a_service_that_refuses_says_why(jobs):  # noqa: F811
    run_id = make_sweep("done", seeds=3)
    change(run_id, code=code_of_trainings())
    jobs.refuse = KDError("The queue is full.", "Wait.", "queue_full")
    at = page(run_id)
    at.button(key="whatif-luck").click().run()
    assert not at.exception and "The queue is full." in said(at)


def test_added_seeds_are_told_with_what_looking_again_costs():
    run_id = make_sweep("done", seeds=3)
    Added((Round((3, 4), (1,)),)).write(folder_of(run_id))
    words = said(page(run_id))
    assert "2 seeds were added for some cells after a first look" in words
    assert ("**Settled.**" in words) != ("**Not settled yet.**" in words)  # one answer to the question
    count = grid.count(folder_of(run_id).spec()).cells
    Added((Round((3, 4), tuple(range(count))),)).write(folder_of(run_id))
    assert "2 seeds were added for all cells after a first look" in said(page(run_id))


def test_is_it_luck_is_not_asked_again_once_the_answer_is_no():
    run_id = make_sweep("done", seeds=30)
    told = reading.of_result(folder_of(run_id).result(), folder_of(run_id).spec())
    assert not told.unclear
    asked = Round((30, 31), (0, 1))
    assert "Nothing is open in the line above" in luck_asked._gives(told, asked)

    def offered(at):
        return [b.key for b in at.button if b.key in ("whatif-luck", "whatif-shuffle")], "fewer than would" in said(at)

    assert offered(page(run_id)) == (["whatif-luck", "whatif-shuffle"], False)
    Added((Round((30, 31), (1,)),)).write(folder_of(run_id))
    at = page(run_id)
    assert offered(at) == (["whatif-shuffle"], False) and "**Settled.**" in said(at)


def test_is_it_luck_is_answered_by_what_is_still_open():
    def answers(*words):
        each = tuple(Answer(at + 1, word, at, None) for at, word in enumerate(words))
        return Answers(0, {"temperature": 1}, (Setting("temperature", each),), 0.005, 2, 3, 8, False)

    assert luck_asked._settled(answers("best", "worse", "enough")).startswith("**Settled.** With 8 seeds")
    open_one = luck_asked._settled(answers("best", "unclear", "worse"))
    assert "Not settled yet" in open_one and open_one.endswith("these may still be as good: T 2.")


def test_what_is_open_names_framed_cells_elsewhere_and_that_the_teacher_is_no_luck():
    def alpha(of_none, of_half=()):
        each = (
            Answer(0, "worse", 0, None, of_none),
            Answer(0.5, "worse", 1, None, of_half),
            Answer(0.75, "unclear", 2),
            Answer(1, "best", 3),
        )
        return luck_asked._settled(Answers(3, {"alpha": 1}, (Setting("alpha", each),), 0.005, 3, 4, 8, False))

    assert alpha((), ("temperature",)).endswith(
        f"{t('what_if.luck.elsewhere', names='α 0.5')} {t('what_if.luck.taught')}"
    )
    assert str(t("what_if.luck.taught")) not in alpha(("temperature",))
    assert str(t("what_if.luck.elsewhere", names="α 0.5")) not in alpha(())


@pytest.mark.parametrize(
    ("of_none", "key"), [("best", "untaught"), ("enough", "needless"), ("worse", "taught"), ("unclear", None)]
)
def test_what_is_settled_says_whether_a_teacher_helps(of_none, key):
    each = (Answer(0, of_none, 0), Answer(1, "enough" if of_none == "best" else "best", 1))
    words = luck_asked._settled(Answers(1, {"alpha": 1}, (Setting("alpha", each),), 0.005, 1, 2, 8, False))
    told = [k for k in ("untaught", "needless", "taught") if str(t(f"what_if.luck.{k}")) in words]
    assert told == ([key] if key else [])


def test_no_shuffled_teacher_is_offered_where_no_teacher_was_best():
    at = page(make_sweep("done", seeds=3, name=NO_TEACHER_HELPS))
    assert not [b for b in at.button if b.key == "whatif-shuffle"] and "Shuffle the teacher" not in said(at)


def test_damage_of_what_was_added_is_told():
    run_id = make_sweep("done", seeds=3)
    (folder_of(run_id).path / "added.json").write_text("{}")
    assert "added.json" in said(page(run_id))


@pytest.mark.parametrize(("need", "word"), [(8, "all that is open should be settled"), (9, "fewer than would settle")])
def test_a_round_says_what_it_gives_beside_the_number_of_the_line(need, word):
    behind = Behind(0.001, -0.01, 0.012, 3, 0.99, "unclear", need)
    setting = Setting("temperature", (Answer(1.0, "best", 0), Answer(4.0, "unclear", 1, behind)))
    told = Answers(0, {"temperature": 1.0}, (setting,), 0.005, 1, 2, 3, False)
    given = str(luck_asked._gives(told, Round((3, 4, 5, 6, 7), (0, 1))))
    assert word in given and " 8 seeds" in given


def test_a_shuffled_teacher_is_asked_for_once_and_drawn_beside(jobs):  # noqa: F811
    run_id = make_sweep("done", seeds=3)
    found = change(run_id, code=code_of_trainings())
    at = page(run_id)
    at.button(key="whatif-shuffle").click().run()
    assert jobs.submitted[0][1].shuffled
    gain = {"mean": -0.01, "ci95": [-0.02, 0.0], "n": 3}
    rest = {"mean": 0.03, "ci95": [0.02, 0.04], "n": 3}
    rows = [
        {"cell": c["cell"], "seeds": [0, 1, 2], "scores": [0.84] * 3, "mean": 0.84, "gain": gain, "teacher": rest}
        for c in found["cells"]
        if c["alpha"] != 0
    ]
    line = shuffled.line("T 1", rows[0], {"mean": 0.02, "ci95": [0.01, 0.03], "n": 3}, reading.unit_of("roc_auc"))
    assert line == (
        "With T 1 a student gains +2.0 points [+1.0, +3.0] over its baseline when every row hears what the teacher said of it, and "
        "-1.0 points [-2.0, 0.0] when it hears what the teacher said of another row: the difference, +3.0 points [+2.0, +4.0], is what "
        "the teacher knows of each row."
    )
    Added(shuffled=True).write(folder_of(run_id))
    change(run_id, shuffled={"cells": rows, "best": 1, "line": line})
    at = page(run_id)
    assert line.replace("-1.0 points [-2.0", "−1.0 points [−2.0") in said(at) and not [
        b for b in at.button if b.key == "whatif-shuffle"
    ]
    at.toggle(key=f"whatif-shuffled-{run_id}").set_value(True).run()
    drawn = {e.key for kind in ("plotly_chart", "bidi_component") for e in at.get(kind)}
    assert not at.exception and {f"whatif-map-{run_id}-{which}-live" for which in ("own", "shuffled")} <= drawn
    assert str(t("what_if.luck.other")) in said(at)


@pytest.mark.parametrize(
    ("need", "says"), [(6, "should be settled"), (30, "fewer than would settle"), (51, "above 50")]
)
def test_a_round_says_what_it_is_worth_and_that_more_seeds_than_are_sensible_are_no_way(need, says):
    behind = Behind(0.001, -0.01, 0.012, 3, 0.95, "unclear", need)
    setting = Setting("temperature", (Answer(1, "best", 0, None), Answer(4, "unclear", 1, behind)))
    answers = Answers(0, {"temperature": 1}, (setting,), 0.005, 1, 2, 3, False)
    assert says in luck_asked._gives(answers, Round((3, 4, 5), (0, 1)))
    never = Answers(
        0,
        {"temperature": 1},
        (replace(setting, answers=(Answer(4, "unclear", 1, replace(behind, need=None)),)),),
        0.005,
        1,
        2,
        3,
        False,
    )
    assert "steadier student" in luck_asked._gives(never, Round((3, 4, 5), (0, 1)))
