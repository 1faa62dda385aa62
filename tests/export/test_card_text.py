"""The card says what was measured, in plain words, whatever names are in the data."""

from __future__ import annotations

from typing import get_args

import pytest

from kd_core.export.card_text import card_text, readme_text
from kd_core.runs.plain.told import Standing

CARD = {
    "name": "tiny <b>|x|</b>",
    "made_by": "KD Workbench 0.1.0",
    "run": "r1",
    "created_utc": "2026-11-27T08:00:00+00:00",
    "licence": "",
    "target": "# bought\n*now*",
    "classes": [f"c{i}" for i in range(12)],
    "data": {"name": "a.csv", "hash": "ab" * 32, "rows": {"train": 1000, "validation": 200, "test": 300}},
    "architecture": {"name": "mlp", "settings": {"size": "tiny"}, "reads": "table"},
    "metric": {"name": "accuracy", "title": "accuracy"},
    "metrics": {"accuracy": {"mean": 0.8, "values": [0.79, 0.81]}, "brier": {"mean": None, "values": []}},
    "gain": {"accuracy": {"mean": 0.0123, "ci95": [0.001, 0.02]}, "brier": {"mean": 0.5, "ci95": [None, None]}},
    "baseline": {"accuracy": {"mean": 0.7877}},
    "teacher": {"name": "lightgbm", "metrics": {"accuracy": 0.85}},
    "taught": True,
    "verdict": "beats",
    "seeds": [0, 1],
    "seed": 1,
    "recipe": {"name": "x"},
    "environment": {"device_name": "A CPU"},
    "latency_ms": {"whole": {"1": {"p50": 0.01234}}},
    "parameters": 1066,
    "size_bytes": 2301,
    "references": [{"what": "Soft labels", "source": "arXiv:1503.02531"}],
    "limits": ["It knows 12 classes and no other."],
}


def test_what_was_measured_stands_with_its_interval_and_beside_the_others():
    text = card_text(CARD, ["numpy==2.4.6"])
    assert "| accuracy (chosen by it) | 0.8 (0.79 to 0.81) | 2 | 0.7877 | +0.0123 (+0.001 to +0.02) | 0.85 |" in text
    assert "| brier | – | 0 | – | +0.5 | – |" in text and "Measured on 300 rows that it never learned from" in text
    assert "better than the same model taught without a teacher, by the interval" in text
    assert (
        "1,066" in text
        and "2,301 bytes" in text
        and "One of 2 trainings: the one with seed 1" in text
        and "0.0123 ms (median, one thread, A CPU)" in text
    )
    assert (
        "Teacher: lightgbm" in text
        and "one of 12 classes (c0, c1" in text
        and ", c9, ...)" in text
        and "c10" not in text
    )
    assert (
        "numpy==2.4.6" in text
        and "ab" * 32 in text
        and "Soft labels: arXiv:1503.02531" in text
        and "Not stated." in text
    )


def test_names_from_data_are_no_markup():
    text = card_text(CARD, [])
    assert text.splitlines()[0] == r"# tiny \<b\>\|x\|\</b\>" and r"**\# bought \*now\***" in text
    assert card_text({**CARD, "name": "trees_30x4"}, []).startswith("# trees_30x4\n")  # marks nothing within a word
    assert card_text({**CARD, "name": "_a_ b_"}, []).startswith("# \\_a\\_ b\\_\n")
    assert "mine \\<i\\>" in card_text({**CARD, "licence": "mine <i>"}, [])


def test_a_model_without_a_teacher_says_so():
    alone = {k: v for k, v in CARD.items() if k not in ("gain", "verdict")} | {"taught": False}
    text = card_text(alone, [])
    assert "learned without a teacher" in text and "Teacher: none" in text and "better than the same" not in text
    plain = {**alone, "plain": True, "metrics": {}, "selected": 0.8125, "baseline": None, "latency_ms": {}}
    text = card_text(plain, [])
    assert "compared on validation rows only: accuracy 0.8125. No test row was spent on it" in text
    assert (
        "A plain model, taught by the labels alone" in text and "Measured on 300" not in text and "(median" not in text
    )
    number = card_text({**plain, "classes": [], "selected": None}, [])
    assert "with a number: the column" in number and "tells no metrics of it" in number


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("ahead", "this one is better"),
        ("behind", "that one is better"),
        ("level", "as good"),
        ("unclear", "which of the two is better is not clear"),
    ],
)
def test_the_best_plain_model_stands_with_its_score_and_what_can_be_told(word, said):
    name = CARD["metric"]["name"]
    best = {"name": "trees_4", "title": "4 trees", "word": word, "metrics": {name: {"mean": 0.75}}}
    best["gain"] = {name: {"mean": 0.05, "ci95": [0.01, 0.09]}}
    text = card_text(CARD | {"taught": True, "reference": {"best": best}}, [])
    assert f"4 trees, {CARD['metric']['title']} 0.75; this one's difference to it" in text
    assert f"+0.05 (+0.01 to +0.09): {said}." in text
    both = {"best": best, "smallest": {**best, "title": "a linear model"}}
    smaller = card_text(CARD | {"taught": True, "reference": both}, [])
    assert "A smaller plain model that kept up on validation rows: a linear model" in smaller
    assert "linear" not in card_text(CARD | {"reference": {"best": best, "smallest": {"title": "a linear model"}}}, [])
    assert set(get_args(Standing)) == {"ahead", "behind", "level", "unclear"}  # the words of results are those above
    older = {"name": "trees_4", "title": "4 trees"}
    assert "size: 4 trees." in card_text(CARD | {"taught": True, "reference": {"best": older}}, [])


def test_a_plain_model_is_named_in_words_in_card_and_readme():
    plain = CARD | {"name": "plain trees_30x4", "title": "30 trees of 4 leaves", "plain": True, "taught": False}
    for said in (card_text(plain, []), readme_text(plain, "sample.csv")):
        assert said.startswith("# 30 trees of 4 leaves, a plain model\n")
    older = {k: v for k, v in plain.items() if k != "title"}
    assert card_text(older, []).startswith("# plain trees_30x4\n")


def test_rows_that_were_split_by_time_are_told_to_be_the_newest():
    assert "never learned from." in card_text(CARD, [])
    assert "never learned from: the newest of the file, by the column ordered at." in card_text(
        {**CARD, "time": "ordered at"}, []
    )


def test_a_student_is_titled_with_its_kind():
    assert card_text({**CARD, "called": "piecewise tiny (MLP on piecewise-linear numbers)"}, []).startswith(
        "# piecewise tiny (MLP on piecewise-linear numbers)\n"
    )
