"""Runs with a teacher from outside: soft labels in a file or in columns, and an ONNX file of an earlier run."""

import json

import numpy as np
import pandas as pd
import pytest

from kd_core.data.library import UPLOADS, DataLibrary
from kd_core.errors import KDError, SpecError
from kd_core.runs.asked import chosen_teacher, teacher_choice
from kd_core.runs.direct import run_here
from kd_core.runs.outcome import read_outcome
from kd_core.runs.service.execution import StopSignal
from kd_core.runs.view.report import verdict_lines
from kd_core.specs import Choice, SweepSpec
from tests.runs.tables import small_spec, write_table
from tests.teachers.sources.endpoint_server import endpoint

pytestmark = pytest.mark.slow


class Crash(BaseException):
    """Stands for a process that ends at any point."""


def run(spec, folder):
    events = []
    result, place = run_here(spec, folder, events.append, StopSignal())
    return result, place, events


def softened(path, rows, share=1.0, **files):
    """A table with columns of soft labels that follow the target, of a share of the rows."""
    write_table(path, "binary", rows)
    frame = pd.read_csv(path)
    rng = np.random.default_rng(0)
    yes = sorted(frame.target.unique())
    p = np.clip(
        0.5 + 0.35 * (frame.target == yes[1]).map({True: 1, False: -1}) + 0.1 * rng.normal(size=rows), 0.02, 0.98
    )
    p[rng.random(rows) >= share] = np.nan
    return frame.assign(**{f"p_{yes[0]}": 1 - p, f"p_{yes[1]}": p}), [f"p_{c}" for c in yes]


@pytest.fixture
def partly(tmp_path):
    frame, columns = softened(tmp_path / "a.csv", 900, 0.6)
    frame.to_csv(tmp_path / "a.csv", index=False)
    return small_spec(tmp_path / "a.csv").model_copy(
        update={"teacher": Choice(name="soft_labels", settings={"columns": columns})}
    )


def test_columns_teach_the_rows_they_know_and_no_student_sees_them(partly, tmp_path):
    result, place, events = run(partly, tmp_path / "out")
    known, rows = result["teacher"]["known"], result["dataset"]["rows"]
    assert all(0.4 < known[part] / rows[part] < 0.8 for part in rows)
    plain = run(
        partly.model_copy(
            update={
                "teacher": small_spec(tmp_path / "a.csv").teacher,
                "dataset": partly.dataset.model_copy(update={"drop": ("p_no", "p_yes")}),
            }
        ),
        tmp_path / "plain",
    )[0]
    assert result["dataset"]["features"] == plain["dataset"]["features"]
    ours, theirs = (r["students"][0]["baseline"]["metrics"] for r in (result, plain))
    assert ours == theirs  # the baselines know nothing of either teacher
    student = result["students"][0]
    assert student["versus_teacher"]["roc_auc"]["n"] == student["gain"]["roc_auc"]["n"]
    assert sum(map(sum, result["teacher"]["confusion"])) == known["test"]
    assert (result["teacher"]["parameters"], result["teacher"]["size_bytes"]) == (None, None)
    said = "\n".join(verdict_lines(result))
    assert f"answered {known['train']:,} of {rows['train']:,} train" in said
    assert f"(on the {known['test']:,} rows it answered)" in said and "has seen the training or test rows" in said
    warned = [e["code"] for e in events if e["kind"] == "warning"]
    assert "teacher_maybe_saw" in warned and "read_as" not in warned
    with np.load(place / result["artifacts"]["soft_labels"]) as kept:
        assert not np.isnan(kept["teacher"]).any() and len(kept["teacher"]) == known["test"]
    again = run(partly, tmp_path / "again")[0]
    assert (
        again["teacher"]["cached"]
        and again["teacher"]["known"] == known
        and again["students"][0]["gain"] == student["gain"]
    )
    assert read_outcome(result).students[0].verdict == student["verdict"]


