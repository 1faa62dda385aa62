"""Progress by finished units: never by time alone, corrected aloud, and able to grow."""

from __future__ import annotations

import pytest

from kd_core.runs.view.progress import ALMOST, Progress, Units

WORK = [
    {"kind": "data", "phases": ["data"], "estimated": 1.0, "seconds": 1.0},
    {"kind": "teacher:mlp", "phases": ["teacher"], "estimated": 24.0, "seconds": 24.0},
    {"kind": "training:stacks", "phases": ["students"], "estimated": 60.0, "seconds": 60.0},
    {"kind": "evaluate", "phases": ["evaluate"], "estimated": 15.0, "seconds": 15.0},
]
PLAN = {"kind": "plan", "trainings": 12, "phases": ["data", "teacher", "students", "evaluate"], "work": WORK}
FITS = 6


def phase(name, state="start", **more):
    return {"kind": "phase", "phase": name, "state": state, **more}


def fit(k, seconds=4.0):
    return {
        "kind": "trained",
        "arm": "teacher",
        "student": None,
        "seed": 0,
        "fold": k or None,
        "seconds": seconds,
        "done": k,
        "of": FITS,
    }


def trained(done, of=12, arm="student"):
    return {"kind": "trained", "arm": arm, "student": "tiny", "seed": done, "fold": None, "done": done, "of": of}


def epoch(seed, number, of=10, arm="student", fold=None):
    return {
        "kind": "epoch",
        "arm": arm,
        "student": None if arm == "teacher" else "tiny",
        "seed": seed,
        "fold": fold,
        "epoch": number,
        "epochs": of,
    }


def after(*told):
    """A run that was told some events, each as (seconds, event)."""
    found = Progress()
    for t, event in told:
        found.take(event, t)
    return found


BEGUN = ((0.0, {"kind": "state", "state": "running"}), (0.0, phase("data")), (1.0, PLAN), (1.0, phase("data", "end")))
TAUGHT = (
    *BEGUN,
    (1.0, phase("teacher")),
    *((1.0 + 4 * k, fit(k)) for k in range(1, 7)),
    (25.0, phase("teacher", "end")),
)
TRAINS = (*TAUGHT, (25.0, phase("students")))


def test_nothing_is_known_before_the_plan():
    found = after(BEGUN[0], BEGUN[1]).outlook(100.0)
    assert (found.share, found.left_s, found.units, found.late) == (0.0, None, None, False)


def test_time_alone_never_moves_the_share():
    run = after(*TRAINS)
    first = run.outlook(25.0)
    assert first.share == pytest.approx(0.25) and first.units == Units("training", 0, 12)
    assert run.outlook(60.0).share == run.outlook(500.0).share == first.share


def test_the_teachers_fits_are_units_and_their_pace_foresees_the_rest():
    run = after(*BEGUN, (1.0, phase("teacher")), (11.0, fit(1, 10.0)), (21.0, fit(2, 10.0)))
    found = run.outlook(21.0)
    assert found.units == Units("teacher", 2, 6)
    assert found.left_s == pytest.approx(4 * 10 + 60 + 15)
    assert not found.late  # a few fits are no pace that takes back what was said
    more = [(1.0 + 10 * i, fit(i, 10.0)) for i in range(1, 6)]
    assert after(*BEGUN, (1.0, phase("teacher")), *more).outlook(51.0).late
    assert run.outlook(25.0).left_s == pytest.approx(found.left_s - 4)
    assert run.outlook(80.0).left_s > 3 * 10 + 75  # a fit that is overdue is still to come


def test_the_fits_of_several_teachers_in_turn_are_counted_on_and_never_go_back():
    first = [(1.0 + k, fit(k)) for k in range(1, 7)]
    second = [(10.0 + k, fit(k)) for k in range(1, 7)]
    run, seen = after(*BEGUN, (1.0, phase("teacher"))), []
    for at, event in (*first, *second):
        run.take(event, at)
        seen.append(run.outlook(at))
    assert [s.units.done for s in seen] == list(range(1, 13))
    assert [s.units.of for s in seen] == [6] * 6 + [12] * 6
    assert [s.share for s in seen] == sorted(s.share for s in seen)


def test_epochs_of_a_network_teacher_count_as_parts_of_a_fit():
    run = after(*BEGUN, (1.0, phase("teacher")), (11.0, fit(1)), (12.0, epoch(0, 5, arm="teacher", fold=0)))
    assert run.share("teacher") == (pytest.approx(1.5 / 6), 1, 6)


