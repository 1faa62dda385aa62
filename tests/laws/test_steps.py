"""What holds for every registered step of compression, on every architecture that it suits."""

from __future__ import annotations

import copy

import numpy as np
import pandas as pd
import pytest
import torch

from kd_core.compress.base import Stage, Work
from kd_core.compress.cutting import reshaped
from kd_core.compress.steps import STEPS
from kd_core.data.dataset import Dataset, Part
from kd_core.data.onnx_file import open_session
from kd_core.data.view import Viewed, Views
from kd_core.errors import KDError
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models import ARCHS
from kd_core.models.building import build_for, cpu_state, start_weights
from kd_core.specs import Choice, DatasetSpec, TrainingSpec
from tests.laws.test_archs import inputs_of

ROWS = {"train": 96, "validation": 48}
CLASSES = ("low", "mid", "top")
STUDENTS = [e for e in ARCHS.entries() if "student" in e.facts["roles"]]
CASES = [  # of all pairs a third is quick, such that every step and every student is among them; the rest is slow
    pytest.param(
        step.name,
        Choice(name=e.name, settings={"size": "tiny"} if "tiny" in e.facts["presets"] else {}),
        id=f"{step.name}-{e.name}",
        marks=[pytest.mark.slow] if (i + k) % 3 else [],
    )
    for i, step in enumerate(STEPS.entries())
    for k, e in enumerate(STUDENTS)
]


class Unread(dict):
    """Parts of which nobody may read the test part."""

    def __getitem__(self, part):
        assert part != "test", "a step reads the test part"
        return super().__getitem__(part)


def dataset_of(choice):
    """Rows as the architecture reads them, with labels that follow from one of their numbers."""
    inputs = inputs_of(choice)
    x = {part: inputs.example(rows, seed=seed) for seed, (part, rows) in enumerate(ROWS.items())}
    labels = {part: np.random.default_rng(9).integers(0, 3, len(rows)) for part, rows in x.items()}
    parts = Unread({part: Part(y, np.arange(len(y))) for part, y in labels.items()})
    views = Views({inputs.kind: lambda: Viewed(inputs, Unread(x))})
    return Dataset(
        DatasetSpec(source="memory", target="y"), "memory", "0", "multiclass", CLASSES, (), parts, views, pd.DataFrame()
    )


def stage_of(dataset, choice):
    with start_weights(0):
        return Stage(choice, build_for(dataset, choice).eval())


def work_of(dataset):
    answers = np.random.default_rng(3).normal(size=(ROWS["train"], 3)).astype(np.float32)
    training = TrainingSpec(epochs=2, batch_size=32)
    return Work(dataset, Choice(name="hinton"), answers, training, "accuracy", 0)


def carried_out(name, choice):
    """A step carried out on a fresh student; skips those that it does not suit, with the reason."""
    dataset, entry = dataset_of(choice), STEPS.get(name)
    before = stage_of(dataset, choice)
    if reason := entry.facts["suits"](before, dataset.view(inputs_of(choice).kind).spec):
        assert isinstance(reason, str) and len(reason) > 10 and not reason.endswith(".")
        pytest.skip(reason)
    kept = copy.deepcopy(before.module.state_dict())
    spec = entry.spec.parse(dict(entry.facts.get("usual") or {}))

    def make(stage):
        return entry.make(spec, stage, work_of(dataset))

    try:
        after = make(before)
    except KDError as error:  # found out only by trying
        assert error.message and error.hint
        pytest.skip(error.message)
    return dataset, before, kept, after, lambda: make(stage_of(dataset, choice))


def answers(stage, x):
    if stage.file is not None:
        return open_session(stage.file).run(None, {"x": x})[0]
    with torch.inference_mode():
        return stage.module(torch.from_numpy(x)).logits.numpy()


@pytest.mark.parametrize("entry", STEPS.entries(), ids=lambda e: e.name)
def test_a_step_says_what_it_changes_and_has_a_form(entry):
    assert entry.facts["changes"] in ("network", "file") and callable(entry.facts["suits"])
    entry.spec.parse(dict(entry.facts.get("usual") or {}))
    for field in entry.spec.model_fields.values():
        assert field.description and field.description.endswith(".")


@pytest.mark.parametrize(("name", "choice"), CASES)
def test_a_stage_is_made_of_the_one_before_and_leaves_it_as_it_was(name, choice):
    dataset, before, kept, after, again = carried_out(name, choice)
    entry, inputs = STEPS.get(name), inputs_of(choice)
    assert all(torch.equal(value, kept[key]) for key, value in before.module.state_dict().items())
    assert before.file is None and before.told == () and not before.module.training
    assert [one["name"] for one in after.told] == [name]
    changed, learns = entry.facts["changes"], bool(entry.facts.get("learns"))
    assert (after.file is not None) == (changed == "file")
    assert (after.module is before.module) == (changed == "file" and not learns)
    assert not after.module.training and all(p.device.type == "cpu" for p in after.module.parameters())
    x = dataset.view(inputs.kind).parts["validation"]
    found = answers(after, x)
    assert found.shape == (len(x), 3) and np.isfinite(found).all()
    # its file answers any number of rows, as the network does
    session = open_session(after.file or onnx_bytes(after.module, inputs))
    for rows in (1, 3):
        np.testing.assert_allclose(
            session.run(None, {"x": x[:rows]})[0], found[:rows], atol=2e-5 if after.file is None else 5e-2
        )
    # the same seed makes the same stage
    twin = again()
    assert twin.file == after.file
    own, other = cpu_state(after.module), cpu_state(twin.module)
    assert own.keys() == other.keys() and all(torch.equal(own[key], other[key]) for key in own)
    # and it is made again of its weights alone
    with start_weights(1):
        opened = reshaped(build_for(dataset, choice), own).eval()
    np.testing.assert_array_equal(answers(Stage(choice, opened), x), answers(Stage(choice, after.module), x))
