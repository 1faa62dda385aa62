"""A scikit-learn model in skops format: read, described and asked in a limited child process.

skops builds what a file names, and checks types but no contents. Here only types of our own list are built (`skops_types`), from a
description that was written anew: without numbers for shared parts, by which one part could stand in for another that was checked, and
without what no answer needs. Then every number that compiled code takes as it stands is checked (`skops_bounds`).
"""

from __future__ import annotations

import io
import json
import math
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kd_core.data.archives.contents import checked_files
from kd_core.data.files.damage import ZIP_DAMAGE
from kd_core.data.model_files.booster import damaged, refuse_size
from kd_core.data.model_files.skops_types import ALLOWED, LEFT_OUT
from kd_core.errors import DataError, KDError
from kd_core.limits import SKOPS_SCHEMA_BYTES
from kd_core.machine.timing import BATCHES, measure_latency

NOUN, SCHEMA = "skops", "schema.json"
PROTOCOL = 2  # of skops 0.16; older ones are read by older rules of skops, which are not checked here
_ROWS = 2048  # answered at once: bounds the memory
_NOTHING = {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "content": "null", "is_json": True}


def describe(path: str) -> dict[str, Any]:
    """Tell what a model reads and answers: names, features, text, classes, function, type, parameters, said.

    Errors: DataError `model_damaged`, `model_size`, `model_types`, `model_protocol`, `model_answers`, and of `skops_bounds`.
    """
    model, said = _opened(Path(path))
    function = _function(model)
    names = getattr(model, "feature_names_in_", None)
    return {
        "names": [str(name) for name in names] if names is not None else [],
        "features": int(getattr(model, "n_features_in_", 0)),
        "text": _reads_text(model),
        "classes": [str(one) for one in np.asarray(model.classes_).tolist()] if function != "predict" else [],
        "function": function,
        "type": _type_of(model),
        "parameters": _count(model),
        "said": said,
    }


def answer(path: str, function: str, form: str, parts: list[str]) -> dict[str, Any]:
    """Answer rows, from `<part>.parquet` or `<part>.npy` to `<part>.answer.npy`, and time batches of the first.

    `form`: `frame`, `text` (of its one column) or `array`. Errors: DataError as `describe`, `model_run`.
    """
    model, _ = _opened(Path(path))
    ask: Callable[[Any], Any] = getattr(model, function)

    def run(rows: Any) -> Any:
        found = np.asarray(ask(rows), dtype=np.float64)
        if len(found) != len(rows) or found.ndim > 2:
            raise ValueError(f"it answers {len(rows)} rows with numbers of the shape {found.shape}")
        return found.reshape(len(found), -1)

    try:
        first = None
        for part in parts:
            rows = _rows(part, form)
            first = rows if first is None else first
            found = [run(_some(rows, slice(i, i + _ROWS))) for i in range(0, len(rows), _ROWS)]
            np.save(f"{part}.answer.npy", np.concatenate(found), allow_pickle=False)
        assert first is not None
        return measure_latency(run, lambda n: _some(first, np.arange(n) % len(first)), BATCHES)
    except (MemoryError, KDError):
        raise
    except Exception as error:
        raise DataError(
            "The skops model can't answer these rows: {why}.",
            "Check that it was made for rows of this kind.",
            "model_run",
            why=f"{type(error).__name__}: {' '.join(str(error).split())[:300]}",
        ) from None


def _opened(path: Path) -> tuple[Any, list[str]]:
    refuse_size(path, NOUN)
    try:
        with zipfile.ZipFile(path) as archive:
            files, _ = checked_files(archive, "The skops file")
            clean = _Cleaning(archive, {info.filename: info for info in files}).written()
        return _built(clean)
    except (KDError, MemoryError):
        raise
    except RecursionError:
        raise damaged(NOUN, "it is nested too deep") from None
    except (*ZIP_DAMAGE, Exception) as error:  # whatever a half-built model or a torn array raises
        raise damaged(NOUN, f"{type(error).__name__} {' '.join(str(error).split())[:160]}".strip()) from None


