"""A plain training loop in float64 with nothing shared but the seeds: what fused training must equal."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F

from kd_core.data.dataset import Dataset, Part
from kd_core.data.view import Viewed, Views
from kd_core.data.views.columns import columns_inputs
from kd_core.distill.preparing import prepare
from kd_core.distill.sweep.variants import Variant
from kd_core.evaluate import METRICS
from kd_core.evaluate.answers import from_logits
from kd_core.evaluate.base import settling
from kd_core.models.building import build_for, viewed
from kd_core.seeding import derive
from kd_core.specs import Choice, DatasetSpec, StudentSpec
from kd_core.training.plan import times


def make_dataset(task="binary", rows=220, features=6, validation=90, seed=0, x=None):
    """Make rows whose label can be learned only in part. Ten classes for multiclass."""
    rng = np.random.default_rng(seed)
    direction = rng.normal(size=(features, 10))

    def part(n):
        x = rng.normal(size=(n, features)).astype(np.float32)
        z = x @ direction + rng.normal(size=(n, 10))
        y = {"binary": z[:, 0] > 0, "multiclass": z.argmax(1), "regression": 100 + 20 * np.tanh(z[:, 0])}[task]
        return x, Part(y.astype(np.float64 if task == "regression" else np.int64), np.arange(n))

    made = {"train": part(rows), "validation": part(validation), "test": part(20)}
    parts = {split: labels for split, (_, labels) in made.items()}
    y = parts["train"].y
    scale = {"target_mean": float(y.mean()), "target_std": float(y.std())} if task == "regression" else {}
    classes = {"binary": ("no", "yes"), "multiclass": tuple("abcdefghij"), "regression": ()}[task]
    return Dataset(
        DatasetSpec(source="memory", target="y"),
        "memory",
        f"{task}-{rows}-{seed}",
        task,
        classes,
        tuple(f"x{i}" for i in range(features)),
        parts,
        Views.of_table({split: x for split, (x, _) in made.items()}),
        pd.DataFrame(),
        **scale,
    )


def with_columns(dataset):
    """Let the rows be read as plain columns too: one with holes, one of few values, one of yes and no."""

    def seen(split):
        x = dataset.view().parts[split].copy()
        x[::7, 0] = np.nan
        x[:, 1] = np.round(x[:, 1])
        x[:, 2] = x[:, 2] > 0
        return x

    parts = {split: seen(split) for split in dataset.parts}
    values = tuple(min(256, len(np.unique(c[~np.isnan(c)]))) for c in parts["train"].T)
    made = Viewed(columns_inputs(values, (0,)), parts)
    return replace(dataset, views=Views({"table": dataset.view, "columns": lambda: made}))


def some_pairs(x, gradient, weight, most):
    """Choose pairs by what is left, whether or not they tell anything, so that every lesson has others."""
    return [(int(np.abs(gradient).sum() * 100) % 3, 3), (1, 4), (2, 5)][:most]


def make_teacher(dataset, seed=5):
    """Answer the training rows with a linear rule and some noise."""
    rng = np.random.default_rng(seed)
    z = dataset.view().parts["train"] @ rng.normal(size=(dataset.view().spec.width, dataset.num_outputs))
    return (z + rng.normal(size=z.shape)).astype(np.float32)


def make_variant(
    arch="mlp",
    width=8,
    depth=1,
    objective=None,
    seed=0,
    rate=None,
    decay=None,
    dropout=0.0,
    activation="relu",
    **settings,
):
    """Make a variant; `settings` go to the objective, or to the architecture where it is named `arch_...`."""
    own = {k.removeprefix("arch_"): settings.pop(k) for k in list(settings) if k.startswith("arch_")}
    if arch not in ("linear", "additive"):
        own |= {"size": None, "width": width, "depth": depth, "dropout": dropout, "activation": activation}
    student = StudentSpec(name=arch, arch=Choice(name=arch, settings=own))
    choice = None if objective is None else Choice(name=objective, settings=settings)
    return Variant(student, choice, seed, rate, decay)


def soft_loss(choice, z, z_teacher, y):
    """Compute a registered loss from its formula, without the registry."""
    if choice.name == "hinton":
        t = choice.settings.get("temperature", 2.0)
        log_p, log_q = F.log_softmax(z_teacher / t, dim=1), F.log_softmax(z / t, dim=1)
        return t * t * (log_p.exp() * (log_p - log_q)).sum(1).mean()
    squared = (z[:, 0] - z_teacher[:, 0]) ** 2
    if choice.name == "mse":
        return squared.mean()
    margin = choice.settings.get("margin", 0.0)
    behind = (z.detach()[:, 0] - y) ** 2 + margin > (z_teacher[:, 0] - y) ** 2
    return torch.where(behind, squared, 0.0).mean()


def lesson(dataset, variant, teacher_logits, class_weights, z, index):
    """Compute the loss of a batch in float64: (1 - alpha) x hard + alpha x soft."""
    y = torch.from_numpy(dataset.scaled_y("train"))[index]
    if dataset.task == "regression":
        hard = ((z[:, 0] - y.double()) ** 2).mean()
    else:
        each = F.cross_entropy(z, y, reduction="none")
        if class_weights == "balanced":
            count = np.bincount(dataset.train.y, minlength=dataset.num_outputs)
            weight = (len(dataset.train) / (dataset.num_outputs * np.maximum(count, 1))).astype(np.float32)
            each = each * torch.from_numpy(weight)[y]
        hard = each.mean()
    if variant.objective is None:
        return hard
    alpha = variant.objective.settings.get("alpha", 0.7)
    z_teacher = torch.from_numpy(teacher_logits).double()[index]
    return (1 - alpha) * hard + alpha * soft_loss(variant.objective, z, z_teacher, y)


def deal(rows, size, seed, epoch):
    """Deal an epoch's rows into batches; one row alone joins the batch before it."""
    order = torch.randperm(rows, generator=torch.Generator().manual_seed(derive(seed, "order", epoch)))
    batches = list(order.split(size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        last = batches.pop()
        batches[-1] = torch.cat([batches[-1], last])
    return batches


def train(dataset, variant, teacher_logits, training, metric):
    """Train one variant alone. Returns per epoch its weights, its score on validation and the loss that settles ties, patience left aside."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derive(variant.seed, "init"))
        module = build_for(dataset, variant.student.arch)
    heard = variant.objective is not None and variant.objective.settings.get("alpha", 0.7) > 0
    prepare(module, dataset, variant.student.arch, teacher_logits if heard else None)
    module.double()
    rate = (variant.learning_rate or training.learning_rate) * times(variant.student.arch.name)
    decay = variant.weight_decay if variant.weight_decay is not None else training.weight_decay
    if training.optimiser == "sgd":
        optimiser = torch.optim.SGD(module.parameters(), rate, momentum=0.9, nesterov=True, weight_decay=decay)
    else:
        optimiser = torch.optim.AdamW(module.parameters(), rate, weight_decay=decay)
    x, x_validation = (rows(dataset, variant, p) for p in ("train", "validation"))
    total, step = training.epochs * len(deal(len(x), training.batch_size, 0, 1)), 0
    states, scores, losses = [], [], []
    settles = settling(dataset.task)
    for epoch in range(1, training.epochs + 1):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derive(variant.seed, "dropout", epoch))
            module.train()
            for index in deal(len(x), training.batch_size, variant.seed, epoch):
                if training.schedule == "cosine":
                    optimiser.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / total)) / 2
                loss = lesson(dataset, variant, teacher_logits, training.class_weights, module(x[index]).logits, index)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                step += 1
        module.eval()
        with torch.no_grad():
            z = module(x_validation).logits.numpy()
        answers = from_logits(dataset.task, dataset.validation.y, z, dataset.target_mean, dataset.target_std)
        scores.append(METRICS.get(metric).make(answers))
        losses.append(METRICS.get(settles).make(answers) if settles else 0.0)
        states.append({name: t.clone() for name, t in module.state_dict().items()})
    return states, scores, losses


def selected(scores, losses, better, patience=None):
    """Return (selected epoch, last epoch) under early stopping: of equal scores the lowest loss wins, of those the first."""
    sign = -1 if better == "higher" else 1
    ranks = [(sign * score, loss) for score, loss in zip(scores, losses, strict=True)]
    best = 0
    for epoch, rank in enumerate(ranks, 1):
        if not best or rank < ranks[best - 1]:
            best = epoch
        if patience and epoch - best >= patience:
            return best, epoch
    return best, len(scores)


def logits(dataset, variant, state, split="train"):
    """Answer with given weights in float64."""
    module = build_for(dataset, variant.student.arch).double().eval()
    module.load_state_dict(state)
    with torch.no_grad():
        return module(rows(dataset, variant, split)).logits.numpy()


def rows(dataset, variant, split):
    """Return rows as a variant reads them, in float64."""
    return torch.from_numpy(viewed(dataset, variant.student.arch).parts[split]).double()
