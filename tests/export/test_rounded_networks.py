"""Networks in whole numbers inside the file that takes raw columns: their bytes stay bytes, and it answers as they do."""

from __future__ import annotations

import numpy as np
import onnx
import pytest

from kd_core.compress.whole_numbers.calibration import ranges_of
from kd_core.compress.whole_numbers.network import Network, answers_of
from kd_core.compress.whole_numbers.ways import dynamic_file, static_file, static_ways, stored_file
from kd_core.data.types.raw_rows import typed_rows
from kd_core.evaluate.latency import onnx_bytes
from kd_core.export import compact
from kd_core.export.raw_model import raw_model
from kd_core.export.raw_session import RawStudent
from tests.export.tables import odd_rows
from tests.export.test_raw_model import made

WAYS = {
    "static": lambda data, x: static_file(
        data, static_ways(Network(data)), lambda n, v: ranges_of(n, v, x, "min_max"), True, True
    ),
    "dynamic": lambda data, x: dynamic_file(data, True, True),
    "bytes": lambda data, x: stored_file(data, 8, 0),
    "nibbles": lambda data, x: stored_file(data, 4, 32),
}
SHORT = (onnx.TensorProto.INT8, onnx.TensorProto.UINT8, onnx.TensorProto.INT4)


def numbers(data):
    """Count the numbers of a file that take a byte or less."""
    model = onnx.load_from_string(data)
    return sum(int(np.prod(w.dims)) for w in model.graph.initializer if w.data_type in SHORT)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("task", "arch", "kind"),
    [
        ("multiclass", "mlp", "table"),
        ("regression", "piecewise", "columns"),
        ("binary", "textcnn", "tokens"),
        ("multiclass", "recurrent", "tokens"),
    ],
)
def test_a_deployed_file_keeps_whole_numbers_and_answers_as_its_network(task, arch, kind, way):
    view, network, aim, told = made(task, arch, kind)
    rows = odd_rows(told, 150)
    typed, *_ = typed_rows(rows, view.types)
    x = view.encode(typed)
    data = onnx_bytes(network, view.spec)
    short, _ = WAYS[way](data, x)
    file = raw_model(short, view, aim)
    assert numbers(file) >= numbers(short) > 1000 and len(file) < len(raw_model(data, view, aim))
    found = aim.task.answers(answers_of(short, x), aim.mean, aim.std)
    wanted = found["p"] if aim.task.has_classes else found["values"][:, None]
    answered, _ = RawStudent(file).run(rows)
    assert np.abs(answered - wanted).max() <= 1e-5 * (1 if aim.task.has_classes else aim.std)
    unpacked, _ = RawStudent(compact.unpacked(compact.packed(file))).run(rows)
    assert np.array_equal(unpacked, answered)