def test_too_few_test_rows_withhold_the_comparison_with_its_reason(tmp_path):
    frame, columns = softened(tmp_path / "a.csv", 300)
    frame.to_csv(tmp_path / "a.csv", index=False)  # 45 test rows
    choice = Choice(name="soft_labels", settings={"columns": columns})
    result, place, _ = run(small_spec(tmp_path / "a.csv").model_copy(update={"teacher": choice}), tmp_path / "whole")
    assert result["students"][0]["versus_teacher"]  # all are known: nothing to withhold
    frame.loc[frame.sample(60, random_state=0).index, columns] = np.nan
    frame.to_csv(tmp_path / "b.csv", index=False)
    result, place, _ = run(small_spec(tmp_path / "b.csv").model_copy(update={"teacher": choice}), tmp_path / "out")
    student = result["students"][0]
    assert student["versus_teacher"] == {} and student["agreement"] is None and "fidelity" not in student
    assert set(student["gap_closed"].values()) == {None} and set(result["teacher"]["metrics"].values()) == {None}
    assert result["room"][0]["state"] == "unclear" and result["room"][0]["teacher"] is None
    said = "\n".join(verdict_lines(result))
    assert (
        f"No comparison with the teacher: it answered {result['teacher']['known']['test']} test rows, at least 50"
        in said
    )
    assert json.loads((place / "result.json").read_text())["students"][0]["gain"]


def test_a_file_teaches_as_columns_do_and_a_what_if_takes_it(tmp_path, own_workspace):
    frame, columns = softened(tmp_path / "a.csv", 400, 0.7)
    frame[columns].to_csv(tmp_path / "soft.csv", index=False)
    frame.drop(columns=columns).to_csv(tmp_path / "a.csv", index=False)
    choice = teacher_choice(
        "soft_labels", [f"teacher.path={tmp_path / 'soft.csv'}", f"teacher.columns={','.join(columns)}"]
    )
    assert choice.settings["columns"] == columns and choice.settings["path"].startswith("sha256:")
    (tmp_path / "soft.csv").unlink()  # it is kept in the workspace
    spec = small_spec(tmp_path / "a.csv").model_copy(
        update={"teacher": choice, "sweep": SweepSpec(temperature=(1.0, 4.0))}
    )
    result, place, _ = run(spec, tmp_path / "out")
    assert result["teacher"]["known"]["train"] < result["dataset"]["rows"]["train"]
    with np.load(place / result["artifacts"]["cells"]) as kept:
        assert not np.isnan(kept["teacher"]).any()


def test_an_onnx_file_of_an_earlier_run_teaches(tmp_path, own_workspace):
    write_table(tmp_path / "a.csv", "binary", 400)
    spec = small_spec(tmp_path / "a.csv")
    first, place, _ = run(spec, tmp_path / "first")
    file = place / first["artifacts"]["students"][0]["network"]
    kept = DataLibrary(own_workspace, UPLOADS).add(file.read_bytes(), "a.onnx").source
    assert teacher_choice("onnx", [f"teacher.path={file}"]).settings == {"path": kept}
    result, _, _ = run(
        spec.model_copy(update={"teacher": Choice(name="onnx", settings={"path": kept})}), tmp_path / "second"
    )
    seed = first["students"][0]["seeds"].index(first["students"][0]["selection"]["kept_seed"])
    own = first["students"][0]["metrics"]["roc_auc"]["values"][seed]
    assert result["teacher"]["metrics"]["roc_auc"] == pytest.approx(own, abs=1e-9)
    assert result["teacher"]["parameters"] >= first["students"][0]["parameters"] and result["teacher"]["folds"] == 0
    assert "known" not in result["teacher"]


def test_a_crashed_run_with_a_given_teacher_goes_on_and_ends_with_the_same_result(partly, tmp_path):
    whole = run(partly, tmp_path / "whole")[0]
    seen = []

    def crash_after_two(event):
        seen.append(event)
        if event["kind"] == "trained" and sum(e["kind"] == "trained" for e in seen) == 2:  # not in the clock's thread
            raise Crash

    with pytest.raises(Crash):
        run_here(partly, tmp_path / "cut", crash_after_two, StopSignal())
    assert not (tmp_path / "cut" / "result.json").exists()
    resumed, _, again = run(partly, tmp_path / "cut")
    ours, theirs = resumed["students"][0], whole["students"][0]
    assert ours["metrics"] == theirs["metrics"] and ours["baseline"]["metrics"] == theirs["baseline"]["metrics"]
    assert resumed["teacher"]["known"] == whole["teacher"]["known"]
    epochs = {(e["arm"], e["seed"]) for e in again if e["kind"] == "epoch"}
    assert 0 < len(epochs) < 6  # two of three arms with two seeds each were finished


