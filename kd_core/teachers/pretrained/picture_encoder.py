"""A pretrained network of pictures, opened from its folder: pixels in, one vector a picture out."""

from __future__ import annotations

import hashlib
import importlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor, nn

from kd_core.data.dataset import Array
from kd_core.teachers.pretrained.asked import asked
from kd_core.teachers.pretrained.folders import require
from kd_core.teachers.pretrained.picture_config import FAMILIES, PictureConfig, read_pictures
from kd_core.teachers.pretrained.weights_file import BYTES_A_WEIGHT, LARGE_BYTES, bad_weights, fill

BATCH_OPERATIONS = 2e10  # of a batch on a CPU, half a second: a stop request waits for those at work
MOST_AT_ONCE, CUDA_AT_ONCE = 32, 128
# How often each weight is used for a picture of 224 x 224: ViT-B 204, ResNet-50 and ConvNeXt-T 160, MobileNetV2 86 times.
USES, OF_PIXELS = 200, 224 * 224


@dataclass(frozen=True)
class PictureEncoder:
    """An opened model of pictures. `left_out`: entries of the file without use."""

    config: PictureConfig
    network: nn.Module
    numbers: int
    left_out: tuple[str, ...] = ()
    what: ClassVar[str] = "pictures"

    def name(self, row: Array) -> bytes:
        """Name a picture by its size and pixels. Shape: 16 bytes."""
        return hashlib.blake2b(repr(row.shape).encode() + row.tobytes(), digest_size=16).digest()

    def features(self, pixels: Tensor) -> Tensor:
        """Describe pictures by what the model's own classifier reads, of length 1. Shape: (B, K, H, W) uint8 -> (B, D)."""
        return features(self.network, self.config, pixels)

    def vectors(
        self, rows: Sequence[Array], device: torch.device, pause: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Array, Array]]:
        """Describe pictures batch by batch, in float16 whether they are kept or not; `pause` is called before each.

        Shape: N of (K, H, W) uint8; yields positions (B,) and vectors (B, D) float16.
        """
        return asked(self.network, self._dealt(rows, device), device, pause, self.features, np.float16)

    def answers(
        self, rows: Sequence[Array], device: torch.device, pause: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Array, Array]]:
        """Ask the model's own classifier. Shape: yields positions (B,) and logits (B, C) float32."""

        def logits(pixels: Tensor) -> Tensor:
            found: Tensor = self.network(pixel_values=self.config.reading.read(pixels)).logits
            return found

        return asked(self.network, self._dealt(rows, device), device, pause, logits, np.float32)

    def _dealt(self, rows: Sequence[Array], device: torch.device) -> Iterator[tuple[Array, Tensor]]:
        height, width = self.config.reading.size
        weights = sum(p.numel() for p in self.network.parameters())
        most = CUDA_AT_ONCE
        if device.type == "cpu":
            most = max(1, min(MOST_AT_ONCE, int(BATCH_OPERATIONS / operations(weights, height, width))))
        for start in range(0, len(rows), most):
            some = rows[start : start + most]
            yield np.arange(start, start + len(some)), torch.from_numpy(np.stack(some))


def features(network: nn.Module, config: PictureConfig, pixels: Tensor) -> Tensor:
    """Read pictures and describe them by what the classifier of the family reads, of length 1. Shape: (B, K, H, W) uint8 -> (B, D)."""
    found = network(pixel_values=config.reading.read(pixels))
    told = found.last_hidden_state[:, 0] if FAMILIES[config.family].marked else found.pooler_output.flatten(1)
    return nn.functional.normalize(told, dim=1)


def operations(weights: int, height: int, width: int) -> float:
    """Estimate what a network of so many weights computes for a picture, two operations for each use of a weight."""
    return 2 * USES * weights * height * width / OF_PIXELS


def open_pictures(folder: Path, head: bool = False) -> PictureEncoder:
    """Build a network of pictures and give it the weights of its folder; with `head` also its classifier.

    Only `model.safetensors` is read, every name and shape is compared before anything is taken.
    Errors: KDError `no_transformers`; DataError `model_weights`, and those of `read_pictures`.
    """
    require("transformers")
    config, file = read_pictures(folder), folder / "model.safetensors"
    with torch.device("meta"):  # no memory is taken for what the file can't hold
        least = BYTES_A_WEIGHT * sum(p.numel() for p in _build(config, head).parameters())
    if (size := file.stat().st_size) < least > LARGE_BYTES:
        raise bad_weights(f"has {size:,} bytes, the model of its config.json takes {least:,} at least")
    network = _build(config, head).float().eval()
    left_out = fill(network, file, FAMILIES[config.family].prefix, head, FAMILIES[config.family].renamed)
    return PictureEncoder(config, network, 0 if head else _numbers(network, config), left_out)


def _build(config: PictureConfig, head: bool) -> nn.Module:
    """Make the network of a checked config. Its own weights are drawn and thrown away: nobody's random numbers move."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what the library says of itself while it is imported
        library = importlib.import_module("transformers")
    family = FAMILIES[config.family]
    labels = {"num_labels": len(config.labels)} if head else {}
    made: Any = getattr(library, f"{family.name}Config")(**config.fields, **labels, **family.settings)
    with torch.random.fork_rng(devices=[]):
        if head:
            found: nn.Module = getattr(library, f"{family.name}ForImageClassification")(made)
        else:
            bare = {"add_pooling_layer": False} if family.marked else {}
            found = getattr(library, f"{family.name}Model")(made, **bare)
    return found


def _numbers(network: nn.Module, config: PictureConfig) -> int:
    """Count the numbers of a vector by asking about one picture; what can't be asked is refused here."""
    height, width = config.reading.size
    with torch.inference_mode():
        try:
            return int(
                features(network, config, torch.zeros(1, config.bands, height, width, dtype=torch.uint8)).shape[1]
            )
        except RuntimeError as error:  # a picture that is smaller than the steps of the network
            raise bad_weights(
                f"makes a network that can't read pictures of {width} x {height} ({str(error).splitlines()[0][:100]})"
            ) from None
