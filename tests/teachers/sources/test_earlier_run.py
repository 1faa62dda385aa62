"""An earlier run's model as a source: it answers as its Predictor does, by name of class, and says what it has seen."""

import json
import re
import shutil

import numpy as np
import pandas as pd
import pytest

from kd_core.data.preparation import prepare
from kd_core.errors import DataError, KDError, Stopped
from kd_core.runs.asked import teacher_choice
from kd_core.runs.direct import run_here
from kd_core.runs.plan import check
from kd_core.runs.predictor import load
from kd_core.runs.service.execution import StopSignal
from kd_core.specs import Choice, StudentSpec
from kd_core.teachers import kept_models
from kd_core.teachers.answer_cache.cache import cache_key
from kd_core.teachers.base import SOURCES, Ask
from kd_core.teachers.sources.earlier_run import EarlierModel
from tests.runs.tables import TINY, small_spec, write_table

pytestmark = pytest.mark.slow
ENTRY = SOURCES.get("earlier_run")


def carried_out(spec, folder=None):
    return run_here(spec, folder, lambda event: None, StopSignal())


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a run with two students, and of one whose target is a number."""
    place = tmp_path_factory.mktemp("earlier")
    two = (TINY, StudentSpec(name="line", arch=Choice(name="linear")))
    spec = small_spec(write_table(place / "a.csv", "binary", 300))
    evaluated = spec.evaluation.model_copy(update={"references": True})
    carried_out(spec.model_copy(update={"students": two, "evaluation": evaluated}), place / "first")
    carried_out(small_spec(write_table(place / "n.csv", "regression", 300), "regression"), place / "numbers")
    return place


@pytest.fixture
def earlier(finished, own_workspace):
    for name in ("first", "numbers"):
        shutil.copytree(finished / name, own_workspace / "runs" / name)
    return finished


def ask(data, run="first", student="tiny", stop=lambda: False):
    question = Ask(data, None, 5, 0, None, "", "cpu", print, stop)
    return ENTRY.make(ENTRY.spec.parse({"run": run, "student": student}), question)


def rows_of(data, split):
    return data.rows.iloc[data.parts[split].row_ids]


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


@pytest.mark.parametrize("student", ["tiny", "line", "plain linear"])
def test_it_answers_as_the_predictor_of_its_run(earlier, student):
    data = prepare(small_spec(earlier / "a.csv").dataset)
    found = ask(data, student=student)
    for split in data.parts:
        p = load(earlier / "first", student).ask(rows_of(data, split))[0]
        np.testing.assert_allclose(softmax(found.logits[split]), p, atol=1e-5)
    assert found.num_parameters > 0 and found.size_bytes > 4 * found.num_parameters - 8 and found.folds == 0
    assert found.latency_ms["whole"]["1"]["p50"] > 0 and found.latency_ms["torch"]["32"]["p50"] > 0
    assert found.details["run"] == "first" and found.details["model"] == student


def test_a_number_keeps_its_unit_whatever_the_scale_of_the_new_rows(earlier, tmp_path):
    frame = pd.read_csv(earlier / "n.csv")
    frame[frame.target > frame.target.median()].to_csv(tmp_path / "half.csv", index=False)
    data = prepare(small_spec(tmp_path / "half.csv", "regression").dataset)
    found = ask(data, "numbers", None)
    values = load(earlier / "numbers").ask(rows_of(data, "test"))[0][:, 0]
    np.testing.assert_allclose(found.logits["test"][:, 0] * data.target_std + data.target_mean, values, rtol=1e-4)


def test_classes_are_turned_by_name_and_a_superset_of_columns_will_do(earlier, tmp_path):
    frame = pd.read_csv(earlier / "a.csv").assign(more=1.5)
    frame.to_csv(tmp_path / "b.csv", index=False)
    spec = small_spec(tmp_path / "b.csv").dataset.model_copy(update={"positive": "no"})
    data, plain = prepare(spec), prepare(small_spec(earlier / "a.csv").dataset)
    assert data.classes == ("yes", "no") and plain.classes == ("no", "yes")
    np.testing.assert_allclose(ask(data).logits["test"], ask(plain).logits["test"][:, ::-1], atol=1e-6)


def test_a_column_that_only_the_teacher_reads_is_said(earlier):
    data = prepare(small_spec(earlier / "a.csv").dataset.model_copy(update={"drop": ("kind",)}))
    assert any(
        "model also reads kind, which the students of this run do not see" in n["message"] for n in ask(data).notes
    )


OTHERS = {
    "column": (lambda f: f.drop(columns="kind"), "binary", "earlier", "1 column is missing: kind."),
    "target": (
        lambda f: f.rename(columns={"target": "goal"}),
        "binary",
        "earlier",
        "its target is 'target', here it is 'goal'. Take a run with the same target",
    ),
    "classes": (
        lambda f: f.replace({"target": {"yes": "sure"}}),
        "binary",
        "earlier",
        "has other classes than the data: it lacks sure; it has yes, which",
    ),
    "task": (
        lambda f: f.assign(target=np.arange(len(f)) / 7),
        "regression",
        "earlier",
        "predicts something else: its task is 'binary', here it is 'regression'",
    ),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_does_not_fit_is_refused_with_what_differs(earlier, tmp_path, case):
    change, task, _, words = OTHERS[case]
    change(pd.read_csv(earlier / "a.csv")).to_csv(tmp_path / "b.csv", index=False)
    spec = small_spec(tmp_path / "b.csv", task).dataset
    data = prepare(spec.model_copy(update={"target": "goal"}) if case == "target" else spec)
    with pytest.raises(DataError, match=re.escape(words)):
        ask(data)


def seen(data):
    (said,) = [n for n in ask(data).notes if n["code"].startswith("earlier_run_saw") or n["code"] == "earlier_run_rows"]
    return said


def test_the_rows_that_it_has_seen_are_counted(earlier, tmp_path):
    spec = small_spec(earlier / "a.csv").dataset
    said = seen(prepare(spec))
    assert said["severity"] == "note" and said["message"].startswith("None of the 45 test rows is among the rows")
    assert "; 210 of 210 training rows are." in said["message"]
    other = prepare(spec.model_copy(update={"split_seed": 1}))
    said = seen(other)
    plain = prepare(spec)
    both = np.isin(other.test.row_ids, np.concatenate([plain.train.row_ids, plain.validation.row_ids])).sum()
    assert said["severity"] == "warning" and said["message"].startswith(f"{both} of 45 test rows are among the rows")
    fresh = prepare(small_spec(write_table(tmp_path / "b.csv", "binary", 300, seed=5)).dataset)
    assert (
        "None of the 45 test rows is among" in seen(fresh)["message"]
        and "; 0 of 210 training" in seen(fresh)["message"]
    )


def test_rows_that_can_not_be_compared_are_said(earlier, own_workspace):
    data = prepare(small_spec(earlier / "a.csv").dataset)
    place = own_workspace / "runs" / "first" / "spec.json"
    told = json.loads(place.read_text())
    told["dataset"]["source"] = "/nowhere.csv"
    place.write_text(json.dumps(told))
    said = seen(data)
    assert said["severity"] == "warning"
    assert "can't be known: There is no file '/nowhere.csv'." in said["message"]


def test_it_is_saved_and_opened(earlier, tmp_path):
    data = prepare(small_spec(earlier / "a.csv").dataset)
    live, rows = ask(data).live, pd.DataFrame({"a": ["1", None], "b": [0.5, 2], "kind": ["red", "new"]})
    live.save(tmp_path)
    np.testing.assert_array_equal(EarlierModel.load(tmp_path, data).ask(rows), live.ask(rows))


def test_the_key_of_kept_answers_follows_the_models_files(earlier, own_workspace):
    choice = Choice(name="earlier_run", settings={"run": "first", "student": "tiny"})
    before = cache_key("data", choice, 5, 0)
    weights = own_workspace / "runs" / "first" / "artifacts" / "students" / "0.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(bytes(data))
    assert cache_key("data", choice, 5, 0) != before


def broken(place, how):
    if how == "unfinished":
        (place / "artifacts" / "model.json").unlink()
    elif how == "no json":
        (place / "artifacts" / "model.json").write_text("[")
    elif how == "old":
        (place / "artifacts" / "model.json").write_text('{"students": [{"name": "tiny"}]}')
    elif how == "weights":
        (place / "artifacts" / "students" / "0.safetensors").write_bytes(b"\0" * 90)
    elif how == "link":
        (place / "artifacts" / "students" / "0.safetensors").unlink()
        (place / "artifacts" / "students" / "0.safetensors").symlink_to("/etc/passwd")
    else:
        told = json.loads((place / "artifacts" / "model.json").read_text())
        told["students"][0]["weights"] = "../../../secret"
        (place / "artifacts" / "model.json").write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("unfinished", "Run first has no model that can teach: it has not ended, or an earlier version made it."),
        ("no json", "The models of run first can't be opened: Damaged: is not JSON."),
        ("old", "can't be opened: ValueError: lists no student that reads raw rows"),
        ("weights", "can't be opened: SafetensorError"),
        ("link", "can't be opened: DataError: The path 'artifacts/students/0.safetensors' leads out of the workspace."),
        ("path", "can't be opened: DataError: The path '../../../secret' leads out of the workspace."),
    ],
)
def test_damage_is_said(earlier, own_workspace, how, words):
    data = prepare(small_spec(earlier / "a.csv").dataset)
    broken(own_workspace / "runs" / "first", how)
    with pytest.raises(DataError, match=re.escape(words)):
        ask(data)
    assert ENTRY.facts["content"](ENTRY.spec(run="first", student="tiny")) == "" or how == "weights"


def test_what_is_not_chosen_or_not_there_is_said_before_the_start(earlier, tmp_path):
    def refused(**settings):
        spec = small_spec(earlier / "a.csv").model_copy(
            update={"teacher": Choice(name="earlier_run", settings=settings)}
        )
        return [p.message + " " + p.hint for p in check(spec, "binary", 2) if p.severity == "error"]

    assert refused() == ["No earlier run is chosen. Choose a finished run (run)."]
    assert refused(run="nobody") == ["There is no run 'nobody'. Choose one from the list of runs."]
    assert (
        refused(run="first") == ["Run first has 2 students. Say which (student): tiny, line, plain linear."]
        or "plain" in refused(run="first")[0]
    )
    assert refused(run="first", student="x")[0].startswith(
        "Run first has no model 'x'. Say which (student): tiny, line"
    )
    assert refused(run="first", student="tiny") == [] and refused(run="numbers") == []
    with pytest.raises(DataError, match=r"No earlier run is chosen\. Choose"):
        ask(prepare(small_spec(earlier / "a.csv").dataset), "", None)
    asked = iter([False])
    with pytest.raises(Stopped):
        ask(prepare(small_spec(earlier / "a.csv").dataset), stop=lambda: next(asked, True))


def test_the_command_line_takes_an_id_a_name_or_a_folder(earlier, own_workspace, tmp_path):
    assert teacher_choice("earlier_run", ["teacher.run=first"]).settings == {"run": "first"}
    (own_workspace / "runs" / "first" / "annotation.json").write_text('{"name": "mine"}')
    assert teacher_choice("earlier_run", ["teacher.run=mine"]).settings == {"run": "first"}
    with pytest.raises(DataError, match=r"2 runs are called 'small'\. Say which by its id: first, numbers"):
        teacher_choice("earlier_run", ["teacher.run=small"])
    choice = teacher_choice("earlier_run", [f"teacher.run={earlier / 'first'}", "teacher.student=line"])
    name = choice.settings["run"]
    assert re.fullmatch(r"first-[0-9a-f]{8}", name) and kept_models.names(name)[:2] == ["tiny", "line"]
    again = teacher_choice("earlier_run", [f"teacher.run={earlier / 'first'}"])
    assert again.settings["run"] == name  # the same folder is kept once
    with pytest.raises(DataError, match="is no folder of a run"):
        teacher_choice("earlier_run", [f"teacher.run={tmp_path}"])
    result, _ = carried_out(small_spec(earlier / "a.csv").model_copy(update={"teacher": choice}), tmp_path / "out")
    assert result["teacher"]["metrics"]["roc_auc"] > 0.7 and result["students"][0]["gain"]
    assert isinstance(result["teacher"]["parameters"], int) and result["teacher"]["folds"] == 0


def test_no_models_are_listed_of_what_is_no_run(own_workspace):
    assert kept_models.names("nobody") == [] and kept_models.names("../x") == []
    with pytest.raises(KDError, match=r"There is no run '\.\./x'"):
        kept_models.find("../x")
