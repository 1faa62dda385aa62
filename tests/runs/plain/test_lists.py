"""Which small CNN is set beside a student of pictures."""

from __future__ import annotations

import functools

import pytest

from kd_core.data.input_spec import InputSpec
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models.archs.cnn import PRESETS
from kd_core.models.building import build
from kd_core.models.sizes import Sizes, sizes
from kd_core.runs.asked import student_spec
from kd_core.runs.plain.lists import FILE, NETWORKS, QUICK, SLOWER, network_beside
from kd_core.specs import Choice

GREY = InputSpec("pixels", (1, 28, 28), "uint8", high=256)
COLOUR = InputSpec("pixels", (3, 32, 32), "uint8", high=256)
STUDENTS = [f"{arch}:{size}" for arch in ("cnn", "resnet", "mobilenet") for size in ("tiny", "small", "base", "large")]


def beside(arch, inputs=GREY, most=None):
    of = functools.partial(sizes, inputs=inputs, num_outputs=10)
    return network_beside(arch, of(arch), most or of(arch).size_bytes + FILE, of), of


@pytest.mark.parametrize("inputs", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", STUDENTS)
def test_every_student_of_pictures_has_a_cnn_of_about_its_bytes_that_learns_as_quickly(name, inputs):
    arch = student_spec(name).arch
    (found, slow), of = beside(arch, inputs)
    own, theirs = of(found[2]), of(arch)
    assert own.size_bytes <= theirs.size_bytes and own.flops <= SLOWER * theirs.flops
    larger = [n for n in NETWORKS if own.size_bytes < of(n[2]).size_bytes <= theirs.size_bytes]
    assert slow == bool(larger) and all(of(n[2]).flops > SLOWER * theirs.flops for n in larger)
    assert own.size_bytes > 0.4 * theirs.size_bytes or own.size_bytes == of(NETWORKS[-1][2]).size_bytes


def test_no_shape_of_the_list_is_one_of_the_sizes_by_name_and_the_bytes_rise():
    shapes = [(arch.settings["width"], arch.settings["depth"]) for *_, arch in NETWORKS]
    assert not set(shapes) & {(preset["width"], preset["depth"]) for preset in PRESETS.values()}
    rising = [sizes(arch, GREY, 10).size_bytes for *_, arch in NETWORKS]
    assert rising == sorted(set(rising)) and len({name for name, *_ in NETWORKS}) == len(NETWORKS)


def test_a_student_of_the_lists_own_shape_gets_the_next_smaller_one():
    own = NETWORKS[4][2]
    (found, slow), of = beside(Choice(name="cnn", settings={**own.settings, "moved": 1}))
    assert found == NETWORKS[3] and not slow
    assert beside(own, most=of(NETWORKS[5][2]).size_bytes + FILE)[0][0] == NETWORKS[5]  # as much larger as it may be
    assert beside(Choice(name="resnet", settings={"size": "tiny"}))[0][0] == NETWORKS[4]


def test_where_none_fits_or_all_that_fit_take_too_long_that_is_told_apart():
    linear = Choice(name="linear_pixels", settings={"size": "base"})
    assert beside(linear, most=3000)[0] == (None, False)  # bytes
    (found, slow), of = beside(linear)
    assert found == NETWORKS[0] and of(found[2]).flops < QUICK and not slow
    large = InputSpec("pixels", (3, 224, 224), "uint8", high=256)
    assert beside(linear, large, most=30_000)[0] == (None, True)  # time


@pytest.mark.parametrize("number", [0, 4, 7])
def test_a_file_takes_about_its_weights_and_what_is_told_beside_them(number):
    arch = NETWORKS[number][2]
    taken = len(onnx_bytes(build(arch, GREY, 10).eval(), GREY))
    assert 0 <= sizes(arch, GREY, 10).size_bytes + FILE - taken < 2 * FILE


def test_of_a_student_with_many_bytes_and_few_operations_the_time_decides():
    of = functools.partial(sizes, inputs=GREY, num_outputs=10)
    found, slow = network_beside(Choice(name="resnet"), Sizes(10**6, 10**6, 4 * 10**6), 4 * 10**6, of)
    assert slow and found == NETWORKS[4] and of(found[2]).flops <= 2 * 10**6 < of(NETWORKS[5][2]).flops
