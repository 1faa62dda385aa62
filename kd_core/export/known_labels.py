"""Which values of categories a student was taught with, read from its file."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping
from typing import Any

import onnx
from onnx import numpy_helper

from kd_core.data.encoding.taught import taught_labels


def known_labels(model: bytes, facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Name the known values of each column that has such; numbers that are labels as they are written."""
    return looked_up(model) | _carried(facts)


def looked_up(model: bytes) -> dict[str, list[str]]:
    """Read them from the look-ups of a graph that takes raw columns."""
    found: dict[str, list[str]] = {}
    for node in onnx.load_from_string(model).graph.node:
        if node.op_type != "LabelEncoder":
            continue
        settings = {one.name: one for one in node.attribute}
        if "keys_strings" in settings:
            labels = [key.decode() for key in settings["keys_strings"].strings]
        else:
            keys = numpy_helper.to_array(settings["keys_tensor"].t).tolist()
            labels = [f"{key:g}" if key.is_integer() else repr(key) for key in keys if key == key]
        found[node.input[0]] = [label for label in labels if label]  # nothing is what is missing
    return found


def _carried(facts: Mapping[str, Any]) -> dict[str, list[str]]:
    """Read them from what the view in a file's metadata has learned."""
    if "view" not in facts:
        return {}
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(facts["view"]["zip"]))) as archive:
        return taught_labels({name: archive.read(name) for name in archive.namelist()})
