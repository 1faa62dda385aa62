"""Several targets of a row: what their task's name may hold, which rows teach which target, and how answers are taken apart."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from kd_core.distill import objective
from kd_core.errors import SpecError
from kd_core.evaluate.answers import from_logits
from kd_core.models.base import Outputs
from kd_core.specs import Choice
from kd_core.task import kind_of, task_of
from tests.laws.losses.several_rows import SEVERAL, labels, perfect

KIND = kind_of(SEVERAL)
HEAD = '{"name":"a","task":"regression"}'


def test_the_heads_are_slices_of_the_logits_and_the_name_reads_back():
    task = task_of(SEVERAL)
    assert [(h.name, h.task, h.columns) for h in task.heads] == [
        ("bought", "binary", slice(0, 2)),
        ("minutes", "regression", slice(2, 3)),
        ("shop", "multiclass", slice(3, 6)),
    ]
    assert task_of(task.name) is task and task.num_outputs(6) == 6
    assert task.kinds(6) == (("classes", (0, 1)), ("number", (2,)), ("classes", (3, 4, 5)))


@pytest.mark.parametrize(
    "more",
    [
        "[]",
        "[1]",
        f"[{HEAD}]",
        f"[{HEAD},{HEAD}]",
        '[{"name":"a","task":"no such"},' + HEAD.replace('"a"', '"b"') + "]",
        f'[{HEAD},{{"name":"b","task":"binary","classes":["only"]}}]',
        f'[{HEAD},{{"name":"b","task":"binary","classes":["x","y","z"]}}]',
        f'[{HEAD},{{"name":"b","task":"multiclass","classes":["x","y"]}}]',
        f'[{HEAD},{{"name":"b","task":"regression","classes":["x","y"]}}]',
        f'[{HEAD},{{"name":"b","task":"ranking"}}]',
        f'[{HEAD},{{"name":"","task":"regression"}}]',
        f'[{HEAD},{{"name":"b","task":"regression","more":1}}]',
        f'[{HEAD},{{"name":"b","task":"{KIND}:[]"}}]',
        "[" + ",".join(HEAD.replace('"a"', f'"{i}"') for i in range(31)) + "]",
        "[" * 100_000,
        "a",
        "=regression",
        "a=regression,a=binary",
        "a=multilabel",
        '{"a":1}',
    ],
)
def test_a_name_that_makes_no_sense_is_refused(more):
    with pytest.raises(SpecError) as raised:
        task_of(f"{KIND}:{more}")
    assert raised.value.code == "bad_task" and len(str(raised.value)) < 500


def test_a_person_names_tasks_by_pairs_or_as_json():
    assert task_of(f"{KIND}:rating=regression, type = x=binary").asked == (
        ("rating", "regression"),
        ("type = x", "binary"),
    )
    assert task_of(f'{KIND}:{{"a,b":"regression"}}').asked == (("a,b", "regression"),)


def test_a_row_teaches_the_targets_that_it_knows_and_no_other():
    task, y = task_of(SEVERAL), labels(40, unknown=0.4)
    y = task.scaled(y, *task.scale(y))
    z = torch.zeros(40, 6, requires_grad=True)
    task.hard_loss()(Outputs(z), torch.from_numpy(y)).backward()
    moved = np.stack([z.grad[:, s].abs().sum(1) > 0 for s in (slice(0, 2), slice(2, 3), slice(3, 6))], axis=1)
    assert (moved == ~np.isnan(y)).all() and 0 < (~moved).sum() < moved.size


def test_every_head_weighs_the_same():
    task, y = task_of(SEVERAL), labels(40, unknown=0.0)
    y, z = task.scaled(y, *task.scale(y)), np.random.default_rng(3).normal(size=(40, 6))
    parts = task.parts(y, z, 0.0, 1.0)
    each = []
    for name, own, logits in parts.values():
        loss = task_of(name).hard_loss()(
            Outputs(torch.tensor(logits)), torch.from_numpy(own.astype(task_of(name).learned_dtype))
        )
        each.append(float(loss))
    assert float(task.hard_loss()(Outputs(torch.tensor(z)), torch.from_numpy(y))) == pytest.approx(
        np.mean(each), rel=1e-6
    )


def test_parts_hold_known_rows_in_their_own_unit():
    task, y = task_of(SEVERAL), labels(60, unknown=0.3)
    mean, std = task.scale(y)
    assert mean[1] == pytest.approx(np.nanmean(y[:, 1])) and (mean[[0, 2]] == 0).all() and (std[[0, 2]] == 1).all()
    found = from_logits(SEVERAL, y, task.perfect(task.scaled(y, mean, std), 6), mean, std)
    known = task.known_in_parts(y)
    for at, (name, part) in enumerate(found.parts.items()):
        assert len(part.y) == known[name].sum() < 60
        np.testing.assert_allclose(
            part.predicted if part.values is None else part.values, y[known[name], at], rtol=1e-6
        )


def test_the_table_is_probabilities_and_values_side_by_side():
    task, z = task_of(SEVERAL), perfect(labels(20, unknown=0.0), 2.0)
    table = task.table(z, np.array([0.0, 300.0, 0.0]), np.array([1.0, 12.0, 1.0]))
    np.testing.assert_allclose(table[:, :2].sum(1), 1)
    np.testing.assert_allclose(table[:, 3:].sum(1), 1)
    np.testing.assert_allclose(table[:, 2], labels(20, unknown=0.0)[:, 1])


def test_losses_of_one_softmax_are_refused_with_the_reason():
    y = labels(12, unknown=0.0).astype(np.float32)
    z = np.zeros((12, 6), np.float32)
    for name in ("hinton", "dkd", "soft_ce", "bernoulli_kd", "listwise_kd"):
        with pytest.raises(SpecError, match=r"works (for|where)") as raised:
            objective.make(SEVERAL, Choice(name=name), y, z)
        assert raised.value.code == "objective_task"
    objective.make(SEVERAL, Choice(name="by_task"), y, z)


def test_strata_follow_the_first_target_and_rows_that_lack_it_are_one_more():
    y = labels(200, unknown=0.2)
    found = task_of(SEVERAL).strata(y)
    assert set(found) == {0, 1, 2} and (found[np.isnan(y[:, 0])] == 2).all()
    assert (found[~np.isnan(y[:, 0])] == y[~np.isnan(y[:, 0]), 0]).all()
