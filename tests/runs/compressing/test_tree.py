"""Chains that begin alike are one tree, and its stages have names of their own."""

from __future__ import annotations

import pytest

from kd_core.errors import KDError
from kd_core.runs.compressing.tree import order_error, tree_of
from kd_core.specs import Choice
from tests.runs.compressing.rounding import NAME, registered


@pytest.fixture(autouse=True)
def rounding():
    with registered():
        yield


def step(name, **settings):
    return Choice(name=name, settings=settings)


def test_shared_beginnings_are_carried_out_once():
    half, again, coarse = step("prune_structured", share=0.5), step("distill"), step(NAME)
    tree = tree_of([(half, again, coarse), (half, coarse), (coarse,), (half, again, coarse)])
    assert [n.name for n in tree.nodes] == [
        "student",
        "half",
        "half-again",
        "half-again-coarse",
        "half-coarse",
        "coarse",
    ]
    assert [n.parent for n in tree.nodes] == [None, 0, 1, 2, 1, 0]
    assert tree.chains == ((1, 2, 3), (1, 4), (5,), (1, 2, 3))
    assert tree.chain_of(4) == (1, 1) and tree.chain_of(1) == (0, 0) and tree.chain_of(0) is None
    assert [n.number for n in tree.after(1)] == [2, 4]


def test_settings_left_out_are_the_steps_own_and_others_make_another_stage():
    tree = tree_of([(step("distill"),), (step("distill", epochs=0.5),), (step("distill", epochs=2.0),)])
    assert [n.name for n in tree.nodes] == ["student", "again", "again-2"]
    assert tree.chains == ((1,), (1,), (2,))


def test_a_network_changes_before_its_file_does():
    fine, wrong = (step("distill"), step(NAME)), (step(NAME), step("distill"))
    assert order_error(fine) is None and order_error((step(NAME), step(NAME))) is None
    found = order_error(wrong)
    assert found.code == "compress_order" and "'distill'" in found.message and f"'{NAME}'" in found.hint


@pytest.mark.parametrize("chain", [(step("prune_all"),), (step("distill", epoch=1),), (step("distill", epochs=-1),)])
def test_what_nobody_knows_is_refused(chain):
    with pytest.raises(KDError):
        tree_of([chain])
