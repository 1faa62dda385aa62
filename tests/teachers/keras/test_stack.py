"""Stacks of layers answer as Keras does, from every layout in which it saves them."""

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from kd_core.data.archives.h5_contents import unpack
from kd_core.data.onnx_file import describe
from kd_core.errors import DataError
from kd_core.teachers.foreign_files import lines_for
from kd_core.teachers.keras.stack import Stack, read
from tests.teachers.keras import make_files_cases
from tests.teachers.keras.small_file import dense, h5

SKIP, MEMBERS = ["optimizer_weights", "optimizer"], ["model.weights.h5", "config.json", "metadata.json"]
SLOW = pytest.mark.slow


def opened(file, config=None, written="", folder=None):
    found = unpack(str(file), str(folder), SKIP, MEMBERS)
    arrays = [np.load(folder / f"{i}.npy") for i in range(len(found["arrays"]))]
    return read(found, arrays, config and json.loads(config.read_text()), written, file.name)


@SLOW
@pytest.mark.parametrize("form", ["sequential", "functional"])
@pytest.mark.parametrize("case", make_files_cases.CASES)
def test_it_answers_as_keras_does_in_every_layout(made_by_keras, tmp_path, case, form):
    with np.load(made_by_keras / "answers.npz") as kept:
        wanted, x = kept[f"{case}_{form}"], kept[f"{case}_{form}_x"]
    stem = made_by_keras / f"{case}_{form}"
    apart = made_by_keras / f"{case}_{form}.json"
    for ending, config in ((".h5", None), (".keras", None), (".weights.h5", apart)):
        stack = opened(stem.with_name(stem.name + ending), config, folder=tmp_path)
        np.testing.assert_allclose(stack.answer(x), wanted, rtol=1e-5, atol=1e-5)
        assert stack.outputs == wanted.shape[1] and stack.words == (30 if x.dtype.kind == "i" else None)
        stack.save(tmp_path)
        np.testing.assert_array_equal(Stack.load(tmp_path).answer(x), stack.answer(x))


@SLOW
@pytest.mark.parametrize(
    ("file", "words"),
    [
        (
            "conv.h5",
            "The layer 'conv2d' (Conv2D) of conv.h5 is of a kind that is not known here. Known layers: Dense, Embedding, LSTM, ",
        ),
        ("conv.h5", "take the teacher ONNX file: import keras; model = keras.saving.load_model('conv.h5'); model("),
        (
            "fork.h5",
            "only a plain chain of layers is read. Convert it to ONNX where it came from, and take the teacher ONNX file: import keras",
        ),
        ("celu.h5", "(Dense) of celu.h5 has the activation celu, which is not known here (known: linear, relu, "),
    ],
)
def test_what_keras_can_do_and_this_can_not_is_named_with_the_lines_that_convert_it(
    made_by_keras, tmp_path, file, words
):
    with pytest.raises(DataError, match=re.escape(words)):
        opened(made_by_keras / file, folder=tmp_path)


@SLOW
def test_the_lines_convert_a_convolutional_file(made_by_keras):
    lines = lines_for("keras", "conv.h5")
    run = [sys.executable, "-W", "ignore", "-c", lines]
    environment = {**os.environ, "KERAS_BACKEND": "torch"}
    done = subprocess.run(run, cwd=made_by_keras, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = describe(str(made_by_keras / "teacher.onnx"))
    assert found["inputs"][0]["shape"][1:] == [8, 8, 1] and found["outputs"][0]["shape"][-1] == 2


@SLOW
def test_weights_alone_need_their_layers_and_take_them_from_a_line(made_by_keras, tmp_path):
    file = made_by_keras / "two_lstm_sequential.weights.h5"
    with pytest.raises(DataError, match="holds weights alone") as error:
        opened(file, folder=tmp_path)
    assert error.value.code == "keras_no_config" and "model.to_json()" in str(error.value)
    assert "(dense 4x2 2, embedding 30x6, lstm 6x20 5x20 20, lstm_1 5x16 4x16 16)" in error.value.message
    with np.load(made_by_keras / "answers.npz") as kept:
        wanted, x = kept["dense_sequential"], kept["dense_sequential_x"]
    stack = opened(
        made_by_keras / "dense_sequential.weights.h5", written="dense relu, dropout, dense softmax", folder=tmp_path
    )
    np.testing.assert_allclose(stack.answer(x), wanted, rtol=1e-5, atol=1e-5)

    with np.load(made_by_keras / "answers.npz") as kept:
        wanted, x = kept["two_lstm_functional"], kept["two_lstm_functional_x"]
    line = "embedding mask_zero, lstm, dropout, lstm relu, dense"
    stack = opened(made_by_keras / "two_lstm_functional.weights.h5", written=line, folder=tmp_path)
    np.testing.assert_allclose(stack.answer(x), wanted, rtol=1e-5, atol=1e-5)


def small(tmp_path, *layers, shape=(4,), name="a.h5", **more):
    (tmp_path / name).write_bytes(h5(layers, shape, **more))
    return opened(tmp_path / name, folder=tmp_path)


W, B = np.arange(8.0).reshape(4, 2), np.array([1.0, -1])


def test_a_file_that_h5py_wrote_answers(tmp_path):
    stack = small(tmp_path, dense("my first", W, B))
    x = np.ones((3, 4), np.float32)
    np.testing.assert_array_equal(stack.answer(x), x @ W + B)
    assert (stack.parameters, stack.outputs, stack.shape, stack.words) == (10, 2, (4,), None)
    assert stack.answer(x[:0]).shape == (0, 2)


def test_a_chunk_of_rows_answers_as_all_do(tmp_path, monkeypatch):
    stack, x = (
        small(tmp_path, dense("d", W, B, "tanh")),
        np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32),
    )
    whole = stack.answer(x)
    monkeypatch.setattr("kd_core.teachers.keras.stack.CHUNK_NUMBERS", 100)
    assert len(list(stack.chunks(x))) > 1
    np.testing.assert_allclose(stack.answer(x), whole, rtol=1e-6)


