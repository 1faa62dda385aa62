"""What a model says to a row is told so that a name that is a number does not run into its share."""

from pages.ui.try_it import said


def test_a_name_is_set_apart_from_its_share_and_is_not_escaped_twice():
    assert said.shares({"0": 1.0, "6": 0.0}) == "0: 100\u00a0% · 6: 0\u00a0%"
    assert said.shares({"a*b": 1.0}) == "a*b: 100\u00a0%"
