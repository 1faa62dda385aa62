"""A model's config as Keras writes it (Sequential, or a Functional model that is one chain), taken apart into its layers in order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kd_core.errors import DataError
from kd_core.teachers.foreign_files import lines_for
from kd_core.teachers.keras.layers import LARGEST, Shape

MOST_LAYERS = 1_000
_WORD = re.compile(r"(?P<layer>[A-Za-z0-9_]+)(?:[ :]+(?P<activation>[a-z0-9_]+))?$")


@dataclass(frozen=True)
class Named:
    """A layer of a config: its class, its name, its settings."""

    kind: str
    name: str
    settings: Mapping[str, Any]

    def told(self) -> list[Any]:
        """Return plain values for JSON."""
        return [self.kind, self.name, dict(self.settings)]


def layers_of(config: Any) -> tuple[list[Named], Shape | None]:
    """Return the layers in their order, without the input, and the shape of a row where it is told.

    Errors: DataError `keras_config`, `keras_model`.
    """
    try:
        kind, inner = str(config["class_name"]), config["config"]
        listed = inner if isinstance(inner, list) else inner["layers"]
        if kind not in ("Sequential", "Functional", "Model"):
            raise _other(f"is a {kind[:60]}, not a Sequential or Functional model")
        if len(listed) > MOST_LAYERS:
            raise _other(f"has {len(listed):,} layers, at most {MOST_LAYERS:,} are read")
        if kind != "Sequential":
            listed = _chain(inner)
        named = [_named(one) for one in listed]
        shapes = [_told(one.settings) for one in named[:1]] + [
            _shape(inner.get("build_input_shape")) if isinstance(inner, dict) else None
        ]
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        raise DataError(
            "The config of the Keras model can't be read ({why}).",
            "Save the model again, or write its config with model.to_json().",
            "keras_config",
            why=f"{type(error).__name__}: {str(error)[:80]}",
        ) from None
    return [one for one in named if one.kind != "InputLayer"], next((s for s in shapes if s is not None), None)


def _named(one: Mapping[str, Any]) -> Named:
    settings = dict(one["config"])
    return Named(str(one["class_name"]), str(settings.get("name", one.get("name", one["class_name"]))), settings)


def _told(settings: Mapping[str, Any]) -> Shape | None:
    return _shape(settings.get("batch_shape", settings.get("batch_input_shape")))


def _shape(told: Any) -> Shape | None:
    """Read the shape of a batch: sizes, or None where any will do."""
    if not isinstance(told, list | tuple) or not 2 <= len(told) <= 4:
        return None
    sizes = told[1:]
    if any(n is not None and (type(n) is not int or not 1 <= n <= LARGEST) for n in sizes):
        raise _other(f"reads rows of shape {str(sizes)[:60]}")
    return tuple(sizes)


def _chain(inner: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Follow a Functional model from its output back to its input; masks, which Keras draws beside it, are not on the way.

    Errors: DataError `keras_model`.
    """
    known = {str(one["name"]): one for one in inner["layers"]}
    ends = inner["output_layers"]
    ends = [str(one[0]) for one in (ends if isinstance(ends[0], list | tuple) else [ends])]
    if len(ends) != 1:
        raise _other(f"has {len(ends)} outputs, only one is read")
    order = ends
    while sources := list(_sources(known[order[-1]]["inbound_nodes"])):
        if len(sources) > 1 or len(order) > len(known):
            raise _other(f"joins or repeats at its layer '{order[-1][:60]}'; only a plain chain of layers is read")
        order.append(sources[0])
    return [known[name] for name in reversed(order)]


def _sources(nodes: Any) -> Iterator[str]:
    """Name the layers that a layer reads, in the layout of version 3 or of those before; masks are left out."""
    for node in nodes:
        if isinstance(node, dict):
            yield from (str(t["config"]["keras_history"][0]) for t in node["args"] if isinstance(t, dict))
            if any(isinstance(arg, list | tuple) for arg in node["args"]):
                raise _other("has a layer that joins several others; only a plain chain of layers is read")
        else:
            yield from (str(one[0]) for one in (node if isinstance(node[0], list | tuple) else [node]))


