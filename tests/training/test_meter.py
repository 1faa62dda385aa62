import pytest
import torch

from kd_core.training.meter import BatchTerms, Meter, NonFiniteLoss, matmul_precision, non_finite

CPU = torch.device("cpu")


def terms(total, hard=None, soft=None):
    return BatchTerms(*(None if v is None else torch.tensor(v) for v in (total, hard, soft)))


def test_means_weigh_batches_by_their_rows():
    meter = Meter(CPU, steps=2)
    meter.start(1)
    meter.add(terms(1.0, 2.0, 0.5), 30)
    meter.add(terms(4.0, 5.0, 3.5), 10)
    found = meter.finish()
    assert (found.total, found.hard, found.soft) == pytest.approx((1.75, 2.75, 1.25))


def test_an_absent_part_stays_absent_and_epochs_do_not_mix():
    meter = Meter(CPU, steps=1)
    for epoch, value in ((1, 9.0), (2, 1.0)):
        meter.start(epoch)
        meter.add(terms(value, value), 4)
        found = meter.finish()
    assert (found.total, found.hard, found.soft) == (1.0, 1.0, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_value_that_is_not_finite_is_named_at_once_on_the_cpu(value):
    meter = Meter(CPU, steps=5)
    meter.start(3)
    meter.add(terms(1.0), 4)
    with pytest.raises(NonFiniteLoss, match=r"became -?(nan|inf) at step 12 \(epoch 3, batch 2\)"):
        meter.add(terms(value), 4)


def test_the_error_offers_a_next_step():
    error = non_finite(7, 7, 1, float("inf"))
    assert error.code == "non_finite_loss"
    assert "Lower the learning rate" in error.hint
    assert error.kept is None


def test_matmul_precision_is_put_back():
    before = torch.get_float32_matmul_precision()
    with matmul_precision("auto", torch.device("cuda")):
        assert torch.get_float32_matmul_precision() == "high"
    assert torch.get_float32_matmul_precision() == before
    with matmul_precision("float32", torch.device("cuda")):
        assert torch.get_float32_matmul_precision() == before


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_on_a_gpu_the_value_is_named_within_ten_steps():
    meter = Meter(torch.device("cuda"), steps=40)
    meter.start(1)
    good, bad = (BatchTerms(torch.tensor(v, device="cuda")) for v in (1.0, float("nan")))
    for _ in range(9):
        meter.add(good, 4)
    with pytest.raises(NonFiniteLoss, match=r"at step 10 \(epoch 1, batch 10\)"):
        for _ in range(10):
            meter.add(bad, 4)


def test_a_known_gradient_is_used_in_place_of_the_graph():
    weight = torch.tensor([1.0, 2.0], requires_grad=True)
    z = 3 * weight
    BatchTerms(torch.tensor(5.0), known=(z, torch.tensor([1.0, 10.0]))).backward()
    assert weight.grad.tolist() == [3.0, 30.0]
    weight.grad = None
    BatchTerms((3 * weight).sum()).backward()
    assert weight.grad.tolist() == [3.0, 3.0]
