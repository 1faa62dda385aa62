"""The fixed short lists of plain models for tables, texts and pictures, and which small CNN is set beside a student."""

from __future__ import annotations

from collections.abc import Callable

from kd_core.data.dataset import Dataset
from kd_core.data.input_spec import PIXELS
from kd_core.data.pictures.column import shape_of
from kd_core.models.sizes import Sizes
from kd_core.specs import Choice

Plain = tuple[str, str, Choice]  # name, title and architecture
PLAIN: tuple[Plain, ...] = (
    ("linear", "a linear model", Choice(name="linear")),
    ("trees_30x4", "30 trees of 4 leaves", Choice(name="trees", settings={"trees": 30, "leaves": 4})),
    ("trees_30x15", "30 trees of 15 leaves", Choice(name="trees", settings={"trees": 30, "leaves": 15})),
    ("trees_30x31", "30 trees of 31 leaves", Choice(name="trees", settings={"trees": 30, "leaves": 31})),
    ("trees_100x31", "100 trees of 31 leaves", Choice(name="trees", settings={"trees": 100, "leaves": 31})),
)
_TERMS = (300, 1000, 1700, 3000, 8000, 16_000, 40_000)  # with many classes a piece of a word takes many bytes
TEXTS: tuple[Plain, ...] = tuple(
    (
        f"terms_{n}",
        f"a linear model on {n:,} weighted pieces of words",
        Choice(name="terms", settings={"size": None, "terms": n}),
    )
    for n in _TERMS
)
PICTURES: tuple[Plain, ...] = tuple(
    (
        f"pixels_{n}",
        f"a linear model on pictures shrunken to {n} pixels a side",
        Choice(name="linear_pixels", settings={"size": None, "side": n}),
    )
    for n in (4, 8, 16, 32)
)
# Filters of the first stage, and stages: not those of the students' sizes by name, and of four stages where bytes allow, which learn more quickly.
_SHAPES = ((4, 2), (7, 3), (9, 3), (12, 3), (7, 4), (10, 4), (14, 4), (20, 4), (28, 4), (48, 4))
NETWORKS: tuple[Plain, ...] = tuple(
    (
        f"cnn_{width}x{stages}",
        f"a small CNN of {width} to {width << stages - 1} filters",
        Choice(name="cnn", settings={"size": None, "width": width, "depth": stages}),
    )
    for width, stages in _SHAPES
)
LARGER = 1.0  # the first model of more than the largest student's bytes, times this, is the last of a list
TEXT = "ngrams"
SLOWER = (
    2.0  # a CNN may take so many times a student's operations for one picture, which is what its time to learn goes by
)
QUICK = 5e5  # operations for one picture that any may take
FILE = 2500  # bytes of a CNN's file beside its weights: its operations and their names


def lists(dataset: Dataset) -> list[tuple[Plain, ...]]:
    """List the plain models of what the rows can be read as: those of tables where any column is neither text nor picture, those of texts, of pictures."""
    kinds, columns = dataset.views.kinds, set(dataset.columns)
    view = dataset.view(TEXT).view if TEXT in kinds else None
    texts = set() if view is None else set(view.types)
    pictures = {name for name in columns & set(dataset.rows.columns) if shape_of(dataset.rows[name])}
    found = [PLAIN] if columns - texts - pictures or not columns else []
    return [*found, *([TEXTS] if TEXT in kinds else []), *([PICTURES] if PIXELS in kinds else [])]


def network_beside(student: Choice, size: Sizes, most: int, of: Callable[[Choice], Sizes]) -> tuple[Plain | None, bool]:
    """Choose the CNN to set beside a student, before anything is trained: the largest whose file takes at most `most` bytes.

    It is not of the student's own shape, as that one's baseline is the very model, and takes at most `SLOWER` times its operations,
    so that it learns in about the time of one of its trainings. `of` tells sizes; `size`: the student's. Returns it, or None, and
    whether a smaller one than would fit was taken, or none, for the time alone.
    """
    slow = False
    for plain in reversed(NETWORKS):
        own = of(plain[2])
        if own.size_bytes + FILE > most or alike(plain[2], own, student, size):
            continue
        if own.flops <= max(QUICK, SLOWER * size.flops):
            return plain, slow
        slow = True
    return None, slow


def alike(plain: Choice, own: Sizes, student: Choice, size: Sizes) -> bool:
    """Say whether a student is a model of the list itself, in other words trained alone: one architecture and as many weights."""
    return plain.name == student.name and own.parameters == size.parameters