def _other(what: str) -> DataError:
    return DataError(
        "The Keras model {what}.",
        "Convert it to ONNX where it came from, and take the teacher ONNX file: {lines}",
        "keras_model",
        what=what,
        lines=lines_for("keras", "FILE"),
    )


def written_layers(text: str, shapes: Mapping[str, Sequence[tuple[int, ...]]]) -> tuple[list[Named], Shape | None]:
    """Read layers that a person wrote for a file of weights alone, such as 'embedding, lstm, dense relu, dense_1 softmax'.

    `shapes`: of the arrays of each layer in the file; they tell units and width. A layer named again means the next of its kind.
    Errors: DataError `keras_layers`.
    """
    found: list[Named] = []
    used: list[str] = []
    for said in (part.strip() for part in text.split(",")):
        match = _WORD.match(said)
        name = next((n for n in _counted(match["layer"]) if n not in used), "") if match else ""
        kind = _KINDS.get(re.sub(r"_\d+$", "", name))
        if not match or kind is None or (name not in shapes and kind in _NEEDS):
            raise DataError(
                "The layer '{said}' is not understood. The file holds: {known}.",
                "Write the layers in their order with commas between, each with its activation: dense relu, dense softmax; an embedding that masks: embedding mask_zero. "
                "Known are: {kinds}.",
                "keras_layers",
                said=said[:60],
                known=shapes_told(shapes),
                kinds=", ".join(_KINDS),
            )
        used.append(name)
        found.append(Named(kind, name, _settings(kind, shapes.get(name, ()), match["activation"], found)))
    first = shapes.get(found[0].name, ())
    width: Shape | None = (first[0][0],) if found[0].kind == "Dense" and first else None
    for at, one in enumerate(found):  # all but the last LSTM hand every step on
        if one.kind == "LSTM" and any(
            n.kind in ("LSTM", "GlobalAveragePooling1D", "GlobalMaxPooling1D") for n in found[at + 1 :]
        ):
            found[at] = Named("LSTM", one.name, {**one.settings, "return_sequences": True})
    return found, (None,) if found[0].kind == "Embedding" else width


def shapes_told(shapes: Mapping[str, Sequence[tuple[int, ...]]]) -> str:
    """Name layers and the shapes of their arrays, at most 20."""
    told = [f"{name} {' '.join('x'.join(map(str, s)) for s in some)}" for name, some in list(shapes.items())[:20]]
    return ", ".join(told) + (f" and {len(shapes) - 20} more" if len(shapes) > 20 else "")


_NEEDS = ("Dense", "Embedding", "LSTM")
_KINDS = {
    "dense": "Dense",
    "embedding": "Embedding",
    "lstm": "LSTM",
    "dropout": "Dropout",
    "flatten": "Flatten",
    "global_average_pooling1d": "GlobalAveragePooling1D",
    "global_max_pooling1d": "GlobalMaxPooling1D",
}


def _counted(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}_{i}" for i in range(1, MOST_LAYERS))


def _settings(
    kind: str, shapes: Sequence[tuple[int, ...]], activation: str | None, before: Sequence[Named]
) -> dict[str, Any]:
    """Tell the settings that the shapes of the arrays imply."""
    found: dict[str, Any] = {"activation": activation} if activation else {}
    if kind not in _NEEDS:
        return {}
    if len(shapes[0]) != 2:
        return found
    if kind == "Dense":
        return {"activation": "linear", **found, "units": shapes[0][1], "use_bias": len(shapes) > 1}
    if kind == "Embedding":
        return {"input_dim": shapes[0][0], "output_dim": shapes[0][1], "mask_zero": activation == "mask_zero"}
    return {"activation": "tanh", **found, "units": shapes[0][1] // 4, "use_bias": len(shapes) > 2}