def test_a_kept_teacher_costs_nothing_and_counts_nothing():
    kept = [{**w, "seconds": 0.0} if w["kind"].startswith("teacher") else w for w in WORK]
    run = after(
        *BEGUN[:2],
        (1.0, {**PLAN, "work": kept}),
        (1.0, phase("data", "end")),
        (1.0, phase("teacher")),
        (1.1, phase("teacher", "end", cached=True)),
        (1.1, phase("students")),
    )
    found = run.outlook(1.1)
    assert found.left_s == pytest.approx(75) and found.share == pytest.approx(1.1 / 76.1)


def test_trainings_of_any_arm_count_and_their_pace_replaces_the_estimate():
    run = after(
        *TRAINS,
        (26.0, epoch(0, 1)),
        *((30.0 + 10 * i, trained(i + 1, arm=arm)) for i, arm in enumerate(("baseline", "placebo", "student"))),
    )
    found = run.outlook(50.0)
    assert found.units == Units("training", 3, 12)
    assert found.left_s == pytest.approx(
        15 + (12 - 3 - 0.1 / 0.6) * 24 / 3
    )  # one more is at a sixth of its usual epochs


def test_a_run_that_takes_longer_says_so_and_one_on_time_does_not():
    assert not after(*TRAINS).outlook(60.0).late
    stuck = after(*TRAINS).outlook(120.0)
    assert stuck.late and stuck.left_s == pytest.approx(0.25 * 95 + 15)


def test_a_plan_whose_time_is_over_leaves_the_word_to_the_pace():
    run = after(*TRAINS, (25.0, epoch(1, 1)), (85.0, epoch(1, 6)), (87.0, trained(1)))
    assert run.outlook(87.0).left_s == pytest.approx(15 + 11 * 62 / (1 - 0.1 / 0.6))


def test_more_seeds_make_the_total_grow_and_are_no_lateness():
    run = after(*TRAINS, (26.0, epoch(0, 1)), *((25.0 + 5 * i, trained(i)) for i in range(1, 13)))
    before = run.outlook(85.0)
    assert before.units == Units("training", 12, 12) and before.added == 0
    run.take({"kind": "seeds", "added": 2, "trainings": 16}, 85.0)
    grown = run.outlook(85.0)
    assert grown.units == Units("training", 12, 16) and grown.added == 4
    assert grown.share < before.share and grown.left_s > before.left_s and not grown.late
    run.take(trained(13, of=18), 90.0)  # a total that a training tells is believed as well
    assert run.outlook(90.0).units == Units("training", 13, 18)
    run.take({"kind": "seeds", "added": 6, "trainings": 30}, 90.0)
    assert run.outlook(90.0).left_s > 80 and not run.outlook(90.0).late  # asked for, not late
    assert (before.round, before.earlier) == (1, 0) and (grown.round, grown.earlier) == (2, 12)
    assert grown.share == run.outlook(90.0).share == 0.0  # a round is counted from its own start
    assert (run.outlook(90.0).round, run.outlook(90.0).earlier) == (4, 18)
    for i in range(14, 31):
        run.take(trained(i, of=30), 90.0 + i)
    assert run.outlook(121.0).share > 0.5
    run.take({"kind": "state", "state": "running"}, 121.0)
    run.take(PLAN, 121.0)
    assert (run.outlook(121.0).round, run.outlook(121.0).earlier) == (1, 0)  # a new attempt
    again = after(*TRAINS, (30.0, {**PLAN, "trainings": 16}))
    assert again.outlook(30.0).units == Units("training", 0, 16)


def test_parts_of_the_evaluation_are_units():
    run = after(
        *TRAINS,
        (80.0, phase("students", "end")),
        (80.0, phase("evaluate")),
        (83.0, {"kind": "part", "phase": "evaluate", "done": 1, "of": 4}),
        (86.0, {"kind": "part", "phase": "evaluate", "done": 2, "of": 4}),
    )
    found = run.outlook(86.0)
    assert found.units == Units("evaluate", 2, 4) and found.left_s == pytest.approx(6.0)
    assert run.outlook(86.0).share < ALMOST
    assert run.outlook(1000.0).share == found.share


