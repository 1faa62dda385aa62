"""The gradient of every loss for a stack: what torch finds by differentiating the registered loss."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from kd_core.distill import LOSSES
from kd_core.distill import objective as objectives
from kd_core.distill.stack.stacked_lesson import StackedLesson
from kd_core.errors import SpecError
from kd_core.models import Outputs
from kd_core.registry import Situation
from kd_core.specs import Choice
from kd_core.task import IN_PARTS, TASKS, kind_of, task_of
from tests.laws.loss_cases import spread
from tests.laws.losses.several_rows import SEVERAL, labels

NETWORKS, ROWS, BATCH = 6, 23, 9
OUTPUTS = {"binary": 2, "multiclass": 10, "multilabel": 5, "regression": 1, SEVERAL: 6}
NAMED = [SEVERAL if IN_PARTS(task_of(name)) else name for name in TASKS.names()]
STACKABLE = [t for t in NAMED if not (task_of(t).by_group or task_of(t).compact)]  # the others are refused in words
STACKED = [e for e in LOSSES.entries() if "module" not in e.facts and "student_features" not in e.needs]
CASES = [(e.name, t) for e in STACKED for t in STACKABLE if e.why_not(Situation(t, OUTPUTS[t])) is None]
EVERY = pytest.mark.parametrize(("name", "task"), CASES, ids=[f"{name}-{kind_of(task)}" for name, task in CASES])
CPU = torch.device("cpu")
CLOSE = 3e-5  # of sums of float32: 1.4e-5 was met on a processor with AVX2 alone


def choices(name):
    """Settings that differ in all a loss has, the baseline and weights of 0 and 1 among them."""
    fields = LOSSES.get(name).spec.model_fields
    made = []
    for k, alpha in enumerate((0.3, 0.0, 1.0, 0.7, 0.3)):
        own = {n: values[k % 4] for n, f in fields.items() if n != "alpha" and (values := spread(f, 4))}
        settings = {"alpha": alpha, **own}
        made.append(Choice(name=name, settings=settings))
    return [*made, None]


def data(task, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.normal(size=ROWS).astype(np.float32) if task == "regression" else rng.integers(0, OUTPUTS[task], ROWS)
    if task == "multilabel":
        y = rng.integers(0, 2, (ROWS, OUTPUTS[task])).astype(np.float32)
    if task == SEVERAL:
        y = (labels(ROWS, seed) - [0, 300, 0]).astype(np.float32)
    teacher = (3 * rng.normal(size=(ROWS, OUTPUTS[task]))).astype(np.float32)
    z = torch.tensor(2 * rng.normal(size=(NETWORKS, OUTPUTS[task], BATCH)))
    index = torch.tensor(np.stack([rng.permutation(ROWS)[:BATCH] for _ in range(NETWORKS)]))
    return y, teacher, z, index


def weights_of(task, y, weighed=True):
    """Balanced weights of classes, or of the no and the yes of each label; none of numbers."""
    if not weighed or task in ("regression", SEVERAL):
        return None
    return objectives.class_weights(y, OUTPUTS[task], "balanced")


def by_autograd(task, choice, y, teacher, weights, z, index):
    """Differentiate hard weight x hard + soft weight x soft, from the registered function. Shape: z (C, B)."""
    z = z.T.clone().requires_grad_()
    labels = torch.from_numpy(y)[index]
    if task == "regression":
        hard = ((z[:, 0] - labels.double()) ** 2).mean()
    elif task == "multilabel":
        each = F.binary_cross_entropy_with_logits(z, labels.double(), reduction="none")
        no, yes = (1.0, 1.0) if weights is None else torch.from_numpy(weights).double().T
        hard = (each * torch.where(labels > 0, yes, no)).sum(1).mean()
    elif task == SEVERAL:
        hard = task_of(task).hard_loss()(Outputs(z), labels)
    else:
        each = F.cross_entropy(z, labels, reduction="none")
        hard = (each * (1.0 if weights is None else torch.from_numpy(weights).double()[labels])).mean()
    total = hard
    if choice is not None:
        entry = LOSSES.get(choice.name)
        spec = entry.spec.parse(choice.settings)
        told = Outputs(torch.from_numpy(teacher).double()[index], kinds=objectives.kinds_of(task, OUTPUTS[task]))
        soft = entry.make(Outputs(z), told, labels, spec)
        hard_weight, soft_weight = spec.weights()
        total = hard_weight * hard + soft_weight * soft
    return torch.autograd.grad(total, z)[0].T


def check_close(found, expected):
    """To the last digits of the largest: weights of terms go up to thousands."""
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-12 * max(1.0, expected.abs().max().item()))


@pytest.mark.parametrize("weighed", [False, True])
@EVERY
class TestEveryLoss:
    def test_equals_autograd(self, name, task, weighed):
        y, teacher, z, index = data(task)
        weights = weights_of(task, y, weighed)
        chosen = choices(name)
        lesson = StackedLesson(task, chosen, y, teacher, weights, torch.float64, CPU)
        expected = [by_autograd(task, c, y, teacher, weights, z[s], index[s]) for s, c in enumerate(chosen)]
        given = z.clone()
        found = lesson.gradient(z, index)
        assert torch.equal(z, given)
        check_close(found, torch.stack(expected))

    def test_after_some_left(self, name, task, weighed):
        y, teacher, z, index = data(task, 1)
        weights = weights_of(task, y, weighed)
        chosen = choices(name)
        lesson = StackedLesson(task, chosen, y, teacher, weights, torch.float64, CPU)
        left = list(range(NETWORKS))
        for rows in ([0, 2, 3, 5], [1, 3], [1]):
            lesson.keep(torch.tensor(rows))
            left = [left[r] for r in rows]
            expected = [by_autograd(task, chosen[s], y, teacher, weights, z[s], index[s]) for s in left]
            check_close(lesson.gradient(z[left], index[left]), torch.stack(expected))

    def test_alpha_zero_is_the_baseline_bit_for_bit(self, name, task, weighed):
        y, teacher, z, index = data(task)
        z, index = z.float()[:1].expand(3, -1, -1), index[:1].expand(3, -1)
        weights = weights_of(task, y, weighed)
        chosen = [Choice(name=name, settings={"alpha": 0.0}), None, Choice(name=name, settings={"alpha": 0.5})]
        found = StackedLesson(task, chosen, y, teacher, weights, torch.float32, CPU).gradient(z, index)
        assert torch.equal(found[0], found[1])
        assert not torch.equal(found[1], found[2])


def test_each_distinct_temperature_is_softened_once():
    y, teacher, _, _ = data("multiclass")
    chosen = [Choice(name="hinton", settings={"temperature": t, "alpha": a}) for a in (0.2, 0.9) for t in (2.0, 4.0)]
    chosen += [None, Choice(name="hinton", settings={"temperature": 8.0, "alpha": 0.0})]  # nobody listens at 8
    lesson = StackedLesson("multiclass", chosen, y, teacher, None, torch.float64, CPU)
    assert lesson.told.shape == (2 * ROWS, 10)


def test_without_a_soft_term_the_teacher_is_not_needed():
    y, _, z, index = data("binary")
    lesson = StackedLesson("binary", [None] * NETWORKS, y, None, None, torch.float64, CPU)
    assert lesson.plain
    assert lesson.told is None
    expected = [by_autograd("binary", None, y, None, None, z[s], index[s]) for s in range(NETWORKS)]
    torch.testing.assert_close(lesson.gradient(z, index), torch.stack(expected), rtol=0, atol=1e-12)


def test_two_losses_do_not_share_a_stack():
    y, teacher, _, _ = data("regression")
    with pytest.raises(SpecError) as caught:
        StackedLesson(
            "regression", [Choice(name="mse"), Choice(name="bounded_mse")], y, teacher, None, torch.float64, CPU
        )
    assert caught.value.code == "mixed_losses"
    assert caught.value.message == "One stack can't mix the losses bounded_mse, mse."
    assert caught.value.hint == "Train them in separate stacks."


def test_a_loss_of_another_task_and_missing_answers_are_refused():
    y, teacher, _, _ = data("binary")
    for chosen, answers, code in (("bounded_mse", teacher, "objective_task"), ("hinton", teacher[:-1], "teacher_rows")):
        with pytest.raises(SpecError) as caught:
            StackedLesson("binary", [Choice(name=chosen)], y, answers, None, torch.float64, CPU)
        assert caught.value.code == code


@EVERY
def test_losses_are_those_of_the_registered_functions(name, task):
    y, teacher, z, index = data(task)
    chosen = choices(name)
    weights = weights_of(task, y)
    if weights is not None and weights.ndim == 1:
        weights = np.linspace(0.5, 2.0, OUTPUTS[task]).astype(np.float32)
    lesson = StackedLesson(task, chosen, y, teacher, weights, torch.float64, CPU)
    hard, soft = lesson.losses(z, index)
    for s, choice in enumerate(chosen):
        made = objectives.make(task, choice, y, teacher if choice else None, weights)
        terms = made(Outputs(z[s].T), index[s])
        assert hard[s] == pytest.approx(float(terms.hard), rel=1e-6)
        if terms.soft is not None:
            assert soft[s] == pytest.approx(
                float(terms.soft), rel=CLOSE, abs=1e-9
            )  # the teacher's side is float32 there


@EVERY
def test_a_stack_may_hold_several_lessons(name, task):
    y, teacher, z, index = data(task)
    other = data(task, seed=1)[1]
    chosen, taught_by = choices(name), ["a", "b", "a", "b", "b", "a"]
    lesson = StackedLesson(task, chosen, y, {"a": teacher, "b": other}, None, torch.float64, CPU, taught_by)
    found, losses = lesson.gradient(z.clone(), index), lesson.losses(z, index)[1]
    for table, own in ((teacher, "a"), (other, "b")):
        alone = StackedLesson(task, chosen, y, table, None, torch.float64, CPU)
        rows = [s for s, by in enumerate(taught_by) if by == own]
        torch.testing.assert_close(found[rows], alone.gradient(z.clone(), index)[rows])
        taught = [s for s in rows if chosen[s] is not None and alone.specs[s].weights()[1]]
        torch.testing.assert_close(losses[taught], alone.losses(z, index)[1][taught])
    kept = torch.tensor([1, 4])
    lesson.keep(kept)
    torch.testing.assert_close(lesson.gradient(z[kept].clone(), index[kept]), found[kept])


@EVERY
def test_rows_without_an_answer_get_no_soft_gradient(name, task):
    y, teacher, z, index = data(task)
    teacher[::3] = np.nan
    chosen = choices(name)
    lesson = StackedLesson(task, chosen, y, teacher, None, torch.float64, CPU)
    dz, told = lesson.gradient(z, index), lesson.losses(z, index)
    for s, choice in enumerate(chosen):
        alone = z[s].T.clone().requires_grad_()
        terms = objectives.make(task, choice, y, teacher if choice else None)(Outputs(alone), index[s])
        terms.backward()
        torch.testing.assert_close(dz[s], alone.grad.T, rtol=1e-5, atol=1e-5 * alone.grad.abs().max().item())
        if choice is not None and choice.settings["alpha"]:
            torch.testing.assert_close(told[1, s], terms.soft.double(), rtol=CLOSE, atol=1e-7)
    facts = LOSSES.get(name).facts
    assert lesson.recordable is ("gradient" in facts and facts.get("row_mean", False) and facts["zero_at_equality"])
