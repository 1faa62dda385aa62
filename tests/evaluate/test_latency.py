import io

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from kd_core.data.input_spec import table_inputs
from kd_core.data.onnx_file import open_session
from kd_core.errors import KDError
from kd_core.evaluate import latency
from kd_core.evaluate.latency import network_latency, onnx_bytes, onnx_session
from kd_core.machine import timing
from kd_core.machine.timing import measure_latency
from kd_core.models import Outputs
from kd_core.models.building import build
from kd_core.specs import Choice
from kd_core.training.predict import predict


@pytest.fixture(scope="module")
def student():
    torch.manual_seed(0)
    return build(Choice(name="mlp", settings={"size": "tiny", "dropout": 0.3}), table_inputs(6), 3)


@pytest.fixture(scope="module")
def exported(student):
    return onnx_bytes(student, table_inputs(6))


class TestClock:
    def test_percentiles_are_milliseconds_of_calls_after_the_warm_up(self, monkeypatch):
        sizes, now = [], [0]

        def answer(batch):
            sizes.append(len(batch))
            now[0] += 2_000_000 if len(sizes) > 10 else 50_000_000  # the first calls are slow

        monkeypatch.setattr(timing.time, "perf_counter_ns", lambda: now[0])
        monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0] / 1e12)
        found = measure_latency(answer, np.zeros, batches=(4,))
        assert found == {"4": {"p50": 2.0, "p95": 2.0, "p99": 2.0}}
        assert set(sizes) == {4}
        assert len(sizes) == 10 + timing.MAX_CALLS

    def test_slow_calls_are_bounded_in_time(self, monkeypatch):
        calls, now = [], [0]

        def answer(batch):
            calls.append(1)
            now[0] += 1_000_000_000

        monkeypatch.setattr(timing.time, "perf_counter_ns", lambda: now[0])
        monkeypatch.setattr(timing.time, "perf_counter", lambda: now[0] / 1e9)
        assert measure_latency(answer, np.zeros, batches=(1,))["1"]["p50"] == 1000.0
        assert len(calls) == 1 + 5


class TestExport:
    def test_any_number_of_rows_gives_torchs_logits(self, student, exported):
        session = open_session(exported)
        for rows in (1, 2, 33, 257):
            x = np.random.default_rng(rows).normal(size=(rows, 6)).astype(np.float32)
            (found,) = session.run(None, {"x": x})
            np.testing.assert_allclose(found, predict(student, x), atol=1e-5)

    def test_the_file_is_valid_named_and_whole(self, exported):
        model = onnx.load(io.BytesIO(exported))
        onnx.checker.check_model(model, full_check=True)
        assert [i.name for i in model.graph.input] == ["x"]
        assert [o.name for o in model.graph.output] == ["logits"]

    def test_the_file_names_no_place_on_this_machine(self, exported):
        for word in (b".py", b"stack_trace", b"kd_core", b"site-packages"):
            assert word not in exported

    def test_export_leaves_the_module_as_it_was(self):
        module = build(Choice(name="linear"), table_inputs(4), 2).train()
        onnx_session(module, table_inputs(4))
        assert module.training

    @pytest.mark.slow
    def test_a_module_that_onnx_can_not_express_says_why(self, monkeypatch):
        class Odd(nn.Module):
            def forward(self, x):
                return Outputs(torch.from_numpy(np.sort(x.detach().numpy())))

        with pytest.raises(KDError, match="can't be exported to ONNX: ") as caught:
            onnx_bytes(Odd(), table_inputs(3))
        assert caught.value.code == "onnx_export"
        monkeypatch.setattr(latency, "onnx_bytes", lambda *given: (_ for _ in ()).throw(caught.value))
        found = network_latency(Odd(), table_inputs(3), batches=(1,))
        assert found["torch"]["1"]["p50"] > 0
        assert "can't be exported" in found["onnxruntime"]["reason"]

    @pytest.mark.slow
    def test_an_operation_that_tracing_does_not_know_is_exported_all_the_same(self):
        class Wave(nn.Module):
            def forward(self, x):
                return Outputs(torch.sinc(x))

        session = open_session(onnx_bytes(Wave(), table_inputs(3)))
        x = np.full((5, 3), 0.5, dtype=np.float32)
        np.testing.assert_allclose(session.run(None, {"x": x})[0], np.sinc(x), rtol=1e-6)

    @pytest.mark.slow
    def test_numbers_of_rows_that_a_trace_does_not_serve_are_refused(self):
        class Counting(nn.Module):
            def forward(self, x):
                return Outputs(x + torch.ones(len(x), 1))

        with pytest.raises(KDError, match="ONNX Runtime can't run the exported network: ") as caught:
            onnx_bytes(Counting(), table_inputs(3))
        assert caught.value.code == "onnx_export"

    def test_different_answers_are_refused(self):
        with pytest.raises(KDError, match=r"differ by 0\.1 \(allowed 1e-05\)") as caught:
            latency.check_parity(np.zeros((2, 2)), np.full((2, 2), 0.1))
        assert caught.value.code == "onnx_parity"
        with pytest.raises(KDError, match="differ by inf"):
            latency.check_parity(np.zeros((2, 2)), np.zeros((1, 2)))
        with pytest.raises(KDError, match="differ by nan"):
            latency.check_parity(np.zeros((2, 2)), np.full((2, 2), np.nan))


@pytest.mark.slow
def test_a_network_is_timed_on_both_runtimes(student):
    found = network_latency(student, table_inputs(6), batches=(1, 8))
    assert set(found) == {"torch", "onnxruntime"}
    for runtime in found.values():
        assert set(runtime) == {"1", "8"}
        for numbers in runtime.values():
            assert 0 < numbers["p50"] <= numbers["p95"] <= numbers["p99"]
