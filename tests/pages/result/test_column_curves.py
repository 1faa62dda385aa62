"""The curves of an additive student on the result page, from the file that the run keeps."""

from __future__ import annotations

import json

import pytest

from pages.ui.arms import table
from pages.ui.charts.column_curves import curve
from pages.ui.result import column_curves
from pages.ui.shared.text import t
from tests.pages.fixtures import make_run, result, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401

FILE = "artifacts/students/0.curves.json"
NUMBER = {"kind": "number", "values": [1.0, 2.0, 8.0], "missing": [[-0.3]], "gaps": True, "influence": 0.9}
LABELS = {"kind": "labels", "values": ["red", "<b>blue"], "missing": [[0.2]], "gaps": True, "more": 3, "influence": 0.5}


def told(columns=8, answers=("yes",)):
    """Write what the engine writes."""
    width = len(answers)

    def one(name, like, added):
        return {
            "column": name,
            **like,
            "added": [[v] * width for v in added],
            "missing": [[like["missing"][0][0]] * width],
        }

    first = [one("price", NUMBER, [-1.0, 0.5, 0.4]), one("colour", LABELS, [0.1, -0.2])]
    more = [one(f"c{i}", {**NUMBER, "gaps": False, "influence": 0.01}, [0.0, 0.1, 0.0]) for i in range(columns - 3)]
    text = {"column": "words", "kind": "text", "influence": 0.0, "gaps": False}
    unit = "log_odds" if width == 1 else "logits"
    return {
        "schema": 1,
        "unit": unit,
        "answers": list(answers),
        "level": [-1.25] * width,
        "columns": [*first, *more, text],
    }


PAIR = {
    "columns": ["price", "colour"],
    "sides": [
        {"kind": "number", "values": [1.0, 2.0, 8.0], "missing_as": 2.0},
        {"kind": "labels", "values": ["red", "<b>blue", None], "missing_as": None},
    ],
    "influence": 0.2,
}


def with_pairs(count, answers=("yes",)):
    """Write what the engine writes of pairs, one of them with free text."""
    cell = [[[0.1 * (i + j) - 0.2] * len(answers) for j in range(3)] for i in range(3)]
    pairs = [{**PAIR, "added": cell} for _ in range(count)]
    return {**told(3, answers), "schema": 2, "pairs": [*pairs, {"columns": ["words", "price"], "influence": 0.0}]}


def test_pairs_are_drawn_as_tables_the_strongest_first(jobs):  # noqa: F811
    at = opened(json.dumps(with_pairs(6)))
    assert not at.exception
    charts = [fig for fig in drawn(at) if fig["data"][0]["type"] == "heatmap"]
    assert len(charts) == 4
    (cells,) = charts[0]["data"]
    assert (
        cells["zmax"] == -cells["zmin"] == pytest.approx(0.2)
        and charts[0]["layout"]["yaxis"]["title"]["text"] == "price"
    )
    assert charts[0]["layout"]["xaxis"]["ticktext"][2] == "missing" and "<b>blue" not in json.dumps(cells["customdata"])
    said = words(at)
    assert "What two columns say only together" in said and "of its cells in the tables, and −1.2500" in said
    assert "A missing value of price is read as 2" in said and "free text: words and price" in said
    (toggle,) = [one for one in at.toggle if "other pairs (2)" in one.label]
    at = toggle.set_value(True).run()
    assert len([fig for fig in drawn(at) if fig["data"][0]["type"] == "heatmap"]) == 6 and not at.exception


def test_without_pairs_nothing_is_said_of_them(jobs):  # noqa: F811
    at = opened(json.dumps({**told(), "pairs": []}))
    assert "together" not in words(at) and not at.exception


def opened(content, name=FILE):
    run_id = make_run("done", ("tiny",), result())
    folder = store().folder(run_id)
    found = folder.result()
    found["artifacts"]["students"][0]["curves"] = name
    folder.write_result(found)
    if content is not None:
        (folder.path / FILE).parent.mkdir(parents=True, exist_ok=True)
        (folder.path / FILE).write_text(content)
    return open_page("runs", {"tab": str(t("runs.result.tabs_columns"))}, run=run_id)


