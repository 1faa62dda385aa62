"""The sentences a result is told in."""

import html
import inspect
import re

import pytest

from kd_core.runs.result import ResultBuilder
from kd_core.runs.store import ledger
from pages.ui.charts.spread import bounds, most
from pages.ui.result import differences, verdict
from pages.ui.shared import text
from tests.pages.fixtures import HOSTILE, difference, result


def plain(words):
    """Undo the escaping of characters that markup would read, to compare with what a person reads."""
    return html.unescape(str(words)).replace("\u2060", "")


def test_a_gain_is_told_with_its_interval_its_parts_and_the_teacher_in_a_line_of_its_own():
    said = verdict.judge(result(), 0)
    assert said.word == "beats"
    assert plain(said.gain) == (
        "The tiny student gains 0.90 points of ROC-AUC over the same student alone "
        "(95 %: +0.58 to +1.22; seeds ±0.25, rows ±0.20; 3 seeds)."
    )
    assert plain(said.teacher) == (
        "3.70 points of ROC-AUC below the teacher (95 %: −4.02 to −3.38; seeds ±0.25, rows ±0.20; 3 seeds), "
        "at 1/215 of the size, about 150 times faster (0.80 ms → 5 µs)."
    )
    assert plain(said.source).startswith("From this teacher: +0.60 points of ROC-AUC over the same student on labels")
    assert said.reason is None and said.next is None and said.warnings == () and said.family is None
    assert said.settle is None and said.older is None and said.reads is None and said.splits is None


def test_what_is_not_surely_the_teachers_is_not_said_to_be():
    said = verdict.judge(result(smooth=0.0085), 0)
    assert said.word == "beats"
    assert plain(said.source).startswith("Not clear whether from this teacher: +0.05 points of ROC-AUC over the same")
    assert "From this teacher" not in plain(said.source) and "(95 %: −0.1" in plain(said.source)


@pytest.mark.parametrize("word", ["ties", "hurts", "inconclusive"])
def test_without_a_gain_nothing_is_credited(word):
    said = verdict.judge(result(verdict=word), 0)
    assert plain(said.source).startswith("Against the same student on labels smoothed without the teacher:")
    assert verdict.judge(result(verdict=word, placebo_reason="not_asked"), 0).source is None


def test_a_placebo_of_rows_mixed_up_is_told_as_one():
    found = result()
    found["students"][0]["placebo"]["of"] = "rows"
    assert "on its lessons with the rows mixed up" in plain(verdict.judge(found, 0).source)
    assert "smoothed" not in plain(verdict.judge(found, 0).source)


@pytest.mark.parametrize("word", ["beats", "ties"])
def test_a_placebo_of_both_is_told_as_both(word):
    found = result(verdict=word)
    found["students"][0]["placebo"]["of"] = "both"
    said = plain(verdict.judge(found, 0).source)
    assert "labels smoothed without" in said and "its inside with the rows mixed up" in said


@pytest.mark.parametrize(
    "why", ["no_soft_labels", "several_temperatures", "no_soft_share", "what_if", "stopped", "not_asked", "regression"]
)
def test_without_a_placebo_the_gain_came_by_distilling_and_the_reason_is_said(why):
    said = plain(verdict.judge(result(placebo_reason=why), 0).source)
    assert said.startswith("The gain came by distilling; how much of it is this teacher's own is not known: ")
    assert plain(text.catalogue()[f"runs.source.why.{why}"]) in said and "From this teacher" not in said


def test_every_reason_for_no_placebo_of_the_engine_has_words():
    from kd_core.distill import placebo
    from kd_core.task import TASKS

    found = inspect.getsource(placebo.why_none) + inspect.getsource(ResultBuilder._placebo)
    codes = set(re.findall(r'(?:return|else|why =|if) "([a-z_]+)"|"([a-z_]+)" (?:if|else)', found))
    known = {c for pair in codes for c in pair if c and c != "placebo"}
    known |= {e.make.unsoftened for e in TASKS.entries() if e.make.unsoftened}
    assert {
        "regression",
        "no_soft_labels",
        "several_temperatures",
        "no_soft_share",
        "what_if",
        "stopped",
        "not_asked",
    } <= known
    for code in known:
        assert f"runs.source.why.{code}" in text.catalogue()