def test_a_resumed_run_counts_anew_and_kept_trainings_set_no_pace():
    run = after(*TRAINS, (26.0, epoch(0, 1)), (35.0, trained(1)))
    for event in (e for _, e in (*BEGUN, (0.0, phase("teacher")), (0.0, phase("teacher", "end", cached=True)))):
        run.take(event, 40.0)
    run.take(phase("students"), 40.0)
    for i in range(1, 9):
        run.take(trained(i), 40.0)
    assert run.outlook(40.0).units == Units("training", 8, 12)
    run.take(epoch(9, 1), 41.0)
    run.take(epoch(9, 6), 49.0)
    run.take(trained(9), 50.0)
    run.take(epoch(10, 6), 59.0)
    run.take(trained(10), 60.0)
    run.take(epoch(11, 6), 69.0)
    run.take(trained(11), 70.0)
    assert run.outlook(70.0).left_s == pytest.approx(10 + 15, abs=2)  # ten seconds each, not ten for all nine


def test_a_what_if_is_followed_by_its_scores():
    run = after(
        *BEGUN[:2],
        (1.0, {**PLAN, "grid": [{}] * 12}),
        (1.0, phase("students")),
        (2.0, {"kind": "sweep", "trainings": 12}),
    )
    run.take({"kind": "scores", "epoch": 3, "epochs": 10, "best": {"0": 0.9, "1": 0.8}}, 5.0)
    assert run.share("students")[0] == pytest.approx(2 * 0.3 / 12)
    run.take(
        {"kind": "variant", "training": 0, "arm": "baseline", "student": "tiny", "seed": 0, "done": 1, "of": 12}, 6.0
    )
    assert run.share("students") == (pytest.approx(1.3 / 12), 1, 12)


def test_a_plan_of_an_earlier_version_has_one_number_for_all():
    old = {
        "kind": "plan",
        "trainings": 6,
        "phases": ["data", "teacher", "baseline", "students", "evaluate"],
        "estimate_seconds": 80.0,
    }
    run = after((0.0, old), (0.0, phase("baseline")), (10.0, trained(3, of=6, arm="baseline")))
    assert run.outlook(0.0).left_s == pytest.approx(80.0)
    assert run.outlook(10.0).units == Units("training", 3, 6)


def test_candidates_are_parts_of_their_phase_and_their_time_has_an_end():
    choose = {"kind": "choose", "phases": ["choose"], "estimated": 90.0, "seconds": 60.0, "most": 60.0}
    plan = {**PLAN, "trainings": 3, "work": [WORK[0], choose, WORK[2]]}
    begun = (BEGUN[0], BEGUN[1], (1.0, plan), (1.0, phase("data", "end")), (1.0, phase("choose")))
    slow = ((30.0, {"kind": "part", "phase": "choose", "done": 1, "of": 12}),)
    slow += ((50.0, {"kind": "part", "phase": "choose", "done": 2, "of": 12}),)
    found = after(*begun, *slow)
    assert found.outlook(51.0).units == Units("choose", 2, 12)
    assert found.outlook(51.0).left_s == pytest.approx(10.0 + 60.0)  # at this pace ten more would take 200 s
    own = {**trained(2, of=2), "choosing": True}
    marked = after(*begun, *slow, (51.0, own), (51.0, {**epoch(0, 3), "choosing": True}))
    assert marked.outlook(51.0) == found.outlook(51.0)
    over = after(*begun, *slow, (61.0, phase("choose", "end")), (61.0, phase("students")), (70.0, trained(1, of=3)))
    assert over.outlook(70.0).units == Units("training", 1, 3)


def texts(done, worth=0.5):
    return {"kind": "part", "phase": "teacher", "what": "texts", "done": done, "of": 1000, "worth": worth}


def test_texts_that_a_teacher_reads_first_are_a_part_of_its_work():
    begun = (*BEGUN, (1.0, phase("teacher")), (3.0, texts(250)), (5.0, texts(500)))
    found = after(*begun)
    assert found.outlook(5.0).units == Units("texts", 500, 1000)
    assert found.share("teacher")[0] == pytest.approx(0.25)
    read = after(*begun, (9.0, texts(1000)))
    assert read.share("teacher")[0] == pytest.approx(0.5)
    assert read.outlook(9.0).left_s == pytest.approx(8 + 75, abs=2)  # the fits take as long, then the rest of the plan
    fitted = after(*begun, (9.0, texts(1000)), (12.0, fit(1, 3.0)))
    assert fitted.outlook(12.0).units == Units("teacher", 1, FITS)
    assert fitted.share("teacher")[0] == pytest.approx(0.5 + 0.5 / FITS)


