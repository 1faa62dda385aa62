"""Means beside each other are over the seeds of their difference, and the number of seeds is said once."""

import pytest

from kd_core.runs.view import compress_words
from kd_core.runs.view.smaller import same_seeds, told
from tests.runs.view.compressed_block import AGAIN, INT8, compressed, difference, stage

SCORES = [0.90, 0.91, 0.95, 0.96, 0.97]


def few(*more):
    """A student of five seeds, and a stage that could be made for two of them; `more`: further stages, for all seeds."""
    values = {"accuracy": SCORES, "f1_macro": [v - 0.1 for v in SCORES]}
    mean = sum(SCORES) / 5
    whole = stage(0, None, None, "student", seeds=[0, 1, 2, 3, 4], scores=SCORES, values=values, score=mean)
    own = {"accuracy": [0.92, 0.92], "f1_macro": [0.8, 0.8]}
    int8 = stage(1, 0, INT8, "int8", seeds=[0, 2], scores=own["accuracy"], values=own, score=0.92)
    int8 |= {"lost": difference(0.5, 0.2, 2), "left": "it would lose too much."}
    return compressed(stages=[whole, int8, *more], chains=[[1]], best=1, seeds=[0, 1, 2, 3, 4], sensitivity=[])


def test_the_student_stands_beside_a_stage_of_few_seeds_over_the_same_ones():
    block = same_seeds.of(few())
    whole, int8 = block["stages"]
    assert whole["seeds"] == [0, 2] and whole["scores"] == [0.90, 0.95] and "beside" not in int8
    assert whole["metrics"] == pytest.approx({"accuracy": 0.925, "f1_macro": 0.825})
    shown = [float(compress_words.score(one)) for one in block["stages"]]
    assert 100 * (shown[0] - shown[1]) == pytest.approx(int8["lost"]["mean"])  # the means tell the same difference
    lines = "\n".join(told.lines({"compressed": few()}))
    assert "student 84 KB 0.9250 -> int8 84 KB 0.9200" in lines
    said = "int8 could be made for 2 of 5 seeds; for the others not: it would lose too much."
    assert said in lines and "All means and differences are over these 2" in lines


def test_where_stages_differ_each_of_fewer_seeds_holds_the_student_on_its_own():
    every = {"seeds": [0, 1, 2, 3, 4], "scores": SCORES}
    block = same_seeds.of(few(stage(2, 0, AGAIN, "again", **every)))
    whole, int8, again = block["stages"]
    assert whole["seeds"] == [0, 1, 2, 3, 4] and "beside" not in again
    assert int8["beside"]["seeds"] == [0, 2] and compress_words.score(int8["beside"]) == "0.9250"
    assert same_seeds.lines(block)[-1].startswith("Means are over 5 seeds; beside a stage of fewer")


def test_stages_of_all_seeds_are_left_as_they_are():
    block = compressed()
    assert same_seeds.of(block)["stages"] == block["stages"]
    assert same_seeds.lines(block) == ["All means are over 3 seeds."]
    assert same_seeds.lines({**block, "seeds": [0], "stages": block["stages"][:1]}) == ["All means are over 1 seed."]
