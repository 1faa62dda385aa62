"""Goals on Compare: plain models are named beside the students, and numbers asked for are kept for other pages."""

from __future__ import annotations

import json

import pytest

from pages.ui.charts import compare as charts
from pages.ui.charts import placing
from pages.ui.goals import budget, form, kept
from pages.ui.goals import candidates as goals
from pages.ui.goals.candidates import Goals
from pages.ui.result import comparison
from pages.ui.shared.text import t
from tests.pages.fixtures import done_run, make_run, store
from tests.pages.screen import jobs, open_page, words  # noqa: F401


@pytest.fixture(autouse=True)
def _quiet(jobs):  # noqa: F811
    return jobs


def test_the_best_plain_model_is_named_beside_the_goals_and_in_the_table():
    run_id = done_run(students=("tiny",), plain="level")
    (entry,) = comparison.entries(store().get(run_id), store().folder(run_id))
    (plain,) = comparison.plain_candidates([entry], "roc_auc")
    best = entry.student["reference"]["best"]
    assert plain.costs["size"] == best["bytes"] and plain.costs["latency"] == best["latency_ms"]["whole"]["1"]["p50"]
    at = open_page("compare", runs=run_id)
    at.number_input(key="goal-lost-roc_auc").set_value(9.0).run()
    said = words(at)
    assert not at.exception
    answer = f"{plain.name}, without a teacher: "
    said = said.replace("\u2060", "")
    assert 0 <= said.index(answer) < said.index("Of the students it would be tiny: ")  # the honest answer first
    (link,) = [one for one in at.get("page_link") if one.proto.label == t("compare.open_result")]
    assert f"run={run_id}" in link.proto.query_string
    table = at.dataframe[0].value
    assert list(table["Student"]) == ["tiny", plain.name] and list(table["Run"])[1] == t("compare.plain")
    assert list(table["Goals"]) == ["yes", "yes"]
    assert at.dataframe[0].proto.column_order[:2] == ["★", "Run"]  # a star is always there to be set
    at.number_input(key="goal-lost-roc_auc").set_value(0.0).run()
    assert "Without a teacher: " not in words(at)


def test_a_plain_model_is_judged_as_surely_as_a_student():
    run_id = done_run(students=("tiny",), plain="level")
    (entry,) = comparison.entries(store().get(run_id), store().folder(run_id))
    best = entry.student["reference"]["best"]
    (plain,) = comparison.plain_candidates([entry], "roc_auc")
    low = best["versus_teacher"]["roc_auc"]["ci95"][0]
    worse = entry.result["teacher"]["metrics"]["roc_auc"] + low
    assert plain.surely == pytest.approx(worse) and "against its teacher" in plain.against
    asked = goals.Goals("roc_auc", (worse + plain.value) / 2)
    assert asked.meets(plain) and not asked.sure(plain) and goals.Goals("roc_auc", worse - 0.001).sure(plain)
    del best["versus_teacher"]  # as an older result is written
    run_id = make_run("done", ("tiny",), entry.result)
    (entry,) = comparison.entries(store().refresh(run_id), store().folder(run_id))
    (plain,) = comparison.plain_candidates([entry], "roc_auc")
    easy = goals.Goals("roc_auc", 0.5)
    assert easy.meets(plain) and not easy.sure(plain) and goals.Goals("roc_auc", None, {"size": 1e9}).sure(plain)
    assert goals.words(plain, easy).endswith(
        "how surely is not known: this result has no interval of its ROC-AUC against the teacher"
    )


def test_goals_in_numbers_are_kept_for_the_data_they_were_asked_of():
    at = open_page("compare", runs=done_run())
    assert at.session_state[kept.ASKED] == {}  # those it opens with are nobody's
    at.session_state["goal-way"] = "absolute"
    at.run()
    at.number_input(key="goal-most-size").set_value(20.0)
    at.number_input(key="goal-most-latency").set_value(1000.0).run()
    assert at.session_state[kept.ASKED] == {
        "visits → purchased": goals.Goals("roc_auc", None, {"size": 20_480.0, "latency": 1.0})
    }
    assert t("compare.goal.none") not in words(at)


def test_nothing_is_asked_for_before_a_person_does():
    at = open_page("compare", runs=done_run())
    at.session_state["goal-way"] = "absolute"
    at.run()
    fields = [at.number_input(key=f"goal-{n}") for n in ("value-roc_auc", "most-size", "most-latency")]
    assert [f.value for f in fields] == [None] * 3 and "teacher: 0.926" in fields[0].proto.placeholder
    said = words(at)
    assert t("compare.goal.none") in said and "meet the goals." not in said and "misses" not in said


