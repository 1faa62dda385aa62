"""Batches, settings and own modules for the laws of losses, from what each loss says of itself."""

from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import torch
from torch import nn

from kd_core.data.input_spec import InputSpec, table_inputs
from kd_core.distill import objective
from kd_core.distill.inner.hints import Hints
from kd_core.distill.inner.live import LiveTeacher
from kd_core.models import Outputs
from kd_core.models.building import build
from kd_core.registry import Entry
from kd_core.specs import Choice
from kd_core.task import IN_PARTS, TASKS, task_of, usual
from tests.laws.losses import several_rows

ROWS, WIDTH, INPUTS = 12, 6, table_inputs(3)
PICTURES = InputSpec("pixels", (1, 8, 8), "uint8", high=256)
WORDS = InputSpec("tokens", (5,), "int32", high=30)
GIVES = frozenset(
    {"logits", "features", "one_basis", "head", "maps", "relations", "learning"}
)  # by a teacher that gives all there is
OF_ROWS = frozenset(
    {"teacher_features", "teacher_maps", "live_maps", "live_relations"}
)  # needs of a loss that hears more than answers


def spread(field, count=3):
    """Values of a number within its bounds, the bounds among them; none for what is not a number."""
    bounds = {k: getattr(m, k) for m in field.metadata for k in ("ge", "le") if getattr(m, k, None) is not None}
    if field.annotation not in (int, float) or len(bounds) < 2:
        return []
    low, high = bounds["ge"], bounds["le"]
    steps = np.geomspace(low, high, count) if low > 0 else np.linspace(low, high, count)
    return [field.annotation(v) for v in steps]


def at_all_settings(test):
    """Hold one test of a loss at all its settings, and name those where it fails: a test for each took three times as long."""

    def held(self, entry):
        failed = []
        for settings in settings_of(entry):
            try:
                test(self, entry, settings)
            except Exception as error:
                error.add_note(f"The loss {entry.name!r} with the settings {settings}.")
                failed.append(error)
        if len(failed) > 1:
            raise ExceptionGroup(f"the loss {entry.name!r} at {len(failed)} settings", failed)
        if failed:
            raise failed[0]

    held.__name__ = test.__name__
    return held


def settings_of(entry):
    """Settings that differ in all a loss has, one at a time, from its defaults."""
    own = {name: spread(f) for name, f in entry.spec.model_fields.items() if name not in ("alpha", "weight")}
    if "weight" in entry.spec.model_fields:
        own["weight"] = [3.0]
    alone = [{"alpha": 0.3}] if "alpha" in entry.spec.model_fields else []
    return [{}, *alone, *({name: v} for name, values in own.items() for v in values)]


WAITED_FOR = (  # tasks of kinds that losses are made for, whether or not one is registered
    replace(task_of("regression"), name="ranked", by_group=True),
)


def tasks_of(entry):
    """The tasks that a loss works for, none where it works for any; of one that waits, what it waits for.

    One whose answers are kept in a short form is left out: tests/tasks/test_next_item.py holds its lessons to the same losses.
    """
    return (
        [t for t in WAITED_FOR if entry.suits(t)]
        if entry.waits
        else [
            task_of(several_rows.SEVERAL if IN_PARTS(task_of(name)) else name)
            for name in entry.tasks
            if not task_of(name).compact
        ]
    )


@contextmanager
def registered_tasks():
    """For a while what losses wait for is there."""
    here = dict(TASKS._filled())
    TASKS._entries |= {t.name: Entry(t.name, t, t.title, TASKS.entries()[0].spec) for t in WAITED_FOR}
    try:
        yield
    finally:
        TASKS._entries = here


def has_classes(entry):
    """Whether a loss is for classes, as `batch` draws its answers."""
    return all(t.has_classes for t in tasks_of(entry)[:1])


def fewest_classes(entry):
    """The fewest classes that a loss is offered for."""
    return 3 if "three_classes" in entry.needs else 2


