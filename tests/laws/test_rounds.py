"""What holds for every architecture that learns by a procedure of its own: plain and taught alike, repeatable, the same as ONNX."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import onnx
import pytest
import safetensors.torch
import torch

from kd_core.data.input_spec import table_inputs
from kd_core.data.onnx_file import open_session
from kd_core.data.view import Views
from kd_core.distill.student import train_student
from kd_core.errors import Stopped
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models import ARCHS
from kd_core.models.building import build, cpu_state
from kd_core.models.sizes import sizes
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from kd_core.task import IN_PARTS, TASKS, kind_of, task_of
from tests.laws.losses.several_rows import SEVERAL
from tests.teachers import tables

BY_ROUNDS = [e.name for e in ARCHS.entries() if "fits" in e.facts]
NAMED = [SEVERAL if IN_PARTS(task_of(name)) else name for name in TASKS.names()]
TASKS_OF = [t for t in NAMED if not (task_of(t).by_group or task_of(t).by_history)]  # histories are no table of columns
EVERY_TASK = pytest.mark.parametrize("task", TASKS_OF, ids=kind_of)
pytestmark = [pytest.mark.parametrize("name", BY_ROUNDS)]


def dataset(task="binary", rows=200):
    """A prepared table; of several labels or targets a row, what its columns say of each."""
    if task in ("binary", "multiclass", "regression"):
        return tables.dataset(task, rows)
    data, parts = tables.dataset("regression", rows), {}
    for split, part in data.parts.items():
        x, y = data.view().parts[split], part.y
        if task == "multilabel":
            targets = np.stack([x[:, 0] > 0.3, x[:, 1] * x[:, 2] > 0, y > 45], axis=1).astype(np.int64)
        else:
            targets = np.stack([x[:, 0] > 0, y, np.digitize(x[:, 1], [-0.5, 0.5])], axis=1).astype(np.float64)
            targets[::9, 1] = np.nan  # a number that is not known
        parts[split] = replace(part, y=targets)
    if task == "multilabel":
        return replace(data, task=task, classes=("a", "b", "c"), parts=parts, target_mean=0.0, target_std=1.0)
    numbers = parts["train"].y[:, 1]
    scale = np.array([0.0, np.nanmean(numbers), 0.0]), np.array([1.0, np.nanstd(numbers), 1.0])
    names = ("bought: no", "bought: yes", "minutes", "shop: a", "shop: b", "shop: c")
    return replace(data, task=task, classes=names, parts=parts, target_mean=scale[0], target_std=scale[1])


def arch(name):
    return Choice(name=name, settings={"size": "tiny"})


def lesson(task, **settings):
    return Choice(name=task_of(task).objective, settings=settings)


def answers(data, seed=0):
    """A teacher's logits: right more often than not."""
    noise = np.random.default_rng(seed).standard_normal((len(data.train), data.num_outputs))
    perfect = task_of(data.task).perfect(data.scaled_y("train"), data.num_outputs)
    return (np.clip(perfect, -2, 2) + noise).astype(np.float32)


def holes(data):
    """The same rows with missing values."""
    rng = np.random.default_rng(5)
    parts = {
        split: np.where(rng.random(x.shape) < 0.15, np.float32(np.nan), x) for split, x in data.view().parts.items()
    }
    return replace(data, views=Views.of_table(parts))


def train(data, name, objective=None, z=None, seed=0, **more):
    return train_student(data, StudentSpec(name="s", arch=arch(name)), objective, z, TrainingSpec(), seed, **more)


def same(a, b):
    return all(torch.equal(x, b.state_dict()[key]) for key, x in a.state_dict().items())


@EVERY_TASK
def test_it_learns_and_tells_every_round(name, task):
    data, events = holes(dataset(task, rows=400)), []
    found = train(data, name, notify=events.append)
    trained = found.trained
    assert [e["epoch"] for e in events] == list(range(1, trained.last_epoch + 1))
    assert [h["score"] for h in trained.history] == [e["score"] for e in events]
    assert trained.history[-1]["loss"] < 0.9 * trained.history[0]["loss"]
    assert trained.score_selected == trained.history[trained.selected_epoch - 1]["score"]
    assert sum(e["best"] for e in events) >= 2 and trained.history[0]["soft"] is None
    # What is kept are the rounds up to the selected one: its score can be computed again from the answers.
    from kd_core.distill.student import scoring

    score = scoring(data, None)
    assert score.selection(score(found.logits["validation"])) == pytest.approx(trained.score_selected, rel=1e-6)
    assert found.test_logits().shape == (100, data.num_outputs) and np.isfinite(found.test_logits()).all()


