"""What the plain models beside the students take, told before."""

from __future__ import annotations

from kd_core.data.input_spec import PIXELS, InputSpec
from kd_core.models.sizes import Sizes, sizes
from kd_core.runs.asked import student_spec
from kd_core.runs.plain.lists import PICTURES, TEXT
from kd_core.runs.plain.seconds import ALL_SECONDS, ROW_SECONDS, plain_seconds

GREY = InputSpec(PIXELS, (1, 28, 28), "uint8", high=256)


def asked(*students, seeds=3, one_of=False, views=(PIXELS,)):
    """Count a second for each training, and name what was asked."""
    said = []
    archs = [student_spec(name).arch for name in students]

    def seconds(arch, size, number):
        said.append((arch, size.parameters, number))
        return float(number)

    def of(view, arch):
        assert view == PIXELS
        return sizes(arch, GREY, 10)

    found = plain_seconds(archs, 1000, seeds, views, of, [of(PIXELS, a) for a in archs], seconds, one_of)
    return round(found - ALL_SECONDS - 1000 * ROW_SECONDS, 9), said


def test_every_plain_model_of_pictures_counts_once_and_the_cnn_with_every_seed():
    taken, said = asked("resnet:tiny")
    assert [n for arch, _, n in said if arch == "linear_pixels"] == [1] * len(PICTURES)
    assert [(p, n) for arch, p, n in said if arch == "cnn"] == [(19365, 1), (19365, 2)]
    assert taken == len(PICTURES) + 3


def test_students_of_one_size_share_a_cnn_and_a_choice_among_them_has_one():
    assert asked("resnet:tiny", "cnn:small")[0] == len(PICTURES) + 3
    assert asked("resnet:tiny", "cnn:base")[0] == len(PICTURES) + 6
    assert asked("resnet:tiny", "cnn:base", "cnn:small", one_of=True)[0] == len(PICTURES) + 3
    assert asked("resnet:tiny", seeds=1)[0] == len(PICTURES) + 1


def test_what_reads_no_pictures_has_none():
    assert asked("resnet:tiny", views=())[0] == 0


def test_lists_end_at_the_first_model_that_is_larger_and_the_last_counts_twice_with_every_seed():
    told = []

    def of(view, arch):
        return Sizes(parameters=int(arch.settings["terms"]), flops=1, size_bytes=1)

    def seconds(arch, size, number):
        told.append(size.parameters)
        return float(size.parameters)

    own = Sizes(parameters=1500, flops=1, size_bytes=1)
    found = plain_seconds([student_spec("bag").arch], 1000, 3, (TEXT,), of, [own], seconds, False)
    assert told == [300, 1000, 1700]
    assert found == ALL_SECONDS + 1000 * ROW_SECONDS + 300 + 1000 + 1700 + 2 * 2 * 1700
