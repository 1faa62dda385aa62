"""The chart of rows that moved: the shade is bounded from below."""

from __future__ import annotations

from pages.ui.charts import confusion


def test_a_small_move_is_pale():
    told = {"true_title": "t", "predicted_title": "p", "hover": "{count}"}
    fig = confusion.confusion_shift([[1000, 1], [0, 1000]], [[999, 2], [0, 1000]], ["a", "b"], **told).to_dict()
    assert fig["data"][0]["zmax"] == 0.02 and fig["data"][0]["z"][0][0] < 0.002
