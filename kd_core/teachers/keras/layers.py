"""The layers of Keras that are known here: what shapes their weights have, and what they answer. Legend: N rows, T steps, K numbers.

A layer takes `x` (N, K), (N, T) whole numbers or (N, T, K), and `mask` (N, T) bool of the steps that count, or None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from kd_core.data.dataset import Array
from kd_core.teachers.keras.activations import ACTIVATIONS, OLD, elu, leaky_relu, softmax

Shape = tuple[int | None, ...]  # of one row; None: any number of steps
Masked = tuple[Array, Array | None]
LARGEST = 1_000_000  # any number in a config: units, words


class Unfit(Exception):
    """A layer that can't be taken over; its words finish the sentence 'The layer 'dense' ...'."""


@dataclass(frozen=True)
class Config:
    """The settings of a layer, read with bounds. `old`: written by a version before 3."""

    values: Mapping[str, Any]
    old: bool = False

    def whole(self, name: str, default: int | None = None) -> int:
        """Read a whole number from 1 on."""
        value = self.values.get(name, default)
        if type(value) is not int or not 1 <= value <= LARGEST:
            raise Unfit(f"has {name} {str(value)[:40]}; needed is a whole number from 1 to {LARGEST:,}")
        return value

    def number(self, name: str, default: float) -> float:
        """Read a finite number."""
        value = self.values.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e30:
            raise Unfit(f"has {name} {str(value)[:40]}; needed is a number")
        return float(value)

    def flag(self, name: str, default: bool = False) -> bool:
        """Read yes or no."""
        value = self.values.get(name, default)
        if not isinstance(value, bool):
            raise Unfit(f"has {name} {str(value)[:40]}; needed is true or false")
        return value

    def refuse(self, **usual: Any) -> None:
        """Refuse settings that are not as usual."""
        for name, value in usual.items():
            if self.values.get(name, value) not in (value, [value]):
                raise Unfit(f"has {name} {str(self.values[name])[:60]}, which is not known here (only {value})")

    def activation(self, name: str = "activation", default: str = "linear") -> Callable[[Array], Array]:
        """Find an activation by its name, also where it is written as an object."""
        told = self.values.get(name, default)
        if isinstance(told, dict) and told.get("class_name") == "function":
            told = told.get("config")
        told = "linear" if told is None else told
        if not isinstance(told, str) or told not in ACTIVATIONS:
            shown = told.get("class_name", told) if isinstance(told, dict) else told
            raise Unfit(
                f"has the activation {str(shown)[:60]}, which is not known here (known: {', '.join(ACTIVATIONS)})"
            )
        return OLD[told] if self.old and told in OLD else ACTIVATIONS[told]


@dataclass(frozen=True)
class Layer:
    """A layer with its settings read: `weights` their names and shapes in the order of the file, `gives` the shape of a row after it."""

    weights: Mapping[str, tuple[int, ...]]
    gives: Shape
    run: Callable[[Sequence[Array], Array, Array | None], Masked]


Reader = Callable[[Config, Shape], Layer]


def _width(shape: Shape, ranks: tuple[int, ...] = (1, 2)) -> int:
    """Return the numbers of a row or a step."""
    if len(shape) not in ranks or shape[-1] is None:
        raise Unfit(f"gets rows of shape {_shown(shape)}, which it can't read here")
    return shape[-1]


def _shown(shape: Shape) -> str:
    return f"({', '.join('any' if n is None else str(n) for n in shape)})"


def _dense(config: Config, shape: Shape) -> Layer:
    units, act = config.whole("units"), config.activation()
    config.refuse(quantization_config=None, lora_rank=None)
    weights = {"kernel": (_width(shape), units)} | ({"bias": (units,)} if config.flag("use_bias", True) else {})
    return Layer(
        weights, (*shape[:-1], units), lambda w, x, m: (act(x @ w[0] + (w[1] if len(w) > 1 else np.float32(0))), m)
    )


def _embedding(config: Config, shape: Shape) -> Layer:
    words, width, masks = config.whole("input_dim"), config.whole("output_dim"), config.flag("mask_zero")
    config.refuse(quantization_config=None, lora_rank=None)
    if len(shape) != 1:
        raise Unfit(f"gets rows of shape {_shown(shape)}; needed are whole numbers, one a step")
    return Layer({"embeddings": (words, width)}, (shape[0], width), lambda w, x, m: (w[0][x], x != 0 if masks else m))


