"""Labels beside marks: each where nothing lies, none where there is no room."""

from __future__ import annotations

import itertools

import pytest

from pages.ui import look
from pages.ui.charts import compare, placing, result
from pages.ui.charts.placing import Stand

X, Y = [2.0, 5.0], [0.8, 0.9]  # ends of the axes, the first in powers of ten


def point(x, y, label="student", **more):
    return {"x": x, "y": y, "low": None, "high": None, "label": label, **more}


def boxes(points, sides, height=360):
    wide, high = placing.WIDE, height - placing.AROUND
    found = []
    for p, side in zip(points, sides, strict=True):
        if side:
            x = wide * placing._share(placing.math.log10(p["x"]), X)
            ways = dict(placing._ways(p["label"]))
            lines = ways[side.words]
            if side.away:
                half = ((placing.LETTER * max(map(len, lines)) + 4) / 2, placing.HIGH * len(lines) / 2)
                middle = (x + side.away[0], high * placing._share(p["y"], Y) + side.away[1])
                found.append(
                    (
                        *(m - h for m, h in zip(middle, half, strict=True)),
                        *(m + h for m, h in zip(middle, half, strict=True)),
                    )
                )
                continue
            found.append(placing._box(x, high * placing._share(p["y"], Y), max(map(len, lines)), side.side, len(lines)))
    return found


def test_a_label_with_room_stands_right_of_its_mark_and_at_the_edge_left():
    assert placing.places([point(10_000, 0.85)], X, Y, 360) == [Stand("middle right")]
    assert placing.places([point(99_000, 0.85)], X, Y, 360) == [Stand("middle left")]


def test_labels_of_marks_near_each_other_do_not_meet():
    near = [point(2000, 0.85), point(2300, 0.852), point(2600, 0.849), point(1500, 0.851)]
    sides = placing.places(near, X, Y, 360)
    drawn = boxes(near, sides)
    assert len(drawn) >= 3
    assert all(placing._common(a, b) < 0.15 * 60 * placing.HIGH for a, b in itertools.combinations(drawn, 2))


def test_a_label_does_not_lie_on_an_interval():
    beside = [point(5000, 0.85), point(6500, 0.89, label="", low=0.8, high=0.9)]  # its mark lies far above
    assert placing.places(beside, X, Y, 360)[0] == Stand("middle left")


def test_a_label_keeps_off_the_line_that_joins_points():
    front = [point(5000, 0.85), point(60_000, 0.88, label="")]
    assert placing.places(front, X, Y, 360)[0] == Stand("middle right")
    assert placing.places(front, X, Y, 360, [front])[0] == Stand("middle left")
    edge = [point(100, 0.85), point(9000, 0.9)]  # of a region, whose name stands in the legend
    both = placing.places(front, X, Y, 360, [front, edge])
    assert both[0].side not in ("middle left", "middle right")


def test_a_label_keeps_off_a_level_and_its_words():
    (beside,) = placing.places([point(5000, 0.85)], X, Y, 360, levels=[(0.85, 12)])
    assert beside.side in ("top center", "bottom center", "top left", "bottom left", "top right", "bottom right")
    above = [point(20_000, 0.848)]  # its label would stand in the line of the words, clear of the level
    assert placing.places(above, X, Y, 360, levels=[(0.8445, 0)]) == [Stand("middle right")]
    assert placing.places(above, X, Y, 360, levels=[(0.8445, 20)]) != [Stand("middle right")]


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


def upright(at):
    """The dashed right edge of a region."""
    return [point(at, 0.8, label=""), point(at, 0.9, label="")]


def test_an_upright_line_across_a_label_moves_it_or_breaks_it_in_two():
    teacher = [point(60_000, 0.85, label="Gradient boosting")]
    assert placing.places(teacher, X, Y, 360) == [Stand("middle left")]
    edge = upright(13_000)  # 80 pixels left of the mark: across the label in one line
    assert placing.places(teacher, X, Y, 360, [edge]) == [Stand("middle left", 1)]
    named = [point(60_000, 0.85, label="boosting")]
    assert placing.places(named, X, Y, 360, [edge]) == [Stand("middle left")]
    both = [edge, upright(30_000), upright(90_000)]
    assert placing.places([{**teacher[0], "faded": True}], X, Y, 360, both) == [None]
    (led,) = placing.places(teacher, X, Y, 360, both)
    assert led.away


def test_a_label_keeps_off_a_line_aslant_and_off_the_ring_of_what_is_picked():
    (stand, _) = placing.places([point(5000, 0.85), point(9000, 0.853, label="")], X, Y, 360)
    assert stand != Stand("middle right")  # the mark lies there
    path = [
        point(3000, 0.82, label=""),
        point(20_000, 0.88, label=""),
    ]  # passes under the label, on the right of its mark
    alone = placing.places([point(5000, 0.85)], X, Y, 360)
    assert alone == [Stand("middle right")]
    assert placing.places([point(5000, 0.85)], X, Y, 360, paths=[path]) != alone
    ringed = [point(5000, 0.85, ringed=True), point(4200, 0.862)]
    assert placing.places(ringed, X, Y, 360)[1] != Stand("bottom center")
    assert result._beside("x", Stand("middle left"), ringed=True) == "x" + 4 * "&nbsp;"
    bare, wide = (placing._box(0, 0, 5, "middle right", half=half) for half in (6, 12))
    assert wide[0] == bare[0] + 6


def test_no_label_lies_on_a_mark_or_an_interval_however_long_it_is():
    long = point(3000, 0.85, label="30 trees of 15 leaves each")
    for beside in (point(9000, 0.85, label=""), point(9000, 0.89, label="", low=0.8, high=0.9)):
        (stand, _) = placing.places([long, beside], X, Y, 360)
        assert stand.side != "middle right" or stand.words


