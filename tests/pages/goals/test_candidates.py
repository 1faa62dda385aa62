"""Who meets what a person asks, and who is named as the one to ship."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pages.ui.goals.candidates import Candidate, Goals, answer, named, pick, price, rival, second
from pages.ui.goals.candidates import words as say
from pages.ui.result import comparison
from tests.pages.fixtures import done_run, store
from tests.pages.screen import jobs  # noqa: F401


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def entries(*ids):
    runs = store()
    return [e for i in ids for e in comparison.entries(runs.get(i), runs.folder(i))]


def goals_of(found, metric, worst, **most):
    return Goals(metric, worst, most), [comparison.candidate(e, metric) for e in found]


def test_goals_say_who_passes():
    asked, found = goals_of(entries(done_run(students=("tiny", "small"))), "roc_auc", 0.886, size=1330.0)
    assert [asked.meets(c) for c in found] == [True, False] and asked.missed(found[1]) == ["size"]
    strict, found = goals_of(entries(done_run()), "roc_auc", 0.925, size=1e9)
    assert strict.meets(found[0]) is False and strict.missed(found[0]) == ["metric"]
    edge, found = goals_of(entries(done_run()), "roc_auc", 0.88, size=1240.0, latency=0.005)
    assert edge.meets(found[0]) is True  # exactly as large and as slow as asked is good enough


def test_goals_for_errors_count_downwards_and_unknown_costs_are_said():
    asked, found = goals_of(entries(done_run("regression")), "rmse", 0.884)
    assert asked.meets(found[0]) is True
    assert goals_of([], "rmse", 0.87)[0].meets(found[0]) is False
    open_goal = Goals("rmse", 0.884, {"parameters": 10.0})
    assert open_goal.meets(found[0]) is None and open_goal.unknown(found[0]) == ["parameters"]


def test_the_pick_is_the_smallest_that_meets_all_and_is_said_in_words():
    found = [
        Candidate("a", "small", 0.92, {"size": 5400.0, "latency": 0.01}),
        Candidate("b", "base", 0.93, {"size": 90_000.0, "latency": 0.02}),
        Candidate("c", "tiny", 0.85, {"size": 1200.0, "latency": 0.008}),
    ]
    asked = Goals("roc_auc", 0.9, {"size": 10_240.0, "latency": 0.015})
    assert pick(found, asked) is found[0] and say(found[0], asked) == "small: 5.3 KB, 10 µs, meets all"
    assert pick(found, Goals("roc_auc", 0.8)) is found[2]
    equal = [replace(found[0], id=i, validation=v) for i, v in (("x", 0.8), ("y", 0.9), ("z", None))]
    assert pick(equal, asked).id == "y" and pick(equal, Goals("rmse", 0.95)).id == "x"
    hard = Goals("roc_auc", 0.95, {"size": 100_000.0, "latency": 0.001})
    assert pick(found, hard) is found[2]
    said = "ROC-AUC by 10.0 points (0.850, asked 0.950), latency by 7 µs (8 µs, asked 1 µs)"
    assert say(found[2], hard) == f"tiny: 1.2 KB, 8 µs, misses {said}"
    unknown = [Candidate("d", "new", 0.99, {"size": 10.0, "latency": None})]
    assert say(unknown[0], asked) == "new: 10 B, latency not known" and pick([], asked) is None


def test_the_pick_says_what_it_gives_away_and_who_scores_higher():
    found = [
        Candidate(
            "a", "tiny", 0.84, {"size": 500.0, "latency": 0.1}, None, "−1.0 points [−1.5, −0.4] against the teacher"
        ),
        Candidate("b", "small", 0.86, {"size": 900.0, "latency": 0.1}),
        Candidate("c", "base", 0.87, {"size": 9000.0, "latency": 0.1}),
    ]
    asked = Goals("roc_auc", 0.8, {"size": 1000.0})
    said = [str(words) for words in price(found, asked)]
    assert said[0].startswith("0.840 ROC-AUC, −1.0 points") and said[1].startswith("small (900 B) scores better: 0.860")
    assert len(price(found[2:], asked)) == 1  # misses a goal: nobody else is set beside it


def test_nobody_is_said_to_score_higher_than_a_plain_model_that_scores_higher():
    tiny, trees = Candidate("a", "tiny", 0.758, {"size": 4_700.0}), Candidate("b", "trees", 0.77, {"size": 5_200.0})
    plain = Candidate("p", "linear model", 0.764, {"size": 4_400.0})
    asked = Goals("roc_auc", 0.731)
    assert len(price([tiny], asked, plain)) == 1
    assert "trees (5.1 KB) scores better: 0.770" in str(price([tiny, trees], asked, plain)[1])
    errors = Goals("rmse", 0.9)
    assert len(price([trees], errors, plain)) == 1 and "tiny" in str(price([tiny], errors, plain)[1])


def test_what_meets_on_the_mean_alone_is_said_to_do_so():
    asked = Goals("roc_auc", 0.9)
    near = Candidate("a", "tiny", 0.91, {"size": 500.0}, surely=0.89)
    far = Candidate("b", "small", 0.95, {"size": 900.0}, surely=0.93)
    assert asked.meets(near) and not asked.sure(near) and asked.sure(far)
    assert say(near, asked).endswith("meets all on the mean, not surely: ROC-AUC may be 0.890, asked 0.900")
    assert say(far, asked).endswith("meets all")
    assert pick([near, far], asked) == far  # what is surely met counts more than the last bytes
    lucky = replace(near, value=0.97)  # smaller and better than the one that is named, which is no smaller one
    assert len(price([lucky, far], asked)) == 2 and "scores better" not in str(price([lucky, far], asked))
    assert str(price([near, far], asked)[-1]) == "tiny (500 B) is smaller and meets them on the mean, not surely."
    error = Goals("rmse", 0.9)
    assert not error.sure(Candidate("c", "tiny", 0.89, {}, surely=0.91)) and error.sure(replace(near, value=0.8))


def test_a_plain_model_that_is_smaller_and_better_is_a_rival_and_a_larger_one_is_not():
    own = Candidate("a", "tiny", 0.9, {"size": 500.0})
    plain = [Candidate(str(size), "trees", value, {"size": size}) for size, value in ((400.0, 0.91), (600.0, 0.95))]
    assert rival(plain, own, Goals("roc_auc")) is plain[0]
    assert rival(plain[1:], own, Goals("roc_auc")) is None
    assert rival(plain, own, Goals("rmse")) is None and rival(plain, None, Goals("rmse")) is None


def test_what_comes_nearest_is_named_where_no_model_meets_the_goals():
    asked = Goals("pr_auc", 0.42, {"size": 20_480.0, "latency": 1.0})
    tiny = Candidate("a", "tiny", 0.215, {"size": 5_400.0, "latency": 0.031})
    pairs = Candidate("b", "additive pairs", 0.411, {"size": 8_500.0, "latency": 0.04})
    large = Candidate("c", "base", 0.415, {"size": 90_000.0, "latency": 0.04})
    trees = Candidate("p", "30 trees", 0.381, {"size": 4_500.0, "latency": 0.023})
    assert pick([tiny, pairs, large], asked) == pairs  # not the smallest that misses, nor one beyond the limits
    assert answer([tiny, pairs], [trees], asked) == pairs
    assert say(pairs, asked).endswith("misses PR-AUC by 0.9 points (0.411, asked 0.420)")
    without = answer([tiny], [trees], asked)
    assert without is not None and (without.id, without.name) == ("p", "30 trees, without a teacher")
    small = Goals("pr_auc", 0.3, {"size": 4_096.0})
    assert answer([tiny, pairs], [trees], small).id == "p"  # which exceeds least
    assert "misses size by 404 B (4.4 KB, asked 4 KB)" in say(trees, small)
    better = replace(trees, value=0.43)
    assert answer([tiny], [better], asked).id == "p"  # the only one that meets them


def test_a_plain_model_that_is_smaller_better_and_as_sure_is_the_answer():
    asked = Goals("roc_auc", 0.67, {"size": 20_480.0})
    student = Candidate("a", "trees small", 0.684, {"size": 6_600.0}, surely=0.68)
    plain = Candidate("p", "30 trees", 0.687, {"size": 5_000.0}, surely=0.68)
    assert answer([student], [plain], asked).id == "p"
    assert answer([student], [replace(plain, surely=0.66)], asked) == student  # which meets them surely
    assert answer([student], [replace(plain, costs={"size": 7_000.0})], asked) == student
    assert answer([student], [replace(plain, value=0.68)], asked) == student


def test_of_two_that_are_as_good_and_as_large_the_one_without_a_teacher_is_the_answer():
    asked = Goals("roc_auc", 0.72)
    student = Candidate("a", "linear", 0.7542, {"size": 5_090.0}, surely=0.73)
    plain = Candidate("p", "linear model", 0.7538, {"size": 5_130.0}, surely=0.73)
    assert answer([student], [plain], asked).id == "p"  # both are written .754 and 5.0 KB
    assert answer([student], [replace(plain, value=0.7534)], asked) == student
    assert answer([student], [replace(plain, costs={"size": 5_400.0})], asked) == student
    assert answer([student], [replace(plain, surely=0.71)], asked) == student
    errors = Goals("rmse", 0.9)
    assert answer([replace(student, surely=None)], [replace(plain, value=0.7552)], errors) == replace(
        student, surely=None
    )
    assert answer([student], [replace(plain, value=0.75)], errors).id == "p"


def test_with_limits_alone_the_best_within_them_is_named_and_a_cheaper_plain_model_second():
    tiny = Candidate("a", "tiny", 0.854, {"size": 5_700.0, "latency": 0.028}, 0.861)
    small = Candidate("b", "small", 0.855, {"size": 7_500.0, "latency": 0.029}, 0.864)
    base = Candidate("c", "base", 0.870, {"size": 90_000.0, "latency": 0.029}, 0.880)
    limits = Goals("roc_auc", None, {"size": 8_192.0, "latency": 0.04})
    assert pick([tiny, small, base], limits) == small  # a budget is not to be undercut
    assert pick([tiny, small, base], replace(limits, worst=0.85)) == tiny  # with a score the smallest that reaches it
    lucky = replace(tiny, value=0.86)
    assert pick([lucky, small], limits) == small  # test rows choose nothing
    why = "scores better, 0.860, but not on the validation rows that chose (0.861, the named one 0.864)"
    assert why in str(price([lucky, small], limits)[1])
    alone = Candidate("p", "30 trees", 0.8555, {"size": 4_700.0})
    assert len(price([lucky, small], limits, alone)) == 1  # it was chosen by no validation rows
    assert len(price([tiny, small], limits)) == 1  # nobody scores higher, and the smaller one meets them as surely
    assert pick([lucky, replace(small, validation=None)], limits) == lucky
    assert pick([replace(tiny, costs={"size": None}), small], limits) == small
    plain = [
        Candidate("p", "30 trees", 0.851, {"size": 4_700.0, "latency": 0.021}),
        Candidate("q", "60 trees", 0.8545, {"size": 8_000.0, "latency": 0.035}),
    ]
    assert answer([tiny, small], plain, limits) == small and second(plain, small, limits) == plain[0]
    assert second(plain[1:], small, limits) == plain[1]
    errors = Goals("rmse", None, {"size": 8_192.0})
    assert pick([replace(tiny, validation=0.3), replace(small, validation=0.4)], errors).id == "a"


def test_with_limits_alone_the_named_one_is_said_to_be_the_best_within_them():
    limits = Goals("roc_auc", None, {"latency": 0.03})
    tiny = Candidate("a", "tiny", 0.85, {"size": 4_700.0, "latency": 0.028}, 0.86)
    small = Candidate("b", "small", 0.87, {"size": 7_500.0, "latency": 0.02}, 0.85)
    plain = Candidate("p", "30 trees", 0.86, {"size": 4_000.0, "latency": 0.02})
    said = str(named([tiny, small], [], tiny, limits))
    assert said.startswith("Best score within the limits, of the students on validation rows: tiny: 4.6 KB, 28 µs")
    assert "students: small" in str(named([replace(tiny, validation=None), small], [], small, limits))
    assert str(named([tiny], [plain], plain, limits)).startswith("Best score within the limits: 30 trees")
    assert str(named([tiny, small], [plain], plain, limits)).startswith("30 trees")  # which small beats
    assert str(named([tiny], [], tiny, replace(limits, worst=0.8))).startswith("tiny")
    assert str(named([tiny], [], tiny, replace(limits, most={"latency": 0.02}))).startswith("Nearest: tiny")
