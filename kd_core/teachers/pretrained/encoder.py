"""An encoder of texts, opened from its folder: word pieces in, one vector a text out."""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.errors import DataError
from kd_core.teachers.pretrained.asked import asked
from kd_core.teachers.pretrained.config import FAMILIES, EncoderConfig, read_config
from kd_core.teachers.pretrained.folders import require
from kd_core.teachers.pretrained.vectors import digest
from kd_core.teachers.pretrained.weights_file import BYTES_A_WEIGHT, LARGE_BYTES, bad_weights, fill

if TYPE_CHECKING:  # loaded when a model is opened
    from tokenizers import Tokenizer

BATCH_OPERATIONS = 2e10  # of a batch on a CPU, half a second: a stop request waits for those at work
LEAST_PIECES, MOST_PIECES = 128, 2048  # of a batch on a CPU; more are no faster
CUDA_PIECES = 32_768


@dataclass(frozen=True)
class Encoder:
    """An opened model: its network, what cuts texts, and how many pieces of a text it reads. `left_out`: entries of the file without use."""

    config: EncoderConfig
    network: nn.Module
    tokenizer: Tokenizer
    length: int
    left_out: tuple[str, ...] = ()
    what: ClassVar[str] = "texts"

    @property
    def numbers(self) -> int:
        """Count the numbers of a vector."""
        return 2 * self.config.width

    def name(self, row: str) -> bytes:
        """Name a text by its characters. Shape: 16 bytes."""
        return digest(row)

    def pieces(self, texts: Sequence[str], pause: Callable[[], None] = lambda: None) -> list[list[int]]:
        """Cut texts into numbers of word pieces, the marks at both ends included; what is beyond `length` is cut off."""
        found: list[list[int]] = []
        for at in range(0, len(texts), 1024):
            pause()
            found += [one.ids for one in self.tokenizer.encode_batch_fast(list(texts[at : at + 1024]))]
        return found

    def vectors(
        self, texts: Sequence[str], device: torch.device, pause: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Array, Array]]:
        """Describe texts by mean and maximum of their last hidden states, batch by batch; `pause` is called before each.

        The two stand side by side, each of length 1, in float16 whether they are kept or not, so that both give the same.
        Shape: yields positions (B,) and vectors (B, 2D) float16.
        Source: Reimers and Gurevych 2019 (arXiv:1908.10084).
        """

        def pooled(ids: Tensor) -> Tensor:
            return pool(self.network(input_ids=ids).last_hidden_state)

        return self._asked(texts, device, pause, pooled, np.float16)

    def answers(
        self, texts: Sequence[str], device: torch.device, pause: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Array, Array]]:
        """Ask the model's own classification head. Shape: yields positions (B,) and logits (B, C) float32."""
        return self._asked(texts, device, pause, lambda ids: self.network(input_ids=ids).logits, np.float32)

    def _asked(
        self,
        texts: Sequence[str],
        device: torch.device,
        pause: Callable[[], None],
        ask: Callable[[Tensor], Tensor],
        dtype: Any,
    ) -> Iterator[tuple[Array, Array]]:
        pieces = CUDA_PIECES
        if device.type == "cpu":
            pieces = int(min(MOST_PIECES, max(LEAST_PIECES, BATCH_OPERATIONS / (2 * self.config.weights))))
        dealt = ((at, torch.from_numpy(ids)) for at, ids in batches(self.pieces(texts, pause), pieces))
        yield from asked(self.network, dealt, device, pause, ask, dtype)


def pool(hidden: Tensor, mask: Tensor | None = None) -> Tensor:
    """Put mean and maximum over the word pieces side by side, each of length 1; `mask` tells pieces from filling.

    Shape: (B, L, D), mask (B, L) -> (B, 2D).
    """
    if mask is None:
        mean, most = hidden.mean(1), hidden.amax(1)
    else:
        there = mask[..., None]
        mean = (hidden * there).sum(1) / there.sum(1)
        most = hidden.masked_fill(there == 0, -torch.inf).amax(1)
    return torch.cat([nn.functional.normalize(mean, dim=1), nn.functional.normalize(most, dim=1)], dim=1)


