"""Alternative texts say the finding, with its numbers."""

from __future__ import annotations

import pytest

from pages.ui.shared import announcer, findings, text
from pages.ui.what_if import whatif_cells, whatif_reader
from pages.ui.what_if.whatif_cells import Grid
from tests.pages.fixtures import curve_events, make_run, store


def point(arm, label, x, y):
    return {"arm": arm, "label": label, "x": x, "y": y}


def test_points_are_told_from_cheap_to_dear_and_the_rest_is_counted():
    points = [point("teacher", "boosting", 9000, 0.9), point("student", "tiny", 100, 0.8)]
    said = findings.of_points(points, "accuracy", "size", str)
    assert said == "Accuracy against size: Student tiny 0.800 at 100; Teacher boosting 0.900 at 9000."
    many = findings.of_points([point("student", str(i), i + 1, 0.5) for i in range(9)], "accuracy", "size", str)
    assert many.endswith("at 6 and 3 more.")


def test_of_many_points_the_cheapest_of_every_part_is_named():
    points = [point("student", str(i), i + 1, 0.5) for i in range(9)]
    points += [point("plain", "30 trees of 4 leaves", 500, 0.6), point("teacher", "boosting", 9000, 0.9)]
    said = findings.of_points(points, "accuracy", "size", str)
    assert "Student 0 0.500 at 1; " in said and "Student 3 0.500 at 4; Plain model 30 trees of 4 leaves 0.600" in said
    assert said.endswith("Teacher boosting 0.900 at 9000 and 5 more.")


@pytest.mark.parametrize(("metric", "won"), [("accuracy", 2), ("rmse", 1)])
def test_pairs_count_the_seeds_won_in_the_metrics_own_direction(metric, won):
    assert (
        findings.of_pairs([0.9, 0.8, 0.5], [0.8, 0.7, 0.6], metric)
        == f"The student is better than its baseline on {won} of 3 seeds."
    )


def test_confusion_names_the_share_and_the_most_frequent_mistake():
    said = findings.of_confusion("Student", [[90, 10], [0, 100]], ["no", "yes"], (0, 1, 10.0, 0.1))
    assert said == "Student: 95.0 % of the test rows are right. Most often no is taken for yes: 10 rows."
    assert findings.of_confusion("Student", [[1, 0], [0, 1]], ["a", "b"], None).endswith("right.")


def test_latency_tells_the_smallest_and_the_largest_batch():
    said = findings.of_latency([{"name": "Student", "batch": [1, 256], "p50": [0.02, 1.5]}])
    assert said == "Student: 20 µs for a batch of 1, 1.50 ms for a batch of 256."


def curve(arm, scores, losses=()):
    return {"arm": arm, "epoch": list(range(1, len(scores) + 1)), "score": scores, "loss": list(losses)}


def test_curves_tell_the_best_of_every_part_and_a_teacher_without_epochs():
    drawn = [curve("baseline", [0.7, 0.8]), curve("student", [0.9, 0.85])]
    said = findings.of_curves(drawn, "accuracy", 0.95)
    assert said == "Best Accuracy on validation: Teacher 0.950, Baseline 0.800 in epoch 2, Student 0.900 in epoch 1."
    assert "Student 3.000 in epoch 2" in findings.of_curves([curve("student", [4.0, 3.0])], "rmse", None)


def test_losses_tell_where_they_began_and_ended():
    said = findings.of_losses([curve("student", [], [1.0, 0.5]), curve("student", [], [3.0, 0.7])])
    assert said == "The loss goes from 2.000 in the first epoch to 0.600 in the last, mean over 2 trainings."
    assert findings.of_losses([curve("student", [])]) == "No loss is known yet."


def test_a_column_tells_its_most_frequent_value():
    assert findings.of_column("device", ["phone", "desktop"], [3, 1200]) == (
        "device: desktop is the most frequent of 2 values or ranges, with 1,200 rows."
    )


def cell(index, mean, low, high, **more):
    return {
        "cell": index,
        "student": "tiny",
        "temperature": float(index + 1),
        "alpha": 0.5,
        **dict.fromkeys(("learning_rate", "weight_decay", "dropout")),
        "mean": 0.9,
        "seeds": [0],
        "scores": [0.9],
        "baseline": [0.9],
        "gain": {"mean": mean, "ci95": [low, high], "n": 3},
        "diverged": 0,
        **more,
    }


def grid(*cells, best=0, **more):
    return Grid(whatif_reader.frame(cells), "accuracy", best, **more)


def test_a_map_tells_its_range_how_much_of_it_is_clear_and_the_best():
    cells = (cell(0, -0.01, -0.02, -0.001), cell(1, 0.02, 0.01, 0.03), cell(2, 0.001, -0.01, 0.012))
    made = grid(*cells, best=1)
    said = findings.of_map(made, made.cells)
    assert said.startswith("Gains in Accuracy from −1.0 to +2.0 points; for 2 of 3 cells the interval leaves 0 out.")
    assert "Best on validation: T = 2, α = 0.5, +2.0 points [+1.0, +3.0]" in text.plain(said)
    assert findings.of_map(grid(), grid().cells) == "No cell has a gain yet."


def test_a_gain_without_an_interval_may_be_nothing():
    made = grid(cell(0, 0.004, None, None), cell(1, -0.06, None, None), cell(2, 0.02, 0.01, 0.03), margin=0.005)
    assert [whatif_cells.unclear(c) for c in whatif_cells.rows(made.cells)] == [True, True, False]


def test_the_scale_is_never_below_three_margins():
    small, large = cell(0, 0.001, 0, 0.002), cell(1, 0.04, 0.03, 0.05)
    assert grid(small, margin=0.005).scale == pytest.approx(1.5)
    assert grid(small, large, margin=0.005).scale == pytest.approx(4.0)


def test_sizes_are_told_with_their_baselines():
    arms = {"student": [point("student", "tiny", 250, 0.9)], "baseline": [point("baseline", "tiny", 250, 0.8)]}
    said = findings.of_sizes(grid(), arms)
    assert said == "Best Accuracy by size: tiny (250 weights) 0.900, its baseline 0.800."


def test_progress_is_spoken_in_tenths_and_by_phase():
    events = curve_events(("tiny",), 3, "roc_auc")
    trained = [i for i, e in enumerate(events) if e["kind"] == "trained"]
    run_id = make_run("running", events=events[: trained[1] + 1])
    said = announcer.words(store().snapshot(run_id))
    assert said == "running, Baselines, 30 % of 6 trainings done"
