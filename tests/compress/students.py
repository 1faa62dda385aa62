"""Students of every architecture at the beginning of a chain, on rows that only have the right form."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch

from kd_core.compress.base import Stage, Work
from kd_core.data.dataset import Dataset, Part
from kd_core.data.view import Viewed, Views
from kd_core.data.views import VIEWS
from kd_core.models import ARCHS
from kd_core.models.building import build
from kd_core.specs import Choice, DatasetSpec, TrainingSpec

STUDENTS = [e for e in ARCHS.entries() if "student" in e.facts["roles"]]
CHOICES = [
    *(Choice(name=e.name, settings={"size": "tiny"} if e.facts["presets"] else {}) for e in STUDENTS),
    Choice(name="mlp", settings={"width": 9, "depth": 3, "dropout": 0.2}),
    Choice(name="recurrent", settings={"size": "tiny", "cell": "lstm"}),
    Choice(name="recurrent", settings={"size": "tiny", "directions": 1}),
    Choice(name="tabm", settings={"size": "tiny", "depth": 2}),
    Choice(name="piecewise", settings={"size": "tiny", "depth": 3}),
    Choice(name="text_transformer", settings={"size": "tiny", "depth": 2}),
]
CASES = [pytest.param(c, id="-".join([c.name, *map(str, c.settings.values())])) for c in CHOICES]


def inputs_of(choice):
    """The example rows of the first view that an architecture takes."""
    return VIEWS.get(ARCHS.get(choice.name).facts["takes"][0]).facts["example"]


def made(choice, outputs=3, seed=0):
    """A network whose weights are those of a seed, in evaluation mode."""
    torch.manual_seed(seed)
    return build(choice, inputs_of(choice), outputs).eval()


def rows(choice, n=12):
    """Rows that it reads."""
    return torch.from_numpy(inputs_of(choice).example(n, seed=1))


def dataset_of(choice, outputs=3, train=160, validation=60):
    """Rows of the form that a student reads, with labels of chance."""
    inputs, rng = inputs_of(choice), np.random.default_rng(0)
    counts = {"train": train, "validation": validation, "test": 40}
    parts = {split: Part(rng.integers(0, outputs, n).astype(np.int64), np.arange(n)) for split, n in counts.items()}
    x = {split: inputs.example(n, seed=n) for split, n in counts.items()}
    return Dataset(
        DatasetSpec(source="memory", target="y"),
        "memory",
        "0",
        "binary" if outputs == 2 else "multiclass",
        tuple(map(str, range(outputs))),
        (),
        parts,
        Views({inputs.kind: lambda: Viewed(inputs, x)}),
        pd.DataFrame(),
    )


def begun(choice, outputs=3, seed=0):
    """A student and what a step may ask for."""
    training = TrainingSpec(epochs=2, batch_size=64)
    return Stage(choice, made(choice, outputs, seed)), Work(
        dataset_of(choice, outputs), None, None, training, "accuracy", seed
    )


def same(a, b):
    """Whether two networks hold the same numbers, bit for bit."""
    mine, other = a.state_dict(), b.state_dict()
    return mine.keys() == other.keys() and all(torch.equal(mine[k], other[k]) for k in mine)
