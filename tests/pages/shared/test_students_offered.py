"""The students that the Distill screen offers beside sizes of MLP."""

from tests.pages.screen import jobs  # noqa: F401
from tests.pages.test_distill import at, best, start  # noqa: F401


def test_students_that_cut_numbers_are_offered_by_the_sizes_they_have_and_can_be_started(at, jobs):  # noqa: F811
    names = [c.label for c in at.checkbox]
    assert {"piecewise tiny", "piecewise small", "additive"} <= set(names) and "additive tiny" not in names
    for box in at.checkbox:
        if box.label in ("additive", "piecewise small"):
            box.check()
    at.run()
    asked = [s.arch for s in start(at, jobs).students]
    assert [(a.name, a.settings.get("size")) for a in asked][2:] == [("additive", None), ("piecewise", "small")]