def _lstm(config: Config, shape: Shape) -> Layer:
    units, every = config.whole("units"), config.flag("return_sequences")
    act, gate = config.activation(default="tanh"), config.activation("recurrent_activation", "sigmoid")
    back, zero = config.flag("go_backwards"), config.flag("zero_output_for_mask")
    config.refuse(return_state=False, stateful=False, time_major=False)
    width = _width(shape, (2,))
    weights: dict[str, tuple[int, ...]] = {"kernel": (width, 4 * units), "recurrent_kernel": (units, 4 * units)}
    weights |= {"bias": (4 * units,)} if config.flag("use_bias", True) else {}

    def run(w: Sequence[Array], x: Array, mask: Array | None) -> Masked:
        if back:
            x, m = x[:, ::-1], None if mask is None else mask[:, ::-1]
        else:
            m = mask
        given = x @ w[0] + (w[2] if len(w) > 2 else np.float32(0))
        h = np.zeros((len(x), units), np.float32)
        c, out, found = h, h, []
        for step in range(x.shape[1]):
            i, f, new, o = np.split(given[:, step] + h @ w[1], 4, axis=1)
            c_next = gate(f) * c + gate(i) * act(new)
            h_next = gate(o) * act(c_next)
            if m is None:
                h, c, out = h_next, c_next, h_next
            else:  # a step that does not count leaves everything as it was
                on = m[:, step, None]
                out = np.where(on, h_next, np.float32(0) if zero else out)
                h, c = np.where(on, h_next, h), np.where(on, c_next, c)
            found += [out] if every else []
        return (np.stack(found, axis=1), mask) if every else (out, None)

    return Layer(weights, (shape[0], units) if every else (units,), run)


def _bidirectional(config: Config, shape: Shape) -> Layer:
    inner, merge = config.values.get("layer"), config.values.get("merge_mode")
    other = config.values.get("backward_layer") or inner
    if not all(
        isinstance(one, dict) and one.get("class_name") == "LSTM" and isinstance(one.get("config"), dict)
        for one in (inner, other)
    ):
        raise Unfit("holds something else than an LSTM, which is not known here")
    if merge not in _MERGES:
        raise Unfit(f"has merge_mode {str(merge)[:40]}, which is not known here (known: {', '.join(_MERGES)})")
    assert isinstance(inner, dict) and isinstance(other, dict)
    zero = {"zero_output_for_mask": inner["config"].get("return_sequences", False)}  # as Keras itself sets it
    ahead = _lstm(Config({**inner["config"], **zero}, config.old), shape)
    back = _lstm(Config({**other["config"], **zero, "go_backwards": True}, config.old), shape)
    if len(ahead.gives) != len(back.gives) or (merge != "concat" and ahead.gives != back.gives):
        raise Unfit("has two directions of different shapes")
    every, count = len(ahead.gives) == 2, len(ahead.weights)
    weights = {f"forward {k}": v for k, v in ahead.weights.items()} | {
        f"backward {k}": v for k, v in back.weights.items()
    }
    sizes = ahead.gives[-1], back.gives[-1]
    assert sizes[0] is not None and sizes[1] is not None
    width = sizes[0] + sizes[1] if merge == "concat" else sizes[0]

    def run(w: Sequence[Array], x: Array, mask: Array | None) -> Masked:
        one, m = ahead.run(w[:count], x, mask)
        two, _ = back.run(w[count:], x, mask)
        return _MERGES[str(merge)](one, two[:, ::-1] if every else two), m

    return Layer(weights, (*ahead.gives[:-1], width), run)


_MERGES: dict[str, Callable[[Array, Array], Array]] = {
    "concat": lambda a, b: np.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "ave": lambda a, b: (a + b) / 2,
    "mul": lambda a, b: a * b,
}


def _last_axis(config: Config, shape: Shape) -> int:
    if config.values.get("axis", -1) not in (-1, [-1], len(shape), [len(shape)]):
        raise Unfit(f"works along the axis {str(config.values['axis'])[:40]}; known here is the last one")
    return _width(shape)


def _batch_norm(config: Config, shape: Shape) -> Layer:
    width, small = _last_axis(config, shape), config.number("epsilon", 1e-3)
    scale, centre = config.flag("scale", True), config.flag("center", True)
    names = [*(["gamma"] if scale else []), *(["beta"] if centre else []), "moving_mean", "moving_variance"]

    def run(w: Sequence[Array], x: Array, mask: Array | None) -> Masked:
        held = dict(zip(names, w, strict=True))
        slope = 1 / np.sqrt(held["moving_variance"] + np.float32(small)) * held.get("gamma", np.float32(1))
        return (x - held["moving_mean"]) * slope + held.get("beta", np.float32(0)), mask

    return Layer(dict.fromkeys(names, (width,)), shape, run)


def _layer_norm(config: Config, shape: Shape) -> Layer:
    width, small = _last_axis(config, shape), config.number("epsilon", 1e-3)
    config.refuse(rms_scaling=False)
    names = [name for name, on in (("gamma", "scale"), ("beta", "center")) if config.flag(on, True)]

    def run(w: Sequence[Array], x: Array, mask: Array | None) -> Masked:
        held = dict(zip(names, w, strict=True))
        plain = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + np.float32(small))
        return plain * held.get("gamma", np.float32(1)) + held.get("beta", np.float32(0)), mask

    return Layer(dict.fromkeys(names, (width,)), shape, run)


