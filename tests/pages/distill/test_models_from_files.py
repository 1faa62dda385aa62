"""Models from files on the Distill screen: a file is dropped, columns and classes are named, another kind of file is refused in words."""

from __future__ import annotations

import pickle

import lightgbm
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from tests.pages.distill.test_given_models import dropped, started, table  # noqa: F401
from tests.pages.screen import jobs, open_page, words  # noqa: F401

pytestmark = pytest.mark.slow
X, Y = np.random.default_rng(0).normal(size=(60, 2)), np.arange(60) % 2


def trees():
    told = {"objective": "binary", "verbosity": -1, "num_threads": 1}
    return lightgbm.train(told, lightgbm.Dataset(X, Y), 2).model_to_string().encode()


@pytest.mark.parametrize(
    ("name", "file", "make"),
    [
        ("lightgbm_file", "mine.txt", trees),
        ("sklearn_file", "mine.skops", lambda: skops.io.dumps(LogisticRegression().fit(X, np.where(Y, "yes", "no")))),
    ],
)
def test_a_file_is_taken_and_a_pickle_is_refused_with_its_lines(name, file, make, table, jobs):  # noqa: F811
    at = open_page("distill", data=table[1])
    at.selectbox(key="distill.teacher.from").set_value("file").run()
    at.selectbox(key="distill.teacher").set_value(name).run()
    assert not at.exception and "The teacher's file comes first: upload it under Teacher settings." in words(at)
    said = dropped(at, name, "mine.joblib", pickle.dumps({"a": 1}))
    assert "mine.joblib is a joblib file" in said and "skops.io.dump(model, 'teacher.skops')" in said
    assert at.button(key="distill-start").disabled
    said = dropped(at, name, file, make())
    assert "joblib" not in said and not at.exception
    at.multiselect(key=f"distill.teacher.{name}.columns.list").set_value(["b", "a"]).run()
    settings = started(at, jobs).settings
    assert list(settings["columns"]) == ["b", "a"] and settings["path"].startswith("sha256:")


def test_a_file_of_another_library_names_the_teacher_that_opens_it(table):  # noqa: F811
    at = open_page("distill", data=table[1])
    at.selectbox(key="distill.teacher.from").set_value("file").run()
    at.selectbox(key="distill.teacher").set_value("xgboost_file").run()
    said = dropped(at, "xgboost_file", "mine.json", trees())
    assert "mine.json is a LightGBM text file" in said and "Take the teacher LightGBM file." in said
