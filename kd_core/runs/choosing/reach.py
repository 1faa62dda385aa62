"""Which candidates can't come near a limit of bytes, foreseen before anything is encoded: for the form, its estimate, and the run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kd_core.data.input_spec import COLUMNS, PIXELS, TABLE, InputSpec
from kd_core.models import ARCHS
from kd_core.models.building import view_of
from kd_core.models.file_sizes import file_bytes
from kd_core.models.shape import NamingSpec, SizedSpec
from kd_core.models.sizes import sizes
from kd_core.runs.choosing.shortening import NARROWER
from kd_core.specs import Choice, ChooseSpec, StudentSpec

CLEARLY = 1.5  # times the limit: what is foreseen may be wrong by so much
WRITTEN = 0.75  # of the weights of a network of pictures, its file: layers that only scale are folded into others


def least_foreseen(arch: Choice, inputs: Mapping[str, InputSpec], num_outputs: int) -> int | None:
    """Foresee the fewest bytes of a file, without names and as narrow as it may be made; None where that is not known.

    Trees end sooner than they might, and how many words a text network knows shows in the texts. Errors: KDError.
    """
    entry = ARCHS.get(arch.name)
    own = inputs[view_of(arch, inputs)]
    if "file_bytes" in entry.facts or own.kind not in (TABLE, COLUMNS, PIXELS, "ngrams"):
        return None
    spec = entry.spec.parse(arch.settings)
    if isinstance(spec, SizedSpec) and isinstance(spec, NamingSpec):
        width = max(1, round(min(NARROWER) * spec.shape()[0]))
        arch = arch.model_copy(update={"settings": {**arch.settings, "width": width}})
    found = file_bytes(arch, own, num_outputs, ())
    return int(WRITTEN * sizes(arch, own, num_outputs).size_bytes) if found is None else found


def beyond(arch: Choice, goals: ChooseSpec, inputs: Mapping[str, InputSpec], num_outputs: int) -> bool:
    """Say whether a file is larger than its limit by a clear margin, however it is shortened. Errors: KDError."""
    if goals.bytes is None:
        return False
    least = least_foreseen(arch, inputs, num_outputs)
    return least is not None and least > CLEARLY * goals.bytes


def within_reach(
    students: Sequence[StudentSpec], goals: ChooseSpec | None, inputs: Mapping[str, InputSpec], num_outputs: int
) -> tuple[StudentSpec, ...]:
    """Leave out what is clearly larger than the limit; of candidates that all are, keep the smallest, which a run tries. Errors: KDError."""
    if goals is None:
        return tuple(students)
    found = tuple(s for s in students if not beyond(s.arch, goals, inputs, num_outputs))
    return found or (min(students, key=lambda s: least_foreseen(s.arch, inputs, num_outputs) or 0),)