def test_a_label_of_two_lines_is_written_in_two():
    assert result._beside("Gradient boosting", Stand("middle left", 1)) == "Gradient&nbsp;<br>boosting&nbsp;"
    assert result._beside("a & b", Stand("top center", 2)) == "a &#38;<br>b"
    assert result._beside("Gradient boosting", Stand("middle right")) == "&nbsp;Gradient boosting"


def test_a_label_without_a_place_beside_its_mark_is_led_to_one_clear_of_all_others():
    crowd = [point(3000 * 1.3**k, 0.85 + 0.002 * (k % 3), low=0.84, high=0.86, label=f"student {k}") for k in range(5)]
    sides = placing.places(crowd, X, Y, 360)
    assert None not in sides and any(s.away for s in sides)
    for i, box in enumerate(boxes(crowd, sides)):
        marks = [
            (placing.WIDE * placing._share(placing.math.log10(p["x"]), X), 270 * placing._share(p["y"], Y))
            for p in crowd
        ]
        assert all(placing._far(box, at) >= 6 for k, at in enumerate(marks) if k != i)  # half a mark
    hidden = [{**p, "faded": True} for p in crowd]  # what is beaten is left to the pointer
    assert None in placing.places(hidden, X, Y, 360)


def test_a_line_does_not_begin_with_a_point_that_parts_words():
    assert placing._ways("small · T=2")[1] == (2, ["small ·", "T=2"])


def test_of_twins_on_each_other_one_is_named():
    twins = [
        point(5000, 0.85, label="linear"),
        point(5050, 0.8501, label="linear"),
        point(60_000, 0.85, label="linear"),
    ]
    assert [bool(s) for s in placing.places(twins, X, Y, 360)] == [True, False, True]


def test_a_label_is_nearer_to_its_own_mark_than_to_any_other():
    under = point(5000, 0.8468, label="")  # one line of letters below
    (stand, _) = placing.places([point(5000, 0.85), under], X, Y, 360)
    (box,) = boxes([point(5000, 0.85)], [stand])
    own, other = (
        (180 * 0 + 360 * placing._share(placing.math.log10(5000), X), 270 * placing._share(y, Y))
        for y in (0.85, 0.8468)
    )
    assert placing._far(box, other) >= placing.NEARER * placing._far(box, own)


def test_labels_have_the_colour_of_their_points_and_are_led_by_it():
    names = dict.fromkeys(look.ARMS, "n")
    told = {"metric": "m", "x_title": "x", "names": names, "written": str}
    crowd = [
        {**point(5000 * 1.05**k, 0.85, low=0.82, high=0.88, label=f"student {k}"), "arm": arm, "hover": "h"}
        for k, arm in enumerate(("student", "plain", "compressed", "student", "teacher"))
    ]
    drawn = result.against_size(crowd, **told).to_dict()
    assert all(d["textfont"]["color"] == d["marker"]["color"] for d in drawn["data"])
    led = drawn["layout"]["annotations"]
    assert led and all(a["arrowcolor"] == a["font"]["color"] in look.COLOUR.values() for a in led)
    assert all(0 < a["x"] < 5 for a in led)  # in powers of ten, as a log axis wants it


@pytest.mark.parametrize("dark", [False, True])
def test_words_of_every_colour_are_read_on_their_page_over_lines(dark):
    for arm in look.ARMS:
        assert look.contrast(look.inked(look.COLOUR[arm], dark), look.PAPER[dark]) >= 4.5
    crowd = [{**point(5000, 0.85), "arm": "student", "hover": "h"}]
    told = {"metric": "m", "x_title": "x", "names": dict.fromkeys(look.ARMS, "n"), "written": str}
    (trace,) = result.against_size(crowd, **told).on_page(dark).to_dict()["data"]
    assert trace["textfont"]["color"] == look.inked(look.COLOUR["student"], dark)
    assert look.PAPER[dark] in trace["textfont"]["shadow"]


def test_no_label_lies_on_the_border_of_a_region_or_under_it():
    whole = placing.places([point(5000, 0.85)], X, Y, 360)
    assert whole == [Stand("middle right")]
    for low in (0.85, 0.8495):  # through its letters, and grazing them
        corners = [{"x": 4000, "y": low}, {"x": 99_000, "y": 0.899}]
        (stand,) = placing.places([point(5000, 0.85)], X, Y, 360, region=corners)
        assert stand is not None and stand != Stand("middle right")
    beside = [{"x": 7000, "y": 0.81}, {"x": 99_000, "y": 0.899}]
    assert placing.places([point(5000, 0.85)], X, Y, 360, region=beside) != whole
    around = [{"x": 1100, "y": 0.805}, {"x": 99_000, "y": 0.899}]
    assert placing.places([point(5000, 0.85)], X, Y, 360, region=around) == whole


def test_a_long_legend_of_a_phone_takes_no_room_from_the_plot_of_compare():
    def drawn(wide, goal):
        points = [{**point(x, y), "id": str(x), "arm": "student", "hover": ""} for x, y in ((4000, 0.82), (9000, 0.85))]
        fig = compare.pareto(
            points, ["4000", "9000"], metric="ROC-AUC", x_title="Size", names={"student": "Student"}, written=str,
            lower_is_better=False, front_name="best for its cost", named="9000", named_as="named above",
            goal=goal, goal_name="meets the goals on the mean", wide=wide,
        )  # fmt: skip
        return fig.to_dict()["layout"]["height"]

    assert drawn(placing.WIDER, (9000, 0.81)) == 480
    assert drawn(280, None) == 480  # two lines
    assert drawn(280, (9000, 0.81)) == 480 + 2 * compare.LINE  # four, one below the other
