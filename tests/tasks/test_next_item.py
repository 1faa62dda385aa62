"""The next item: its short form, what is read from it, and that nothing ever holds all rows' answers to a whole catalogue."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from kd_core.data.input_spec import InputSpec
from kd_core.distill import objective, placebo
from kd_core.evaluate import next_items, soft_labels
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import measure
from kd_core.models import building
from kd_core.models.base import Outputs
from kd_core.models.building import build, start_weights
from kd_core.runs.assessment import spread
from kd_core.specs import Choice, TrainingSpec
from kd_core.task import task_of
from kd_core.training.loop import TrainRows, optimise
from kd_core.training.plan import resolve
from kd_core.training.predict import predict
from kd_core.training.scoring import Scoring

NAME = "next_item"
TASK = task_of(NAME)
ROWS = 60


def logits(items, rows=ROWS, seed=0):
    return torch.from_numpy(3 * np.random.default_rng(seed).normal(size=(rows, items)))


def labels(items, rows=ROWS, seed=1):
    return np.random.default_rng(seed).integers(0, items, rows)


def short(z):
    return TASK.kept(z).numpy()


@pytest.mark.parametrize("items", [2, 40, 100])
def test_a_short_catalogue_is_kept_whole(items):
    z = logits(items)
    kept = TASK.kept(z)
    assert kept.shape == (ROWS, TASK.width(items)) and kept.dtype == torch.float32
    torch.testing.assert_close(TASK.spread(kept, items), z.log_softmax(1).float())


def test_of_a_long_one_the_likeliest_are_kept_and_the_others_share_the_rest():
    z = logits(1000)
    dense = TASK.spread(TASK.kept(z), 1000).double()
    torch.testing.assert_close(dense.exp().sum(1), torch.ones(ROWS).double(), rtol=1e-5, atol=1e-5)
    log_p = z.log_softmax(1)
    order = log_p.argsort(1, descending=True)
    torch.testing.assert_close(dense.gather(1, order[:, :100]), log_p.gather(1, order[:, :100]), rtol=1e-5, atol=1e-5)
    rest = dense.gather(1, order[:, 100:])
    assert torch.equal(rest, rest[:, :1].expand_as(rest))
    torch.testing.assert_close(rest.exp().sum(1), log_p.gather(1, order[:, 100:]).exp().sum(1), rtol=1e-4, atol=1e-6)
    assert (rest[:, 0] <= dense.gather(1, order[:, 99:100])[:, 0] + 1e-6).all()


def test_a_row_without_an_answer_stays_without_one():
    z = logits(300)
    z[3] = torch.nan
    kept = TASK.kept(z)
    assert kept[3].isnan().all() and not kept[[0, 1, 2, 4]].isnan().any()
    assert TASK.spread(kept, 300)[3].isnan().all()


@pytest.mark.parametrize("items", [5, 100, 700])
def test_perfect_answers_are_right_and_name_no_unknown_item(items):
    y = np.r_[labels(items), -1, 0, items - 1]
    found = measure(from_logits(NAME, y, TASK.perfect(y, items)))
    share = (len(y) - 1) / len(y)
    assert found["next_hit_10"] == pytest.approx(share if items > 10 else 1 - 1 / len(y))
    assert found["next_ndcg_10"] == pytest.approx(share) and found["next_log_loss"] == pytest.approx(0)
    dense = TASK.spread(torch.from_numpy(TASK.perfect(y, items).astype(np.float32)), items)
    assert (dense.argmax(1).numpy()[y >= 0] == y[y >= 0]).all()


def test_metrics_are_those_of_the_whole_catalogue():
    z, y = logits(1000), labels(1000)
    best = z.argsort(1, descending=True)
    y[:20] = best[range(20), np.arange(20)]  # at places 1 to 20
    y[20:23] = -1
    place = np.array([int((best[i] == y[i]).nonzero()[0]) if y[i] >= 0 else 10**6 for i in range(ROWS)])
    found = measure(from_logits(NAME, y, short(z)))
    assert found["next_hit_10"] == pytest.approx((place < 10).mean())
    assert found["next_ndcg_10"] == pytest.approx(np.where(place < 10, 1 / np.log2(place + 2.0), 0).mean())
    known = np.flatnonzero((place < 100) & (y >= 0))
    loss = -z.log_softmax(1).numpy()[known, y[known]].mean()
    assert measure(from_logits(NAME, y[known], short(z)[known]))["next_log_loss"] == pytest.approx(loss, rel=1e-6)


def test_equal_items_share_their_places():
    rng = np.random.default_rng(0)
    z = torch.from_numpy(np.round(rng.normal(size=(1, 60)) * 1.5))
    worth = 1 / np.log2(np.arange(2, 12))
    for y in range(0, 60, 7):
        found = next_items.gains(from_logits(NAME, np.array([y]), short(z)), worth)[0]
        drawn = []
        for _ in range(4000):
            place = int(np.flatnonzero(np.lexsort((rng.random(60), -z[0].numpy())) == y)[0])
            drawn.append(worth[place] if place < 10 else 0.0)
        assert found == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / 63 + 1e-9)


def test_an_item_that_training_never_saw_is_missed_and_has_no_loss():
    z, y = logits(200), labels(200)
    alone = measure(from_logits(NAME, y, short(z)))
    more = measure(from_logits(NAME, np.r_[y, np.full(ROWS, -1)], np.r_[short(z), short(z)]))
    assert more["next_log_loss"] == pytest.approx(alone["next_log_loss"])
    assert more["next_hit_10"] == pytest.approx(alone["next_hit_10"] / 2)
    none = measure(from_logits(NAME, np.full(ROWS, -1), short(z)))
    assert none == {"next_hit_10": 0.0, "next_ndcg_10": 0.0, "next_log_loss": None}


@pytest.mark.parametrize("items", [50, 400])
def test_fidelity_is_that_of_the_spread_answers(items):
    first, second = TASK.kept(logits(items)), TASK.kept(logits(items, seed=5) + logits(items) * 0.5)
    dense = [TASK.spread(one, items).double().numpy() for one in (first, second)]
    assert next_items.kl(first.numpy(), second.numpy(), items) == pytest.approx(soft_labels.kl(*dense, 1.0), rel=1e-4)
    assert next_items.kl(first.numpy(), first.numpy(), items) == pytest.approx(0, abs=1e-6)
    same = (dense[0].argmax(1) == dense[1].argmax(1)).mean()
    assert next_items.agreement(first.numpy(), second.numpy()) == pytest.approx(same)


@pytest.mark.parametrize("items", [50, 400])
def test_the_placebo_is_as_sure_of_the_right_item_as_the_teacher(items):
    y, teacher = labels(items), short(logits(items) + 6 * torch.eye(items)[labels(items)])
    teacher[7] = np.nan
    lesson = Choice(name="hinton", settings={"temperature": 2.0, "alpha": 0.5})
    made = placebo.placebo_logits(y, teacher, lesson, None, items)
    assert made.shape == teacher.shape and made.dtype == np.float32 and np.isnan(made[7]).all()
    known = np.arange(ROWS) != 7
    told, smooth = (
        TASK.spread(torch.from_numpy(one[known]), items).div(2).softmax(1).numpy() for one in (teacher, made)
    )
    rows = np.arange(known.sum())
    assert smooth[rows, y[known]] == pytest.approx(told[rows, y[known]].mean(), rel=1e-3)
    counts = np.bincount(y, minlength=items)
    others = [i for i in range(items) if counts[i] and i != y[0]]
    shares = smooth[0][others] / counts[others]
    assert shares == pytest.approx(shares[0], rel=1e-3) and smooth[0][others].min() > smooth[0][counts == 0].max()


@pytest.mark.parametrize("name", ["hinton", "soft_ce", "jsd", "mse"])
def test_a_lesson_hears_the_spread_answers_batch_by_batch(name):
    items, y = 300, labels(300)
    teacher = short(logits(items))
    teacher[5] = np.nan
    own = logits(items, seed=3).float()
    index = torch.arange(0, ROWS, 2)
    lesson = objective.make(NAME, Choice(name=name), y, teacher)
    lesson.begin(1, 1)
    z = own[index].clone().requires_grad_()
    terms = lesson(Outputs(z), index)
    terms.backward()
    dense = TASK.spread(torch.from_numpy(teacher), items).numpy()
    plain = objective.make("multiclass", Choice(name=name), y, dense)
    plain.written = None
    plain.begin(1, 1)
    other = own[index].clone().requires_grad_()
    wanted = plain(Outputs(other), index)
    wanted.backward()
    torch.testing.assert_close(terms.total, wanted.total)
    torch.testing.assert_close(z.grad, other.grad)
    assert lesson.teacher is not None and lesson.teacher.shape == teacher.shape  # never spread as a whole


class Largest(TorchDispatchMode):
    """Counts the numbers of the largest tensor that any operation makes."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        found = func(*args, **(kwargs or {}))
        for one in found if isinstance(found, tuple | list) else (found,):
            if isinstance(one, torch.Tensor):
                self.numbers = max(self.numbers, one.numel())
        return found