def test_a_loss_is_told_as_a_loss_with_reason_and_next_step():
    found = result(verdict="hurts", reason={"code": "soft_share", "values": {"alpha": 0.9}})
    said = verdict.judge(found, 0)
    assert plain(said.gain).startswith("The tiny student loses 2.00 points of ROC-AUC against the same student alone")
    assert "soft weight of 0.9" in plain(said.reason)
    assert plain(said.next).startswith("Clone the run with a soft weight of 0.5")


@pytest.mark.parametrize(
    ("word", "start"),
    [
        ("ties", "With or without distilling, the tiny student does equally well: +0.10 points of accuracy"),
        ("inconclusive", "It is not clear yet whether distilling helps the tiny student: +0.4 points of accuracy"),
    ],
)
def test_no_difference_and_no_answer_are_told_plainly_and_never_without_the_teacher(word, start):
    said = verdict.judge(result(task="multiclass", verdict=word), 0)
    assert plain(said.gain).startswith(start)
    assert "points of accuracy below the teacher (95 %: −" in plain(said.teacher)


def test_a_student_that_the_teacher_can_not_be_told_from():
    found = result(verdict="ties")
    found["students"][0]["versus_teacher"]["roc_auc"] = difference([0.88, 0.9], [0.89, 0.888], "roc_auc")
    said = plain(verdict.judge(found, 0).teacher)
    assert said.startswith("+0.1 points of ROC-AUC, not clear which of the two is better (95 %: −")
    found["students"][0]["versus_teacher"]["roc_auc"] = difference([0.91, 0.912], [0.89, 0.892], "roc_auc")
    assert "points of ROC-AUC above the teacher" in plain(verdict.judge(found, 0).teacher)


def test_an_error_metric_is_told_in_its_own_unit_and_direction():
    found = result(task="regression")
    said = verdict.judge(found, 0)
    assert plain(said.gain) == (
        "The RMSE of the tiny student is 0.0090 lower than that of the same student alone "
        "(95 %: +0.0058 to +0.0122, above 0 is better; seeds ±0.0025, rows ±0.0020; 3 seeds)."
    )
    assert plain(said.teacher).startswith("RMSE worse than the teacher's by 0.0370 (95 %: −0.0402 to −0.0338")
    worse = verdict.judge(result(task="regression", verdict="hurts"), 0)
    assert plain(worse.gain).startswith("The RMSE of the tiny student is 0.0200 higher than that of the same student")


def test_one_seed_has_no_interval_and_says_so():
    found = result(verdict="inconclusive", seeds=1, reason={"code": "one_seed", "values": {}})
    said = verdict.judge(found, 0)
    assert "(1 seed, so no interval; rows ±0.20)" in plain(said.gain)
    assert plain(said.next).startswith("Clone the run with 3 or more seeds")


def test_many_reads_of_the_test_rows_are_said_in_one_quiet_sentence():
    assert verdict.judge(result(test_reads=ledger.MANY - 1), 0).reads is None
    said = plain(verdict.judge(result(test_reads=ledger.MANY), 0).reads)
    assert said.startswith("The test rows of this dataset have been read by 10 runs;")
    assert verdict.judge(result(test_reads=ledger.MANY), 0).gain == verdict.judge(result(), 0).gain


def test_the_spread_over_splits_is_said():
    gains = [difference([0.88 + g, 0.88 + g], [0.88, 0.881], "roc_auc") for g in (0.004, 0.010, 0.007)]
    rows = [
        {"split_seed": i, "teacher": 0.93, "students": [{"name": "tiny", "gain": g, "verdict": "beats"}]}
        for i, g in enumerate(gains)
    ]
    said = verdict.judge(result(splits={"asked": 5, "done": rows}), 0)
    assert plain(said.splits) == (
        "On 3 of 5 random splits the gain runs from +0.35 to +0.95 points: mean +0.65, standard deviation 0.30."
    )
    assert verdict.judge(result(splits={"asked": 5, "done": rows[:1]}), 0).splits is None


