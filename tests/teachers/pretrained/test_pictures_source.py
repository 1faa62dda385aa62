"""The teacher of pictures: read once, answers out of fold, stop and resume, what it says and refuses."""

from __future__ import annotations

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from kd_core.cli.app import app
from kd_core.data.dataset import SPLITS
from kd_core.data.preparation import prepare, profile_source
from kd_core.data.views import foreseen
from kd_core.errors import KDError, Stopped
from kd_core.runs import estimate
from kd_core.runs.plan import check, situation
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec, RunSpec, StudentSpec
from kd_core.teachers import SOURCES
from kd_core.teachers.answer_cache.cache import TeacherCache, cache_key
from kd_core.teachers.answers import teacher_answers
from kd_core.teachers.live import opening
from kd_core.teachers.pretrained import folders
from kd_core.teachers.pretrained import picture_encoder as encoders
from tests.data.pictures.zips import shapes, zipped
from tests.teachers.pretrained.tiny import edit, need
from tests.teachers.pretrained.tiny_pictures import write_pictures

NAME = "pretrained_pictures"
CLASSES = ("bars", "rings", "stars")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]


@pytest.fixture
def source(tmp_path):
    return zipped(tmp_path / "shapes.zip", shapes(60, colour=True))


@pytest.fixture
def rows(source):
    return prepare(DatasetSpec(source=str(source), target="class"))


@pytest.fixture
def tiny(tmp_path):
    """The name of a tiny random ResNet in the workspace."""
    return folders.add(write_pictures(tmp_path / "tiny"), folders.PICTURES)


def answers(data, settings, cache=None, folds=2, notify=lambda event: None, should_stop=lambda: False, **more):
    choice = Choice(name=NAME, settings=settings)
    return teacher_answers(
        data, choice, folds=folds, seed=0, cache=cache, notify=notify, should_stop=should_stop, **more
    )


def accuracy(found, data, split):
    return float((found.logits[split].argmax(1) == data.parts[split].y).mean())


def test_a_probe_learns_from_frozen_vectors_and_says_what_it_is(rows, tiny):
    events = []
    found = answers(rows, {"folder": tiny}, notify=events.append)
    assert all(found.logits[s].shape == (len(rows.parts[s]), 3) and found.logits[s].dtype == np.float32 for s in SPLITS)
    assert min(accuracy(found, rows, s) for s in SPLITS) > 0.5 and found.folds == 2
    size = (folders.find(tiny, folders.PICTURES) / "model.safetensors").stat().st_size
    assert found.num_parameters > 3_000 and 0.5 * size < found.size_bytes < 1.5 * size
    assert set(found.latency_ms["whole"]) == {"1", "32"} and found.latency_ms["whole"]["1"]["p50"] > 0
    assert {
        "model": tiny,
        "mode": "probe",
        "family": "resnet",
        "pixels": "28 x 28",
        "pictures": 180,
    }.items() <= found.details.items()
    assert any(e["kind"] == "part" and e["what"] == "pictures" and e["done"] == e["of"] == 180 for e in events)
    again = answers(rows, {"folder": tiny})
    assert all(np.array_equal(found.logits[s], again.logits[s]) for s in SPLITS)


def test_labels_by_chance_are_not_learned_out_of_fold(tmp_path, tiny):
    files = list(shapes(60, colour=True).values())
    order = np.random.default_rng(0).permutation(len(files))
    mixed = {f"{'ab'[i % 2]}/{i:03}.png": files[at] for i, at in enumerate(order)}
    data = prepare(DatasetSpec(source=str(zipped(tmp_path / "mixed.zip", mixed)), target="class"))
    unseen = accuracy(answers(data, {"folder": tiny}, folds=5), data, "train")
    assert 0.3 < unseen < 0.67
    seen = answers(data, {"folder": tiny}, folds=1)
    assert accuracy(seen, data, "train") > unseen and "in_sample" in [note["code"] for note in seen.notes]


def test_pictures_are_read_once_for_all_folds_and_later_runs(rows, tiny, tmp_path):
    cache = TeacherCache(tmp_path / "kept")
    assert answers(rows, {"folder": tiny}, cache).details["pictures_computed"] == 180
    other = answers(rows, {"folder": tiny}, cache, folds=3)
    assert not other.cached and other.details["pictures_computed"] == 0
    assert answers(rows, {"folder": tiny}, cache).cached
    second = folders.add(write_pictures(tmp_path / "other", seed=1), folders.PICTURES)
    assert answers(rows, {"folder": second}, cache).details["pictures_computed"] == 180


def test_the_key_of_answers_knows_the_content_of_the_folder(rows, tiny):
    choice = Choice(name=NAME, settings={"folder": tiny})
    before = cache_key(rows.hash, choice, 2, 0)
    place = folders.find(tiny, folders.PICTURES) / "preprocessor_config.json"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"image_mean": [0.4, 0.4, 0.4]}))
    assert cache_key(rows.hash, choice, 2, 0) != before


def test_a_stop_while_pictures_are_read_keeps_what_was_read(rows, tiny, tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "MOST_AT_ONCE", 8)
    cache, calls = TeacherCache(tmp_path / "kept"), 0

    def later():
        nonlocal calls
        calls += 1
        return calls > 12

    with pytest.raises(Stopped):
        answers(rows, {"folder": tiny}, cache, should_stop=later)
    found = answers(rows, {"folder": tiny}, cache)
    assert 20 < found.details["pictures_computed"] < 180
    np.testing.assert_allclose(found.logits["test"], answers(rows, {"folder": tiny}).logits["test"], atol=0.05)


