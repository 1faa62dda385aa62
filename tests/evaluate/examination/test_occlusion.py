"""Parts of a text or picture that are taken away."""

from __future__ import annotations

import numpy as np

from kd_core.data.pictures.column import png
from kd_core.evaluate.examination import occlusion
from kd_core.evaluate.examination.disturbance import pixels_of_file


def test_words_and_chinese_characters_are_parts():
    text = "late bag 包坏了 !"
    parts = [text[start:end] for start, end in occlusion.parts_of(text)]
    assert parts == ["late", "bag", "包", "坏", "了", "!"]
    without = occlusion.texts_without(text, occlusion.parts_of(text))
    assert without[1] == "late  包坏了 !" and without[3] == "late bag 包了 !"
    assert occlusion.parts_of("  ") == []


def test_a_long_text_has_few_parts_that_hold_all_of_it():
    text = " ".join(f"w{i}" for i in range(500))
    parts = occlusion.parts_of(text)
    assert len(parts) <= occlusion.MOST_PARTS
    assert " ".join(text[start:end] for start, end in parts) == text


def test_each_square_of_a_picture_is_covered_once():
    pixels = np.random.default_rng(0).integers(0, 255, (28, 30, 3), dtype=np.uint8)
    made = [pixels_of_file(file) for file in occlusion.pictures_without(png(pixels))]
    assert len(made) == occlusion.GRID**2
    mean = np.rint(pixels.reshape(-1, 3).mean(0))
    covered = np.zeros((28, 30), int)
    for one in made:
        hidden = (one == mean).all(2)
        assert ((one == pixels).all(2) | hidden).all()
        covered += hidden
    assert covered.min() == 1 and (covered == 1).mean() > 0.99


def test_an_effect_is_what_the_answer_loses():
    found = occlusion.effect(np.array([0.2, 0.8]), np.array([[0.5, 0.5], [0.1, 0.9]]), 1)
    np.testing.assert_allclose(found, [0.3, -0.1])