def test_goals_are_there_again_after_another_page_and_of_other_data_there_are_none():
    run, other = done_run(), done_run(name="other", dataset="orders")
    at = open_page("compare", runs=run)
    at.session_state["goal-way"] = "absolute"
    at.run()
    at.number_input(key="goal-value-roc_auc").set_value(0.9)
    at.number_input(key="goal-most-size").set_value(20.0).run()
    held = at.session_state[form.HELD]
    at = open_page("compare", {form.HELD: held}, runs=run)  # Streamlit forgets the widgets of a page that was left
    assert at.segmented_control(key="goal-way").value == "absolute"
    assert (
        at.number_input(key="goal-value-roc_auc").value == 0.9 and at.number_input(key="goal-most-size").value == 20.0
    )
    at.multiselect(key="compare-runs").set_value([other]).run()
    assert not at.exception and at.segmented_control(key="goal-way").value == "teacher"
    at.multiselect(key="compare-runs").set_value([run]).run()
    assert at.number_input(key="goal-most-size").value == 20.0


def test_a_share_of_the_teachers_score_can_be_asked_for_and_of_an_error_none():
    at = open_page("compare", runs=done_run())
    at.segmented_control(key="goal-way").set_value("share").run()
    field = at.number_input(key="goal-share-roc_auc")
    assert not at.exception and field.value == 95.0
    assert "1 of 1 student meets the goals." in words(at)  # 0.889 of 0.926 is 96 %
    at.number_input(key="goal-share-roc_auc").set_value(97.0).run()
    assert "0 of 1 student meets the goals." in words(at) and "asked 0.898" in words(at)
    error = open_page("compare", runs=done_run("regression"))
    assert [str(option) for option in error.segmented_control(key="goal-way").options] == ["Lost", "Score"]


def test_a_share_or_a_loss_that_was_asked_for_is_kept_in_numbers():
    at = open_page("compare", runs=done_run())
    at.segmented_control(key="goal-way").set_value("share").run()
    at.number_input(key="goal-share-roc_auc").set_value(90.0).run()
    (asked,) = at.session_state[kept.ASKED].values()
    assert asked.worst == pytest.approx(0.9 * 0.926, abs=1e-3) and asked.lost is None
    at.segmented_control(key="goal-way").set_value("teacher").run()
    at.number_input(key="goal-lost-roc_auc").set_value(2.0).run()
    (asked,) = at.session_state[kept.ASKED].values()
    assert asked.worst == pytest.approx(0.906, abs=1e-3) and asked.lost == pytest.approx(0.02)


def test_points_lost_a_size_and_a_time_are_one_budget():
    at = open_page("compare", runs=done_run(students=("tiny", "small")))
    at.number_input(key="goal-lost-roc_auc").set_value(9.0)
    at.number_input(key="goal-most-size").set_value(1.25)
    at.number_input(key="goal-most-latency").set_value(1000.0).run()
    assert not at.exception and "1 of 2 students meet the goals." in words(at)
    assert list(at.dataframe[0].value["Goals"]) == ["yes", "no"]
    (asked,) = at.session_state[kept.ASKED].values()
    assert asked.worst == pytest.approx(0.836, abs=1e-3) and asked.most == {"size": 1280.0, "latency": 1.0}


def test_goals_stand_in_the_address_and_are_read_from_there():
    run = done_run(students=("tiny", "small"))
    at = open_page("compare", runs=run)
    assert "goals" not in at.query_params  # what it opens with is nobody's
    at.number_input(key="goal-lost-roc_auc").set_value(9.0)
    at.number_input(key="goal-most-size").set_value(1.25).run()
    assert at.query_params["goals"] in ("roc_auc;lost:9;kb:1.25", ["roc_auc;lost:9;kb:1.25"])
    other = open_page("compare", runs=run, goals="log_loss;score:0.4;us:50;kb:nan;lost:-3;nonsense")
    assert not other.exception and other.selectbox(key="compare-metric").value == "log_loss"
    held = [other.number_input(key=f"goal-{n}").value for n in ("value-log_loss", "most-size", "most-latency")]
    assert held == [0.4, None, 50.0] and other.segmented_control(key="goal-way").value == "absolute"
    other.number_input(key="goal-most-latency").set_value(60.0).run()  # the address follows, it does not win again
    assert other.number_input(key="goal-most-latency").value == 60.0
    assert other.query_params["goals"] in ("log_loss;score:0.4;us:60", ["log_loss;score:0.4;us:60"])


def started_with(goals, **settings):
    """A finished run that was started with goals."""
    run_id = done_run(**settings)
    place = store().folder(run_id).path / "result.json"
    told = json.loads(place.read_text("utf-8"))
    place.write_text(json.dumps(told | {"choice": {"goals": goals}}), "utf-8")
    return run_id