def drawn(at):
    return [json.loads(c.proto.spec) for c in at.get("plotly_chart")]


def test_the_first_columns_are_drawn_and_the_others_when_asked(jobs):  # noqa: F811
    at = opened(json.dumps(told()))
    assert not at.exception
    charts = drawn(at)
    assert len(charts) == 6
    (line,), (bars,) = (fig["data"] for fig in charts[:2])
    assert (line["x"], line["y"]) == ([1.0, 2.0, 8.0], [-1.0, 0.5, 0.4])
    assert bars["x"] == [0.1, -0.2, 0.2] and bars["orientation"] == "h"  # the last one is what a missing label adds
    assert charts[1]["layout"]["yaxis"]["ticktext"][2] == "missing"
    assert "<b>" not in json.dumps(charts[1]["layout"]) and "<b>blue" not in bars["customdata"][1]
    assert charts[0]["layout"]["yaxis"]["range"] == charts[1]["layout"]["xaxis"]["range"]  # one scale for all
    said = words(at)
    assert "moves the answer most: by 0.9 from row to row" in said and "above 0 a value speaks for yes" in said
    assert "A missing value adds −0.300." in said and "3 rarer values are not drawn." in said
    assert "Not drawn, for it is free text: words." in said and "−1.2500" in said
    (toggle,) = [one for one in at.toggle if "other columns (1)" in one.label]
    at = toggle.set_value(True).run()
    assert len(drawn(at)) == 7 and not at.exception


def test_of_several_answers_one_is_drawn_at_a_time(jobs):  # noqa: F811
    at = opened(json.dumps(told(3, ("red", "green", "blue"))))
    assert not at.exception and len(drawn(at)) == 2
    assert "adds to the logit of red beside the other classes" in words(at)


def test_a_student_without_curves_has_no_such_tab():
    assert column_curves.kept(result(), 0) is None
    assert column_curves.kept({"students": [{}]}, 0) is None


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ("{", FILE),
        ("[]", FILE),
        (json.dumps({**told(), "level": []}), FILE),
        (json.dumps({**told(), "pairs": [{**PAIR, "added": [[["x"]]]}]}), FILE),
        (json.dumps({**told(), "pairs": [{**PAIR, "added": [[[1.0]]]}]}), FILE),
        (json.dumps({**told(), "columns": [{"column": "a", "values": [1], "added": [["x"]]}]}), FILE),
        (None, FILE),
        (json.dumps(told()), "../../elsewhere.json"),
    ],
)
def test_a_damaged_file_is_said(content, name, jobs):  # noqa: F811
    at = opened(content, name)
    assert not at.exception and not drawn(at)
    assert "can't be read" in words(at) and "press Clone" in words(at)


def test_points_in_time_are_marks():
    fig = curve("time", ["2024-01-01"], [0.5], scale=(-1, 1), hover="{value} {added}", missing="missing")
    assert fig.to_dict()["data"][0]["mode"] == "markers" and fig.data[0].customdata[0] == "2024-01-01 +0.5"


def test_the_best_plain_model_has_a_column_and_packed_files_a_line():
    found = result(plain="ahead")
    student = found["students"][0]
    frame = table.comparison_frame(found, 0)
    assert list(frame.columns)[:5] == ["Teacher", "Baseline", "Placebo", "Student", "Best plain model"]
    best = student["reference"]["best"]
    assert frame["Best plain model"].iloc[0] == f"**{best['metrics']['roc_auc']['mean']:.3f}**"
    assert frame.loc["Size of the deployed file", "Best plain model"] == "1.1 KB"
    assert "Best plain model" not in table.comparison_frame(result(), 0)
    title = "The same file packed (.onnx.xz)"
    assert title not in frame.index and table.packed(student) is None
    student["deployed"] |= {"open_ms": 4.0, "compact": {"form": "onnx.xz", "bytes": 820, "open_ms": 4.5}}
    best["compact_bytes"] = 700
    frame = table.comparison_frame(found, 0)
    assert frame.loc[title, "Student"] == "820 B" and frame.loc[title, "Best plain model"] == "700 B"
    assert "takes 820 B and opens in 4.50 ms, against 4.00 ms as it is" in table.packed(student)
