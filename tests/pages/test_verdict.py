"""The sentences a result is told in."""

import pytest

from pages.ui import text, verdict
from pages.ui.spread import bounds
from tests.pages.fixtures import HOSTILE, result


def plain(words):
    """Undo the escaping of characters that markup would read, to compare with what a person reads."""
    import html

    return html.unescape(str(words)).replace("\u2060", "")


def test_a_gain_is_told_in_points_with_interval_seeds_and_what_is_kept():
    said = verdict.judge(result(), 0)
    assert said.word == "beats"
    assert plain(said.gain) == (
        "The tiny student gains 0.9 points of ROC-AUC from the teacher (95 %: +0.7 to +1.1, 3 seeds)."
    )
    assert plain(said.keeps) == (
        "It keeps 96.0 % of the teacher's ROC-AUC at 1/215 of the size and 1/160 of the latency (p50, batch 1, 1 thread, "
        "AMD EPYC 7B13; the teacher in scikit-learn, the student in ONNX Runtime)."
    )
    assert said.reason is None and said.next is None and said.warnings == ()


def test_a_loss_is_told_as_a_loss_with_reason_and_next_step():
    found = result(verdict="hurts", reason={"code": "soft_share", "values": {"alpha": 0.9}})
    said = verdict.judge(found, 0)
    assert plain(said.gain).startswith("The tiny student loses 2.0 points of ROC-AUC by following the teacher")
    assert "soft weight of 0.9" in plain(said.reason)
    assert plain(said.next).startswith("Clone the run with a soft weight of 0.5")


@pytest.mark.parametrize(
    ("word", "start"),
    [
        ("ties", "With or without the teacher, the tiny student does equally well: +0.1 points of accuracy"),
        ("inconclusive", "It is not clear whether the teacher helps the tiny student: +0.4 points of accuracy"),
    ],
)
def test_no_difference_and_no_answer_are_told_plainly(word, start):
    said = verdict.judge(result(task="multiclass", verdict=word), 0)
    assert plain(said.gain).startswith(start)


def test_an_error_metric_is_told_in_its_own_unit_and_direction():
    found = result(task="regression")
    said = verdict.judge(found, 0)
    assert plain(said.gain) == (
        "The teacher lowers the RMSE of the tiny student by 0.009 (95 %: +0.007 to +0.011, above 0 is better, 3 seeds)."
    )
    assert plain(said.keeps).startswith("Its RMSE is 0.871, the teacher's 0.834, at 1/215 of the size")
    worse = verdict.judge(result(task="regression", verdict="hurts"), 0)
    assert plain(worse.gain).startswith("Following the teacher raises the RMSE of the tiny student by 0.020")


def test_one_seed_has_no_interval_and_says_so():
    found = result(verdict="inconclusive", seeds=1, reason={"code": "one_seed", "values": {}})
    said = verdict.judge(found, 0)
    assert "(1 seed, so no interval)" in plain(said.gain)
    assert plain(said.next) == "Clone the run with 3 or more seeds."


def test_no_room_is_said_even_without_a_reason_in_the_result():
    found = result(verdict="ties", reason={}, room=[{"student": "tiny", "room": False}])
    assert "no room to gain" in plain(verdict.judge(found, 0).reason)
    gained = result(verdict="beats", reason={"code": "gain", "values": {}}, room=[{"student": "tiny", "room": False}])
    assert verdict.judge(gained, 0).reason is None  # "no room to gain" would contradict the gain


def test_every_reason_of_the_engine_has_words():
    import inspect
    import re

    from kd_core.runs.result import ResultBuilder

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
    assert "not faster than the teacher: 0.005 ms against 0.004 ms" in plain(verdict.judge(found, 0).warnings[0])
    assert verdict.latency_pair(found["teacher"], found["students"][0])[2] == "onnxruntime"


def test_a_latency_that_could_not_be_measured_is_left_out():
    found = result()
    found["students"][0]["latency_ms"] = {"onnxruntime": {"reason": "no exporter"}}
    assert verdict.latency_pair(found["teacher"], found["students"][0]) is None
    assert "latency" not in plain(verdict.judge(found, 0).keeps)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_student_name_never_becomes_markup(name):
    said = verdict.judge(result(students=(name,)), 0)
    for sign in ("<script", "![", "](", "$"):
        assert sign not in said.gain
    assert name in plain(said.gain)


def test_the_student_shown_first_is_the_one_in_the_list_of_runs():
    from kd_core.runs.rows import headline

    found = result(students=("tiny", "small"))
    found["students"][1]["metrics"]["roc_auc"]["mean"] += 0.01
    assert found["students"][verdict.best_student(found)]["name"] == headline(found).student_name == "small"


def test_small_differences_keep_a_second_digit():
    assert verdict.points("accuracy", 0.0004) == "0.04 points"
    assert verdict.signed_points("accuracy", -0.0004) == "−0.04"
    assert verdict.signed_points("accuracy", -1e-9) == verdict.signed_points("accuracy", 0.0) == "+0.00"
    assert verdict.points("accuracy", 0.01) == "1.0 point"
    assert verdict.points("rmse", -0.25) == "0.250"
    assert verdict.points("rmse", None) == verdict.signed_points("rmse", None) == "–"


def test_bounds_need_two_values():
    assert bounds([0.5]) == (None, None)
    low, high = bounds([0.4, 0.5, 0.6])
    assert low < 0.4 < 0.6 < high


def test_a_gap_that_is_not_told_says_whether_the_teacher_is_ahead():
    from pages.ui.result import _no_gap

    teacher = {"metrics": {"precision": 1.0, "rmse": 2.0, "recall": 0.1}}
    baseline = {"metrics": {"precision": {"mean": 0.3}, "rmse": {"mean": 1.5}, "recall": {"mean": 0.1}}}
    said = [_no_gap(n, teacher, baseline) for n in ("precision", "rmse", "recall", "unknown")]
    assert said == ["within the noise", "no room to gain", "no room to gain", "no room to gain"]
