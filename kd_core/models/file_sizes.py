"""How many bytes the one file of a student will have, before anything is encoded or trained: an estimate.

The file holds what reads raw columns (names, categories, scales, quantiles) beside the network, whose weights take two bytes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import torch

from kd_core.data.input_spec import COLUMNS, TABLE, InputSpec
from kd_core.models.base import ARCHS
from kd_core.models.building import build
from kd_core.models.piecewise_front import Fronted
from kd_core.specs import Choice

# Of what reads a row, by the files of five tables of 8 to 17 columns (docs/LAB.md): a file, a column, a letter of its name (it stands
# there twice), an encoded number (a label and its place), and what a column takes more where quantiles bend it.
FILE, COLUMN, LETTER, FEATURE, BENT = 700, 90, 2, 26, 130
LAYER = 130  # the operations of a layer
PIECE = 9  # of a number cut by edges: where it begins, how steep it is, which column it is of


def file_bytes(choice: Choice, inputs: InputSpec, num_outputs: int, names: Sequence[str]) -> int | None:
    """Estimate the bytes of a student's ONNX file; None for rows that its file does not read raw.

    For trees it is the most: they end at the round that is best on validation rows. `names`: of the columns, the target left out.
    Errors: UnknownName, SpecError.
    """
    if inputs.kind not in (TABLE, COLUMNS):
        return None
    front = FILE + COLUMN * len(names) + LETTER * sum(len(n.encode()) for n in names) + FEATURE * inputs.width
    front += BENT * len(names) * (inputs.kind == TABLE)
    return front + _network(choice.to_json(), inputs, num_outputs)


@functools.lru_cache(1024)
def _network(choice_json: str, inputs: InputSpec, num_outputs: int) -> int:
    choice = Choice.from_json(choice_json)
    entry = ARCHS.get(choice.name)
    if "file_bytes" in entry.facts:
        return int(entry.facts["file_bytes"](entry.spec.parse(choice.settings), num_outputs))
    with torch.device("meta"):
        module = build(choice, inputs, num_outputs)
    weights, layers = 0, 0
    for part in module.parameters():
        weights += part.numel()
        layers += part.dim() > 1
    pieces = 0
    if isinstance(module, Fronted):
        weights -= len(module.front.layout.numbers) * module.first.out_features  # folded into the others
        pieces = module.front.layout.encoded
    return 2 * weights + LAYER * layers + PIECE * pieces