@EVERY_TASK
def test_the_baseline_is_the_same_whatever_the_teacher_says(name, task):
    data = dataset(task)
    alone = train(data, name)
    for z in (answers(data), 30 * answers(data, 1), np.full_like(answers(data), np.nan)):
        assert same(alone, train(data, name, lesson(task, alpha=0.0), z))
    unheard = train(data, name, lesson(task, alpha=0.6), np.full_like(answers(data), np.nan))
    assert unheard.trained.history[0]["soft"] == 0


@EVERY_TASK
def test_the_teacher_is_heard_and_unanswered_rows_learn_from_their_label(name, task):
    data = dataset(task)
    z = answers(data)
    some = z.copy()
    some[::2] = np.nan
    alone, taught, half = train(data, name), *(train(data, name, lesson(task, alpha=0.7), t) for t in (z, some))
    assert not same(alone, taught) and not same(taught, half)
    assert taught.trained.history[-1]["soft"] < taught.trained.history[0]["soft"]
    assert all(np.isfinite(h["loss"]) for h in half.trained.history)


def test_the_same_seed_gives_the_same_bits_and_another_one_others(name):
    data = dataset("multiclass")
    assert same(train(data, name, seed=3), train(data, name, seed=3))
    assert not same(train(data, name, seed=3), train(data, name, seed=4))


def test_classes_may_weigh_differently(name):
    data = dataset("binary", rows=400)
    keep = np.flatnonzero((data.train.y == 0) | (np.arange(400) % 5 == 0))
    part = replace(data.train, y=data.train.y[keep], row_ids=data.train.row_ids[keep])
    x = {**data.view().parts, "train": data.view().parts["train"][keep]}
    rare = replace(data, parts={**data.parts, "train": part}, views=Views.of_table(x))
    share = [
        train_student(rare, StudentSpec(name="s", arch=arch(name)), None, None, TrainingSpec(class_weights=mode), 0)
        .logits["validation"]
        .argmax(1)
        .mean()
        for mode in ("none", "balanced")
    ]
    assert share[1] > share[0] + 0.1


def test_a_stop_before_the_first_round_keeps_nothing_and_later_the_best_so_far(name):
    data = dataset()
    with pytest.raises(Stopped, match="before the first round ended"):
        train(data, name, should_stop=lambda: True)
    asked = iter([False] * 4 + [True] * 9)
    cut = train(data, name, should_stop=lambda: next(asked)).trained
    whole = train(data, name).trained
    assert cut.stopped and not whole.stopped and cut.last_epoch == 4
    assert [h["score"] for h in cut.history] == [h["score"] for h in whole.history[:4]]


@EVERY_TASK
def test_its_file_gives_the_same_answers_and_its_onnx_too(name, task):
    data = holes(dataset(task, rows=400))
    module = train(data, name).module
    again = build(arch(name), table_inputs(4), data.num_outputs)
    again.load_state_dict(safetensors.torch.load(safetensors.torch.save(cpu_state(module))))
    x = np.concatenate([data.view().parts["test"], module.trying_rows()])
    with torch.inference_mode():
        z = module(torch.from_numpy(x)).logits.numpy()
        assert np.array_equal(z, again(torch.from_numpy(x)).logits.numpy())
    data_onnx = onnx_bytes(module, table_inputs(4))
    (found,) = open_session(data_onnx).run(None, {"x": x})
    np.testing.assert_allclose(found, z, atol=2e-6)
    (node,) = onnx.load_from_string(data_onnx).graph.node
    assert node.output == ["logits"] and node.input == ["x"]
    assert np.isnan(module.trying_rows()).any() and np.isinf(module.trying_rows()).any()


def test_its_sizes_are_known_before(name):
    entry, bytes_of = ARCHS.get(name), []
    for size in entry.facts["presets"]:
        choice = Choice(name=name, settings={"size": size})
        known, module = sizes(choice, table_inputs(6), 3), build(choice, table_inputs(6), 3)
        assert known.parameters == sum(p.numel() for p in module.parameters()) and known.flops > 0
        bytes_of.append(known.size_bytes)
        assert known.size_bytes == len(safetensors.torch.save(cpu_state(module)))
        assert not any(p.requires_grad for p in module.parameters())
    assert bytes_of == sorted(bytes_of)
    spec = entry.spec()
    assert entry.facts["seconds"](spec, 10_000, 30, 2) < entry.facts["seconds"](spec, 100_000, 30, 2)
