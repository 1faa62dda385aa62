"""Deep mutual learning: teacher and student are trained together, and each learns from the other."""

from __future__ import annotations

from kd_core.distill.beside import joint
from kd_core.distill.meeting import MODES, Lesson, Met, Way
from kd_core.models.building import SHORT_FORM
from kd_core.task import IN_FULL


@MODES.register(
    "mutual",
    title="Mutual: they teach each other",
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    spec=joint.JointSpec,
    source="arXiv:1706.00384",
    needs=("trainable_teacher", "gradient_students"),
    about="The teacher's network is trained anew beside each student, step by step on the same batches, by the student's training settings. "
    "Each learns from the labels and from what the other says at that moment. Stored answers and the run's method are not used; the "
    "teacher that answered before stands beside the result.",
    apart=True,
    own_lesson=True,
    live=True,
    times=lambda spec: 2.0,
    drawn="each_other",
)
def mutual(spec: joint.JointSpec, lesson: Lesson, way: Way) -> Met:
    """Train both: CE + weight KL(p_other ‖ p_self) each, T = 1 as published. Errors: as `train_student`."""
    return joint.train(spec, lesson, way, back=True)
