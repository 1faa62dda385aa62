"""Fewer numbers per word: what an embedding holds is written in fewer columns, which all words share a matrix to read by."""

from __future__ import annotations

import copy
from typing import Any

import torch
from pydantic import Field
from torch import Tensor, nn

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.taking_out import found_columns
from kd_core.compress.thinning import put_thin, rank_by
from kd_core.compress.turning import narrowed, singular_values, uses_of
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.models.items.table import ItemTable
from kd_core.models.reshape.thin import ThinEmbedding
from kd_core.specs import Spec, unit


class FactorEmbeddingSpec(Spec):
    """How many numbers a word keeps."""

    share: float = Field(
        0.5, gt=0, lt=1, description="Share of the embedding's numbers that are kept.", json_schema_extra=unit("share")
    )
    energy: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Keep so large a share of what words tell instead, in squared singular values; an embedding that would not get smaller stays.",
        json_schema_extra=unit("share", advanced=True),
    )


def suits(stage: Stage, inputs: InputSpec) -> str | None:
    """Say why there is no embedding to make thinner, or None where there is."""
    if found_columns(stage.module, inputs) or _embeddings(stage.module):
        return None
    if any(isinstance(part, ItemTable) for part in stage.module.modules()):
        return "compares what it knows with the same vectors that it looks up, so they can't be written in two parts: taking units out shortens them"
    return "has no embedding of words that could be made thinner"


@STEPS.register(
    "factor_embedding",
    title="Fewer numbers per word",
    spec=FactorEmbeddingSpec,
    source="ALBERT, arXiv:1909.11942, section 3.1",
    changes="network",
    suits=suits,
    short="narrow",
)
def step(spec: FactorEmbeddingSpec, stage: Stage, work: Work) -> Stage:
    """Write embeddings in fewer columns, by the words of the training rows. Errors: KDError `no_thin_embedding`.

    Where every reader is linear the readers take the matrix in, so nothing is added; elsewhere it is a layer of its own.
    """
    viewed = work.rows(stage)
    if (reason := suits(stage, viewed.spec)) is not None:
        raise _refused(stage, f"Student {stage.arch.name} {reason}")
    module, told = copy.deepcopy(stage.module), list[dict[str, Any]]()
    x, turned = viewed.parts["train"], set[str]()
    for group in found_columns(stage.module, viewed.spec):
        source = group.lanes[0][0].tensor
        turned.add(source)
        rows, width = module.state_dict()[source].shape
        uses = uses_of(x, viewed.spec, rows)
        values = torch.from_numpy(singular_values(module, group, uses))
        rank = rank_by(values, rows, rows * width, spec.share, spec.energy)
        told.append({"layer": group.layer, "rows": rows, "columns": width, "rank": rank})
        if rank is not None:
            module = narrowed(module, group, uses, rank)
    for name, part in _embeddings(module).items():
        if f"{name}.weight" in turned:
            continue
        rows, width = part.weight.shape
        weighed = part.weight.detach().double() * torch.from_numpy(uses_of(x, viewed.spec, rows)).sqrt()[:, None]
        _, values, right = torch.linalg.svd(weighed, full_matrices=False)
        rank = rank_by(values, rows + width, rows * width, spec.share, spec.energy)
        told.append({"layer": name, "rows": rows, "columns": width, "rank": rank})
        if rank is not None:
            put_thin(module, name, _thin(part, right[:rank]))
    if all(one["rank"] is None for one in told):
        raise _refused(stage, f"No embedding of student {stage.arch.name} gets smaller by that")
    return stage.after("factor_embedding", module=module, layers=told)


def _thin(part: nn.Embedding, directions: Tensor) -> ThinEmbedding:
    """Split an embedding. Shape: directions (R, D), orthonormal."""
    thin = ThinEmbedding(part.num_embeddings, len(directions), part.embedding_dim, part.padding_idx)
    with torch.no_grad():
        thin.rows.weight.copy_(part.weight.double() @ directions.T)
        thin.widen.weight.copy_(directions.T)
    return thin


def _embeddings(module: nn.Module) -> dict[str, nn.Embedding]:
    named = dict(module.named_modules())
    compared = {f"{n}.vectors" for n, p in named.items() if isinstance(p, ItemTable)}  # read elsewhere, as a whole
    return {
        n: p
        for n, p in named.items()
        if isinstance(p, nn.Embedding) and p.embedding_dim > 1 and not n.endswith(".rows") and n not in compared
    }


def _refused(stage: Stage, why: str) -> KDError:
    return KDError(
        "{why}.", "Ask for a smaller share, or leave this step out of the chain.", "no_thin_embedding", why=why
    )
