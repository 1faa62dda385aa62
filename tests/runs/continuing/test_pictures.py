"""Going on with pictures: a zip of class folders, or of pictures that nobody has sorted yet."""

from __future__ import annotations

import pytest

from kd_core.runs.asked import make_spec
from kd_core.runs.continuing.asked import spec_of
from kd_core.specs import Choice, DatasetSpec, EvaluationSpec
from tests.data.pictures.zips import shapes, zipped
from tests.runs.continuing.test_going import carry_out

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("default::DeprecationWarning")]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace with a finished run on pictures, and zips of new ones."""
    root = tmp_path_factory.mktemp("going")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KD_WORKSPACE", str(root / "ws"))
        (root / "ws/runs").mkdir(parents=True)
        every = shapes(150)
        old, new = ({n: b for n, b in every.items() if (int(n[-7:-4]) < 90) is first} for first in (True, False))
        data = DatasetSpec(source=str(zipped(root / "old.zip", old)), target="class")
        spec = make_spec(
            data,
            Choice(name="cnn", settings={"size": "tiny", "epochs": 4}),
            ["cnn:tiny"],
            Choice(name="hinton"),
            (4, 2, 0),
            evaluation=EvaluationSpec(folds=2, references=False, latency=False, placebo=False),
        )
        carry_out(spec, root / "ws/runs/first")
        zipped(root / "new.zip", new)
        zipped(root / "bare.zip", {f"{i}.png": content for i, content in enumerate(new.values())})
        yield root


@pytest.fixture(autouse=True)
def here(place, own_workspace, monkeypatch):
    monkeypatch.setenv("KD_WORKSPACE", str(place / "ws"))


def test_new_pictures_in_class_folders_are_learned_from(place):
    found = carry_out(spec_of("first", str(place / "new.zip")), place / "ws/runs/labelled")
    told = found["continued"]
    assert told["rows"]["learned"] > 0 and told["rows"]["bare"] == 0
    (one,) = told["students"]
    assert one["new"]["against"] == "labels" and one["new"]["rows"] > 0 and one["old"]["rows"] > 0


def test_pictures_that_nobody_sorted_are_learned_from_the_teachers_answers(place):
    found = carry_out(spec_of("first", str(place / "bare.zip")), place / "ws/runs/bare")
    told = found["continued"]
    assert told["rows"]["bare"] == told["rows"]["learned"] > 100
    assert told["students"][0]["new"]["against"] == "teacher"