def test_no_room_is_a_reason_only_where_the_engine_has_an_interval_for_it():
    said = verdict.judge(result(verdict="ties", reason={"code": "no_room", "values": {}}), 0)
    assert "beyond the interval: there was no room to gain" in plain(said.reason)
    older = verdict.judge({**result(verdict="ties", reason={"code": "no_room", "values": {}}), "schema": 1}, 0)
    assert "Whether there was no room to gain is not clear" in plain(older.reason)
    gained = result(verdict="beats", reason={"code": "gain", "values": {}}, room=[{"student": "tiny", "room": False}])
    assert verdict.judge(gained, 0).reason is None  # "no room to gain" would contradict the gain


def test_every_reason_of_the_engine_has_words():
    codes = set(
        re.findall(r'"([a-z_]+)" if|"code": "([a-z_]+)"|else "([a-z_]+)"', inspect.getsource(ResultBuilder._reason))
    )
    found = {c for group in codes for c in group if c} - {"gain"}
    assert {
        "no_room",
        "one_seed",
        "wide_interval",
        "same",
        "loss",
        "soft_share",
        "small_gain",
        "stopped_early",
    } <= found
    for code in found:
        assert f"runs.reason.{code}.why" in text.catalogue() and f"runs.reason.{code}.next" in text.catalogue()


def test_a_student_that_is_not_smaller_raises_a_flag():
    said = verdict.judge(result(size_bytes=300_000), 0)
    assert [plain(w) for w in said.warnings] == ["The student is not smaller than the teacher: 293 KB against 260 KB."]


def test_a_student_that_is_not_faster_raises_a_flag():
    found = result()
    found["teacher"]["latency_ms"] = {"onnxruntime": {"1": {"p50": 0.004, "p95": 0.005, "p99": 0.006}}}
    assert "not faster than the teacher: 5 µs against 4 µs" in plain(verdict.judge(found, 0).warnings[0])
    assert "about 1.5 times slower (4 µs → 5 µs)" in plain(verdict.judge(found, 0).teacher)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_student_name_never_becomes_markup(name):
    said = verdict.judge(result(students=(name,)), 0)
    for sign in ("<script", "![", "](", "$"):
        assert sign not in said.gain
    assert name in plain(said.gain)


def test_the_student_shown_first_is_the_best_on_validation_as_in_the_list_of_runs():
    from kd_core.runs.store.rows import headline

    found = result(students=("tiny", "small"))
    found["students"][1]["metrics"]["roc_auc"]["mean"] += 0.01  # on the test rows: must not choose
    assert found["students"][verdict.best_student(found)]["name"] == headline(found).student_name == "tiny"
    found["students"][1]["selection"] = {"student": [{"score_selected": 0.9}]}
    assert found["students"][verdict.best_student(found)]["name"] == headline(found).student_name == "small"


def test_small_differences_keep_a_second_digit():
    assert differences.points("accuracy", 0.0004) == "0.04 points"
    assert differences.signed_points("accuracy", -0.0004) == "−0.04"
    assert differences.signed_points("accuracy", -1e-9) == differences.signed_points("accuracy", 0.0) == "+0.00"
    assert differences.points("accuracy", 0.01) == "1.0 point"
    assert differences.points("rmse", -0.25) == "0.250"
    assert differences.points("rmse", None) == differences.signed_points("rmse", None) == "–"


def test_digits_follow_the_interval_and_no_bound_beside_0_is_shown_as_0():
    def gain(mean, low, high):
        return differences.Gain(mean, low, high, 0.001, 0.001, 3)

    of = differences.Written.of
    assert of("accuracy", gain(0.05, 0.02, 0.08)).cell(gain(0.05, 0.02, 0.08)) == "+5.0 [+2.0, +8.0]"
    narrow = gain(0.0021, 0.00002, 0.00418)
    assert of("accuracy", narrow).cell(narrow) == "+0.21 [+0.002, +0.42]"
    assert "95 %: +0.002 to +0.42" in of("accuracy", narrow).interval(narrow)
    below = gain(-0.0246, -0.0492, -0.00003)
    assert "95 %: −4.9 to −0.003" in of("accuracy", below).interval(below)
    assert of("rmse", gain(120.0, 20.0, 220.0)).signed(-1234.5) == "−1,234"
    assert of("rmse", gain(0.0, 0.0, 0.0)).signed(None) == "–"
    assert of("accuracy", gain(0.01, 0.0, 0.02)).amount(0.01) == "1.0 point"


