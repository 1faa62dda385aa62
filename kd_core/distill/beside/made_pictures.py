"""Pictures made up without a pixel of the data: noise is moved until a teacher finds in it what it found while it learned.

A network with batch normalisation remembers mean and variance of what each of its layers found. Noise is moved by gradient descent until
a batch of pictures shows the same, is answered with the classes that it is meant to show, and is smooth.
Legend: N pictures of a batch, K bands, H and W places, l a layer with batch normalisation.
"""

from __future__ import annotations

import hashlib
import io
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kd_core import safe_io
from kd_core.data.dataset import Array
from kd_core.errors import Stopped
from kd_core.seeding import derive

BATCH = 128  # pictures that are moved together: enough for a variance, few enough for the cache of a core
SHIFT = 2  # pixels each way that a picture is moved before each look, so that no pixel is made for one place of the network alone
STEP = 0.1  # of the optimiser; pixels go from 0 to 1
LIKE_LAYERS, SMOOTH = (
    5.0,
    10.0,
)  # weights beside the teacher's answer: none of 12 pairs is clearly better (docs/methods.md)
TOLD = 10  # times that a batch tells how far it is
Tell = Callable[[int], None]  # of how many pictures the work is done
_MAKING = threading.Lock()  # students beside each other wait for the first one's pictures
_kept: dict[str, Array] = {}


def remembers(network: nn.Module) -> list[nn.BatchNorm2d]:
    """List the layers that remember what they found in the pictures that a network learned from, the pixels themselves first."""
    return [m for m in network.modules() if isinstance(m, nn.BatchNorm2d) and m.running_mean is not None]


@dataclass(frozen=True)
class Wanted:
    """Which pictures are made: how many, of which shape, for how many classes, in how many steps. Shape: (K, H, W)."""

    count: int
    shape: tuple[int, ...]
    classes: int
    steps: int
    seed: int


def distance(found: Tensor, layer: nn.BatchNorm2d) -> Tensor:
    """Say how far what a layer gets is from what it remembers: ‖mean - mean_l‖ + ‖variance - variance_l‖, over bands.

    Shape: (N, K, H, W) -> scalar. Source: arXiv:1912.08795, equation 4.
    """
    assert layer.running_mean is not None and layer.running_var is not None
    variance, mean = torch.var_mean(found, dim=(0, 2, 3), correction=0)
    far: Tensor = (mean - layer.running_mean).norm() + (variance - layer.running_var).norm()
    return far


def roughness(x_NKHW: Tensor) -> Tensor:
    """Return the total variation of pictures: mean squared step from a pixel to the next one below and beside it.

    Source: arXiv:1912.08795, equation 2 (after arXiv:1412.0035).
    """
    return (x_NKHW.diff(dim=2).square().mean()) + x_NKHW.diff(dim=3).square().mean()


def made(
    network: nn.Module, wanted: Wanted, device: torch.device, should_stop: Callable[[], bool], tell: Tell | None = None
) -> Array:
    """Make pictures for a network, as many of each class as of another; the same weights and seed give the same.

    `tell`: hears of how many pictures the work is done, a few times in each batch.

    Moves x by gradient descent on CE(network(x), class) + sum over layers of `distance` + `roughness`, each times its weight.
    Shape: -> (count, K, H, W) uint8. Errors: Stopped. Source: arXiv:1912.08795, equations 2 to 4; arXiv:2001.00281.
    """
    network.to(device).eval().requires_grad_(False)
    layers, parts = remembers(network), []
    for number, at in enumerate(range(0, wanted.count, BATCH)):
        own = torch.Generator().manual_seed(derive(wanted.seed, "made pictures", number))
        classes = torch.arange(at, min(at + BATCH, wanted.count), device=device) % wanted.classes

        def after(step: int, at: int = at, many: int = len(classes)) -> None:
            if tell is not None and (step == wanted.steps or step % -(-wanted.steps // TOLD) == 0):
                tell(at + many * step // wanted.steps)

        parts.append(_batch(network, layers, wanted, classes, own, device, should_stop, after))
    return np.concatenate(parts)


def _batch(
    network: nn.Module,
    layers: list[nn.BatchNorm2d],
    wanted: Wanted,
    classes: Tensor,
    own: torch.Generator,
    device: torch.device,
    should_stop: Callable[[], bool],
    after: Callable[[int], None],
) -> Array:
    pixels = layers[0]  # what it remembers of the pixels says where to begin
    assert pixels.running_mean is not None and pixels.running_var is not None
    noise = torch.randn(len(classes), *wanted.shape, generator=own).to(device)
    spread, mean = pixels.running_var.sqrt()[:, None, None], pixels.running_mean[:, None, None]
    x = (mean + spread * noise).clamp(0, 1).requires_grad_()
    found: list[Tensor] = []

    def see(layer: nn.Module, given: tuple[Any, ...]) -> None:
        assert isinstance(layer, nn.BatchNorm2d)
        found.append(distance(given[0], layer))

    watched = [layer.register_forward_pre_hook(see) for layer in layers]
    move = torch.optim.Adam([x], lr=STEP)
    try:
        for step in range(wanted.steps):
            if should_stop():
                raise Stopped
            move.param_groups[0]["lr"] = STEP * 0.5 * (1 + np.cos(np.pi * step / wanted.steps))
            down, across = torch.randint(-SHIFT, SHIFT + 1, (2,), generator=own).tolist()
            found.clear()
            outputs = network(255 * x.roll((down, across), (2, 3)))
            layer_terms = torch.stack(found).sum()
            total = F.cross_entropy(outputs.logits, classes) + LIKE_LAYERS * layer_terms + SMOOTH * roughness(x)
            (x.grad,) = torch.autograd.grad(total, [x])
            move.step()
            with torch.no_grad():
                x.clamp_(0, 1)
            after(step + 1)
    finally:
        for watch in watched:
            watch.remove()
    made: Array = (255 * x.detach()).round().to(torch.uint8).cpu().numpy()
    return made


def stored(
    network: nn.Module,
    weights: Mapping[str, Array],
    wanted: Wanted,
    place: Path | None,
    device: torch.device,
    should_stop: Callable[[], bool],
    tell: Tell | None = None,
) -> Array:
    """Return the pictures made for a network of these weights: made once, kept in memory, and in the folder `place` where there is one.

    `tell`: see `made`; nothing is told of pictures that were kept. Errors: as `made`.
    """
    told = hashlib.sha256(repr((wanted, BATCH, SHIFT, STEP, LIKE_LAYERS, SMOOTH)).encode())
    for name, table in sorted(weights.items()):
        told.update(name.encode() + np.ascontiguousarray(table).tobytes())
    key = told.hexdigest()[:16]
    with _MAKING:
        if (known := _kept.get(key)) is not None:
            return known
        file = None if place is None else place / f"made-pictures-{key}.npy"
        found = _read(file, (wanted.count, *wanted.shape)) if file is not None else None
        if found is None:
            found = made(network, wanted, device, should_stop, tell)
            if file is not None:
                held = io.BytesIO()
                np.save(held, found, allow_pickle=False)
                file.parent.mkdir(parents=True, exist_ok=True)
                safe_io.write_bytes(file, held.getvalue())
        _kept.clear()  # those of the teacher before are of no more use
        _kept[key] = found
    return found


def _read(file: Path, shape: tuple[int, ...]) -> Array | None:
    """Read kept pictures; None where there are none, or damaged ones, which are made again."""
    try:
        found: Array = np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.shape == shape and found.dtype == np.uint8 else None