def test_the_form_opens_with_the_goals_that_the_run_was_started_with():
    run = started_with({"bytes": 1280, "microseconds": 1000.0, "score": None})
    at = open_page("compare", runs=run)
    fields = [at.number_input(key=f"goal-{n}").value for n in ("lost-roc_auc", "most-size", "most-latency")]
    assert not at.exception and fields == [None, 1.25, 1000.0]  # nothing beside what was asked for
    assert at.session_state[kept.ASKED] == {} and "goals" not in at.query_params
    assert kept.of_result(store().folder(run).result()).most == {"size": 1280.0, "latency": 1.0}
    scored = started_with({"bytes": None, "microseconds": None, "score": 0.91}, name="scored")
    at.multiselect(key="compare-runs").set_value([scored]).run()
    assert not at.exception and at.segmented_control(key="goal-way").value == "absolute"
    assert (
        at.number_input(key="goal-value-roc_auc").value == 0.91 and at.number_input(key="goal-most-size").value is None
    )
    at.number_input(key="goal-value-roc_auc").set_value(0.8).run()
    at.multiselect(key="compare-runs").set_value([run]).run()
    assert at.number_input(key="goal-value-roc_auc").value == 0.8  # what a person says counts more


def test_what_may_be_lost_goes_on_as_a_loss_on_the_rows_shown():
    run = started_with({"bytes": 1280, "microseconds": None, "score": None, "lost": 2.0})
    found = store().folder(run).result()
    asked, teacher = kept.of_result(found), found["teacher"]["metrics"]["roc_auc"]
    assert asked == Goals("roc_auc", teacher - 0.02, {"size": 1280.0}, 0.02)
    at = open_page("compare", runs=run)
    assert not at.exception and at.segmented_control(key="goal-way").value == "teacher"
    assert at.number_input(key="goal-lost-roc_auc").value == 2.0 and at.number_input(key="goal-most-size").value == 1.25
    assert "Not within your goals: more than 2 points lost (" in str(budget.line(found, 0, asked))
    error = {**found, "metric": {**found["metric"], "name": "log_loss"}}
    loss = found["teacher"]["metrics"]["log_loss"]
    percent = kept.of_result(error)
    assert percent.worst == pytest.approx(1.02 * loss) and percent.lost == pytest.approx(0.02 * loss)
    error["teacher"] = {**found["teacher"], "metrics": {}}
    assert kept.of_result(error) == Goals("log_loss", None, {"size": 1280.0})


def test_the_interval_of_the_difference_to_the_teacher_says_what_is_sure():
    run_id = done_run()
    (entry,) = comparison.entries(store().get(run_id), store().folder(run_id))
    gain = entry.student["versus_teacher"]["roc_auc"]
    teacher = entry.result["teacher"]["metrics"]["roc_auc"]
    assert comparison.candidate(entry, "roc_auc").surely == pytest.approx(teacher + gain["ci95"][0])


def test_the_answer_stands_above_the_chart_is_not_faded_and_keeps_its_label(monkeypatch):
    run_id = done_run(students=("tiny", "small"))
    drawn = []
    real = charts.pareto
    monkeypatch.setattr(charts, "pareto", lambda points, *a, **k: drawn.append(points) or real(points, *a, **k))
    at = open_page("compare", runs=run_id)
    at.session_state["goal-way"] = "absolute"
    at.run()
    at.number_input(key="goal-value-roc_auc").set_value(0.5).run()
    kinds = [e for e in walk(at.main) if e.type == "plotly_chart" or "meets all" in str(getattr(e, "value", ""))]
    assert [e.type for e in kinds][:2] == ["markdown", "plotly_chart"]
    named = [p for p in drawn[-1] if p["named"]]
    assert [p["id"] for p in named] == [f"{run_id}:0"] and not named[0]["faded"]


def walk(block):
    for child in block.children.values():
        yield from walk(child) if hasattr(child, "children") else [child]


def test_a_named_point_is_labelled_where_another_would_not_be():
    crowd = [{"x": 10.0, "y": 0.5, "label": f"a long name of a student {i}", "faded": False} for i in range(9)]
    crowd[-1] |= {"faded": True, "named": True}
    found = placing.places(crowd, (0.9, 1.1), (0.4, 0.6), 300, wide=260)
    assert found[-1] is not None and None in found
    tight = [{"x": 10.0, "y": 0.5, "label": "a long name", "named": named} for named in (True, False)]
    assert [side is None for side in placing.places(tight, (0.99, 1.01), (0.4, 0.6), 300, wide=30)] == [False, True]


def test_goals_that_compare_opened_with_are_asked_of_other_runs_of_this_data_until_a_person_changes_them():
    started = started_with({"score": None, "bytes": 4096, "microseconds": 80.0})
    other = done_run()
    data = kept.data_of(store().get(other))
    at = open_page("compare", runs=f"{started},{other}")
    assert not at.exception and at.session_state[kept.ASKED] == {}
    (opened,) = at.session_state[kept.OPENED].items()
    assert opened[0] == data and opened[1].most == {"size": 4096.0, "latency": 0.08} and opened[1].lost is None
    held = {kept.OPENED: dict([opened])}
    assert "of 4 KB" in words(open_page("runs", held, run=other))
    assert "of 4 KB" not in words(open_page("runs", run=other))
    at.number_input(key="goal-most-size").set_value(20.0).run()
    held |= {kept.ASKED: at.session_state[kept.ASKED]}
    assert "of 20 KB" in words(open_page("runs", held, run=other))
