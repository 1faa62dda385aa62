"""A short seeded attack on every reader, on specs and on the files of a finished run; and what was found before, again."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kd_core.data.files import sandbox
from kd_core.errors import DataError, KDError
from tests.fuzz import campaign, mutations, targets

REPRODUCERS = sorted((Path(__file__).parent / "reproducers").iterdir())


@pytest.fixture
def in_this_process(monkeypatch):
    """Files of damaged bytes are read here: whole processes that may die are for the long runs."""
    monkeypatch.setattr(sandbox, "call", targets.call_here)


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
@pytest.mark.parametrize("kind", targets.KINDS)
def test_every_input_is_answered_or_refused_in_words(kind, tmp_path):
    outcomes = set()
    for number in range(60):
        place, data = targets.make_input(kind, 7, number)
        try:
            outcomes.add(targets.attack(kind, place, data, tmp_path))
        except Exception as error:
            pytest.fail(f"python -m tests.fuzz --again {kind} 7 {number}: {type(error).__name__}: {error}")
    assert len(outcomes) > 1


@pytest.mark.slow
@pytest.mark.parametrize("path", REPRODUCERS, ids=lambda p: p.name)
def test_what_was_found_once_stays_mended(path, tmp_path):
    """Named `<kind>-<what came out>[-...]`; read the whole way, child process included."""
    kind, expected, *_ = path.name.split("-")
    assert targets.attack(kind, 0, path.read_bytes(), tmp_path) == expected


def test_an_input_is_made_again_from_its_numbers():
    for kind in targets.KINDS:
        assert targets.make_input(kind, 3, 4) == targets.make_input(kind, 3, 4) != targets.make_input(kind, 4, 4)


def test_no_input_leaves_a_trace_in_those_after_it():
    made = [targets.make_input("spec", 5, number) for number in range(300)]
    assert made == [targets.make_input("spec", 5, number) for number in reversed(range(300))][::-1]


def test_damage_changes_bytes_and_never_leaves_none():
    chance = random.Random(0)
    made = {mutations.damaged(b"a,b\n1,2\n", chance) for _ in range(200)}
    assert len(made) > 150 and b"" not in made


def test_a_broad_refusal_is_no_answer(tmp_path, monkeypatch):
    def refuse(*_):
        raise DataError("x" * 30_000, "hint", "code")

    monkeypatch.setattr(targets, "read_table", refuse)
    with pytest.raises(AssertionError, match=r"\d+ characters: .xxx"):
        targets.attack("csv", 0, b"a\n1\n", tmp_path)


@pytest.mark.slow
def test_a_campaign_counts_every_input_and_names_what_was_not_caught(tmp_path, monkeypatch):
    found = campaign.run({"csv": 30, "parquet": 30}, 11, keep=tmp_path / "found")
    assert found.inputs == sum(found.outcomes.values()) == 60 and not found.uncaught
    assert not (tmp_path / "found").exists()


@pytest.mark.slow
def test_a_broken_harness_is_no_finding():
    with pytest.raises(RuntimeError, match=r"the worker for nothing 0 0 ended with 1: KeyError"):
        campaign.batch("nothing", 0, 0, 5)


def test_errors_of_the_engine_are_what_counts_as_an_answer(tmp_path, monkeypatch):
    def refuse(*_):
        raise KDError("what", "hint", "some_code")

    monkeypatch.setattr(targets, "_read_spec", refuse)
    assert targets.attack("spec", 0, b"{}", tmp_path) == "some_code"
