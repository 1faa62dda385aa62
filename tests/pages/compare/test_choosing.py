"""Compare: other runs one press away, and what the picked student gives away."""

from __future__ import annotations

from pages.ui.result.goals import Candidate, Goals, price
from pages.ui.shared.text import t
from tests.pages.fixtures import done_run
from tests.pages.screen import open_page


def test_the_other_runs_of_the_same_data_are_one_press_away():
    one, two, other = done_run(name="one"), done_run(name="two"), done_run(name="other", dataset="orders")
    at = open_page("compare", runs=one)
    button = at.button(key="compare-add")
    assert button.label == t("compare.add_other")
    button.click().run()
    assert not at.exception and at.multiselect(key="compare-runs").value == [one, two]
    assert at.query_params["runs"] == f"{one},{two}" and other not in str(at.query_params)
    assert not [b for b in at.button if b.key == "compare-add"]


def test_the_pick_says_what_it_gives_away_and_who_scores_higher():
    found = [
        Candidate(
            "a", "tiny", 0.84, {"size": 500.0, "latency": 0.1}, None, "−1.0 points [−1.5, −0.4] against the teacher"
        ),
        Candidate("b", "small", 0.86, {"size": 900.0, "latency": 0.1}),
        Candidate("c", "base", 0.87, {"size": 9000.0, "latency": 0.1}),
    ]
    asked = Goals("roc_auc", 0.8, {"size": 1000.0})
    said = [str(words) for words in price(found, asked)]
    assert said[0].startswith("0.840 ROC-AUC, −1.0 points") and said[1].startswith("small (900 B) scores higher: 0.860")
    assert len(price(found[2:], asked)) == 1  # misses a goal: nobody else is set beside it


def test_the_default_is_there_again_after_another_page():
    run = done_run()
    at = open_page("compare", {"compare-url": []})  # kept; the choice itself Streamlit drops when the page is left
    assert not at.exception and at.multiselect(key="compare-runs").value == [run]