@pytest.mark.slow
def test_no_step_ever_holds_all_rows_answers_to_the_whole_catalogue(monkeypatch):
    """100,000 rows to 10,000 items would be 4 GB: the largest array stays that of a batch, or of a piece."""
    rows, items, batch, piece = 3000, 1000, 64, 2**16
    monkeypatch.setattr(building, "LOGITS_AT_ONCE", piece)
    inputs = InputSpec("sequence", (6,), "int32", high=items + 1)
    x = inputs.example(rows)
    y = labels(items, rows)
    arch = Choice(name="gru", settings={"size": "tiny"})
    with start_weights(0):
        module = build(arch, inputs, items, NAME)
    with Largest() as seen:
        z = predict(module, x)
        lesson = objective.make(NAME, Choice(name="hinton"), y, z)
        plan = resolve(TrainingSpec(epochs=1, batch_size=batch), rows, "gru")
        score = Scoring(NAME, y[:500], TASK.primary, also=TASK.beside)
        optimise(module, TrainRows(x, x[:500]), lesson, score, plan, 0, begin=lesson.begin)
    assert z.shape == (rows, TASK.width(items))
    assert batch * items <= seen.numbers <= max(piece, batch * items, z.size) < rows * items / 4
    tracemalloc.start()
    answers = from_logits(NAME, y, z)
    measure(answers)
    next_items.kl(z, z[::-1], items)
    placebo.placebo_logits(y, z, Choice(name="hinton"), None, items)
    spread([next_items.agreement(z, z)])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < rows * items * 8  # of float64
