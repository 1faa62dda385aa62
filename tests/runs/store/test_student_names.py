"""Students have one short name wherever a person reads of them, and are told once with the kind that the form shows."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kd_core.runs.store.student_names import student_title, titled


@pytest.mark.parametrize(
    ("name", "arch", "shown"),
    [
        ("linear_pixels small", "linear_pixels", "linear_pixels small (Linear on pixels)"),
        ("bag small", "bag", "bag small (Weighted bag)"),
        ("additive pairs", "additive", "additive pairs (Additive curves)"),
        ("linear", "linear", "linear"),
        ("tiny", "mlp", "tiny (MLP)"),
        ("cnn tiny", "cnn", "cnn tiny"),
        ("piecewise:tiny", "piecewise", "piecewise:tiny (MLP on piecewise-linear numbers)"),
        ("mlp tiny", "mlp", "mlp tiny"),
        ("my own", "", "my own"),
        ("gone small", "gone", "gone small"),
    ],
)
def test_a_title_begins_with_the_short_name_and_tells_the_kind_where_that_does_not(name, arch, shown):
    assert student_title(name, arch) == shown == titled({"name": name, "arch": {"name": arch}})
    assert titled({"name": name}) == name  # an older result


def test_a_title_is_told_without_loading_torch():
    code = "import sys; from kd_core.runs.store.student_names import student_title as s; print(s('bag tiny', 'bag'), 'torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
        == "bag tiny (Weighted bag) False"
    )