def test_the_vectors_are_the_inner_features(rows, tiny):
    found = answers(rows, {"folder": tiny}, folds=1, hidden=True)
    assert found.features["train"].shape == (len(rows.train), 32) and found.features["train"].dtype == np.float32


def test_a_classifier_with_the_names_of_the_classes_is_asked_as_it_is(rows, tmp_path):
    own = ("Stars", " rings", "BARS")
    name = folders.add(write_pictures(tmp_path / "head", "ViT", labels=own), folders.PICTURES)
    found = answers(rows, {"folder": name, "mode": "as_is"}, folds=3)
    assert found.folds == 0 and "teacher_maybe_saw" in [note["code"] for note in found.notes]
    encoder = encoders.open_pictures(folders.find(name, folders.PICTURES), head=True)
    picture = rows.view("pixels").parts["test"][:1]
    (_, z), *_ = encoder.answers(picture, encoders.torch.device("cpu"))
    np.testing.assert_allclose(found.logits["test"][0], z[0][::-1], atol=1e-4)
    model = opening.opened(rows, Choice(name=NAME, settings={"folder": name, "mode": "as_is"}))
    np.testing.assert_allclose(model.ask(rows.rows.iloc[rows.test.row_ids]), found.logits["test"], atol=1e-4)
    assert opening.why_not(Choice(name=NAME, settings={"folder": name})).startswith("it was trained for this run")
    with pytest.raises(KDError, match="asked as it is gives no inner features"):
        answers(rows, {"folder": name, "mode": "as_is"}, folds=1, hidden=True)


def test_other_classes_none_and_no_folder_are_refused(rows, tiny, tmp_path):
    name = folders.add(write_pictures(tmp_path / "head", labels=("a", "b", "c")), folders.PICTURES)
    with pytest.raises(
        KDError, match=r"its own classes are a, b, c, those here are bars, rings, stars\. Take the mode"
    ):
        answers(rows, {"folder": name, "mode": "as_is"})
    with pytest.raises(KDError, match=r"its own classes are not told in its config\.json"):
        answers(rows, {"folder": tiny, "mode": "as_is"})
    with pytest.raises(KDError, match="No model of pictures is chosen"):
        answers(rows, {})


def spec_of(source, settings):
    return RunSpec(
        dataset=DatasetSpec(source=str(source), target="class"),
        teacher=Choice(name=NAME, settings=settings),
        objective=Choice(name="hinton"),
        students=(StudentSpec(name="tiny", arch=Choice(name="cnn", settings={"size": "tiny"})),),
        evaluation=EvaluationSpec(folds=2, latency=False, references=False),
    )


def test_it_is_offered_for_pictures_and_says_why_not_elsewhere(monkeypatch):
    need("transformers")

    def offer(views):
        return {e.name: why for e, why in SOURCES.offer(situation("multiclass", 3, views=views))}[NAME]

    assert offer(("pixels",)) is None
    assert offer(("table", "columns")) == "reads pixels; these rows can be read as columns, table"
    monkeypatch.setattr(SOURCES.get(NAME).facts["lacks"].__globals__["importlib"].util, "find_spec", lambda name: None)
    assert "needs the package transformers, which is not installed" in offer(("pixels",))


def test_a_plan_says_what_is_wrong_before_anything_is_read(tiny):
    def codes(settings):
        found = check(spec_of("x.zip", settings), "multiclass", 3, ("pixels",))
        return [p.code for p in found if p.severity == "error"]

    assert codes({"folder": tiny}) == []
    assert set(codes({})) == set(codes({"folder": "nobody"})) == {"no_model"}
    edit(folders.find(tiny, folders.PICTURES), model_type="clip")
    assert codes({"folder": tiny}) == ["model_family"]


def test_the_time_is_foreseen_by_the_pictures_and_the_size_of_the_model(source, tiny, tmp_path):
    inputs = foreseen(profile_source(str(source), target="class"))

    def seconds(rows, **settings):
        return estimate.foresee(spec_of(source, settings), rows, inputs, 3).teacher_seconds

    assert seconds(26_000, folder=tiny) < 0.2 * seconds(26_000, folder="nobody")
    assert seconds(26_000, folder="nobody") > 1.8 * seconds(13_000, folder="nobody")


def test_a_folder_teaches_a_student_from_the_command_line(source, tmp_path):
    folder, out = write_pictures(tmp_path / "tiny", "ConvNext"), tmp_path / "run"
    asked = ["distill", str(source), "--target", "class", "--student", "cnn:tiny", "--epochs", "2", "--seeds", "2"]
    asked += ["--folds", "2", "--no-placebo", "--out", str(out), "--teacher", NAME]
    done = CliRunner().invoke(app, [*asked, "--set", f"teacher.folder={folder}"])
    assert done.exit_code == 0, done.output
    found = json.loads((out / "result.json").read_text())
    assert found["teacher"]["name"] == NAME and found["teacher"]["metrics"]["accuracy"] > 0.4
    assert found["students"][0]["baseline"]["metrics"]["accuracy"]["mean"] > 0.2
    done = CliRunner().invoke(app, [*asked, "--set", f"teacher.folder={tmp_path / 'nowhere'}"])
    assert done.exit_code == 2 and "There is no folder" in done.output
