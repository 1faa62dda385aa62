"""Relations among words: how alike words are in what they ask, what they answer to and what they tell, in the student as in the teacher;
and what becomes of each word, by a projector."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.distill.base import LOSSES, WeightedSpec, share, strength
from kd_core.models.base import Outputs
from kd_core.specs import unit

# Legend: B rows, L words, D width, A relation heads.
ASKED = ("query", "key", "value")
MADE = "word"  # what the last block makes of a word
FAR = -1e9  # added where there is no word


class MiniLMSpec(WeightedSpec):
    """Settings of relations among words."""

    alpha: float = share(0.5)
    weight: float = strength(1.0, "the paper has no labels beside it")
    relation_heads: int = Field(
        4,
        ge=1,
        le=64,
        description="Into so many parts the numbers of a word are cut, each compared by itself, whatever heads the networks have; where a width is no multiple of it, the next smaller number that divides both.",
        json_schema_extra=unit("heads", advanced=True),
    )
    hidden: float = Field(
        0.0,
        ge=0,
        le=1000,
        description="Weight of what the last block makes of each word, beside the relations: the student's, brought to the teacher's width by a "
        "layer that is dropped afterwards, is drawn to it (TinyBERT); 0 leaves it out, as MiniLM does.",
        json_schema_extra=unit("times", advanced=True),
    )


def projector(spec: MiniLMSpec, student: Outputs, teacher: Outputs) -> nn.Linear:
    """Make what brings the student's words to the teacher's width; without a bias, as in the source."""
    return nn.Linear(student.hidden[MADE].shape[2], teacher.hidden[MADE].shape[2], bias=False)


def heads_of(asked: int, *widths: int) -> int:
    """Return the largest number of heads up to `asked` that divides all widths."""
    return next(heads for heads in range(asked, 0, -1) if all(width % heads == 0 for width in widths))


def relations(x_BLD: Tensor, heads: int, away_B11L: Tensor) -> Tensor:
    """Return the logarithms of how much each word has to do with each other one. Shape: -> (B, A, L, L), rows add up to 1."""
    x = x_BLD.view(*x_BLD.shape[:2], heads, -1).transpose(1, 2)
    scores = x @ x.transpose(-2, -1) / math.sqrt(x.shape[-1]) + away_B11L
    return torch.log_softmax(scores, dim=-1)


def reference(student: Any, teacher: Any, labels: Any, spec: MiniLMSpec, weights: Any) -> Any:
    """Sum over Q, K, V of the mean over rows of 1 / (A L) sum_a sum_t KL(R_t ‖ R_s), R = softmax(X_a X_aᵀ / sqrt(d)).

    Plus hidden x MSE(H_s W, H_t), mean over rows, in each over words and numbers. L words of the row, those that both read.
    Source: arXiv:2012.15828, equations 5 to 7; arXiv:1909.10351, equation 8.
    """
    own, theirs = student.hidden, teacher.hidden
    heads = heads_of(spec.relation_heads, own["query"].shape[2], theirs["query"].shape[2])
    total = 0.0
    for row, (a, b) in enumerate(zip(own["words"], theirs["words"], strict=True)):
        at = np.flatnonzero((a > 0) & (b > 0))
        for name in ASKED if len(at) else ():
            both = []
            for outputs in (theirs, own):
                x = outputs[name][row, at].reshape(len(at), heads, -1).transpose(1, 0, 2)
                z = x @ x.transpose(0, 2, 1) / np.sqrt(x.shape[2])
                z = z - z.max(2, keepdims=True)
                both.append(z - np.log(np.exp(z).sum(2, keepdims=True)))
            total += (np.exp(both[0]) * (both[0] - both[1])).sum() / (heads * len(at))
        if len(at):
            total += spec.hidden * ((own[MADE][row, at] @ weights["weight"].T - theirs[MADE][row, at]) ** 2).mean()
    return total / len(own["words"])


@LOSSES.register(
    "minilm",
    title="Relations among words (MiniLM)",
    spec=MiniLMSpec,
    source="arXiv:2012.15828, hidden states arXiv:1909.10351",
    about="In the last block of both transformers it is compared how much each word has to do with each other one, in what words ask, what they answer to and what they tell. Widths and numbers of heads may differ. The teacher's network runs beside the student and is asked about each batch, so a step takes longer; it has seen the training texts. On request what becomes of each word is compared as well. Both must read the same pieces of words, so a pretrained encoder can't teach this way.",
    formula=r"\begin{gathered} \sum_{X \in \{Q,K,V\}} \frac{1}{A L} \sum_{a,t} \mathrm{KL}(R^T_{a,t} \| R^S_{a,t}) \\ R_a = \mathrm{softmax}(X_a X_a^\top / \sqrt{d}) \\ + \; h \, \| H_s W - H_t \|^2 \end{gathered}",
    needs=("live_relations", "student_relations"),
    module=projector,
    reference=reference,
    row_mean=True,
    zero_at_equality=True,
    shift_invariant=True,
)
def minilm(student: Outputs, teacher: Outputs, labels: Tensor, spec: MiniLMSpec, module: nn.Module) -> Tensor:
    """KL divergence of the student's relations from the teacher's, added up over Q, K and V, mean over rows, and in each over heads and words.

    Vectors of all attention heads stand side by side and are cut anew into relation heads, as in MiniLMv2; MiniLM's own relations of
    queries with keys are not among them. `hidden` adds the squared distance of what the last block makes of words. Only places where both networks read a word count; a text without words adds nothing.
    Shape: hidden `query`, `key`, `value`, `word` (B, L, D), the teacher's of another D, `words` (B, L). Source: arXiv:2012.15828.
    """
    own, theirs = student.hidden, teacher.hidden
    heads = heads_of(spec.relation_heads, own["query"].shape[2], theirs["query"].shape[2])
    words = ((own["words"] > 0) & (theirs["words"] > 0)).to(own["query"].dtype)
    away = ((1 - words) * FAR)[:, None, None, :]
    total = student.logits.new_zeros(())
    for name in ASKED:
        log_t, log_s = (relations(outputs[name], heads, away) for outputs in (theirs, own))
        each = (log_t.exp() * (log_t - log_s)).sum(-1).mean(1)  # (B, L)
        total = total + ((each * words).sum(1) / words.sum(1).clamp(min=1)).mean()
    if spec.hidden:
        each = (module(own[MADE]) - theirs[MADE]).square().mean(-1)
        total = total + spec.hidden * ((each * words).sum(1) / words.sum(1).clamp(min=1)).mean()
    return total
