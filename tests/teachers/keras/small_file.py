"""A Keras file written by h5py alone, as `model.save('x.h5')` lays it out: for tests that need no Keras."""

from __future__ import annotations

import io
import json

import h5py
import numpy as np


def dense(name, kernel, bias=None, activation="linear"):
    """A dense layer with its weights."""
    kernel = np.asarray(kernel, np.float32)
    config = {"name": name, "units": kernel.shape[1], "activation": activation, "use_bias": bias is not None}
    weights = {"kernel": kernel} | ({} if bias is None else {"bias": np.asarray(bias, np.float32)})
    return {"class_name": "Dense", "config": config}, weights


def h5(layers, shape, change=None, **attributes) -> bytes:
    """Write layers into a file; `change` may do anything to it afterwards."""
    first = {"class_name": "InputLayer", "config": {"name": "in", "batch_shape": [None, *shape]}}
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [first, *(told for told, _ in layers)]}}
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file.attrs.update({"keras_version": "3.15.1", "model_config": json.dumps(config)} | attributes)
        weights = file.create_group("model_weights")
        names = [told["config"]["name"] for told, _ in layers]
        weights.attrs["layer_names"] = [n.encode() for n in names]
        for (_, held), name in zip(layers, names, strict=True):
            group = weights.create_group(name)
            group.attrs["weight_names"] = [f"{name}/{k}".encode() for k in held]
            for k, w in held.items():
                group.create_dataset(f"{name}/{k}", data=w)
        if change is not None:
            change(file)
    return buffer.getvalue()
