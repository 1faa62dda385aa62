"""Run as a program: Keras itself makes models, saves them in every layout and answers rows by them. Nothing of the workbench is used."""

import os
import sys
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
warnings.simplefilter("ignore")
import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers as L  # noqa: E402

OUT = Path(sys.argv[1])
rng = np.random.default_rng(0)
keras.utils.set_random_seed(0)
numbers = rng.normal(size=(23, 4)).astype("float32")
ids = rng.integers(1, 30, (23, 7))
for row, n in enumerate(rng.integers(1, 8, 23)):
    ids[row, n:] = 0
front = np.array([np.roll(row, (row == 0).sum()) for row in ids])
steps = rng.normal(size=(23, 5, 3)).astype("float32")
steps[::3, 3:] = 0
ACTIVATIONS = [
    "linear",
    "relu",
    "relu6",
    "leaky_relu",
    "elu",
    "selu",
    "gelu",
    "sigmoid",
    "hard_sigmoid",
    "tanh",
    "softmax",
    "softplus",
    "softsign",
    "exponential",
    "silu",
    "mish",
]


def words(*more, mask=True, length=7):
    return [keras.Input((length,), dtype="int32"), L.Embedding(30, 6, mask_zero=mask), *more]


def table(*more):
    return [keras.Input((4,)), *more]


def functional(stack):
    x = stack[0]
    for layer in stack[1:]:
        x = layer(x)
    return keras.Model(stack[0], x)


norm = L.Normalization()
norm.adapt(numbers * 3 + 1)
cases = {
    "dense": (table(L.Dense(8, "relu"), L.Dropout(0.3), L.Dense(2, "softmax")), numbers),
    "three": (table(L.Dense(8, "tanh"), L.Dense(3)), numbers),
    "score": (table(L.Dense(5, use_bias=False), L.BatchNormalization(), L.LeakyReLU(), L.Dense(1, "sigmoid")), numbers),
    "norms": (
        table(
            norm,
            L.Rescaling(0.5, 0.1),
            L.Dense(6),
            L.LayerNormalization(),
            L.ReLU(max_value=3, negative_slope=0.1, threshold=0.2),
            L.ELU(0.7),
            L.Dense(4),
            L.BatchNormalization(scale=False),
            L.Activation("gelu"),
            L.GaussianNoise(0.1),
            L.Dense(2),
            L.Softmax(),
        ),
        numbers,
    ),
    "given_norm": (table(L.Normalization(mean=[0.0, 1, 2, 3], variance=[1.0, 2, 3, 4]), L.Dense(1)), numbers),
    "lstm": (words(L.LSTM(5), L.Dense(2, "softmax"), length=None), ids),
    "lstm_front": (words(L.LSTM(5, go_backwards=True), L.Dense(3)), front),
    "no_mask": (words(L.LSTM(5, use_bias=False, recurrent_activation="hard_sigmoid"), L.Dense(3), mask=False), ids),
    "two_lstm": (
        words(L.LSTM(5, return_sequences=True), L.Dropout(0.1), L.LSTM(4, activation="relu"), L.Dense(2)),
        ids,
    ),
    "both_ways": (words(L.Bidirectional(L.LSTM(4)), L.Dense(2)), ids),
    "both_every": (
        words(L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode="sum"), L.GlobalMaxPooling1D(), L.Dense(2)),
        ids,
    ),
    "both_twice": (
        words(
            L.Bidirectional(L.LSTM(4, return_sequences=True)), L.Bidirectional(L.LSTM(3), merge_mode="ave"), L.Dense(2)
        ),
        front,
    ),
    "mean": (words(L.GlobalAveragePooling1D(), L.Dense(2)), ids),
    "flat": (words(L.Flatten(), L.Dense(2), mask=False), ids),
    "steps": ([keras.Input((5, 3)), L.Masking(0.0), L.LSTM(4), L.Dense(2)], steps),
    "all_activations": (
        table(*[layer for a in ACTIVATIONS for layer in (L.Dense(4, a), L.LayerNormalization())], L.Dense(1)),
        numbers,
    ),
}
answers = {}
for name, (stack, x) in cases.items():
    for kind, made in (("sequential", keras.Sequential), ("functional", functional)):
        model = made(stack)
        for w in model.weights:  # biases and averages are 0 and 1 at first, which would hide a mistake
            if (
                "seed" not in w.path
                and w.path.rpartition("/")[2] not in ("mean", "variance", "count")
                and len(w.shape) == 1
            ):
                w.assign(
                    np.abs(rng.normal(size=w.shape)) + 0.2 if "variance" in w.path else rng.normal(size=w.shape) * 0.5
                )
        model.compile("adam", "mse")
        file = OUT / f"{name}_{kind}"
        model.save(f"{file}.h5")
        model.save(f"{file}.keras")
        model.save_weights(f"{file}.weights.h5")
        Path(f"{file}.json").write_text(model.to_json())
        answers[f"{name}_{kind}"] = model.predict(x, verbose=0)
        answers[f"{name}_{kind}_x"] = x
np.savez(OUT / "answers.npz", **answers)
keras.Sequential([keras.Input((8, 8, 1)), L.Conv2D(3, 3), L.Flatten(), L.Dense(2)]).save(OUT / "conv.h5")
fork = keras.Input((4,))
keras.Model(fork, L.Concatenate()([L.Dense(2)(fork), L.Dense(2)(fork)])).save(OUT / "fork.h5")
keras.Sequential([keras.Input((4,)), L.Dense(4, "celu")]).save(OUT / "celu.h5")
