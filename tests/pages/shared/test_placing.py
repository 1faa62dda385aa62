"""Labels beside marks: each where nothing lies, none where there is no room."""

from __future__ import annotations

import itertools

from pages.ui.charts import placing

X, Y = [2.0, 5.0], [0.8, 0.9]  # ends of the axes, the first in powers of ten


def point(x, y, label="student", **more):
    return {"x": x, "y": y, "low": None, "high": None, "label": label, **more}


def boxes(points, sides, height=360):
    wide, high = placing.WIDE, height - placing.AROUND
    found = []
    for p, side in zip(points, sides, strict=True):
        if side:
            x = wide * placing._share(placing.math.log10(p["x"]), X)
            found.append(placing._box(x, high * placing._share(p["y"], Y), len(p["label"]), side))
    return found


def test_a_label_with_room_stands_right_of_its_mark_and_at_the_edge_left():
    assert placing.places([point(10_000, 0.85)], X, Y, 360) == ["middle right"]
    assert placing.places([point(99_000, 0.85)], X, Y, 360) == ["middle left"]


def test_labels_of_marks_near_each_other_do_not_meet():
    near = [point(2000, 0.85), point(2300, 0.852), point(2600, 0.849), point(1500, 0.851)]
    sides = placing.places(near, X, Y, 360)
    drawn = boxes(near, sides)
    assert len(drawn) >= 3
    assert all(placing._common(a, b) < 0.15 * 60 * placing.HIGH for a, b in itertools.combinations(drawn, 2))


def test_a_label_does_not_lie_on_an_interval():
    beside = [point(5000, 0.85), point(6500, 0.89, label="", low=0.8, high=0.9)]  # its mark lies far above
    assert placing.places(beside, X, Y, 360)[0] == "middle left"


def test_a_label_keeps_off_the_line_that_joins_points():
    front = [point(5000, 0.85), point(60_000, 0.88, label="")]
    assert placing.places(front, X, Y, 360)[0] == "middle right"
    assert placing.places(front, X, Y, 360, [front])[0] == "middle left"
    edge = [point(100, 0.85), point(9000, 0.9)]  # of a region, whose name stands in the legend
    both = placing.places(front, X, Y, 360, [front, edge])
    assert both[0] not in ("middle left", "middle right")


def test_a_label_keeps_off_a_level_and_its_words():
    (beside,) = placing.places([point(5000, 0.85)], X, Y, 360, levels=[(0.85, 12)])
    assert beside in ("top center", "bottom center", "top left", "bottom left", "top right", "bottom right")
    above = [point(20_000, 0.848)]  # its label would stand in the line of the words, clear of the level
    assert placing.places(above, X, Y, 360, levels=[(0.8445, 0)]) == ["middle right"]
    assert placing.places(above, X, Y, 360, levels=[(0.8445, 20)]) != ["middle right"]


def test_where_everything_is_taken_there_is_no_label_and_beaten_points_come_last():
    crowd = [point(2000 * 1.02**i, 0.85, label="a long name of a student") for i in range(30)]
    sides = placing.places(crowd, X, Y, 360)
    assert None in sides and any(sides)
    two = [point(2000, 0.85, label="a long name", faded=True), point(2000, 0.85, label="a long name")]
    assert placing.places(two, X, Y, 360)[1] == placing.places([two[1]], X, Y, 360)[0]


def test_an_axis_that_is_turned_round_is_read_so():
    low = [point(3000, 0.801, label="x")]
    assert placing.places(low, X, Y[::-1], 360) == placing.places([point(3000, 0.899, label="x")], X, Y, 360)


def test_a_point_without_a_name_has_no_label():
    assert placing.places([point(3000, 0.85, label="")], X, Y, 360) == [None]
