"""Learning with whole numbers in sight: layers hear and multiply what they will once they are rounded. Legend: N rows."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from kd_core.compress.whole_numbers.network import Layer
from kd_core.compress.whole_numbers.rounding import INT8, Range, steps_of
from kd_core.compress.whole_numbers.ways import Way

_SLOW = 0.01  # of a range's way to that of a batch
_AT_ONCE = 256
_PRODUCTS = (nn.Linear, nn.Conv1d, nn.Conv2d)

# train(module) -> the module at its best
Train = Callable[[nn.Module], nn.Module]


class RoundedWeight(nn.Module):
    """Whole numbers times a step, with the gradient of the numbers before (straight through).

    Source: Bengio et al. 2013, arXiv:1308.3432; Jacob et al. 2018, arXiv:1712.05877.
    """

    def __init__(self, axes: tuple[int, ...], most: int) -> None:
        super().__init__()
        self.axes, self.most = axes, most

    def forward(self, weight: Tensor) -> Tensor:
        with torch.no_grad():
            steps = torch.from_numpy(steps_of(weight.detach().cpu().numpy(), self.axes, self.most)).to(weight)
            rounded = (weight / steps).round().clamp(-self.most, self.most) * steps
        return weight + (rounded - weight).detach()

    def right_inverse(self, weight: Tensor) -> Tensor:
        """Start from the weight as it is."""
        return weight


class RoundedInput:
    """Before a layer: watches between which numbers its input lies while it learns, and rounds it to 256 steps of that.

    What lies outside is cut off and has no gradient. The range is a buffer of the layer, so that it is kept with the weights.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __call__(self, layer: nn.Module, given: tuple[Any, ...]) -> tuple[Any, ...]:
        x, seen = given[0], layer.get_buffer(self.name)
        if layer.training:
            with torch.no_grad():
                low, high = torch.aminmax(x.detach().float())
                seen += _SLOW * (torch.stack([low.clamp(max=0), high.clamp(min=0)]) - seen)
        with torch.no_grad():
            step = ((seen[1] - seen[0]) / 255).clamp(min=1e-12)
            zero = (-seen[0] / step).round().clamp(0, 255).to(torch.int32)
        return (torch.fake_quantize_per_tensor_affine(x, step, zero, 0, 255), *given[1:])


def learned(
    module: nn.Module,
    layers: Sequence[Layer],
    ways: Mapping[str, Way],
    per_channel: bool,
    most: int,
    x: Any,
    train: Train,
) -> tuple[nn.Module, dict[str, Range]]:
    """Train a network while its layers round as they will; return it with rounded weights, and the range of each layer's input by its name.

    `layers`: those of its file, `ways` how they go into whole numbers, `x` (N, ...) encoded training rows that show the ranges to begin with.
    """
    network = copy.deepcopy(module).eval()
    places = _places(network, layers, x)
    heard = {
        one.name: places[one.name][0]
        for one in layers
        if ways[one.name] == "int8" and one.name in places and one.computed
    }
    starts = _ranges(network, list(heard.values()), x)
    for inside in heard.values():
        part = network.get_submodule(inside)
        part.register_buffer("seen", torch.tensor(starts[inside], dtype=torch.float32))
        part.register_forward_pre_hook(RoundedInput("seen"))
    for one in layers:
        if (
            one.name not in places
            or ways[one.name] not in ("int8", "int8_weights")
            or (ways[one.name] == "int8" and not one.computed)
        ):
            continue
        inside, weight = places[one.name]
        whole = ways[one.name] == "int8"
        rounding = RoundedWeight((0,) if per_channel or not whole else (), most if whole else INT8)
        parametrize.register_parametrization(network.get_submodule(inside), weight, rounding, unsafe=True)
    network = train(network).cpu().eval()
    ranges = {}
    for name, inside in heard.items():
        low, high = network.get_submodule(inside).get_buffer("seen").tolist()
        ranges[name] = Range(low, high)
    return _plain(module, network), ranges


def _plain(module: nn.Module, network: nn.Module) -> nn.Module:
    """Return a network of the first one's kind with what the other has learned, weights rounded."""
    found, state = copy.deepcopy(module), dict[str, Tensor]()
    with torch.no_grad():
        for name in found.state_dict():
            inside, _, last = name.rpartition(".")
            state[name] = getattr(network.get_submodule(inside), last).detach().clone()
    found.load_state_dict(state)
    return found.eval()


def _places(network: nn.Module, layers: Sequence[Layer], x: Any) -> dict[str, tuple[str, str]]:
    """Find where in a network the weights of its file are: by their numbers, and by their turn where the file has scaled them."""
    every = [(name, p.detach().cpu().numpy()) for name, p in network.named_parameters() if p.dim() > 1]
    found, turn = (
        dict[str, tuple[str, str]](),
        [n for n in _called(network, x) if not isinstance(network.get_submodule(n), nn.Linear)],
    )
    for one in layers:
        if one.kind == "recurrent":  # torch keeps their weights in a list of its own, which no rounding reaches
            continue
        same = (
            n for n, w in every if any(np.array_equal(one.values, v) for v in (w, w.T) if v.shape == one.values.shape)
        )
        name = next(same, None)
        if name is None and one.kind == "convolution":
            name = next(
                (f"{n}.weight" for n in turn if network.get_submodule(n).weight.shape == one.values.shape), None
            )
        if name is None:
            continue
        inside, _, weight = name.rpartition(".")
        if one.computed and not isinstance(network.get_submodule(inside), _PRODUCTS):
            continue
        found[one.name] = (inside, weight)
        turn = [n for n in turn if n != inside]
    return found


def _called(network: nn.Module, x: Any) -> list[str]:
    """Name the layers that multiply, in the order in which they are asked."""
    order, hooks = list[str](), []
    for name, part in network.named_modules():
        if isinstance(part, _PRODUCTS):
            hooks.append(part.register_forward_pre_hook(lambda _, __, name=name: order.append(name)))
    with torch.inference_mode():
        network(torch.from_numpy(x[:2]))
    for hook in hooks:
        hook.remove()
    return list(dict.fromkeys(order))


def _ranges(network: nn.Module, inside: Sequence[str], x: Any) -> dict[str, tuple[float, float]]:
    """Watch what layers are given while the network answers some rows."""
    found = dict.fromkeys(inside, (0.0, 0.0))

    def watch(name: str) -> Callable[[nn.Module, Any], None]:
        def see(_: nn.Module, given: Any) -> None:
            low, high = found[name]
            found[name] = min(low, float(given[0].min())), max(high, float(given[0].max()))

        return see

    hooks = [network.get_submodule(name).register_forward_pre_hook(watch(name)) for name in found]
    with torch.inference_mode():
        for at in range(0, len(x), _AT_ONCE):
            network(torch.from_numpy(x[at : at + _AT_ONCE]))
    for hook in hooks:
        hook.remove()
    return found
