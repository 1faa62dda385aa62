"""One-way joint training: the teacher learns from the labels, and the student from the labels and the teacher as it is now."""

from __future__ import annotations

from kd_core.distill.beside import joint
from kd_core.distill.meeting import MODES, Lesson, Met, Way
from kd_core.models.building import SHORT_FORM
from kd_core.task import IN_FULL


@MODES.register(
    "online",
    title="Online: the student follows a learning teacher",
    tasks=IN_FULL,
    because={"task": SHORT_FORM},
    spec=joint.JointSpec,
    source="arXiv:1706.00384",
    needs=("trainable_teacher", "gradient_students"),
    about="The teacher's network is trained anew beside each student, step by step on the same batches, by the student's training settings. "
    "It learns from the labels alone; the student learns from the labels and from what the teacher says at that moment. Stored answers "
    "and the run's method are not used; the teacher that answered before stands beside the result.",
    apart=True,
    own_lesson=True,
    live=True,
    times=lambda spec: 2.0,
    drawn="at_once",
)
def online(spec: joint.JointSpec, lesson: Lesson, way: Way) -> Met:
    """Train both: teacher CE; student CE + weight KL(p_teacher ‖ p_student), without a gradient to the teacher. Errors: as `train_student`."""
    return joint.train(spec, lesson, way, back=False)
