import numpy as np
import torch

from kd_core.training import predict as module_under_test
from kd_core.training.predict import predict

from .setting import Net, arrays, mapped


def test_pieces_make_the_same_logits_as_one_pass(monkeypatch):
    x, _ = arrays()
    net = Net(dropout=0.5).train()
    whole = predict(net, x)
    assert whole.shape == (300, 2)
    assert whole.dtype == np.float32
    assert net.training  # left as it was
    monkeypatch.setattr(module_under_test, "ROWS_AT_ONCE", 7)
    np.testing.assert_allclose(predict(net, torch.from_numpy(x)), whole, atol=1e-6)


def test_a_network_can_ask_for_fewer_rows_at_once():
    x, _ = arrays()
    net, seen = Net(), []
    net.rows_at_once = 100
    net.register_forward_pre_hook(lambda m, given: seen.append(len(given[0])))
    predict(net, x)
    assert seen == [100, 100, 100]


def test_no_rows_give_no_logits():
    assert predict(Net(), np.zeros((0, 6), dtype=np.float32)).shape == (0, 2)


def test_rows_in_a_file_are_read_piece_by_piece(tmp_path, monkeypatch):
    x, _ = arrays()
    net = Net()
    whole = predict(net, x)
    monkeypatch.setattr(module_under_test, "ROWS_AT_ONCE", 128)
    pieces = predict(net, x)
    assert np.array_equal(predict(net, mapped(tmp_path / "x.npy", x)), pieces)
    np.testing.assert_allclose(pieces, whole, atol=1e-6)
