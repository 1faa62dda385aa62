"""Answers of what-ifs: the words recomputed with scipy, the best chosen on validation, what is missing told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from kd_core.evaluate import METRICS
from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.settings.answers import answer, best_of
from kd_core.runs.settings.tried import METHOD, STUDENT
from tests.evaluate.intervals.test_stepping import holm_by_hand
from tests.runs.settings.grids import grid_of

HIGHER = Judge("higher", 0.005, False)


def words(found):
    return {s.name: {a.value: a.word for a in s.answers} for s in found.settings}


def by_t_and_alpha(held):
    """T above 4 costs two points, alpha other than 0.5 three."""
    return 0.02 * (held["temperature"] > 4) + 0.03 * (held["alpha"] != 0.5)


def test_one_setting():
    found = answer(grid_of(lambda h: 0.03 * (h["temperature"] == 16), temperature=(1, 4, 16), alpha=(0.5,)), HIGHER)
    (setting,) = found.settings
    assert (setting.name, found.compared, found.so_far) == ("temperature", 2, False)
    assert sorted(a.word for a in setting.answers) == ["best", "enough", "worse"] and setting.answers[2].word == "worse"


def test_each_setting_is_changed_alone_and_judged_as_scipy_does():
    tried = grid_of(by_t_and_alpha, temperature=(1, 2, 4, 8), alpha=(0.0, 0.5, 1.0), student=("tiny", "small"))
    found = answer(tried, HIGHER)
    best = next(t for t in tried if t.number == found.best)
    assert best.values["alpha"] == 0.5 and best.values["temperature"] in (1, 2, 4)
    assert found.compared == 3 + 2 + 1 and found.seeds == 5 and found.margin == 0.005
    asked = []
    for setting in found.settings:
        for one in setting.answers:
            cell = next(t for t in tried if t.number == one.cell)
            assert cell.values == {**best.values, setting.name: one.value}
            if one.word != "best":
                asked.append((one, [best.scores[n] - cell.scores[n] for n in range(5)]))
    p_near = [float(stats.ttest_1samp(d, 0.005).pvalue) if np.mean(d) < 0.005 else 1.0 for _, d in asked]
    p_far = [float(stats.ttest_1samp(d, 0).pvalue) if np.mean(d) > 0 else 1.0 for _, d in asked]
    for (one, d), near, far in zip(asked, holm_by_hand(p_near), holm_by_hand(p_far, len(tried) * 6 // 2), strict=True):
        assert one.word == ("enough" if near < 0.05 else "worse" if far < 0.05 else "unclear")
        assert one.behind.mean == pytest.approx(np.mean(d)) and one.behind.n == 5
    told = words(found)
    assert told["temperature"][8] == "worse" and told["alpha"] == {0.0: "worse", 0.5: "best", 1.0: "worse"}


@pytest.mark.parametrize("metric", METRICS.names())
def test_every_metric_is_read_the_way_it_is_better(metric):
    facts = METRICS.get(metric).facts
    judge = Judge(facts["better"], facts["margin"], facts["relative"])
    sign, base = (1.0, 0.8) if judge.better == "higher" else (-1.0, 12.0)
    tried = grid_of(lambda h: 0.6 * (h["temperature"] == 16), temperature=(1, 16), alpha=(0.5,), sign=sign, base=base)
    found = answer(tried, judge)
    assert words(found)["temperature"] == {1: "best", 16: "worse"}
    assert found.settings[0].answers[1].behind.mean == pytest.approx(0.6, abs=0.01)
    alone = base - 0.05  # of each baseline
    assert found.margin == pytest.approx(facts["margin"] * (alone if facts["relative"] else 1.0))


def test_the_best_is_the_one_that_was_chosen_on_validation():
    tried = grid_of(lambda h: 0.0, temperature=(1, 4), alpha=(0.5,))
    assert answer(tried, HIGHER, best=1).best == 1 and answer(tried, HIGHER, best=0).best == 0
    means = [np.mean(list(t.scores.values())) for t in tried]
    assert answer(tried, HIGHER).best == int(np.argmax(means)) == best_of(tried, "higher").number
    assert best_of(tried, "lower").number == int(np.argmin(means))


def test_a_cell_with_fewer_seeds_never_wins_by_it():
    tried = grid_of(lambda h: 0.03 * (h["temperature"] == 1), temperature=(1, 4), alpha=(0.5,))
    for seed in (3, 4):
        tried[1].scores.pop(seed)
    assert best_of(tried, "higher").number == 0
    (setting,) = answer(tried, HIGHER).settings
    assert setting.answers[1].behind.n == 3 and setting.answers[1].behind.mean < 0  # over the seeds that both have


def test_at_alpha_0_t_and_the_method_are_the_same_training():
    tried = grid_of(lambda h: 0.05 * (h["alpha"] > 0), temperature=(1, 4), alpha=(0.0, 0.5), method=("hinton", "dkd"))
    told = words(answer(tried, HIGHER, best=0))
    assert set(told["temperature"].values()) == {"best", "same"} == set(told[METHOD].values())
    assert told["alpha"] == {0.0: "best", 0.5: "worse"}


def test_a_method_without_t_is_compared_at_its_own_best_and_counts_all_that_were_looked_at():
    tried = grid_of(
        lambda h: 0.02 * (h["method"] == "fitnet"), temperature=(1, 4), alpha=(0.5,), method=("hinton", "fitnet")
    )
    tried = [t for t in tried if t.values[METHOD] == "hinton" or t.values["temperature"] == 1]
    for t in tried:
        if t.values[METHOD] == "fitnet":
            t.values["temperature"] = t.values["alpha"] = None
    found = answer(tried, HIGHER)
    assert words(found)[METHOD] == {"hinton": "best", "fitnet": "worse"} and found.compared == 2
    turned = answer(tried, HIGHER, best=next(t.number for t in tried if t.values[METHOD] == "fitnet"))
    assert words(turned)["temperature"] == {1: "same", 4: "same"}
    assert turned.compared == 2  # both temperatures of the other method were looked at


def test_what_has_no_score_is_told_by_its_reason():
    states = {0: "failed", 1: "waiting", 2: "stopped"}
    found = answer(grid_of(lambda h: 0.0, temperature=(1, 2, 4, 8), alpha=(0.5,), states=states), HIGHER)
    assert words(found)["temperature"] == {1: "failed", 2: "waiting", 4: "stopped", 8: "best"}
    assert found.so_far and found.compared == 0


def test_without_any_score_there_is_no_answer():
    tried = grid_of(lambda h: 0.0, temperature=(1, 2), alpha=(0.5,), states={0: "waiting", 1: "waiting"})
    found = answer(tried, HIGHER)
    assert (found.best, found.settings, found.so_far) == (None, (), True)


def test_one_seed_leaves_all_open():
    found = answer(grid_of(lambda h: 0.03 * (h["temperature"] == 1), seeds=1, temperature=(1, 4), alpha=(0.5,)), HIGHER)
    assert words(found)["temperature"] == {1: "unclear", 4: "best"} and (found.seeds, found.need) == (1, 3)


def test_students_keep_their_order_and_numbers_go_up():
    tried = grid_of(lambda h: 0.0, student=("small", "base", "tiny"), learning_rate=(0.1, 0.01))
    values = {s.name: [a.value for a in s.answers] for s in answer(tried, HIGHER).settings}
    assert values == {"learning_rate": [0.01, 0.1], STUDENT: ["small", "base", "tiny"]}


def test_the_frame_is_every_cell_but_the_worse_ones_and_never_against_the_words():
    tried = grid_of(by_t_and_alpha, temperature=(1, 2, 4, 8), alpha=(0.0, 0.5, 1.0), spread=0.008)
    found = answer(tried, HIGHER)
    best = next(t for t in tried if t.number == found.best)
    named = {a.cell: a.word for s in found.settings for a in s.answers}
    assert {number for number, word in named.items() if word != "worse"} <= set(found.alike)
    assert not {number for number, word in named.items() if word == "worse"} & set(found.alike)
    others = [t for t in tried if t.number not in named]
    gaps = {t.number: np.array([best.scores[n] - t.scores[n] for n in range(5)]) for t in others}
    p_far = [float(stats.ttest_1samp(d, 0).pvalue) if d.mean() > 0 else 1.0 for d in gaps.values()]
    pairs = len(tried) * (len(tried) - 1) // 2  # the best could have been any of them
    clear = {n for n, p in zip(gaps, holm_by_hand(p_far, pairs), strict=True) if p < 0.05}
    assert clear and {n for n in gaps if n not in found.alike} == clear and len(clear) < len(gaps)


def test_what_is_the_very_training_of_a_judged_cell_has_its_word():
    found = grid_of(by_t_and_alpha, temperature=(1, 2, 4, 8), alpha=(0.0, 0.5), spread=0.003)
    alone = next(t for t in found if t.values["alpha"] == 0).scores  # alpha 0 is one training at every T
    tried = [replace(t, scores=alone) if t.values["alpha"] == 0 else t for t in found]
    told = answer(tried, HIGHER)
    assert words(told)["alpha"][0.0] == "worse"
    assert not {t.number for t in tried if t.values["alpha"] == 0} & set(told.alike)


def test_with_one_seed_the_margin_decides_the_frame():
    found = answer(grid_of(lambda h: 0.03 * (h["temperature"] == 1), seeds=1, temperature=(1, 2, 4)), HIGHER)
    assert len(found.alike) == 2 and found.best in found.alike and 0 not in found.alike
