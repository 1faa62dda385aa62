"""Small data and trained students for tests of steps in whole numbers."""

from __future__ import annotations

import functools

import numpy as np
import torch

from kd_core.compress.base import Stage, Work
from kd_core.data.view import Views
from kd_core.distill.student import train_student
from kd_core.models.building import build, build_for
from kd_core.specs import Choice, StudentSpec, TrainingSpec
from tests.compress.test_learning import work_of
from tests.distill.test_student import make_dataset

WIDE = Choice(name="mlp", settings={"size": None, "width": 48, "depth": 2})


class OnlyParts(dict):
    """Parts of which some must not be read."""

    def __init__(self, parts, allowed):
        super().__init__(parts)
        self.allowed = set(allowed)

    def __getitem__(self, split):
        assert split in self.allowed, f"{split} was read"
        return super().__getitem__(split)


def guarded(dataset, *allowed):
    """Return a work whose rows of other parts can't be read."""
    view = dataset.view()

    class Guarded(Work):
        def rows(self, stage):
            return type(view)(view.spec, OnlyParts(view.parts, allowed), view.view)

    work = work_of(dataset)
    return Guarded(**vars(work))


@functools.cache
def trained(task="binary", arch=WIDE):
    """Return a dataset and a student that was trained on it for a moment."""
    dataset = make_dataset(task)
    spec = StudentSpec(name="one", arch=arch)
    module = train_student(dataset, spec, None, None, TrainingSpec(epochs=8, batch_size=32), 0).module
    return dataset, Stage(arch, module.cpu().eval())


def drawn(name, inputs, outputs=5, **settings):
    """Return a stage of an architecture with drawn weights, and rows for it."""
    torch.manual_seed(0)
    arch = Choice(name=name, settings=settings)
    module = build(arch, inputs, outputs)
    module.train()
    for seed in range(3):  # normalisations see what they normalise
        module(torch.from_numpy(inputs.example(32, seed)))
    return Stage(arch, module.eval()), inputs.example(200, 7)


def one_layer_matters(rows=600):
    """Return a dataset and a network whose first layer alone is hard to round.

    One feature is a thousand times as large as the others and tells nothing, its weight is 0; 256 steps of the largest leave nothing of the others.
    """
    dataset = make_dataset("binary", rows)
    parts = dict(dataset.view().parts)
    for split in parts:
        x = parts[split].copy()
        x[:, 4] = 1000 * np.random.default_rng(3).normal(size=len(x))
        parts[split] = x
    dataset = type(dataset)(**(vars(dataset) | {"views": Views.of_table(parts)}))
    arch = Choice(name="mlp", settings={"size": None, "width": 16, "depth": 2})
    module = build_for(dataset, arch)
    with torch.no_grad():
        torch.manual_seed(1)
        for layer in (module.body[0], module.body[2], module.head):
            layer.weight.zero_()
            layer.bias.zero_()
        module.body[0].weight[0, 0], module.body[0].weight[1, 0] = (
            1.0,
            -1.0,
        )  # the feature that decides, and its opposite
        module.body[2].weight[0, 0] = module.body[2].weight[1, 1] = 1.0
        module.head.weight[1, 0] = module.head.weight[0, 1] = 3.0
    return dataset, Stage(arch, module.eval())
