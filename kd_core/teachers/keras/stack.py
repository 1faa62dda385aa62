"""A Keras model as layers with their weights: read from a file's contents, checked, asked, kept and opened again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kd_core.data.dataset import Array
from kd_core.errors import DataError
from kd_core.teachers.foreign_files import lines_for
from kd_core.teachers.keras.config import Named, layers_of, shapes_told, written_layers
from kd_core.teachers.keras.layers import LAYERS, Config, Layer, Shape, Unfit

CHUNK_NUMBERS = 2**22  # held of one layer at once: 16 MB
_OF_LAYER = re.compile(r"layers/[^/]+/vars").fullmatch  # says what the layer is called
_PLACES = ("vars", "cell/vars", "forward_layer/cell/vars", "backward_layer/cell/vars")


@dataclass(frozen=True)
class Stack:
    """Layers in order. `shape`: of one row; `ids`: a row is whole numbers below `words`. Legend: N rows, K outputs."""

    named: tuple[Named, ...]
    layers: tuple[Layer, ...]
    weights: tuple[tuple[Array, ...], ...]
    shape: Shape
    old: bool

    @property
    def words(self) -> int | None:
        """Count the ids that an embedding knows; None where rows are numbers."""
        return self.layers[0].weights["embeddings"][0] if self.named[0].kind == "Embedding" else None

    @property
    def outputs(self) -> int:
        """Count the numbers of an answer."""
        return int(self.layers[-1].gives[-1] or 0)

    @property
    def parameters(self) -> int:
        """Count the weights."""
        return sum(w.size for some in self.weights for w in some)

    def chunks(self, x: Array) -> Iterator[Array]:
        """Answer rows some at a time. Shape: (N, ...) -> parts of (N, K) float32."""
        widest = max(
            [int(np.prod([n or x.shape[1] for n in one.gives])) for one in self.layers]
            + [4 * int(one.gives[-1] or 1) * x.shape[1] for one in self.layers]
        )
        step = max(1, min(len(x), CHUNK_NUMBERS // max(1, widest)))
        for start in range(0, len(x), step):
            yield self._answer(x[start : start + step])

    def answer(self, x: Array) -> Array:
        """Answer rows. Shape: (N, ...) -> (N, K) float32."""
        return np.concatenate([*self.chunks(x), np.zeros((0, self.outputs), np.float32)])

    def _answer(self, x: Array) -> Array:
        mask = None
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):  # what is no number is counted and said
            for layer, weights in zip(self.layers, self.weights, strict=True):
                x, mask = layer.run(weights, x, mask)
        return np.asarray(x, np.float32)

    def save(self, folder: Path) -> None:
        """Write stack.json and stack.npz."""
        told = {"layers": [one.told() for one in self.named], "shape": self.shape, "old": self.old}
        (folder / "stack.json").write_text(json.dumps(told), "utf-8")
        flat = {f"{i}/{k}": w for i, some in enumerate(self.weights) for k, w in enumerate(some)}
        np.savez(folder / "stack.npz", **flat)  # type: ignore[arg-type]  # its stub takes no names out of a dict

    @classmethod
    def load(cls, folder: Path) -> Stack:
        """Open what `save` wrote. Errors: DataError as `made`."""
        told = json.loads((folder / "stack.json").read_text("utf-8"))
        named = [Named(*one) for one in told["layers"]]
        with np.load(folder / "stack.npz", allow_pickle=False) as kept:
            held: list[list[Array]] = [[] for _ in named]
            for key in sorted(kept.files, key=lambda k: tuple(map(int, k.split("/")))):
                held[int(key.split("/")[0])].append(kept[key])
        return made(named, tuple(told["shape"]), held, told["old"], "FILE")


def read(found: Mapping[str, Any], arrays: Sequence[Array], config: Any, written: str, name: str) -> Stack:
    """Put a model together from a file's contents as `h5_contents.unpack` tells them.

    `config`: of a file of its own, or None; `written`: layers that a person wrote; `name`: of the file, for messages.
    Errors: DataError `keras_no_config`, `keras_layer`, `keras_weights`, `keras_shape`, and those of `layers_of`.
    """
    texts = found["texts"]
    held = _held({path: arrays[at] for path, at in found["arrays"].items()}, texts)
    config = config or found["files"].get("config.json") or _json(texts.get("", {}).get("model_config"))
    shapes = {layer: [w.shape for w in some] for layer, some in held.items() if some}
    if config is None and not written:
        raise DataError(
            "{name} holds weights alone ({known}), not which layers they belong to.",
            "Choose the architecture beside it (config), written where it came from: open('model.json', 'w').write(model.to_json())   "
            "or write the layers in their order with their activations (layers), for example: dense relu, dense softmax",
            "keras_no_config",
            name=name,
            known=shapes_told(shapes) or "none",
        )
    named, shape = layers_of(config) if config is not None else written_layers(written, shapes)
    version = next((v for v in (texts.get(p, {}).get("keras_version") for p in ("", "model_weights")) if v), None)
    version = version or (found["files"].get("metadata.json") or config or {}).get("keras_version") or "3"
    if not named:
        raise _odd("has no layers", name)
    called = {told.get("name", ""): path.split("/")[1] for path, told in texts.items() if _OF_LAYER(path)}
    weights = [_of(one, held, called, _count(named, at)) for at, one in enumerate(named)]
    if shape is None:
        first = weights[0][0].shape if weights[0] else ()
        shape = (None,) if named[0].kind == "Embedding" else first[:1]
    return made(named, shape, weights, not str(version).startswith("3"), name)


def made(named: Sequence[Named], shape: Shape, held: Sequence[Sequence[Array]], old: bool, name: str) -> Stack:
    """Check that layers, weights and shapes go together. Errors: DataError `keras_layer`, `keras_weights`, `keras_shape`."""
    layers, weights, now = [], [], shape
    wrong: list[str] = []
    for one, found in zip(named, held, strict=True):
        if one.kind not in LAYERS:
            raise _layer(one, "is of a kind that is not known here", name)
        try:
            layer = LAYERS[one.kind](Config(one.settings, old), now)
        except Unfit as error:
            raise _layer(one, str(error), name) from None
        wanted = list(layer.weights.items())
        some = list(found) if wanted else []
        if len(some) != len(wanted):
            wrong.append(f"{one.name} has {len(some)} arrays, needed are {len(wanted)} ({', '.join(layer.weights)})")
        wrong += [
            f"{one.name} {k} is {w.shape}, needed is {s}"
            for w, (k, s) in zip(some, wanted, strict=False)
            if w.shape != s
        ]
        wrong += (
            [f"{one.name} holds numbers that are not finite"] if any(not np.isfinite(w).all() for w in some) else []
        )
        layers.append(layer)
        weights.append(tuple(np.asarray(w, np.float32) for w in some))
        now = layer.gives
    if wrong:
        raise DataError(
            "The weights of {name} do not fit its layers: {wrong}.",
            "Save the model again, with its weights.",
            "keras_weights",
            name=name,
            wrong="; ".join(wrong[:3]) + (f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""),
        )
    if len(now) != 1:
        raise _odd(f"answers with shape {now} a row, not with one list of numbers", name)
    return Stack(tuple(named), tuple(layers), tuple(weights), shape, old)


def _held(arrays: Mapping[str, Array], texts: Mapping[str, Mapping[str, Any]]) -> dict[str, list[Array]]:
    """Sort arrays by layer, in both layouts: with lists of names in the attributes, or numbered under `layers`."""
    for root in ("model_weights", ""):
        if layers := _names(texts.get(root, {}), "layer_names"):
            under = [(layer, f"{root}/{layer}".lstrip("/")) for layer in layers]
            return {
                layer: [
                    arrays[f"{place}/{w}"]
                    for w in _names(texts.get(place, {}), "weight_names")
                    if f"{place}/{w}" in arrays and "seed_generator" not in w
                ]
                for layer, place in under
            }
    numbered: dict[str, dict[tuple[int, int], Array]] = {}
    for path in (*arrays, *texts):
        top, _, rest = path.partition("/")
        group, _, rest = rest.partition("/")
        place, _, at = rest.rpartition("/")
        if top == "layers" and group:
            mine = numbered.setdefault(group, {})
            if path in arrays and place in _PLACES and at.isascii() and at.isdigit():
                mine[_PLACES.index(place), int(at)] = arrays[path]
    return {group: [mine[at] for at in sorted(mine)] for group, mine in numbered.items()}


def _of(one: Named, held: Mapping[str, list[Array]], called: Mapping[str, str], count: int) -> list[Array]:
    """Find the arrays of a layer: by its name, or by its kind and how many of it came before."""
    snake = re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", one.kind).lower()
    counted = f"{snake}_{count}" if count else snake
    return next((held[key] for key in (called.get(one.name, ""), one.name, counted) if key in held), [])


def _count(named: Sequence[Named], at: int) -> int:
    return sum(one.kind == named[at].kind for one in named[:at])


def _names(told: Mapping[str, Any], name: str) -> list[str]:
    """Read a list of names, which a long one spreads over several attributes."""
    if isinstance(whole := told.get(name), list):
        return whole
    parts = (told.get(f"{name}{i}") for i in range(len(told)))
    return [one for part in parts if isinstance(part, list) for one in part]


def _json(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        return None


def _layer(one: Named, why: str, name: str) -> DataError:
    return DataError(
        "The layer '{layer}' ({kind}) of {name} {why}.",
        "Known layers: {known}. Convert the model to ONNX where it came from, and take the teacher ONNX file: {lines}",
        "keras_layer",
        layer=one.name[:80],
        kind=one.kind[:80],
        name=name,
        why=why,
        known=", ".join(LAYERS),
        lines=lines_for("keras", name),
    )


def _odd(what: str, name: str) -> DataError:
    return DataError(
        "{name} {what}.", "Take a model with one list of numbers a row.", "keras_shape", name=name, what=what
    )
