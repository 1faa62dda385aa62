"""How many bytes the one file of a student will have, before anything is encoded or trained: an estimate.

The file holds what reads raw columns (names, categories, scales, quantiles, the pieces of words that texts are known by) beside the
network, whose weights take two bytes, or one where they are vectors of pieces.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch

from kd_core.data.input_spec import COLUMNS, TABLE, InputSpec
from kd_core.models.base import ARCHS, ReadsFirst
from kd_core.models.building import build
from kd_core.models.piecewise_front import Fronted
from kd_core.models.weighted_terms import WIDE, WeightedTerms
from kd_core.specs import Choice

# Of what reads a row, by the files of five tables of 8 to 17 columns (docs/LAB.md): a file, a column, a letter of its name (it stands
# there twice), an encoded number (a label and its place), and what a column takes more where quantiles bend it.
FILE, COLUMN, LETTER, FEATURE, BENT = 700, 90, 2, 26, 130
LAYER = 130  # the operations of a layer
# Of texts: a word with its weights for 32 topics, of which a table's column has at most so many; how a piece of a word, or a token, is spelled.
TOPIC_TERM, TOPIC_TERMS, SPELLED, TOKEN = 160, 20_000, 5, 13
PIECE = 9  # of a number cut by edges: where it begins, how steep it is, which column it is of


def file_bytes(
    choice: Choice, inputs: InputSpec, num_outputs: int, names: Sequence[str], texts: int = 0, labels: int = 0
) -> int | None:
    """Estimate the bytes of a student's ONNX file; None for rows that its file does not read raw.

    For trees it is the most, as they end at the round that is best on validation rows, and so it is beside free text: how many words
    it holds is not known before. `names`: of the columns, the target left out; `texts`: how many are free text; `labels`: bytes of
    the names of category values in tables (`data.views.table.count_name_bytes`), of which a student may hold a part.
    Errors: UnknownName, SpecError.
    """
    if inputs.kind in ("ngrams", "tokens"):
        spelled = 0 if inputs.kind == "ngrams" else TOKEN * inputs.high
        return FILE + spelled + _network(choice.to_json(), inputs, num_outputs)
    if inputs.kind not in (TABLE, COLUMNS):
        return None
    front = FILE + COLUMN * len(names) + LETTER * sum(len(n.encode()) for n in names) + FEATURE * inputs.width
    front += BENT * len(names) * (inputs.kind == TABLE) + TOPIC_TERM * TOPIC_TERMS * texts
    most = choice.settings.get("label_bytes")
    return front + (labels if most is None else min(labels, most)) + _network(choice.to_json(), inputs, num_outputs)


@functools.lru_cache(1024)
def _network(choice_json: str, inputs: InputSpec, num_outputs: int) -> int:
    choice = Choice.from_json(choice_json)
    entry = ARCHS.get(choice.name)
    if "file_bytes" in entry.facts:
        return int(entry.facts["file_bytes"](entry.spec.parse(choice.settings), num_outputs))
    with torch.device("meta"):
        module = build(choice, inputs, num_outputs)
    weights, layers = 0, 0
    for weight in module.parameters():
        weights += weight.numel()
        layers += weight.dim() > 1
    pieces = 0
    if isinstance(module, Fronted):
        weights -= len(module.front.layout.numbers) * module.first.out_features  # folded into the others
        pieces = module.front.layout.encoded
    for part in module.modules():
        if (
            isinstance(part, WeightedTerms) and part.vectors.shape[1] >= WIDE
        ):  # a byte a number, and two of each vector's step
            weights += part.vectors.shape[0] - part.vectors.numel() // 2
    pieces_known = module.reads() if isinstance(module, ReadsFirst) else 0
    return 2 * weights + SPELLED * pieces_known + LAYER * layers + PIECE * pieces
