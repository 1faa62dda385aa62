"""Forget the rarest pieces of words: their vectors and their spellings leave the file."""

from __future__ import annotations

import copy

from pydantic import Field
from torch import Tensor, nn

from kd_core.compress.base import STEPS, Stage, Work
from kd_core.compress.cutting import reshaped
from kd_core.data.input_spec import InputSpec
from kd_core.errors import KDError
from kd_core.models.base import ReadsFirst
from kd_core.models.weighted_terms import WeightedTerms
from kd_core.specs import Spec, unit


class TrimVocabularySpec(Spec):
    """How many pieces of words are forgotten."""

    share: float = Field(
        0.5,
        ge=0,
        le=0.95,
        description="Share of the known pieces that are forgotten, those of the fewest texts.",
        json_schema_extra=unit("share"),
    )


def suits(stage: Stage, inputs: InputSpec) -> str | None:
    """Say why no piece can be forgotten, or None where some can."""
    if not isinstance(stage.module, ReadsFirst) or not _terms(stage.module):
        if inputs.kind == "tokens":
            return "reads word pieces in their order, and a text whose pieces are forgotten is cut into others: fewer numbers per word save bytes instead"
        return "knows no pieces of words"
    return None


@STEPS.register(
    "trim_vocabulary",
    title="Forget rare pieces of words",
    spec=TrimVocabularySpec,
    changes="network",
    suits=suits,
    short="trimmed",
)
def step(spec: TrimVocabularySpec, stage: Stage, work: Work) -> Stage:
    """Keep the vectors of the most frequent pieces alone. Errors: KDError `no_vocabulary`.

    Pieces stand in the order of how many texts hold them, so the file's view is that of the first ones (`View.first`), and rows
    read by it are the same but for what was forgotten.
    """
    if (reason := suits(stage, work.rows(stage).spec)) is not None:
        raise KDError(
            "Student {name} {reason}.",
            "Leave this step out of the chain.",
            "no_vocabulary",
            name=stage.arch.name,
            reason=reason,
        )
    module = copy.deepcopy(stage.module)
    state: dict[str, Tensor] = dict(module.state_dict())
    before = after = 0
    for name, part in _terms(module).items():
        kept = max(1, part.terms - round(spec.share * part.terms))
        before, after = before + part.terms, after + kept
        state[f"{name}.vectors"] = state[f"{name}.vectors"][: kept + 1]  # the first is that of no piece
    return stage.after("trim_vocabulary", module=reshaped(module, state), pieces={"before": before, "after": after})


def _terms(module: nn.Module) -> dict[str, WeightedTerms]:
    return {name: part for name, part in module.named_modules() if isinstance(part, WeightedTerms)}
