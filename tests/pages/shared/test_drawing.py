"""A drawing as a value: it is copied by what may be changed, never by its numbers."""

from __future__ import annotations

from pages.ui.charts.drawing import Drawing


def test_a_copy_of_a_drawing_can_be_changed_without_changing_it():
    made = Drawing().add_scatter(x=[1, 2], y=[3, 4], marker={"size": 5}).add_shape(type="line", x0=0)
    made.update_layout(xaxis_title="epoch")
    copied = made.to_dict()
    copied["data"][0]["marker"]["size"] = 9
    copied["data"].append({})
    copied["layout"]["shapes"][0]["x0"] = 7
    copied["layout"]["xaxis"]["title"] = "other"
    again = made.to_dict()
    assert len(again["data"]) == 1 and again["data"][0]["marker"] == {"size": 5}
    assert again["layout"]["shapes"][0]["x0"] == 0 and again["layout"]["xaxis"]["title"] == "epoch"
    assert again["data"][0]["x"] is made.to_dict()["data"][0]["x"]  # numbers are not copied
