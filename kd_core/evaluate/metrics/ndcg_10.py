"""How near the first 10 rows of each group come to the best order of them, where a better grade counts twice as much as the one below."""

from __future__ import annotations

from kd_core.data.dataset import Array
from kd_core.evaluate import lists
from kd_core.evaluate.base import METRICS, Answers
from kd_core.task import BY_ORDER


def influence(answers: Answers) -> Array | None:
    """Compare each group with the mean of all."""
    return lists.influence(answers, lists.ndcg(answers, 10))


def weighted(weights_DN: Array, answers: Answers) -> Array:
    """Weigh the groups. Shape: (D, N) -> (D,)."""
    return lists.weighted(weights_DN, answers, lists.ndcg(answers, 10))


def reference(answers: Answers) -> float:
    """Take scikit-learn's value, group by group."""
    return lists.ndcg_reference(answers, 10)


@METRICS.register(
    "ndcg_10",
    title="NDCG@10",
    source="Järvelin and Kekäläinen 2002, doi:10.1145/582415.582418; gains of Burges et al. 2005; equal scores as McSherry and Najork 2008",
    tasks=BY_ORDER,
    better="higher",
    unit="share",
    margin=0.01,
    relative=False,
    influence=influence,
    weighted=weighted,
    reference=reference,
)
def ndcg_10(answers: Answers) -> float | None:
    """Average NDCG@10 over groups; those without a relevant row are left out. None where all are."""
    return lists.mean(lists.ndcg(answers, 10))