def test_what_is_made_before_trainings_is_a_share_of_their_work():
    def made(done):
        return {"kind": "part", "phase": "students", "what": "made", "done": done, "of": 2200}

    work = [{**w, **({"first": 0.5} if w["kind"].startswith("training") else {})} for w in WORK]
    plan = {**PLAN, "work": work}
    told = tuple((t, plan if event is PLAN else event) for t, event in TRAINS)
    begun = after(*told, (35.0, made(1100)))
    assert begun.outlook(35.0).units == Units("made", 1100, 2200)
    assert begun.share("students")[0] == pytest.approx(0.25)
    assert begun.outlook(35.0).left_s == pytest.approx(
        10 + 30 + 15
    )  # as many pictures again, the trainings, the judgement
    beside = after(*told, (35.0, made(1100)), (36.0, epoch(0, 1, arm="baseline")), (37.0, made(1320)))
    assert beside.outlook(37.0).units == Units("made", 1320, 2200)  # a baseline that learns meanwhile hides nothing
    ready = after(*told, (35.0, made(1100)), (45.0, made(2200)), (50.0, trained(1)))
    assert ready.outlook(50.0).units == Units("training", 1, 12)
    assert ready.share("students")[0] == pytest.approx(0.5 + 0.5 / 12)
    again = after(*told, (30.0, trained(3)))  # kept pictures are no work
    assert again.share("students")[0] == pytest.approx(3 / 12)


def test_more_seeds_of_a_what_if_are_foreseen_by_more_than_the_first_word_of_one_training():
    """Seen in a trial: 105 trainings at work, the first scores named one, and 30 seconds became 3 min 25 s."""
    work = [{"kind": "training:stacks", "phases": ["sweep"], "seconds": 24.0}]
    plan = {"kind": "plan", "trainings": 168, "grid": True, "phases": ["sweep"], "work": work}
    kept = [(1.0, {"kind": "variant", "training": p}) for p in range(63)]
    begun = ((0.0, {"kind": "state", "state": "running"}), (0.0, plan), (0.0, phase("sweep")))

    def scores(number, *positions):
        return {"kind": "scores", "epoch": number, "epochs": 60, "best": dict.fromkeys(map(str, positions), 0.2)}

    found = after(*begun, *kept, (1.2, {"kind": "sweep", "trainings": 105}), (2.2, scores(1, 115)))
    assert found.outlook(2.2).left_s == pytest.approx(21.8) and not found.outlook(2.2).late
    at_work = range(63, 168)
    for number in range(2, 17):
        found.take(scores(number, *at_work), 1.2 + 0.75 * number)
    for position in range(63, 69):  # the first to end are the earliest
        found.take({"kind": "variant", "training": position}, 13.3)
    assert found.outlook(13.3).left_s > 10


def test_what_is_added_to_a_what_if_counts_from_its_own_start():
    """Seen in a trial: what was kept counted as done, and 93 % of the bar became 42 % when the first new stack had ended."""
    work = [{"kind": "training:stacks", "phases": ["sweep"], "seconds": 40.0}]
    plan = {"kind": "plan", "trainings": 100, "grid": True, "phases": ["sweep"], "work": work, "kept": 60, "round": 2}
    begun = ((50.0, {"kind": "state", "state": "running"}), (50.5, plan), (50.5, phase("sweep")))

    def ended(position, **more):
        return {"kind": "variant", "training": position, "done": position + 1, **more}

    run = after(*begun, *((51.0, ended(p, kept=True)) for p in range(30)), (51.0, {"kind": "sweep", "trainings": 20}))
    found = run.outlook(51.0)
    assert (found.share, found.round, found.earlier, found.since) == (0.0, 2, 60, 50.0)
    assert found.left_s == pytest.approx(39.5)  # what is kept tells nothing of the pace
    for p in range(30, 50):
        run.take(ended(p), 52.0 + p - 30)
    half = run.outlook(71.0)
    assert half.share == 0.5 and half.left_s == pytest.approx(20, abs=3)
    for p in range(50, 80):  # kept ones of a second group come in between
        run.take(ended(p, kept=True), 71.5)
    assert run.outlook(71.5).share == 0.5 and run.outlook(71.5).left_s == pytest.approx(20, abs=3)
    for p in range(80, 90):
        run.take(ended(p), 72.0 + p - 80)
    assert run.outlook(81.0).share == 0.75 and run.outlook(81.0).units == Units("training", 30, 40)


def test_half_of_the_trainings_of_a_round_are_half_of_its_bar():
    run = after(*TRAINS, *((25.0 + 5 * i, trained(i)) for i in range(1, 13)))
    run.take({"kind": "seeds", "added": 6, "trainings": 24}, 85.0)
    for i in range(13, 19):
        run.take(trained(i, of=24), 85.0 + 5 * (i - 12))
    assert run.outlook(115.0).share == 0.5
