"""A way to read rows is one file: added to a copy of the engine, it is listed, obeys the laws, and a network reads by it."""

from __future__ import annotations

import json

import pytest

from tests.additions.test_new_task import ROOT, copy, run  # noqa: F401
from tests.data.views.test_text_views import text_table

VIEW = '''"""How long texts are."""

import numpy as np

from kd_core.data.input_spec import InputSpec
from kd_core.data.view import VIEWS, View


class LengthView(View):
    """The length of each text column."""

    def __init__(self, types, task, seed):
        super().__init__({name: column for name, column in types.items() if column.kind == "text"}, task, seed)

    def fit(self, frame, y, groups):
        return {}

    def encode(self, frame, own=None):
        return np.column_stack([frame[n].fillna("").str.len() / 100 for n in self.types]).astype(np.float32)

    @property
    def spec(self):
        return InputSpec("lengths", (len(self.types),))


def fits(types):
    return None if any(column.kind == "text" for column in types.values()) else "needs texts"


VIEWS.register(
    "lengths", title="Lengths", fits=fits, foresee=lambda profile: InputSpec("lengths", (1,)), version=1,
    example=InputSpec("lengths", (1,)), reads="how long texts are",
)(LengthView)
'''


@pytest.fixture(scope="module")
def place(copy):  # noqa: F811
    """The copy with a view more, and linear networks that read by it."""
    import shutil

    (copy / "kd_core" / "data" / "views" / "lengths.py").write_text(VIEW)
    linear = copy / "kd_core" / "models" / "archs" / "linear.py"
    text = linear.read_text().replace('"linear"', '"by_length"').replace("takes=(TABLE,)", 'takes=("lengths",)')
    (linear.parent / "by_length.py").write_text(text)
    shutil.copy(ROOT / "tests/laws/test_views.py", copy / "tests/laws/test_views.py")
    return copy


@pytest.mark.slow
def test_it_is_listed_and_the_laws_know_it(place):
    assert "lengths" in run(place, "kd_core", "list", "views")
    said = run(place, "pytest", "-p", "no:cacheprovider", "-vv", "tests/laws/test_views.py")
    assert "[lengths]" in said and "failed" not in said


@pytest.mark.slow
def test_a_student_reads_by_it(place):
    text_table(place / "a.csv", 200)
    options = ["--target", "label", "--student", "by_length", "--epochs", "2", "--seeds", "2", "--out", "read"]
    run(place, "kd_core", "distill", "a.csv", *options)
    found = json.loads((place / "read" / "result.json").read_text())
    assert found["students"][0]["parameters"] == 4  # one length, two classes
