"""Chains that a search tried do not vanish: how many there were, and which goal broke those that were not carried out."""

from kd_core.runs.view.smaller import told, tried
from tests.runs.view.compressed_block import compressed

GOALS = {"most_lost": 2.0, "bytes": 6144, "microseconds": None}


def one(name, size=7261, lost=0.1, keeps=False, why=None, **more):
    return {"name": name, "bytes": size, "lost": lost, "keeps": keeps, "why": why, "chain": [], "seconds": 1.0, **more}


def searched(*every, goals=GOALS, chains=([1],)):
    return compressed(tried=list(every), searched=True, goals=goals, chains=[list(c) for c in chains])


def test_what_was_tried_is_counted_by_the_goals_that_it_broke():
    every = [one("fp16"), one("int4", 5985, 2.944), one("int8", 6544), one("qat", None, None, why="no weights")]
    block = searched(*every)
    said = tried.line(block)
    assert said == (
        "4 chains were tried on validation rows with one seed, 1 carried out for every seed. None keeps the goals there; "
        "2 are above 6 KB (the nearest: int8, 6.4 KB), 1 loses more than 2 points (int4, 2.94 points lost), 1 could not be made (qat)."
    )
    assert said in told.lines({"compressed": block})


def test_goals_that_are_broken_together_and_numbers_that_do_not_tell_are_said_so():
    timed = {**GOALS, "microseconds": 50.0}
    both, slow = one("a", 9000, 3.0, microseconds=20.0), one("b", 5000, 0.1, microseconds=80.0)
    said = tried.line(searched(both, slow, one("c", 5000), goals=timed))
    assert "1 loses more than 2 points and is above 6 KB (a, 3.00 points lost, 8.8 KB)" in said
    assert "1 takes more than 50 us a row (b, 80 us)" in said and "1 is not known to keep them (c)" in said
    many = [one(name, None, None, why="no") for name in "abcde"]
    assert "5 could not be made (a, b, c and 2 more)" in tried.line(searched(*many))


def test_what_keeps_the_goals_is_counted_and_chains_that_were_asked_for_were_not_tried():
    kept = one("int8", 5000, keeps=True)
    assert "1 keeps the goals there; 1 is above 6 KB (fp16, 7.1 KB)." in tried.line(searched(kept, one("fp16")))
    two = tried.line(searched(kept, kept, chains=([1], [2])))
    assert two.startswith("2 chains were tried") and two.endswith(
        "2 carried out for every seed. All keep the goals there."
    )
    assert tried.line(searched(kept)).startswith("1 chain was tried")
    assert tried.line(compressed()) is None
