"""A catalogue as vectors: looked up for the items of a history, and compared with a state to say which item comes next.

Legend: N rows, L items of a history, I items, C outputs, E numbers of an item, D width.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kd_core.data.input_spec import InputSpec
from kd_core.models.short_numbers import from_bytes, halve, in_bytes

START = 0.1  # spread of the vectors at first


class ItemTable(nn.Module):
    """One vector an item, for what was seen and for what is scored: half the bytes of two tables, and each learns from the other.

    Where the outputs are not the items in their order, they have vectors of their own. Source: tied tables arXiv:1608.05859.
    Vectors may be shorter than the width of what works with them: a catalogue of ten thousand is nearly all of a network's bytes.
    """

    def __init__(self, inputs: InputSpec, num_outputs: int, embedding: int, width: int) -> None:
        super().__init__()
        self.vectors = nn.Embedding(inputs.high, embedding, padding_idx=0)
        nn.init.normal_(self.vectors.weight, std=START)
        with torch.no_grad():
            self.vectors.weight[0].zero_()
        shared = num_outputs == inputs.high - 1
        self.compared = None if shared else nn.Parameter(torch.randn(num_outputs, embedding) * START)
        self.narrow = nn.Linear(width, embedding) if width != embedding else nn.Identity()
        self.bias = nn.Parameter(torch.zeros(num_outputs))

    @property
    def narrows(self) -> bool:
        """Whether a layer stands between a state and the vectors that it is compared with."""
        return not isinstance(self.narrow, nn.Identity)

    def forward(self, x_NL: Tensor) -> Tensor:
        """Look up items. Shape: (N, L) numbers -> (N, L, E)."""
        found: Tensor = self.vectors(x_NL)
        return found

    def scores(self, state_ND: Tensor) -> Tensor:
        """Compare a state with every item. Shape: (N, D) -> (N, C)."""
        asked = self.narrow(state_ND)
        if self.compared is not None:
            return F.linear(asked, self.compared, self.bias)
        if torch.onnx.is_in_onnx_export():  # a part of the table would be written as a second one
            return F.linear(asked, self.vectors.weight, F.pad(self.bias, (1, 0)))[:, 1:]
        return F.linear(asked, self.vectors.weight[1:], self.bias)

    def shorten(self) -> None:
        """Round the vectors to one byte a number with a step each, the rest to float16."""
        halve(p for name, p in self.named_parameters() if name != "vectors.weight")
        vectors = self.vectors.weight.detach().cpu().numpy()
        numbers, steps = in_bytes(vectors)
        self.vectors.weight.data.copy_(torch.from_numpy(from_bytes(numbers, steps)))
