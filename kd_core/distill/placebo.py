"""A lesson without a teacher: labels smoothed as much as the teacher smooths them, but alike for every row.

A student taught by it gets the same loss, temperature and soft share. What it gains over its baseline comes from
smooth labels as such; what the taught student gains beyond it comes from the teacher.

A lesson of inner features or attention has no labels to smooth: there each row gets another row's, drawn at random (`shuffles`). What is
left is the pull of the term as such, without any knowledge of the row. A lesson of both has both: labels smoothed for the terms that hear
answers, another row's inside for those that look inside (`mixes`).

A what-if may have the whole grid beside it on the teacher's answers in another order of rows (`in_another_order`), whatever its loss hears.

Source: Yuan et al. 2020 (arXiv:1909.11723), a virtual teacher by label smoothing.
"""

from __future__ import annotations

import numpy as np

from kd_core.data.dataset import Array
from kd_core.distill.base import LOSSES
from kd_core.distill.terms import hears_inside, loss_of, parts_of, soft_share
from kd_core.evaluate import next_items
from kd_core.seeding import derive
from kd_core.specs import SEVERAL, Choice
from kd_core.task import task_of

PLACEBO = "placebo"
CLOSEST = 1e-6  # a share of 0 or 1 has no logit


def why_none(task: str, objective: Choice) -> str | None:
    """Name why there is no placebo for a lesson, or None when there is one.

    A task's own (`regression`: numbers have no soft labels); `no_soft_labels`: the loss, or a term, compares something else;
    `several_temperatures`: its terms soften differently, and no one table is as smooth at all of them; `no_soft_share`: the teacher has
    no part in the lesson.
    """
    if shuffles(objective):
        return None if soft_share(objective) else "no_soft_share"
    unsoftened = task_of(task).unsoftened
    if unsoftened:
        return unsoftened
    heard = _of_answers(objective)
    if not all(LOSSES.get(part.name).facts.get("soft_labels") for part in parts_of(heard)):
        return "no_soft_labels"
    if not loss_of(heard).facts.get("soft_labels"):
        return "several_temperatures"
    return None if soft_share(objective) else "no_soft_share"


def mixes(objective: Choice) -> bool:
    """Say whether some terms of a lesson hear answers and others the teacher's inside. Errors: UnknownName, SpecError."""
    return hears_inside(objective) and not shuffles(objective)


def in_another_order(answers: Array, seed: int) -> Array:
    """Give each row that the teacher answered another one's answers, drawn at random; rows without an answer (NaN) stay without. Shape: (N, C)."""
    known = np.flatnonzero(~np.isnan(answers[:, 0]))
    found = answers.copy()
    found[known] = answers[np.random.default_rng(derive(seed, PLACEBO)).permutation(known)]
    return found


def _of_answers(objective: Choice) -> Choice:
    """Return a lesson of those terms alone that hear answers; there is one at least."""
    if objective.name != SEVERAL:
        return objective
    terms = [t for t in objective.settings["terms"] if not hears_inside(Choice(name=t["name"]))]
    return Choice(name=SEVERAL, settings={**objective.settings, "terms": terms})


def shuffles(objective: Choice) -> bool:
    """Say whether a lesson's placebo is the same lesson with the teacher's rows shuffled: every term of it hears only the teacher's inside.

    Errors: UnknownName, SpecError.
    """
    return all(hears_inside(part) for part in parts_of(objective))


def _each_label(labels: Array, z: Array, temperature: float) -> Array:
    """Smooth every label by itself; `z` are the teacher's logits at the lesson's temperature. Shape: (N, C), (N, C) -> (N, C) float32."""
    known = ~np.isnan(z[:, 0])
    p = 1 / (1 + np.exp(-np.clip(z[known], -500, 500)))
    yes = labels[known] > 0
    found = np.full(z.shape, np.nan, dtype=np.float32)
    for k in range(z.shape[1]):
        share = [p[yes[:, k] == side, k].mean() if (yes[:, k] == side).any() else float(side) for side in (False, True)]
        odds = np.log(np.clip(share, CLOSEST, 1 - CLOSEST)) - np.log1p(-np.clip(share, CLOSEST, 1 - CLOSEST))
        found[known, k] = (temperature * odds)[(labels[known, k] > 0).astype(np.int64)]
    return found


def placebo_logits(
    labels: Array, teacher_logits: Array, objective: Choice, class_weights: Array | None, catalogue: int | None = None
) -> Array:
    """Make logits whose softmax at the lesson's temperature gives the true class the teacher's mean share for it.

    The rest goes to the other classes by their share of the rows, weighted where classes are. Rows that the teacher did not
    answer (NaN) stay without an answer. `catalogue`: the number of items, where answers are in short form; so is then what is made.
    Of rows with several labels, each label's yes and its no get the share that the teacher gives them on the mean.
    Shape: labels (N,) or (N, C), teacher_logits (N, C), class_weights (C,) or None -> (N, C) float32.
    """
    heard = _of_answers(objective)
    spec = loss_of(heard).spec.parse(heard.settings, f"objective {objective.name}")
    temperature = float(getattr(spec, "temperature", 1.0))
    if catalogue is not None:
        return _of_catalogue(labels, teacher_logits, temperature, catalogue)
    z = np.asarray(teacher_logits, dtype=np.float64) / temperature
    if labels.ndim > 1:
        return _each_label(labels, z, temperature)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    num_classes = p.shape[1]
    known = ~np.isnan(p[:, 0])
    own = p[np.arange(len(labels)), labels]
    true = float(np.clip(own[known].mean() if known.any() else 1.0, CLOSEST, 1 - CLOSEST))
    prior = np.bincount(labels, minlength=num_classes).astype(np.float64)
    prior = np.maximum(prior * (1.0 if class_weights is None else class_weights), CLOSEST)
    share = np.tile(prior, (num_classes, 1))
    np.fill_diagonal(share, 0.0)
    share *= (1 - true) / share.sum(axis=1, keepdims=True)
    np.fill_diagonal(share, true)
    table: Array = (temperature * np.log(share)).astype(np.float32)
    found: Array = np.where(known[:, None], table[labels], np.float32(np.nan))
    return found


def _of_catalogue(labels: Array, teacher: Array, temperature: float, items: int) -> Array:
    """Make the same in short form: the right item, the most frequent others by their share, the rest alike. Shape: (N, W) -> (N, W)."""
    known, count = ~np.isnan(teacher[:, 0]), teacher.shape[1] // 2
    own = next_items.share_at(teacher[known], labels[known], temperature, items)
    true = float(np.clip(own.mean() if known.any() else 1.0, CLOSEST, 1 - CLOSEST))
    prior = np.maximum(np.bincount(labels, minlength=items).astype(np.float64), CLOSEST)
    frequent = np.argsort(-prior, kind="stable")[:count]
    numbers = np.tile(frequent, (len(labels), 1))
    place = numbers == labels[:, None]
    last = ~place.any(axis=1)
    numbers[last, -1] = labels[last]
    place[last, -1] = True
    share = prior[numbers] * ((1 - true) / (prior.sum() - prior[labels]))[:, None]
    share[place] = true
    left = (1 - share.sum(axis=1)).clip(min=CLOSEST * (1 - true)) / max(1, items - count)
    z = temperature * np.log(np.concatenate([share, left[:, None]], axis=1))
    found = np.concatenate([numbers, z], axis=1).astype(np.float32)
    found[~known] = np.nan
    return found