class _Cleaning:
    """Writes a skops file anew, from what is allowed of it."""

    def __init__(self, archive: zipfile.ZipFile, files: dict[str, zipfile.ZipInfo]) -> None:
        self.archive, self.files = archive, files
        self.used: dict[str, bytes] = {}
        self.unknown: dict[str, None] = {}

    def written(self) -> io.BytesIO:
        if SCHEMA not in self.files:
            raise damaged(NOUN, f"it has no {SCHEMA}")
        if self.files[SCHEMA].file_size > SKOPS_SCHEMA_BYTES:
            raise damaged(NOUN, f"its {SCHEMA} takes more than {SKOPS_SCHEMA_BYTES // 2**20} MB")
        schema = json.loads(self.archive.read(SCHEMA))
        if type(schema.get("protocol")) is not int or schema["protocol"] != PROTOCOL:
            raise DataError(
                "The skops file was written by another version of skops (protocol {found}; {wanted} is read).",
                "Save the model again with skops 0.16.",
                "model_protocol",
                found=str(schema.get("protocol"))[:20],
                wanted=PROTOCOL,
            )
        clean = self._node(schema) | {"protocol": PROTOCOL, "_skops_version": str(schema.get("_skops_version"))[:20]}
        if self.unknown:
            names = list(self.unknown)
            raise DataError(
                "The skops file holds {count} {count:type that is|types that are} not built here: {names}.",
                "Models of scikit-learn's own parts are read; save the answers of others as soft labels.",
                "model_types",
                count=len(names),
                names=", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else ""),
            )
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr(SCHEMA, json.dumps(clean))
            for name, data in self.used.items():
                archive.writestr(name, data)
        return buffer

    def _node(self, node: dict[str, Any]) -> dict[str, Any]:
        """Take over one part, without its number; what is not allowed is noted by its name."""
        loader, name = str(node["__loader__"]), f"{node['__module__']}.{node['__class__']}"
        if loader in ("RandomStateNode", "RandomGeneratorNode"):
            return _NOTHING
        if name not in ALLOWED.get(loader, ()):
            how = "" if loader in ("ObjectNode", "TreeNode", "FunctionNode", "TypeNode", "LossNode") else f" ({loader})"
            self.unknown[f"{name}{how}"[:120]] = None
            return _NOTHING
        if loader == "ObjectNode":
            node = _without_left_out(node)
        clean = {key: self._value(value) for key, value in node.items() if key != "__id__"}
        if loader == "NdArrayNode" and clean.get("type") == "numpy":
            self._take(str(clean["file"]))
        if loader == "TreeNode" and not self.unknown:
            self._check_tree(clean)
        return clean

    def _value(self, value: Any) -> Any:
        if isinstance(value, dict):
            if isinstance(value.get("__loader__"), str):
                return self._node(value)
            return {key: self._value(one) for key, one in value.items()}
        return [self._value(one) for one in value] if isinstance(value, list) else value

    def _take(self, name: str) -> None:
        if name not in self.files or not name.endswith(".npy"):
            raise damaged(NOUN, f"it lacks the array {name[:60]}")
        if name not in self.used:
            self.used[name] = data = self.archive.read(name)
            _check_size(data, name)

    def _array(self, node: dict[str, Any]) -> Any:
        if node["__loader__"] != "NdArrayNode" or node.get("type") != "numpy":
            raise damaged(NOUN, "a tree holds something else than arrays")
        return np.load(io.BytesIO(self.used[str(node["file"])]), allow_pickle=False)

    def _check_tree(self, node: dict[str, Any]) -> None:
        from kd_core.data.model_files.skops_bounds import check_tree

        args, state = node["__reduce__"]["args"], node["content"]
        if args["__loader__"] != "TupleNode" or state["__loader__"] != "DictNode":
            raise damaged(NOUN, "a tree is described in another way than skops does")
        features, n_classes, outputs = args["content"]
        told = state["content"]
        found = {name: self._array(told[name]) for name in ("nodes", "values")}
        found["node_count"] = json.loads(told["node_count"]["content"])
        check_tree(json.loads(features["content"]), self._array(n_classes), json.loads(outputs["content"]), found)


