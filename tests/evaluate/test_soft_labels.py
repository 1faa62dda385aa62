import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from kd_core.distill import LOSSES
from kd_core.evaluate import fidelity, soft_labels
from kd_core.models import Outputs
from kd_core.task import task_of


def logits(seed=0, rows=50, classes=4):
    return np.random.default_rng(seed).normal(size=(rows, classes)) * 2


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
def test_soften_is_softmax_and_survives_huge_logits(temperature):
    z = logits() * 1000
    p = soft_labels.soften(z, temperature)
    np.testing.assert_allclose(p, torch.softmax(torch.from_numpy(z) / temperature, 1).numpy(), atol=1e-12)
    np.testing.assert_allclose(p.sum(axis=1), 1, rtol=1e-12)


def test_entropy_is_in_nats_like_log_loss_and_kl_and_grows_with_the_temperature():
    assert soft_labels.entropy(np.array([[0.5, 0.5], [1.0, 0.0]])) == pytest.approx([np.log(2), 0.0])
    assert soft_labels.entropy(np.full((1, 8), 1 / 8)) == pytest.approx([np.log(8)])
    means = [soft_labels.entropy(soft_labels.soften(logits(), t)).mean() for t in (0.5, 1, 2, 8)]
    assert means == sorted(means)


def test_dark_knowledge_is_the_mass_beside_the_top_class():
    assert soft_labels.dark_knowledge(np.array([[0.7, 0.2, 0.1], [1.0, 0, 0]])) == pytest.approx([0.3, 0.0])


def test_fidelity_is_agreement_and_divergence_from_the_teacher():
    teacher, student = logits(0), logits(1)
    assert fidelity.agreement(student, teacher) == (student.argmax(1) == teacher.argmax(1)).mean()
    assert fidelity.agreement(teacher, teacher) == 1
    log_s = F.log_softmax(torch.from_numpy(student), 1)
    expected = F.kl_div(log_s, torch.softmax(torch.from_numpy(teacher), 1), reduction="batchmean").item()
    assert fidelity.kl(teacher, student) == pytest.approx(expected)
    assert fidelity.kl(teacher, student) != pytest.approx(fidelity.kl(student, teacher))
    assert fidelity.kl(teacher, teacher + 5) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("temperature", "alpha"), [(1.0, 0.5), (2.0, 0.7), (8.0, 0.2)])
def test_the_soft_share_is_that_of_the_real_gradient(temperature, alpha):
    z_t, z_s = logits(0), logits(1)
    y = np.random.default_rng(2).integers(0, 4, 50)
    hinton = LOSSES.get("hinton")
    spec = hinton.spec(temperature=temperature, alpha=alpha)
    labels, teacher = torch.from_numpy(y), Outputs(torch.from_numpy(z_t))
    hard = task_of("multiclass").hard_loss()
    sizes = []
    for loss, weight in (
        (lambda z: hinton.make(Outputs(z), teacher, labels, spec), alpha),
        (lambda z: hard(Outputs(z), labels), 1 - alpha),
    ):
        z = torch.from_numpy(z_s).requires_grad_()
        loss(z).backward()
        sizes.append(weight * z.grad.norm(dim=1).sum().item())
    share = soft_labels.effective_soft_share(z_t, z_s, y, temperature, alpha)
    assert share == pytest.approx(sizes[0] / sum(sizes), rel=1e-5)


def test_the_soft_share_ends():
    z, y = logits(), np.zeros(50, dtype=int)
    assert soft_labels.effective_soft_share(z, logits(1), y, 2.0, 0.0) == 0.0
    assert soft_labels.effective_soft_share(z, logits(1), y, 2.0, 1.0) == 1.0
    assert soft_labels.effective_soft_share(z, z, y, 2.0, 1.0) == 0.0


def test_class_similarity_averages_the_soft_labels_of_each_class():
    p = np.array([[0.8, 0.2, 0.0], [0.6, 0.4, 0.0], [0.1, 0.9, 0.0]])
    found = soft_labels.class_similarity(p, np.array([0, 0, 1]), 3)
    np.testing.assert_allclose(found, [[0.7, 0.3, 0], [0.1, 0.9, 0], [0, 0, 0]])


def test_disagreements_come_widest_apart_first():
    a = np.log(np.array([[0.9, 0.1], [0.6, 0.4], [0.5, 0.5 - 1e-9], [0.9, 0.1]]))
    b = np.log(np.array([[0.1, 0.9], [0.9, 0.1], [0.4, 0.6], [0.2, 0.8]]))
    assert soft_labels.disagreements(a, b).tolist() == [0, 3, 2]


@pytest.mark.slow
def test_pages_can_compute_soft_labels_without_loading_torch():
    source = "import sys, kd_core.evaluate.soft_labels; print('torch' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert found.stdout == "False\n"
