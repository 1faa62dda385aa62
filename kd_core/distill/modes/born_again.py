"""Self-distillation: a student learns from an earlier one of its own kind, and needs no other teacher."""

from __future__ import annotations

from dataclasses import replace

from pydantic import Field

from kd_core.distill.beside.held_out import answers_of
from kd_core.distill.meeting import MODES, Helper, Lesson, Met, Way, taught
from kd_core.models.sizes import sizes_for
from kd_core.seeding import derive
from kd_core.specs import Spec, unit

MOST_EPOCHS = 2000  # of a training


class BornAgainSpec(Spec):
    """How many generations there are, and which answers each leaves to the next."""

    generations: int = Field(
        1,
        ge=1,
        le=3,
        description="How often a student is taught by the one before it; the first of all learns from the labels.",
        json_schema_extra=unit("generations"),
    )
    folds: int = Field(
        1,
        ge=1,
        le=10,
        description="Parts by which each generation answers rows that it never saw. 1, as published: it answers the rows that it was "
        "trained on, at its best epoch on validation; more take as many further trainings of each generation.",
        json_schema_extra=unit("folds", advanced=True),
    )
    longer_baseline: bool = Field(
        True,
        description="Train the baseline once more, for the epochs of all generations together, where their number is set; its score on "
        "validation is told beside theirs.",
        json_schema_extra=unit("yes/no", advanced=True),
    )


def times(spec: BornAgainSpec) -> float:
    """Count trainings: every generation but the last takes one, or one per fold and one for its score."""
    each = 1 if spec.folds == 1 else spec.folds + 1
    return 1.0 + spec.generations * each


def again(spec: BornAgainSpec) -> float:
    """Count trainings beside those: the longer baseline is as long as all generations."""
    return (1.0 + spec.generations) * spec.longer_baseline


def longer_baseline(spec: BornAgainSpec, lesson: Lesson, way: Way, parameters: int) -> Helper:
    """Train the baseline for as many epochs as all generations take; epochs that the app chooses end by themselves, so none then."""
    generations = 1 + spec.generations
    epochs = min(MOST_EPOCHS, generations * (lesson.training.epochs or 1))
    longer = replace(lesson, training=lesson.training.model_copy(update={"epochs": epochs}))
    found = taught(longer, way.beside("longer baseline", way.seed), alone=True).trained
    return Helper(f"baseline with {epochs} epochs", found.score_selected, found.seconds, parameters)


@MODES.register(
    "born_again",
    title="Born again: it teaches itself",
    spec=BornAgainSpec,
    source="arXiv:1805.04770",
    about="A student learns from the labels; a second one of the same kind learns from the answers of the first, and so on. The teacher "
    "of this run is not listened to, it only stands beside the result. Each generation takes as long as a baseline, which is told.",
    apart=True,
    times=times,
    again=again,
    drawn="generations",
)
def born_again(spec: BornAgainSpec, lesson: Lesson, way: Way) -> Met:
    """Train generations 0 (labels) to `generations`, each by the run's loss on the answers of the one before.

    The last has the start weights and batches of the baseline, earlier ones their own. Errors: as `train_student`.
    """
    helpers: list[Helper] = []
    now = lesson
    parameters = sizes_for(lesson.dataset, lesson.student.arch).parameters
    for number in range(spec.generations):
        own = way.beside(f"generation {number}", derive(way.seed, "generation", number))
        found = taught(now, own, alone=number == 0)
        seconds = found.trained.seconds
        answers, more = answers_of(found, now, own, spec.folds, alone=number == 0)
        helpers.append(Helper(f"generation {number}", found.trained.score_selected, seconds + more, parameters))
        now = replace(lesson, answers=answers, made=None)
    if spec.longer_baseline and lesson.training.epochs:
        helpers.append(longer_baseline(spec, lesson, way, parameters))
    return Met(taught(now, way), tuple(helpers))
