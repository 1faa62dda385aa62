"""Which of a student's seeds is deployed."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kd_core.runs.cells import judging
from kd_core.runs.cells.cell_scores import Judge
from kd_core.runs.cells.judging import Judging
from kd_core.runs.deployment import Deployment
from kd_core.specs import Choice

SCORES, SIZES = (0.7, 0.9, 0.8), (10, 30, 20)


def kept(monkeypatch, most, better="higher", sizes=SIZES):
    """Return the seed that is kept, and those whose files were written."""
    made = []

    def deploy(module, dataset, arch, rule):
        made.append(module)
        size = sizes[module]
        return Deployment(None, reason="no file") if size is None else Deployment(b"x" * size)

    monkeypatch.setattr(judging, "deploy", deploy)
    one = Judging.__new__(Judging)
    one.judge, one.most_bytes, one.dataset, one.rule = Judge(better, 0.01, False), most, None, None
    student = [
        SimpleNamespace(module=i, record=SimpleNamespace(score_selected=score)) for i, score in enumerate(SCORES)
    ]
    seed, deployed = one._deployed(student, Choice(name="mlp"))
    assert deployed.data is None or len(deployed.data) == sizes[seed]
    return seed, made


@pytest.mark.parametrize("better, best", [("higher", 1), ("lower", 0)])
def test_without_a_limit_it_is_the_best_on_validation(monkeypatch, better, best):
    assert kept(monkeypatch, None, better) == (best, [best])


@pytest.mark.parametrize("most, wanted, tried", [(30, 1, [1]), (29, 2, [1, 2]), (20, 2, [1, 2]), (19, 0, [1, 2, 0])])
def test_with_a_limit_it_is_the_best_whose_file_keeps_it(monkeypatch, most, wanted, tried):
    assert kept(monkeypatch, most) == (wanted, tried)


def test_where_no_file_keeps_the_limit_it_is_the_smallest(monkeypatch):
    assert kept(monkeypatch, 5) == (0, [1, 2, 0])


def test_a_student_without_a_file_is_not_asked_again_with_every_seed(monkeypatch):
    assert kept(monkeypatch, 5, sizes=(None, None, None)) == (1, [1])