def batch(entry, seed=0, dtype=torch.float64, classes=5, rows=ROWS, task=None):
    """What a student and a teacher say of a batch, and the labels."""
    rng = np.random.default_rng(seed)
    told = task_of(task) if task else next(iter(tasks_of(entry)), None)
    classification = told is None or told.has_classes
    parts = told is not None and IN_PARTS(told)
    width = several_rows.OUTPUTS if parts else classes if classification or told.each_alone else 1
    z_s, z_t = rng.normal(size=(2, rows, width)) * 2
    y = rng.integers(0, width, rows) if classification else rng.normal(size=rows)
    if parts:
        y = several_rows.labels(rows, seed).astype(np.float32)
    if told is not None and told.each_alone:
        y = (rng.random((rows, width)) < 0.4).astype(np.float32)
    features = torch.tensor(rng.normal(size=(rows, WIDTH)), dtype=dtype)
    theirs = (
        torch.tensor(rng.normal(size=(rows, WIDTH + 3)), dtype=dtype) if "teacher_features" in entry.needs else None
    )
    own_maps, their_maps = {}, {}
    if (
        "teacher_maps" in entry.needs
    ):  # the student has bands, the teacher's attention is kept; one pair is of two sizes
        own_maps = {
            f"stage{i}": torch.tensor(rng.normal(size=(rows, 3, s, s)), dtype=dtype) for i, s in ((1, 4), (2, 2))
        }
        found = {f"stage{i}": rng.uniform(0, 1, size=(rows, s, s)) for i, s in ((1, 8), (2, 4), (3, 2))}
        their_maps = {name: torch.tensor(x / np.linalg.norm(x), dtype=dtype) for name, x in found.items()}
    if "live_maps" in entry.needs:  # bands of both; each pair is of two sizes, one of them no multiple of the other
        own_maps = {
            f"stage{i}": torch.tensor(rng.normal(size=(rows, bands, 4, 4)), dtype=dtype)
            for i, bands in ((1, WIDTH), (2, 2 * WIDTH))  # as the student of `lesson` has them
        }
        their_maps = {
            f"stage{i}": torch.tensor(rng.normal(size=(rows, 3 + i, s, s)), dtype=dtype)
            for i, s in ((1, 8), (2, 6), (3, 3))
        }
    if "live_relations" in entry.needs:
        words = torch.tensor(np.arange(5) < rng.integers(0, 6, (rows, 1)), dtype=dtype)  # one row may have none
        own_maps, their_maps = (
            {n: torch.tensor(rng.normal(size=(rows, 5, wide)), dtype=dtype) for n in ("query", "key", "value", "word")}
            | {"words": words.clone()}
            for wide in (WIDTH, 2 * WIDTH)
        )
    kinds = told.kinds(width) if parts else ()
    answers = Outputs(torch.tensor(z_t, dtype=dtype), theirs, hidden=their_maps, kinds=kinds)
    return Outputs(torch.tensor(z_s, dtype=dtype), features, hidden=own_maps), answers, torch.tensor(y)


def tensors(outputs):
    """What a network says of a batch, tensor by tensor."""
    found = {name: t for name, t in vars(outputs).items() if isinstance(t, torch.Tensor)}
    return found | {f"hidden.{name}": t for name, t in outputs.hidden.items()}


def with_tensor(outputs, name, tensor):
    """The same outputs with one tensor in the place of another."""
    kind, _, stage = name.partition(".")
    return replace(outputs, **{kind: {**outputs.hidden, stage: tensor} if stage else tensor})


def hints_of(teacher):
    """What the teacher thinks inside, as a lesson takes it."""
    features = None if teacher.features is None else teacher.features.numpy()
    head = None  # some linear layer
    if features is not None:
        head = np.random.default_rng(7).normal(size=(teacher.logits.shape[1], features.shape[1] + 1)).astype(np.float32)
    if "stage1" in teacher.hidden and teacher.hidden["stage1"].dim() == 3:  # attention, which is kept
        return Hints(features, maps={name: t.numpy() for name, t in teacher.hidden.items()}, head=head)
    live = LiveTeacher(Recalls(teacher), np.arange(len(teacher.logits))) if teacher.hidden else None
    return Hints(features, head=head, live=live) if live or features is not None else None


class Recalls(nn.Module):
    """A network that finds inside of each row, given by its number, what it was told."""

    shows_maps = shows_relations = False

    def __init__(self, told):
        super().__init__()
        self.told = told

    def forward(self, at):
        found = self.told.rows(at)
        return found if self.shows_maps else replace(found, hidden={})


def modules(entry, spec, student, teacher):
    """The loss's own module, where it has one, as the loss takes it: its fifth argument."""
    if "module" not in entry.facts:
        return ()
    torch.manual_seed(0)
    return (entry.facts["module"](spec, student, teacher).to(student.logits.dtype),)


def value(entry, settings, student, teacher, y, own=None):
    spec = entry.spec.parse(settings)
    return entry.make(student, teacher, y, spec, *(modules(entry, spec, student, teacher) if own is None else own))


def reference(entry, settings, student, teacher, y, own=(), held=None):
    """The paper's formula in numpy float64, on the same arguments; `held`: the student that fixed parts are computed from."""

    def arrays(outputs):
        return outputs.each(lambda t: t.detach().double().numpy())

    weights = [{name: t.double().numpy() for name, t in m.state_dict().items()} for m in own]
    fixed = {"held": arrays(student if held is None else held)} if entry.facts.get("held") else {}
    spec = entry.spec.parse(settings)
    return float(entry.facts["reference"](arrays(student), arrays(teacher), y.numpy(), spec, *weights, **fixed))


def task_for(entry):
    """A task that a loss works for, as `batch` has its labels."""
    found = [t for t in tasks_of(entry) if t.has_classes == has_classes(entry)]
    return max(found, key=lambda t: t.usual).name if found else usual("classes").name


def lesson(entry, settings, y, teacher, seed=0):
    """The loss joined with the hard one, ready for students of the width of `batch`."""
    with registered_tasks():
        made = objective.make(
            task_for(entry),
            Choice(name=entry.name, settings=settings),
            y.numpy(),
            teacher.logits.numpy(),
            hints=hints_of(teacher),
        )
        with torch.random.fork_rng(devices=[]):
            pictures = "student_maps" in entry.needs
            arch, inputs = ("cnn", PICTURES) if pictures else ("mlp", INPUTS)
            if "student_relations" in entry.needs:
                arch, inputs = "text_transformer", WORDS
            depth = 2 if "live_maps" in entry.needs else 1
            student = build(Choice(name=arch, settings={"size": None, "width": WIDTH, "depth": depth}), inputs, 2)
        made.own(student, inputs, seed)
    return made


def baseline(entry, y):
    """The lesson without a teacher."""
    with registered_tasks():
        return objective.make(task_for(entry), None, y.numpy())