def batches(pieces: Sequence[Sequence[int]], at_once: int) -> Iterator[tuple[Array, Array]]:
    """Deal texts of equal length into batches of at most so many pieces, the shortest first: nothing is filled up.

    Shape: yields positions (B,) and ids (B, L) int64.
    """
    lengths = np.array([len(one) for one in pieces])
    for length in np.unique(lengths):
        alike = np.flatnonzero(lengths == length)
        most = max(1, at_once // max(1, int(length)))
        for start in range(0, len(alike), most):
            at = alike[start : start + most]
            yield at, np.array([pieces[i] for i in at], dtype=np.int64).reshape(len(at), -1)


def open_encoder(folder: Path, length: int, head: bool = False) -> Encoder:
    """Build an encoder and give it the weights of its folder; with `head` also its classification head.

    Only `model.safetensors` is read, every name and shape is compared before anything is taken.
    Errors: KDError `no_transformers`; DataError `model_weights`, `model_tokenizer`, and those of `read_config`.
    """
    require("transformers")
    config = read_config(folder)
    _check_size(config, folder / "model.safetensors")
    tokenizer = _tokenizer(folder / "tokenizer.json", config, min(length, config.longest))
    network = _build(config, head)
    left_out = fill(network, folder / "model.safetensors", FAMILIES[config.family].prefix, head)
    return Encoder(config, network, tokenizer, min(length, config.longest), left_out)


def _check_size(config: EncoderConfig, file: Path) -> None:
    """Refuse a config that asks for more than its file can hold, before memory is taken for it."""
    width = min(config.width, config.fields.get("embedding_size", config.width))
    least = BYTES_A_WEIGHT * (config.weights + width * config.fields["vocab_size"])
    if (size := file.stat().st_size) < least > LARGE_BYTES:
        raise bad_weights(f"has {size:,} bytes, the model of its config.json takes {least:,} at least")


def _build(config: EncoderConfig, head: bool) -> nn.Module:
    """Make the network of a checked config. Its own weights are drawn and thrown away: nobody's random numbers move."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the library says of itself while it is imported
        library = importlib.import_module("transformers")
    family = FAMILIES[config.family]
    labels = {"num_labels": len(config.labels)} if head else {}
    still = dict.fromkeys(family.dropout, 0.0)  # drawn from a stream that nobody seeds; a few epochs do without
    made = getattr(library, family.config)(**config.own_names(), **labels, **still, attn_implementation="sdpa")
    with torch.random.fork_rng(devices=[]):
        if head:
            network: nn.Module = getattr(library, family.classifier)(made)
        else:
            network = getattr(library, family.model)(made, **({"add_pooling_layer": False} if family.pooler else {}))
    return network.float().eval()


def _tokenizer(file: Path, config: EncoderConfig, length: int) -> Tokenizer:
    """Open a tokenizer that knows no more pieces than the model. Errors: DataError `model_tokenizer`."""
    from tokenizers import Tokenizer

    try:
        json.loads(file.read_bytes())  # else the library's own words name its inside
        made = Tokenizer.from_file(str(file))
    except Exception as error:  # the library has no class of its own for it
        raise _pieces(f"can't be read ({str(error).splitlines()[0][:100]})") from None
    most = max(made.get_vocab().values(), default=-1)
    if not 0 <= most < config.fields["vocab_size"]:
        raise _pieces(f"knows the word piece {most:,}, the model has {config.fields['vocab_size']:,} from 0 on")
    made.no_padding()
    made.enable_truncation(length)
    if not made.encode("").ids:  # the model needs at least one piece
        raise _pieces("puts no mark at the ends of a text")
    return made


def _pieces(why: str) -> DataError:
    return DataError(
        "The model's tokenizer.json {why}.",
        "Take it from where the model comes from: AutoTokenizer.from_pretrained('FOLDER').save_pretrained('FOLDER').",
        "model_tokenizer",
        why=why,
    )
