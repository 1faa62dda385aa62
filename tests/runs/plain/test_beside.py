"""Plain models on the test rows: which are asked, and how many statements hold together."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from kd_core.runs.plain.beside import Beside


def made(name, size):
    return None if name is None else SimpleNamespace(name=name, bytes=size)


@pytest.mark.parametrize(
    ("best", "smallest", "own", "smaller", "statements"),
    [
        (("trees", 900), ("linear", 300), 1000, "linear", 4),
        (("trees", 900), ("trees", 900), 1000, None, 2),
        (("trees", 900), ("wide", 1000), 1000, None, 2),
        (("trees", 900), (None, 0), 1000, None, 2),
        ((None, 0), ("wide", 2000), 1000, None, 1),
        ((None, 0), ("linear", 300), None, None, 1),
    ],
)
def test_the_smallest_is_asked_where_it_takes_fewer_bytes_and_is_not_the_best(best, smallest, own, smaller, statements):
    one = Beside({"deployed": {"bytes": own}}, None, "student", [0], 0.01, made(*best), made(*smallest))
    assert (one.smaller.name if one.smaller else None) == smaller
    assert one.statements == statements