def _check_size(data: bytes, name: str) -> None:
    """Compare what an array says of its size with the bytes that it has: numpy sets aside what it says."""
    file = io.BytesIO(data)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    version = np.lib.format.read_magic(file)
    if version not in readers:
        raise damaged(NOUN, f"the array {name[:60]} is of another form than numpy's first two")
    shape, _, dtype = readers[version](file)
    if dtype.hasobject or math.prod(shape) * dtype.itemsize != len(data) - file.tell():
        raise damaged(NOUN, f"the array {name[:60]} speaks of {shape} numbers and has others")


def _without_left_out(node: dict[str, Any]) -> dict[str, Any]:
    """Take out of an object what no answer needs, before it is looked at."""
    state = node.get("content")
    if not isinstance(state, dict) or not isinstance(own := state.get("content"), dict) or "__loader__" in own:
        return node
    kept = {key: _NOTHING if key in LEFT_OUT else value for key, value in own.items()}
    return {**node, "content": {**state, "content": kept}}


def _skops() -> Any:
    """Import skops, which trusts every estimator that it finds by importing all of scikit-learn (6 s, torch among it): here it finds none."""
    import sklearn.utils

    finding = sklearn.utils.all_estimators
    sklearn.utils.all_estimators = list
    try:
        import skops.io  # type: ignore[import-untyped]
    finally:
        sklearn.utils.all_estimators = finding
    return skops.io


def _built(clean: io.BytesIO) -> tuple[Any, list[str]]:
    from kd_core.data.model_files.skops_bounds import check_model, parts

    trusted = sorted({name for names in ALLOWED.values() for name in names})
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        model = _skops().load(clean, trusted=trusted)
    for part in parts(model):
        for name, quiet in (("n_jobs", None), ("verbose", 0)):
            if name in getattr(part, "__dict__", ()):
                setattr(part, name, quiet)
    check_model(model)
    others = sorted({v for one in heard if (v := getattr(one.message, "original_sklearn_version", None))})
    return model, [str(version)[:20] for version in others]


def _function(model: Any) -> str:
    from sklearn.base import is_classifier, is_regressor

    if is_classifier(model):
        for name in ("predict_proba", "decision_function"):
            if hasattr(model, name):
                return name
    if is_regressor(model):
        return "predict"
    raise DataError(
        "The skops file holds {found}, which gives neither probabilities, nor decisions, nor a number.",
        "Save a classifier with predict_proba or decision_function, or a regressor.",
        "model_answers",
        found=type(model).__name__,
    )


def _last(model: Any, first: bool = False) -> Any:
    """Return the last step of a pipeline, or its first."""
    while hasattr(model, "steps"):
        model = model.steps[0 if first else -1][1]
    return model


def _reads_text(model: Any) -> bool:
    from sklearn.feature_extraction.text import CountVectorizer

    return isinstance(_last(model, first=True), CountVectorizer)


def _type_of(model: Any) -> str:
    last = type(_last(model)).__name__
    return f"a pipeline of {len(model.steps)} steps that ends in {last}" if hasattr(model, "steps") else last


def _count(model: Any) -> int:
    """Count the numbers that were learned: values of nodes, rows that are compared with, weights."""
    from kd_core.data.model_files.skops_bounds import parts

    total = 0
    for part in parts(model):
        if type(part).__name__ == "Tree":
            leaves = int((part.children_left < 0).sum())
            total += part.node_count - leaves + leaves * int(np.prod(part.value.shape[1:]))
        elif isinstance(part, np.ndarray) and part.dtype.kind in "fV":
            total += part.size
    return int(total)


def _rows(part: str, form: str) -> Any:
    if form == "array":
        return np.load(f"{part}.npy", mmap_mode="r", allow_pickle=False)
    frame = pd.read_parquet(f"{part}.parquet")
    plain = {
        name: column if column.dtype.kind in "fbiuM" else column.astype("object").where(column.notna(), np.nan)
        for name, column in frame.items()
    }
    return frame.iloc[:, 0].fillna("").tolist() if form == "text" else pd.DataFrame(plain)


def _some(rows: Any, at: Any) -> Any:
    if isinstance(rows, pd.DataFrame):
        return rows.iloc[at].reset_index(drop=True)
    if isinstance(rows, list):
        return rows[at] if isinstance(at, slice) else [rows[i] for i in at.tolist()]
    return np.asarray(rows[at])
