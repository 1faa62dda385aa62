"""How long the plain models beside the students take to learn, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from kd_core.data.input_spec import PIXELS
from kd_core.models.sizes import Sizes
from kd_core.runs.plain.lists import FILE, LARGER, NETWORKS, PICTURES, TEXT, TEXTS, network_beside
from kd_core.specs import Choice

ALL_SECONDS, ROW_SECONDS = 1.0, 1.5e-4  # of linear models and trees; per training row

SizesOf = Callable[[str, Choice], Sizes]
SecondsOf = Callable[[str, Sizes, int], float]


def plain_seconds(
    students: Sequence[Choice],
    train_rows: int,
    seeds: int,
    views: Collection[str],
    sizes_of: SizesOf,
    own: Sequence[Sizes],
    seconds_of: SecondsOf,
    one_of: bool,
) -> float:
    """Estimate the plain models beside the students; those on pieces of words and on pictures learn by steps, as students do.

    `own`: the students' sizes; `sizes_of(view, arch)`; `seconds_of(arch, size, trainings)`; `one_of`: one student will be chosen, so
    that a CNN is set beside that one alone. Two learn with every seed: the best of a student's size, and the smallest that keeps up,
    which is taken to cost as much.
    """
    found = ALL_SECONDS + ROW_SECONDS * train_rows
    largest, again = max(size.parameters for size in own), 0.0
    for view, models in ((TEXT, TEXTS), (PIXELS, PICTURES)):
        for _, _, arch in models if view in views else ():
            size = sizes_of(view, arch)
            again = seconds_of(arch.name, size, 1)
            found += again
            if size.parameters > LARGER * largest:
                break
    if PIXELS not in views:
        return found + 2 * (seeds - 1) * again
    beside = [
        network_beside(arch, size, size.size_bytes + FILE, lambda arch: sizes_of(PIXELS, arch))[0]
        for arch, size in zip(students, own, strict=True)
    ]
    shapes = [one for one in beside if one is not None] if one_of else [n for n in NETWORKS if n in beside]
    networks = 0.0
    for _, _, arch in shapes:
        size = sizes_of(PIXELS, arch)
        networks += seconds_of(arch.name, size, 1) + (seconds_of(arch.name, size, seeds - 1) if seeds > 1 else 0.0)
    return found + networks / (len(students) if one_of else 1)
