"""Students are called by the titles that the form shows, wherever a person reads of them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kd_core.runs.store.student_names import student_title, titled
from kd_core.specs import Choice, StudentSpec
from pages.ui.chain import parts


@pytest.mark.parametrize(
    ("name", "arch", "shown"),
    [
        ("linear_pixels small", "linear_pixels", "Linear on pixels (small)"),
        ("bag small", "bag", "Weighted bag (small)"),
        ("additive pairs", "additive", "Additive curves (pairs)"),
        ("linear", "linear", "Linear"),
        ("tiny", "mlp", "tiny"),
        ("mlpx", "mlp", "mlpx"),
        ("my own", "", "my own"),
        ("gone small", "gone", "gone small"),
    ],
)
def test_a_name_made_from_the_architecture_is_told_by_its_title(name, arch, shown):
    assert student_title(name, arch) == shown == titled({"name": name, "arch": {"name": arch}})
    if arch not in ("", "gone") and name != "tiny":
        assert parts.in_words(StudentSpec(name=name, arch=Choice(name=arch))) == shown


def test_a_title_is_told_without_loading_torch():
    code = "import sys; from kd_core.runs.store.student_names import student_title as s; print(s('cnn tiny', 'cnn'), 'torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip()
        == "CNN (tiny) False"
    )
