"""The activations of Keras, written out. Shape: (..., K) float32 -> the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.special import erf

from kd_core.data.dataset import Array

Activation = Callable[[Array], Array]
_SELU, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772


def softmax(x: Array) -> Array:
    """Return exp(x), each row divided by its sum."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    found: Array = e / e.sum(axis=-1, keepdims=True)
    return found


def sigmoid(x: Array) -> Array:
    """Return 1 / (1 + exp(-x)); no exponent overflows."""
    e = np.exp(-np.abs(x))
    found: Array = np.where(x >= 0, 1, e) / (1 + e)
    return found


def softplus(x: Array) -> Array:
    """Return log(1 + exp(x))."""
    found: Array = np.logaddexp(x, 0)
    return found


def elu(x: Array, alpha: float = 1.0) -> Array:
    """Return x above 0, else alpha (exp(x) - 1)."""
    found: Array = np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
    return found


def leaky_relu(x: Array, slope: float = 0.2) -> Array:
    """Return x above 0, else slope times x."""
    found: Array = np.where(x > 0, x, slope * x)
    return found


def _relu(x: Array) -> Array:
    found: Array = np.maximum(x, 0)
    return found


def _any(found: Any) -> Array:
    return np.asarray(found)


ACTIVATIONS: dict[str, Activation] = {
    "linear": lambda x: x,
    "relu": _relu,
    "relu6": lambda x: _any(np.clip(x, 0, 6)),
    "leaky_relu": leaky_relu,
    "elu": elu,
    "selu": lambda x: _SELU * elu(x, _SELU_ALPHA),
    "gelu": lambda x: _any(0.5 * x * (1 + erf(x / np.sqrt(2)))),
    "sigmoid": sigmoid,
    "hard_sigmoid": lambda x: _any(np.clip(x / 6 + 0.5, 0, 1)),
    "tanh": lambda x: _any(np.tanh(x)),
    "softmax": softmax,
    "softplus": softplus,
    "softsign": lambda x: _any(x / (1 + np.abs(x))),
    "exponential": lambda x: _any(np.exp(x)),
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "mish": lambda x: _any(x * np.tanh(softplus(x))),
}
# Before version 3 these had another formula
OLD: dict[str, Activation] = {"hard_sigmoid": lambda x: _any(np.clip(0.2 * x + 0.5, 0, 1))}
