"""What can be trained in a stack: networks with a stacked form that learn from answers alone, by losses whose slope is written out."""

from __future__ import annotations

from kd_core.data.dataset import Dataset
from kd_core.distill.base import LOSSES
from kd_core.distill.stack import summed
from kd_core.distill.stack.forms import STACKS
from kd_core.distill.sweep.variants import Variant
from kd_core.distill.terms import parts_of
from kd_core.models.base import ARCHS, by_rounds
from kd_core.specs import SEVERAL, Choice
from kd_core.task import kind_of, task_of

INNER = ("_features", "_maps", "_relations")  # ends of the needs of losses that hear more than answers


def supports(dataset: Dataset, variant: Variant) -> str | None:
    """Say why a variant can't be part of a stack, or None when it can."""
    return why_apart(variant.student.arch.name, variant.objective, dataset.task)


def why_apart(arch: str, objective: Choice | str | None, task: str) -> str | None:
    """Say why networks of an architecture that learn by a loss can't be stacked, or None when they can."""
    lesson = Choice(name=objective) if isinstance(objective, str) else objective
    if by_rounds(arch):
        return f"the architecture '{arch}' learns by a procedure of its own, and a stack learns by gradient descent"
    if arch not in STACKS.names():
        known = ARCHS.get(arch).facts.get("apart") if arch in ARCHS.names() else None
        return f"the architecture '{arch}' has no stacked form ({known or 'known: ' + ', '.join(STACKS.names())})"
    if task_of(task).by_group:
        return f"the task '{task}' deals whole groups into a batch, and a stack deals single rows"
    if task_of(task).compact:
        return f"the task '{kind_of(task)}' has answers to a whole catalogue, of which a stack would hold every row's at once"
    for one in parts_of(lesson) if lesson is not None else ():
        loss = LOSSES.get(one.name)
        if (
            "module" in loss.facts and not loss.needs
        ):  # as a temperature that is learned: one more optimiser in each step
            return f"the loss '{loss.name}' learns something of its own beside each student, and a stack learns the students' weights alone"
        if "module" in loss.facts or any(need.endswith(INNER) for need in loss.needs):
            return f"the loss '{loss.name}' needs more of the networks than their answers, and a stack gives only those"
    return summed.why_apart(lesson) if lesson is not None and lesson.name == SEVERAL else None
