"""Hardware: chosen by name, never silently another."""

from __future__ import annotations

import pytest
import torch

from kd_core.errors import SpecError
from kd_core.machine import device
from kd_core.seeding import derive


def test_a_gpu_asked_for_by_name_and_absent_is_an_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SpecError, match="A GPU was asked for, but this machine offers none"):
        device.pick("cuda")
    assert device.pick("auto").type == "cpu"


def test_threads_are_given_back():
    before = torch.get_num_threads()
    with device.threads(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == before


def test_the_environment_names_what_numbers_depend_on():
    found = device.environment(torch.device("cpu"))
    assert found["device_name"] and found["torch"] == torch.__version__ and found["threads"] >= 1


def test_streams_differ_by_purpose_and_repeat():
    assert derive(0, "init") == derive(0, "init") != derive(0, "order") != derive(1, "order")
    assert 0 <= derive(5, "x", 3) < 2**63
