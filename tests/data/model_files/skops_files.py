"""Rows, models in skops format, and such files with something else in them."""

import io
import json
import zipfile

import numpy as np
import pandas as pd
import skops.io
from sklearn.linear_model import LogisticRegression

RNG = np.random.default_rng(0)
X = RNG.normal(size=(90, 4))
FRAME = pd.DataFrame(X, columns=list("abcd")).assign(k=RNG.choice(["r", "g", "b"], 90, p=[0.7, 0.26, 0.04]))
HOLES = FRAME.assign(a=FRAME.a.where(FRAME.a > -1), k=FRAME.k.where(FRAME.k != "b"))
THREE = np.array(["u", "v", "w"])[np.digitize(X[:, 0], [-0.5, 0.5])]
TWO = np.where(X[:, 0] > 0, "no", "yes")
NUMBER = 3 * X[:, 0]
TEXTS = [f"hello {i % 7} world {t}" for i, t in enumerate(THREE)]
LINEAR = LogisticRegression().fit(X, TWO)


def name_of(value):
    return type(value).__name__ if hasattr(value, "fit") else ""


def saved(model, place):
    place.write_bytes(skops.io.dumps(model))
    return str(place)


def changed(model, place, change=lambda schema: None, arrays=lambda name, data: data, **options):
    """Write a model with another description, or other arrays."""
    buffer = io.BytesIO(skops.io.dumps(model))
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(place, "w", **options) as new:
        schema = json.loads(old.read("schema.json"))
        made = change(schema)
        new.writestr("schema.json", made if isinstance(made, str) else json.dumps(schema))
        for name in old.namelist():
            if name != "schema.json":
                new.writestr(name, arrays(name, old.read(name)))
    return str(place)


def nodes(schema, loader, module_class=""):
    """Find the parts of one kind."""
    found = []
    if isinstance(schema, dict):
        if schema.get("__loader__") == loader and module_class in f"{schema['__module__']}.{schema['__class__']}":
            found.append(schema)
        found += [one for value in schema.values() for one in nodes(value, loader, module_class)]
    elif isinstance(schema, list):
        found += [one for value in schema for one in nodes(value, loader, module_class)]
    return found


def attribute(name, loader, module, own, **more):
    """Put something else in the place of an attribute of the model."""

    def change(schema):
        schema["content"]["content"][name] = {"__class__": own, "__module__": module, "__loader__": loader, **more}

    return change
