"""The peers of `peers.py` that are not the engine's: a small network by hand, and LightGBM as it comes.

They get the engine's split, rows and soft labels, nothing else of it.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import lightgbm
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from kd_core.data.dataset import Array, Dataset

TEMPERATURE, SOFT = 2.0, 0.7
MOST_CATEGORIES = 50  # of a column; rarer ones share no column at all
FULL = {"learning_rate": 0.05, "num_leaves": 31, "num_threads": 1, "deterministic": True, "verbosity": -1}


@dataclass(frozen=True)
class Answered:
    """What a peer says of validation and test rows (logits, or scaled targets), and its bytes. Shape: (N, C) each."""

    validation: Array
    test: Array
    bytes: int


def by_hand(dataset: Dataset, soft: Array, seed: int, epochs: int) -> Answered:
    """Train 20 x 2 units on scaled numbers and one-hot words with soft labels. Shape: soft (N, C).

    Bytes: the network's numbers as float32, and what must be known beside it: names, means, deviations and categories as JSON.
    """
    torch.manual_seed(seed)
    (train, validation, test), known = _features(dataset)
    numbers = not dataset.classes
    outputs = dataset.num_outputs
    net = torch.nn.Sequential(
        torch.nn.Linear(train.shape[1], 20),
        torch.nn.ReLU(),
        torch.nn.Linear(20, 20),
        torch.nn.ReLU(),
        torch.nn.Linear(20, outputs),
    )
    y, yv = (torch.from_numpy(np.asarray(dataset.scaled_y(part))) for part in ("train", "validation"))
    told = torch.from_numpy(np.asarray(soft, np.float32))
    batch = min(256, max(32, len(train) // 64))
    steps = epochs * math.ceil(len(train) / batch)
    optimiser = torch.optim.Adam(net.parameters(), lr=5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)

    def loss(z: torch.Tensor, label: torch.Tensor, teacher: torch.Tensor | None) -> torch.Tensor:
        if numbers:
            hard = F.mse_loss(z[:, 0], label)
            return hard if teacher is None else SOFT * F.mse_loss(z, teacher) + (1 - SOFT) * hard
        hard = F.cross_entropy(z, label)
        if teacher is None:
            return hard
        p, q = F.softmax(teacher / TEMPERATURE, 1), F.log_softmax(z / TEMPERATURE, 1)
        return SOFT * TEMPERATURE**2 * F.kl_div(q, p, reduction="batchmean") + (1 - SOFT) * hard

    best, kept = math.inf, {}
    for _ in range(epochs):
        for at in torch.randperm(len(train)).split(batch):
            optimiser.zero_grad()
            loss(net(train[at]), y[at], told[at]).backward()
            optimiser.step()
            schedule.step()
        with torch.no_grad():
            found = loss(net(validation), yv, None).item()
        if found < best:
            best, kept = found, {name: t.clone() for name, t in net.state_dict().items()}
    net.load_state_dict(kept)
    size = 4 * sum(p.numel() for p in net.parameters()) + len(json.dumps(known))
    with torch.no_grad():
        return Answered(net(validation).numpy(), net(test).numpy(), size)


def _features(dataset: Dataset) -> tuple[list[torch.Tensor], dict[str, object]]:
    """Scale numbers by the training rows, with the mean where one is missing; a column for each known word."""
    frame = dataset.rows[list(dataset.columns)]
    rows = [dataset.parts[part].row_ids for part in ("train", "validation", "test")]
    columns: list[Array] = []
    known: dict[str, object] = {}
    for name in frame:
        values = frame[name]
        if pd.api.types.is_datetime64_any_dtype(values):
            values = (values - pd.Timestamp(0, tz=values.dt.tz)).dt.total_seconds()
        if pd.api.types.is_numeric_dtype(values):
            number = values.to_numpy(np.float64, na_value=np.nan)
            seen = number[rows[0]][np.isfinite(number[rows[0]])]
            mean, std = (float(seen.mean()), float(seen.std()) or 1.0) if len(seen) else (0.0, 1.0)
            columns.append(np.where(np.isfinite(number), (number - mean) / std, 0.0))
            known[str(name)] = [round(mean, 6), round(std, 6)]
        else:
            words = values.astype("object").iloc[rows[0]].value_counts().index[:MOST_CATEGORIES]
            columns += [(values == word).to_numpy(np.float64, na_value=0.0) for word in words]
            known[str(name)] = [str(word) for word in words]
    x = np.stack(columns, axis=1).astype(np.float32)
    return [torch.from_numpy(x[at]) for at in rows], known


def full(dataset: Dataset, seed: int, rounds: int) -> Answered:
    """Train LightGBM until its validation loss no longer falls: what size costs is seen against it. Bytes: of its text file."""
    view = dataset.view("columns" if "columns" in dataset.views.kinds else "table").parts
    classes = len(dataset.classes)
    objective = {"objective": "multiclass", "num_class": classes} if classes > 2 else {"objective": "binary"}
    settings = {**FULL, **(objective if classes else {"objective": "regression"}), "seed": seed}
    settings |= {"bagging_fraction": 0.9, "bagging_freq": 1, "feature_fraction": 0.9}
    train = lightgbm.Dataset(view["train"], dataset.scaled_y("train"))
    others = [train.create_valid(view["validation"], dataset.scaled_y("validation"))]
    stop = lightgbm.early_stopping(30, verbose=False)
    booster = lightgbm.train(settings, train, rounds, others, callbacks=[stop])
    found = [np.asarray(booster.predict(view[part], raw_score=True)) for part in ("validation", "test")]
    if classes == 2:
        found = [np.stack([np.zeros_like(z), z], axis=1) for z in found]
    elif not classes:
        found = [z[:, None] for z in found]
    size = len(booster.model_to_string(num_iteration=booster.best_iteration))
    return Answered(found[0], found[1], size)