def config_of(change):
    def at(file):
        told = json.loads(file.attrs["model_config"])
        change(told)
        file.attrs["model_config"] = json.dumps(told)

    return at


def layer(**changes):
    return config_of(lambda told: told["config"]["layers"][1]["config"].update(changes))


NAN = np.where(np.arange(8).reshape(4, 2) == 3, np.nan, W)
WRONG = {
    "shapes": (
        {"shape": (5,)},
        "keras_weights",
        "The weights of a.h5 do not fit its layers: d kernel is (4, 2), needed is (5, 2)",
    ),
    "no weights": (
        {"change": lambda f: f["model_weights"].pop("d")},
        "keras_weights",
        "d has 0 arrays, needed are 2 (kernel, bias)",
    ),
    "units": (
        {"change": layer(units=10**9)},
        "keras_layer",
        "has units 1000000000; needed is a whole number from 1 to 1,000,000",
    ),
    "no units": ({"change": layer(units="many")}, "keras_layer", "has units many; needed is a whole number"),
    "flag": ({"change": layer(use_bias=3)}, "keras_layer", "has use_bias 3; needed is true or false"),
    "lambda": (
        {"change": layer(activation={"class_name": "__lambda__", "config": {"value": "code"}})},
        "keras_layer",
        "has the activation __lambda__, which is not known here",
    ),
    "lora": ({"change": layer(lora_rank=3)}, "keras_layer", "has lora_rank 3, which is not known here (only None)"),
    "kind": (
        {"change": config_of(lambda t: t["config"]["layers"][1].update(class_name="Lambda"))},
        "keras_layer",
        "The layer 'd' (Lambda) of a.h5 is of a kind that is not known here",
    ),
    "model": (
        {"change": config_of(lambda t: t.update(class_name="Mine"))},
        "keras_model",
        "is a Mine, not a Sequential or Functional model",
    ),
    "shape": (
        {"change": config_of(lambda t: t["config"]["layers"][0]["config"].update(batch_shape=[None, -4]))},
        "keras_model",
        "reads rows of shape [-4]",
    ),
    "many": (
        {"change": config_of(lambda t: t["config"].update(layers=[{}] * 2000))},
        "keras_model",
        "has 2,000 layers, at most 1,000",
    ),
    "broken": (
        {"change": config_of(lambda t: t["config"].pop("layers"))},
        "keras_config",
        "can't be read (KeyError: 'layers')",
    ),
    "no layer": ({"change": config_of(lambda t: t["config"]["layers"].pop())}, "keras_shape", "a.h5 has no layers"),
    "no json": (
        {"change": lambda f: f.attrs.update(model_config="{")},
        "keras_no_config",
        "holds weights alone (d 4x2 2)",
    ),
    "deep": ({"change": lambda f: f.attrs.update(model_config="[" * 60_000)}, "keras_no_config", "holds weights alone"),
    "steps": (
        {"change": config_of(lambda t: t["config"]["layers"][0]["config"].update(batch_shape=[None, 7, 4]))},
        "keras_shape",
        "answers with shape (7, 2) a row, not with one list of numbers",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_said(case, tmp_path):
    more, code, words = WRONG[case]
    with pytest.raises(DataError, match=re.escape(words)) as error:
        small(tmp_path, dense("d", W, B), **more)
    assert error.value.code == code and error.value.hint


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    with pytest.raises(DataError, match="d holds numbers that are not finite"):
        small(tmp_path, dense("d", NAN, B))


def test_hard_sigmoid_is_that_of_the_version(tmp_path):
    x = np.full((1, 4), 0.5, np.float32)
    z = (x @ np.full((4, 1), 0.5)).item()
    for version, wanted in (("3.1", z / 6 + 0.5), ("2.11.0", 0.2 * z + 0.5)):
        stack = small(tmp_path, dense("d", np.full((4, 1), 0.5), None, "hard_sigmoid"), keras_version=version)
        np.testing.assert_allclose(stack.answer(x), wanted, rtol=1e-6)


def test_weights_of_an_old_version_stand_at_the_root(tmp_path):
    def old(file):
        del file.attrs["model_config"]
        for name in list(file["model_weights"]):
            file.move(f"model_weights/{name}", name)
        file.attrs["layer_names"] = file["model_weights"].attrs["layer_names"]
        del file["model_weights"]

    (tmp_path / "a.h5").write_bytes(h5([dense("dense", W, B)], (4,), old))
    stack = opened(tmp_path / "a.h5", written="dense", folder=tmp_path)
    np.testing.assert_array_equal(stack.answer(np.ones((1, 4), np.float32)), [W.sum(0) + B])
    with pytest.raises(
        DataError, match=r"The layer 'lstm' is not understood\. The file holds: dense 4x2 2\. Write the layers"
    ):
        opened(tmp_path / "a.h5", written="lstm", folder=tmp_path)
    with pytest.raises(DataError, match="The layer '' is not understood"):
        opened(tmp_path / "a.h5", written="dense relu,", folder=tmp_path)