def test_an_average_of_two_teachers_teaches_by_options_and_is_kept_with_its_members(tmp_path, own_workspace):
    write_table(tmp_path / "a.csv", "multiclass", 400)
    choice = teacher_choice("average", ["teacher.teachers=linear,random_forest"])
    assert choice.settings == {"teachers": ["linear", "random_forest"]}
    spec = small_spec(tmp_path / "a.csv", "multiclass").model_copy(update={"teacher": choice})
    result, _, events = run(spec, tmp_path / "out")
    assert result["teacher"]["name"] == "average" and result["teacher"]["folds"] == 2
    assert sum(e["kind"] == "trained" and e["arm"] == "teacher" for e in events) == 2 * 3
    plan_event = next(e for e in events if e["kind"] == "plan")
    assert next(w for w in plan_event["work"] if w["kind"].startswith("teacher"))["estimated"] > 1
    again, _, events = run(spec, tmp_path / "again")
    assert again["teacher"]["cached"] and not [e for e in events if e.get("arm") == "teacher"]
    assert again["students"][0]["metrics"] == result["students"][0]["metrics"]
    alone = spec.model_copy(update={"teacher": Choice(name="linear")})
    assert run(alone, tmp_path / "alone")[0]["teacher"]["cached"]  # its member was kept as well


def test_a_result_tells_who_of_several_teachers_taught(tmp_path, own_workspace):
    write_table(tmp_path / "a.csv", "binary", 400)
    settings = {"teachers": ["linear", "random_forest"], "average": False}
    spec = small_spec(tmp_path / "a.csv").model_copy(update={"teacher": Choice(name="best", settings=settings)})
    result, _, _ = run(spec, tmp_path / "out")
    taught = {"linear": "Linear", "random_forest": "Random forest"}[result["teacher"]["chosen"]]
    assert f" validation rows teaches: {taught} (ROC-AUC: " in result["teacher"]["notes"][0]["message"]
    again = run(spec, tmp_path / "again")[0]["teacher"]
    assert again["cached"] and again["chosen"] == result["teacher"]["chosen"]


@pytest.mark.parametrize(
    ("teachers", "said"),
    [
        ([], "An average needs 2 different teachers or more; named are: none"),
        (["linear", "linear"], "named are: linear, linear"),
        (["linear", "average"], "The teacher 'average' can't ask 'average', which asks other teachers itself"),
        (["linear", "liner"], "no teacher 'liner'"),
        (["linear", "cnn"], "'cnn' reads pixels"),
        (["linear", "soft_labels"], "The soft labels are neither in a file nor in columns"),
    ],
)
def test_an_average_that_cannot_work_is_refused_with_its_reason_before_anything_is_trained(tmp_path, teachers, said):
    write_table(tmp_path / "a.csv")
    teacher = Choice(name="average", settings={"teachers": teachers})
    with pytest.raises(KDError) as raised:
        run(small_spec(tmp_path / "a.csv").model_copy(update={"teacher": teacher}), tmp_path / "out")
    assert said in str(raised.value)


def test_a_setting_of_another_kind_is_refused():
    with pytest.raises(SpecError, match="path: String should match pattern"):
        from kd_core.teachers import SOURCES

        SOURCES.get("onnx").spec.parse({"path": "/etc/passwd"})


def test_an_endpoint_and_columns_teach_together_and_a_run_says_first_what_is_sent(tmp_path, monkeypatch):
    frame, columns = softened(tmp_path / "a.csv", 400, 0.5)
    frame.to_csv(tmp_path / "a.csv", index=False)

    def logits(question):
        return {"classes": ["no", "yes"], "logits": [[0, 2 * (row["a"] or 0)] for row in question["rows"]]}

    with endpoint(logits) as asked:
        monkeypatch.setenv("KD_ENDPOINTS", asked.url)
        settings = [f"teacher.1.url={asked.url}", "teacher.1.per_second=1000", f"teacher.2.columns={','.join(columns)}"]
        choice = chosen_teacher(["endpoint", "soft_labels"], [*settings, "teacher.ensemble.combine=confidence"])
        spec = small_spec(tmp_path / "a.csv").model_copy(update={"teacher": choice})
        result, _, events = run(spec, tmp_path / "out")
        sent = {name for row in asked.rows for name in row}
        assert "a" in sent and not {"target", *columns} & sent  # neither the target nor another teacher's answers
    assert "known" not in result["teacher"]  # the endpoint knows what the columns lack
    whole, partly = result["teacher"]["members"]
    assert "known" not in whole and 0 < partly["known"]["train"] < result["dataset"]["rows"]["train"]
    warned = [e for e in events if e.get("code") == "endpoint_sends"]
    assert len(warned) == 1 and warned[0]["message"].startswith("400 rows with the columns a, b")
    monkeypatch.delenv("KD_ENDPOINTS")
    with pytest.raises(KDError, match=r"'endpoint' is switched off: whoever runs this workbench allows"):
        run(spec, tmp_path / "off")
