import numpy as np
import pytest
from scipy.special import logsumexp
from scipy.stats import rankdata
from sklearn import metrics as sk

from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.ranking import Ranking, margins

AREAS = ["roc_auc", "pr_auc"]


def area(metric, y, z):
    return METRICS.get(metric).make(from_logits("binary" if z.shape[1] == 2 else "multiclass", np.array(y), z))


def test_a_margin_is_the_log_odds_of_a_class_against_the_rest():
    z = np.random.default_rng(0).normal(size=(50, 4)) * 3
    expected = [[row[c] - logsumexp(np.delete(row, c)) for c in range(4)] for row in z]
    assert margins(z) == pytest.approx(np.array(expected), abs=1e-12)
    assert margins(z[:, :2]) == pytest.approx(np.c_[z[:, 0] - z[:, 1], z[:, 1] - z[:, 0]])
    assert margins(z[:0]).shape == (0, 4)


@pytest.mark.parametrize("size", [50.0, 700.0, 1e6])
def test_a_margin_of_huge_logits_keeps_its_differences(size):
    z = np.array([[size, 0.0, 0.0], [size + 1, 0.0, 0.0], [0.0, -size, -size - 2]])
    found = margins(z)
    assert np.isfinite(found).all()
    assert found[1, 0] - found[0, 0] == pytest.approx(1.0)
    assert found[2, 0] == pytest.approx(size - np.log1p(np.exp(-2)))
    assert found[2, 2] == pytest.approx(-size - 2)


@pytest.mark.parametrize("others", [1, 2])
def test_areas_tell_logits_of_50_from_60(others):
    """Softmax gives 1.0 for both; the positive row is the higher one, so both areas are whole."""
    z = np.zeros((4, 1 + others))
    z[:, 1] = [60.0, 50.0, 0.0, -1.0]
    assert from_logits("binary", np.zeros(4, np.int64), z).p[:2, 1].tolist() == [1.0, 1.0]
    y = [1, 0, 0, 0]
    for metric in AREAS:
        assert area(metric, y, z) == 1.0
        assert area(metric, [0, 1, 0, 0], z) < 1.0


@pytest.mark.parametrize("classes", [2, 4])
def test_without_ties_the_areas_are_those_of_the_probabilities(classes):
    rng = np.random.default_rng(1)
    y = rng.integers(0, classes, 500)
    z = (rng.normal(size=(500, classes)) * 3).astype(np.float32)
    p = from_logits("binary", y, z).p
    one = (lambda f: f(y, p[:, 1])) if classes == 2 else lambda f: np.mean([f(y == c, p[:, c]) for c in range(classes)])
    assert area("roc_auc", y, z) == pytest.approx(one(sk.roc_auc_score), abs=1e-15)
    assert area("pr_auc", y, z) == pytest.approx(one(sk.average_precision_score), abs=1e-15)


def test_places_are_mid_ranks_and_ties_form_groups():
    score = np.array([0.5, 0.1, 0.5, 0.9, 0.1, 0.5])
    ranking = Ranking(score)
    assert ranking.spread((ranking.first + ranking.last) / 2 + 1).tolist() == rankdata(score).tolist()
    apart = Ranking(np.array([3.0, 1.0, 2.0]))
    assert apart.first.tolist() == apart.last.tolist() == [0, 1, 2]


def test_placements_count_ties_half():
    score, positive = np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, True, False, True])
    found, whole = Ranking(score).placements(positive)
    assert found.tolist() == [1.0, 0.75, 0.75, 1.0]
    assert whole == 0.875
    assert Ranking(score).placements(np.ones(4, bool)) is None
