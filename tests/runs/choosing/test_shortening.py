"""Names left out until a file fits: in a real run, by the student, its baseline, plain models and whoever asks the file."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import kd_core
from kd_core.data.preparation import prepare
from kd_core.models.building import viewed
from kd_core.runs.choosing.shortening import barest, fitted, least_bytes, names_of, shortened
from kd_core.runs.outcome import read_outcome
from kd_core.runs.store.folder import RunFolder
from kd_core.runs.view.report import verdict_lines
from kd_core.specs import Choice, ChooseSpec, DatasetSpec, EvaluationSpec, StudentSpec
from kd_core.teachers.made_rows import make, with_made
from tests.runs.choosing.test_trying import carry_out
from tests.runs.tables import order_lines, small_spec, write_table

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]
LINE = StudentSpec(name="linear", arch=Choice(name="linear"))
TREES = StudentSpec(name="trees", arch=Choice(name="trees", settings={"trees": 4, "leaves": 4}))
TINY = StudentSpec(name="tiny", arch=Choice(name="piecewise", settings={"size": "tiny", "edges": 4}))


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    return order_lines(tmp_path_factory.mktemp("lines") / "lines.csv")


def spec_of(path, *students, **goals):
    base = small_spec(path)
    return base.model_copy(
        update={
            "dataset": DatasetSpec(source=str(path), target="back", task="binary", kinds={"product": "category"}),
            "students": students,
            "choose": ChooseSpec(**goals) if goals else None,
            "evaluation": EvaluationSpec(folds=2, latency=False, references=True),
        }
    )


@pytest.mark.parametrize("student", [LINE, TREES, TINY], ids=lambda s: s.name)
def test_names_fill_what_a_student_leaves_of_the_limit(lines, student):
    dataset = prepare(spec_of(lines, student).dataset)
    whole, bare = least_bytes(dataset, student.arch), least_bytes(dataset, barest(dataset, student.arch))
    most = (whole + bare) // 2
    found = shortened(dataset, student.arch, most)
    assert bare < least_bytes(dataset, found) <= most
    assert names_of(dataset, found)["bytes"] > 0.4 * (most - bare) and names_of(dataset, student.arch) is None
    assert shortened(dataset, student.arch, bare // 2) is None
    assert dataset.views.read and all(
        ":" not in name for name in dataset.views.read if name != viewed(dataset, found).reading
    )


def test_without_tables_of_names_there_is_nothing_to_leave_out(tmp_path):
    dataset = prepare(small_spec(write_table(tmp_path / "t.csv")).dataset)
    assert barest(dataset, LINE.arch) is None and shortened(dataset, LINE.arch, 10) is None


def test_a_run_with_a_limit_tries_its_candidates_with_the_names_that_fit(lines, tmp_path):
    spec = spec_of(lines, LINE, TREES, TINY, bytes=9_000)
    events = []
    found = carry_out(spec, tmp_path / "run", events.append)
    by_name = {c["name"]: c for c in found["choice"]["candidates"]}
    assert all(c["left_out"] is None and c["bytes"] <= 9_000 and c["names"]["bytes"] > 0 for c in by_name.values())
    student, chosen = found["students"][0], by_name[found["choice"]["chosen"]]
    assert student["arch"]["settings"]["label_bytes"] == chosen["changed"]["label_bytes"]
    assert chosen["arch"] == student["arch"]
    assert student["deployed"]["bytes"] <= 9_000
    told = student["deployed"]["names"]
    assert told == chosen["names"]
    assert told["columns"]["code"][0] > told["columns"]["product"][0] and told["of_bytes"] > 1.5 * told["bytes"]
    best = student["reference"]["best"]
    assert (
        best["bytes"] <= student["deployed"]["bytes"] and best["names"]["bytes"] > 0
    )  # plain models of the class as well
    (line,) = [line for line in verdict_lines(found) if "knows the commonest alone" in line]
    kept, of = told["columns"]["product"]
    assert f"{kept} of {of} of product" in line and read_outcome(found).students[0].names.bytes == told["bytes"]
    assert any(e.get("names") for e in events if e["kind"] == "candidate")
    # whoever asks: the file, the engine, one row alone; a name left out is any other name
    RunFolder(tmp_path / "run").write_result(found)
    model = kd_core.load(tmp_path / "run")
    rows = pd.read_csv(lines, dtype=str).drop(columns="back").head(300)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        together = model.answers(rows)
    engine, _ = model.engine.run(rows)
    assert np.abs(together - engine).max() <= 1e-5
    alone = np.concatenate([model.answers(rows.iloc[[i]]) for i in range(20)])
    assert np.abs(alone - together[:20]).max() <= 1e-6
    known = set(model.engine.view.blocks["code"].known)
    rare = rows[~rows["code"].isin(known) & ~rows["product"].isin(set(model.engine.view.blocks["product"].known))]
    assert len(rare) and np.array_equal(
        model.answers(rare), model.answers(rare.assign(code="?!", product="none of them"))
    )


def test_a_run_that_was_cut_off_goes_on_with_the_same_names(lines, tmp_path):
    spec = spec_of(lines, LINE, TREES, bytes=8_000)
    whole = carry_out(spec, tmp_path / "whole")

    class Crash(BaseException):
        pass

    def crash(event):
        if event["kind"] == "chosen":
            raise Crash

    with pytest.raises(Crash):
        carry_out(spec, tmp_path / "cut", crash)
    again = carry_out(spec, tmp_path / "cut")
    assert again["students"][0]["arch"] == whole["students"][0]["arch"]
    assert again["students"][0]["metrics"] == whole["students"][0]["metrics"]


def test_where_nothing_fits_the_smallest_without_any_name_comes_nearest(lines, tmp_path):
    found = carry_out(spec_of(lines, LINE, TINY, bytes=1_000), tmp_path / "run")
    assert found["choice"]["rule"] == "nearest_limits"
    names = found["students"][0]["deployed"]["names"]
    assert names["bytes"] == 0 and {kept for kept, _ in names["columns"].values()} == {0}


def test_without_a_limit_all_names_are_known(lines, tmp_path):
    found = carry_out(spec_of(lines, LINE, TINY, minutes=1), tmp_path / "run")
    assert "names" not in found["students"][0]["deployed"] and all(
        c["names"] is None for c in found["choice"]["candidates"]
    )


def test_two_students_with_other_names_are_trained_side_by_side_as_alone(lines, tmp_path):
    sized = [
        StudentSpec(name=f"mlp {n}", arch=Choice(name="mlp", settings={"size": "tiny", "label_bytes": n}))
        for n in (300, 1200)
    ]
    both = carry_out(spec_of(lines, *sized), tmp_path / "both")
    for index, student in enumerate(sized):
        alone = carry_out(spec_of(lines, student), tmp_path / student.name)
        assert alone["students"][0]["metrics"] == both["students"][index]["metrics"]
        files = [p for p in both["artifacts"]["students"][index]["view"] if p.endswith("table.json")]
        assert files == [f"artifacts/views/table-{student.arch.settings['label_bytes']}/table.json"]
    assert both["students"][0]["deployed"]["names"] != both["students"][1]["deployed"]["names"]


WIDE = StudentSpec(name="wide", arch=Choice(name="mlp", settings={"size": "base"}))


def test_what_is_too_large_by_itself_becomes_as_narrow_as_it_has_to(tmp_path):
    dataset = prepare(small_spec(write_table(tmp_path / "t.csv")).dataset)
    whole = least_bytes(dataset, WIDE.arch)
    found = fitted(dataset, WIDE.arch, int(0.98 * whole))
    assert found.settings == {"size": "base", "width": 115} and least_bytes(dataset, found) < whole
    most = least_bytes(dataset, Choice(name="mlp", settings={"size": "base", "width": 64}))
    assert fitted(dataset, WIDE.arch, int(1.02 * most)).settings["width"] == 64
    assert fitted(dataset, WIDE.arch, most) is None  # learning may add some
    assert fitted(dataset, LINE.arch, 10) is None and fitted(dataset, TREES.arch, 10) is None


def test_a_network_with_names_becomes_narrower_where_none_is_left_to_leave_out(lines):
    dataset = prepare(spec_of(lines, WIDE).dataset)
    bare = least_bytes(dataset, barest(dataset, WIDE.arch))
    found = fitted(dataset, WIDE.arch, bare - 500)
    assert found.settings["width"] < 128 and least_bytes(dataset, found) <= bare - 500
    assert "width" not in fitted(dataset, WIDE.arch, bare + 500).settings
    many = Choice(name="trees", settings={"trees": 200, "leaves": 31})
    assert (
        fitted(dataset, many, 9_000).settings["label_bytes"] == 0
    )  # it may end after fewer rounds than would fill the file


def test_a_run_tells_how_wide_its_student_became(tmp_path):
    spec = small_spec(write_table(tmp_path / "t.csv")).model_copy(
        update={"students": (WIDE, LINE), "choose": ChooseSpec(bytes=25_000)}
    )
    found = carry_out(spec, tmp_path / "run")
    wide, line = found["choice"]["candidates"]
    assert wide["changed"] == {"width": wide["arch"]["settings"]["width"]} and wide["bytes"] <= 25_000
    assert line["changed"] is None and wide["names"] is None
    if found["choice"]["chosen"] == "wide":
        assert found["students"][0]["arch"] == wide["arch"]


def test_made_rows_are_read_with_the_same_names(lines):
    dataset, choice = prepare(spec_of(lines, LINE).dataset), Choice(name="linear", settings={"label_bytes": 500})
    read = viewed(dataset, choice)
    made = make(dataset, 2, 0, 1)
    found = with_made(read, made, dataset, 1)
    more = found.parts["train"][len(dataset.train) :]
    assert found.reading == "table:500" and len(more) == made.count(1)
    own = read.view.encode(made.frame)
    plain = [at for at in range(read.spec.width) if "target mean" not in read.view.feature_names[at]]
    assert np.array_equal(more[:, plain], own[: len(more), plain])
    whole = dataset.view("table").view.encode(made.frame)
    assert not np.array_equal(whole[: len(more), plain], more[:, plain])
