"""What every label's answers come to, by hand on a few rows; the laws compare the metrics with scikit-learn."""

import numpy as np
import pytest

from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.fidelity import label_agreement, label_kl
from kd_core.evaluate.intervals import each_label
from kd_core.evaluate.intervals.evidence import Evidence

Y = np.array([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 0]])
Z = np.array([[2.0, -1.0, -3.0], [-1.0, 1.0, -3.0], [1.0, 0.0, 2.0], [-2.0, -2.0, -3.0]])


def value(name, y=Y, z=Z):
    return METRICS.get(name).make(from_logits("multilabel", y, z))


def test_by_hand():
    # called: row 0 label 0; row 1 label 1; row 2 labels 0, 1 (a half is called) and 2
    assert value("label_f1_micro") == pytest.approx(2 * 3 / (4 + 5))
    assert value("label_f1_macro") == pytest.approx(np.mean([2 * 1 / (2 + 2), 2 * 2 / (2 + 2), 0.0]))
    assert value("map") == pytest.approx(np.mean([(1 / 1 + 2 / 3) / 2, 1.0])), "a label of no row is left out"
    p = 1 / (1 + np.exp(-Z))
    assert value("label_log_loss") == pytest.approx(-np.log(np.where(Y, p, 1 - p)).mean())


def test_nothing_to_measure_is_none():
    none = np.zeros_like(Y)
    assert value("map", none) is None
    assert value("label_f1_micro", none, np.full(Z.shape, -1.0)) is None
    assert value("label_f1_macro", none, np.full(Z.shape, -1.0)) is None


def test_fidelity_counts_labels():
    assert label_agreement(Z, Z) == 1.0 and label_kl(Z, Z) == pytest.approx(0.0, abs=1e-12)
    other = Z.copy()
    other[0, 0] = -2.0
    assert label_agreement(other, Z) == pytest.approx(11 / 12)
    p, q = 1 / (1 + np.exp(-2.0)), 1 / (1 + np.exp(2.0))
    assert label_kl(Z, other) == pytest.approx((p * np.log(p / q) + (1 - p) * np.log((1 - p) / (1 - q))) / 4)


def test_each_label_is_told_with_counts_and_its_interval():
    rng = np.random.default_rng(0)
    y = (rng.random((400, 3)) < [0.5, 0.2, 0.0]).astype(np.int64)

    def models(strength):
        return [from_logits("multilabel", y, rng.normal(size=y.shape) + strength * (2 * y - 1)) for _ in range(3)]

    found = Evidence({"teacher": models(2.0)[:1], "student": models(1.5), "baseline": models(0.3)}, None)
    told = each_label.told(found, 2)
    assert [one["rows"] for one in told] == y.sum(0).tolist()
    for k, one in enumerate(told):
        found_rows, missed, wrong = one["counts"]["student"]
        assert found_rows + missed == pytest.approx(y[:, k].sum(), abs=0.01) and wrong > 0
    assert told[0]["gain"]["mean"] > 0.05 and told[0]["gain"]["ci_family"][0] > 0
    assert told[2]["gain"] is None and told[2]["average_precision"]["student"] is None, "no row has it"
    assert told[0]["f1"]["teacher"] > told[0]["f1"]["baseline"]
    narrow = each_label.told(found, 1)[0]["gain"]["ci_family"]
    wide = told[0]["gain"]["ci_family"]
    assert wide[0] < narrow[0] and wide[1] > narrow[1], "two students are twice as many statements"