@pytest.mark.parametrize(
    ("task", "lead", "told"), [("binary", 0.02, False), ("binary", -0.02, True), ("regression", -0.02, False)]
)
def test_a_teacher_that_scores_below_the_small_model_alone_is_said_so(task, lead, told):
    found = result(task=task, verdict="inconclusive")
    name = found["metric"]["name"]
    found["teacher"]["metrics"][name] = found["students"][0]["baseline"]["metrics"][name]["mean"] + lead
    said = verdict.judge(found, 0).weak
    assert (said is not None) == told
    if told:
        above = found["students"][0]["versus_teacher"][name]
        above["ci95"] = [-0.01, 0.03]
        assert "too near to tell which is better" in plain(verdict.judge(found, 0).weak)
        assert "not clear which of the two" in plain(verdict.judge(found, 0).teacher)
        above |= {"mean": 0.02, "ci95": [0.01, 0.03]}
        said = verdict.judge(found, 0).weak
        assert "worse on the test rows than the small model alone: 0.860 against 0.880 ROC-AUC" in plain(said)
    found["students"][0]["reason"] = {"code": "no_room"}
    assert verdict.judge(found, 0).weak is None  # the likely reason says it
    found["students"][0] |= {"reason": None, "verdict": "beats"}
    assert verdict.judge(found, 0).weak is None


def test_bounds_need_two_values():
    assert bounds([0.5], "accuracy") == (None, None)
    low, high = bounds([0.4, 0.5, 0.6], "accuracy")
    assert low < 0.4 < 0.6 < high


def test_a_gap_that_is_not_told_says_whether_the_teacher_is_ahead():
    from pages.ui.arms.table import _no_gap

    pairs = {"precision": (1.0, 0.3), "rmse": (2.0, 1.5), "recall": (0.1, 0.1), "unknown": (None, None)}
    said = [_no_gap(n, *v) for n, v in pairs.items()]
    none = "teacher not above baseline"
    assert said == ["teacher not surely above baseline", none, none, none]


def test_that_the_teacher_is_not_ahead_is_said_once_a_table():
    from pages.ui.arms.table import comparison_frame

    found = result(verdict="hurts")
    metrics = found["students"][0]["metrics"]
    found["teacher"]["metrics"] = {n: -1e9 if not differences.lower_is_better(n) else 1e9 for n in metrics}
    found["students"][0]["gap_closed"] = {}
    gaps = list(comparison_frame(found, 0)[str(text.t("runs.result.gap"))])
    said = [g for g in gaps if "teacher not above baseline" in g]
    assert len(said) == 1 and said[0] == gaps[0] and len(metrics) > 3


def test_answers_that_are_the_labels_are_not_compared_with_the_teacher():
    found = result()
    found["students"][0]["versus_teacher"] = {}
    found["teacher"]["metrics"] = dict.fromkeys(found["teacher"]["metrics"])
    assert plain(verdict.judge(found, 0).teacher).startswith("ROC-AUC can't be compared on these rows")
    found["dataset"]["answer_columns"] = ["p_no", "p_yes"]
    said = plain(verdict.judge(found, 0).teacher)
    assert said.startswith("No comparison: there are no true labels, only the teacher's own answers")


def test_which_names_a_file_knows_is_said_in_one_sentence():
    found = result()
    assert verdict.judge(found, 0).names is None
    columns = {"code": [714, 3035], HOSTILE: [0, 40], "country": [30, 30]}
    found["students"][0].setdefault("deployed", {})["names"] = {"columns": columns, "bytes": 8_800, "of_bytes": 127_700}
    said = plain(verdict.judge(found, 0).names)
    assert said.startswith(
        "Of the values of category columns the file knows the commonest alone, 714 of 3,035 of code and 0 of 40 of "
    )
    assert said.endswith(": 8.6 KB of names instead of 125 KB.") and "country" not in said


def test_no_interval_reaches_beyond_the_best_score_there_can_be():
    near = [0.99, 0.995, 1.0]
    assert bounds(near, "roc_auc")[1] == 1.0 < bounds(near, "rmse")[1]
    assert (most("roc_auc"), most("rmse")) == (1.0, None)
