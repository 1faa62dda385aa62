"""Run as a program: Keras trains a classifier of short texts, and leaves the file, its vocabulary, the texts and its answers."""

import csv
import json
import os
import sys
import warnings
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
warnings.simplefilter("ignore")
import keras  # noqa: E402
import numpy as np  # noqa: E402

OUT, LENGTH = Path(sys.argv[1]), 6
rng = np.random.default_rng(0)
keras.utils.set_random_seed(0)
GOOD, BAD, REST = ["good", "fine", "great"], ["bad", "poor", "late"], ["it", "was", "a", "very", "day"]
index = {word: i + 1 for i, word in enumerate([*GOOD, *BAD, *REST])}
labels = rng.integers(0, 2, 240)
texts = [
    " ".join(rng.permutation([*rng.choice(GOOD if y else BAD, 1), *rng.choice(REST, rng.integers(2, 5))]))
    for y in labels
]
x = np.zeros((len(texts), LENGTH), int)
for row, text in zip(x, texts, strict=True):
    ids = [index[word] for word in text.split()]
    row[LENGTH - len(ids) :] = ids
L = keras.layers
model = keras.Sequential(
    [
        keras.Input((LENGTH,), dtype="int32"),
        L.Embedding(len(index) + 1, 8, mask_zero=True),
        L.LSTM(6),
        L.Dense(2, "softmax"),
    ]
)
model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
model.fit(x, labels, epochs=12, verbose=0)
model.save(OUT / "texts.h5")
np.savez(OUT / "wanted.npz", p=model.predict(x, verbose=0), labels=labels)
(OUT / "words.json").write_text(json.dumps(index))
with (OUT / "texts.csv").open("w", newline="") as file:
    rows = csv.writer(file)
    rows.writerow(["text", "target"])
    rows.writerows([f"{text.capitalize()}!", "yes" if y else "no"] for text, y in zip(texts, labels, strict=True))
