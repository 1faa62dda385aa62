import numpy as np
import pytest

from kd_core.errors import SpecError
from kd_core.teachers.base import SOURCES
from tests.teachers.tables import fit_data


def fit(data, seed=0, **settings):
    entry = SOURCES.get("sklearn")
    return entry.make.fit(entry.spec.parse({"trees": 12} | settings), data, seed, print, lambda: False)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.parametrize("model", ["linear", "extra_trees", "nearest", "naive_bayes", "svm"])
def test_each_model_learns_repeatably(model, task):
    if (model, task) == ("naive_bayes", "regression"):
        pytest.skip("refused; see below")
    data = fit_data(task)
    teacher = fit(data, model=model)
    z = teacher.logits(data.x_validation)
    assert np.array_equal(z, fit(data, model=model).logits(data.x_validation))
    if task == "regression":
        assert np.corrcoef(z[:, 0], data.y_validation)[0, 1] > 0.4
    else:
        assert (z.argmax(1) == data.y_validation).mean() > {"binary": 0.55, "multiclass": 0.45}[task]
        np.testing.assert_allclose(np.exp(z).sum(1), 1, atol=1e-5)
    assert 0 < teacher.num_parameters() <= teacher.size_bytes()


def test_naive_bayes_refuses_numbers():
    with pytest.raises(SpecError, match="Naive Bayes names classes and can't predict a number"):
        fit(fit_data("regression"), model="naive_bayes")


@pytest.mark.parametrize(
    ("model", "rows", "text"),
    [
        ("svm", 10_001, "at most 10,000 training rows, this dataset has 10,001: its training time"),
        ("nearest", 50_001, "at most 50,000 training rows, this dataset has 50,001: every answer"),
    ],
)
def test_too_many_rows_are_refused_with_the_reason(model, rows, text):
    with pytest.raises(SpecError, match=text):
        fit(fit_data("binary", rows=rows), model=model)


def test_a_class_of_one_row_is_too_few_for_the_support_vectors():
    y = np.zeros(200, np.int64)
    y[0] = 1
    with pytest.raises(SpecError, match="the rarest class has 1 of 200 rows"):
        fit(fit_data("binary", y=y), model="svm")
