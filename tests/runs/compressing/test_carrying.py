"""A stage that could be made for some seeds says why it was not for the others."""

from kd_core.runs.compressing.carrying import Carried
from kd_core.runs.compressing.stage_store import Made
from kd_core.runs.compressing.tree import tree_of

STAGE = object()


def carried(*of_seeds):
    made = {(0, seed): one for seed, one in enumerate(of_seeds) if one is not None}
    return Carried(tree_of([]), list(range(len(of_seeds))), made)


def test_what_some_seeds_lack_is_told_and_a_stage_of_some_seeds_is_made():
    some = carried(Made(STAGE), Made(None, reason="it would lose too much"), Made(STAGE))
    assert some.seeds_of(0) == [0, 2] and some.reason(0) is None and some.left(0) == "it would lose too much"
    assert carried(Made(STAGE), Made(STAGE)).left(0) is None
    assert carried(Made(STAGE), None).left(0) == "the run was stopped before it"
    none = carried(Made(None, reason="it has no layers"))
    assert none.reason(0) == none.left(0) == "it has no layers"