def _normalization(config: Config, shape: Shape) -> Layer:
    config.refuse(invert=False)
    width = () if config.values.get("axis", -1) is None else (_last_axis(config, shape),)
    given = [config.values.get(name) for name in ("mean", "variance")]
    if all(value is None for value in given):
        weights: dict[str, tuple[int, ...]] = {"mean": width, "variance": width, "count": ()}
        return Layer(weights, shape, lambda w, x, m: (_normal(x, w[0], w[1]), m))
    try:
        mean, variance = (np.asarray(value, np.float32).reshape(-1) for value in given)
    except (TypeError, ValueError):
        mean = variance = np.empty(0, np.float32)
    if any(v.size not in (1, shape[-1]) or not np.isfinite(v).all() for v in (mean, variance)):
        raise Unfit(f"has a mean or variance that is not one number, or {shape[-1]}")
    return Layer({}, shape, lambda w, x, m: (_normal(x, mean, variance), m))


def _normal(x: Array, mean: Array, variance: Array) -> Array:
    return (x - mean) / np.maximum(np.sqrt(variance), np.float32(1e-7))


def _plain(make: Callable[[Config], Callable[[Array], Array]]) -> Reader:
    """A layer without weights that takes each number, or each row, on its own."""

    def read(config: Config, shape: Shape) -> Layer:
        act = make(config)
        return Layer({}, shape, lambda w, x, m: (act(x), m))

    return read


def _relu(config: Config) -> Callable[[Array], Array]:
    top = config.values.get("max_value")
    high, slope, low = (
        np.inf if top is None else config.number("max_value", 0),
        config.number("negative_slope", 0),
        config.number("threshold", 0),
    )
    return lambda x: np.minimum(np.where(x >= low, x, np.float32(slope) * (x - np.float32(low))), np.float32(high))


def _leaky(config: Config) -> Callable[[Array], Array]:
    slope = config.number("negative_slope", config.number("alpha", 0.3))
    return lambda x: leaky_relu(x, slope)


def _softmax(config: Config) -> Callable[[Array], Array]:
    config.refuse(axis=-1)
    return softmax


def _rescaling(config: Config) -> Callable[[Array], Array]:
    scale, offset = config.number("scale", 1), config.number("offset", 0)
    return lambda x: (x * np.float32(scale) + np.float32(offset)).astype(np.float32)


def _elu(config: Config) -> Callable[[Array], Array]:
    alpha = config.number("alpha", 1.0)
    return lambda x: elu(x, alpha)


def _flatten(config: Config, shape: Shape) -> Layer:
    config.refuse(data_format="channels_last")
    if None in shape:
        raise Unfit("gets rows of any number of steps, which can't be laid side by side")
    return Layer(
        {}, (int(np.prod([n for n in shape if n is not None])),), lambda w, x, m: (x.reshape(len(x), -1), None)
    )


def _mean_pool(config: Config, shape: Shape) -> Layer:
    config.refuse(data_format="channels_last", keepdims=False)
    width = _width(shape, (2,))

    def run(w: Sequence[Array], x: Array, mask: Array | None) -> Masked:
        if mask is None:
            return x.mean(axis=1), None
        on = mask[..., None].astype(np.float32)
        with np.errstate(invalid="ignore"):  # a row without a step that counts has no answer
            return (x * on).sum(axis=1) / on.sum(axis=1), None

    return Layer({}, (width,), run)


def _max_pool(config: Config, shape: Shape) -> Layer:
    config.refuse(data_format="channels_last", keepdims=False)
    return Layer({}, (_width(shape, (2,)),), lambda w, x, m: (x.max(axis=1), None))


def _masking(config: Config, shape: Shape) -> Layer:
    value = config.number("mask_value", 0)
    _width(shape, (2,))

    def run(w: Sequence[Array], x: Array, mask: Array | None) -> Masked:
        on: Array = (x != np.float32(value)).any(axis=-1)
        return x * on[..., None], on

    return Layer({}, shape, run)


def _same(config: Config) -> Callable[[Array], Array]:
    return ACTIVATIONS["linear"]


LAYERS: dict[str, Reader] = {
    "Dense": _dense,
    "Embedding": _embedding,
    "LSTM": _lstm,
    "Bidirectional": _bidirectional,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Normalization": _normalization,
    "Rescaling": _plain(_rescaling),
    "Activation": _plain(lambda config: config.activation()),
    "ReLU": _plain(_relu),
    "LeakyReLU": _plain(_leaky),
    "ELU": _plain(_elu),
    "Softmax": _plain(_softmax),
    "Flatten": _flatten,
    "GlobalAveragePooling1D": _mean_pool,
    "GlobalMaxPooling1D": _max_pool,
    "Masking": _masking,
    **dict.fromkeys(
        ("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout", "ActivityRegularization"),
        _plain(_same),
    ),
}
