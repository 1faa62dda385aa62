"""A search tries cheap steps first, halves shares in by what keeps the goals, and ends with the time."""

from __future__ import annotations

import pytest

from kd_core.compress.base import STEPS
from kd_core.errors import Stopped
from kd_core.runs.compressing.searching import FINALISTS, Search, Tried
from kd_core.runs.compressing.tree import settled
from kd_core.specs import Choice
from tests.runs.compressing.rounding import NAME, registered

OFFERED = (NAME, "prune_structured", "distill")


@pytest.fixture(autouse=True)
def rounding():
    with registered():
        yield


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def search(most_share, seconds=1000.0, each=1.0, learns=True, should_stop=lambda: False, rounding_keeps=True):
    """Search where a share is kept up to `most_share`, and each chain takes `each` seconds."""
    clock, heard, names = Clock(), [], []

    def weigh(chain):
        clock.now += each
        share = sum(s.settings["share"] for s in chain if s.name == "prune_structured")
        rounded = any(s.name == NAME for s in chain)
        size = int(1000 * (1 - share) * (0.5 if rounded else 1.0))
        names.append([s.name if s.name != "prune_structured" else share for s in chain])
        keeps = share <= most_share and (rounding_keeps or not rounded)
        return Tried(chain, "-".join(s.name for s in chain), size, share, keeps, each)

    found = Search(
        None,
        lambda entry, stage: None if entry.name in OFFERED else "is not for this test",
        weigh,
        seconds,
        heard.append,
        should_stop,
        learns,
        1000,
        clock,
    )
    return found, names, heard


def test_rounding_comes_first_and_shares_are_halved_in():
    found, names, heard = search(0.8)
    best = found.run()
    assert names == [[NAME], [0.5, NAME], [0.5, "distill", NAME], [0.75, "distill", NAME], [0.875, "distill", NAME]]
    assert [(one.bytes, len(one.chain)) for one in best] == [
        (125, 3),
        (250, 2),
        (500, 1),
    ]  # what came to the same is told once
    assert [e["done"] for e in heard if e["kind"] == "tried"] == [1, 2, 3, 4, 5]
    low, names, _ = search(0.3)
    assert [n[0] for n in names] == [] and [one.bytes for one in low.run()] == [375, 500]
    assert [n[0] for n in names[2:]] == [0.5, 0.25, 0.375]


def test_rounding_that_loses_too_much_is_not_put_behind_others_and_nobody_learns_without_answers():
    found, names, _ = search(0.6, learns=False, rounding_keeps=False)
    found.run()
    assert names[1:] == [[0.5], [0.75], [0.625]]


def test_it_ends_with_the_time_and_with_the_person():
    found, names, _ = search(0.8, seconds=2.5)
    assert [one.bytes for one in found.run()] == [250, 500] and len(names) == 3
    found, names, _ = search(0.8, should_stop=lambda: True)
    assert found.run() == [] and names == []


def test_a_chain_that_the_end_of_the_time_cut_off_is_left_out():
    found, _, _ = search(0.8)
    own = found.weigh

    def cut(chain):
        if len(chain) > 1:  # taking out, and learning again
            raise Stopped("the time was up")
        return own(chain)

    found.weigh = cut
    assert [one.name for one in found.run()] == [NAME]
    found.should_stop = lambda: True
    with pytest.raises(Stopped):
        found._try((*found.finalists()[0].chain, *found.finalists()[0].chain))


def test_no_more_finalists_than_can_be_carried_out():
    found, _, _ = search(0.9)
    found.run()
    assert len(found.tried) == 5 and len(found.finalists()) == FINALISTS
    assert all(STEPS.get(step.name) for one in found.finalists() for step in one.chain)
    told = found.finalists()[0].told()
    assert told["chain"][0]["name"] == "prune_structured" and told["keeps"]


def test_what_makes_nothing_smaller_is_not_learned_again_and_what_learns_and_rounds_at_once_comes_last():
    found, names, _ = search(0.8)
    found.offered = [STEPS.get(name) for name in ("qat", NAME, "prune_structured", "prune_magnitude", "distill")]
    found.run()
    learned = [chain for chain in names if "distill" in chain]
    assert not any("prune_magnitude" in chain for chain in learned)
    assert names[0] == [NAME] and names[-3:] == [["qat"], [0.75, "qat"], ["prune_magnitude", NAME]]


def test_what_saves_nothing_is_not_searched_and_nothing_larger_is_taken_home_beside_what_is_smaller():
    entries = ("scale_temperature", NAME)
    found = Search(
        None, lambda entry, _: None if entry.name in entries else "no", None, 1, lambda e: None, bool, True, 1000
    )
    assert [entry.name for entry in found.offered] == [NAME]
    sizes = {"a": 1000, "b": 900, "c": 1200, "d": 950}
    chain = (settled(Choice(name=NAME)),)
    found.tried = {n: Tried(chain, n, size, 0.0, True, 1.0) for n, size in sizes.items()}
    assert [one.name for one in found.finalists()] == ["b", "d"]
    found.whole = 800  # with a limit of time, say, that the student itself does not keep
    assert [one.name for one in found.finalists()] == ["b", "d", "a"]


def test_a_share_of_what_stays_is_halved_in_downwards():
    found, _, _ = search(0.8)
    found.offered = [STEPS.get(name) for name in (NAME, "low_rank", "distill")]
    shares = []

    def weigh(chain):
        share = next((s.settings["share"] for s in chain if s.name == "low_rank"), 1.0)
        shares.append(share)
        return Tried(chain, "thin", int(400 * share), 1 - share, share >= 0.2, 1.0)

    found.weigh = weigh
    best = found.run()
    assert shares == [1.0, 0.5, 0.5, 0.75, 0.25] and best[0].bytes == 100
