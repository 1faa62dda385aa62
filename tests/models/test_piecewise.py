"""Numbers cut by edges: the encoding against its formula, where edges lie, and the networks behind it."""

import io
import itertools
import subprocess
import sys

import numpy as np
import onnx
import pytest
import safetensors.torch
import torch
from scipy.interpolate import RegularGridInterpolator
from scipy.special import ndtri

from kd_core.data.onnx_file import open_session
from kd_core.data.views.columns import columns_inputs
from kd_core.evaluate.latency import onnx_bytes
from kd_core.models.archs.piecewise import PRESETS
from kd_core.models.building import build, cpu_state
from kd_core.models.pairs.fitting import fit_curves
from kd_core.models.piecewise_edges import column_edges, fit_edges
from kd_core.models.piecewise_front import LEAST, SHARED, Front, Layout
from kd_core.specs import Choice

INPUTS = columns_inputs([256, 2, 6, 256, 2, 1], [1, 3])


def rows(n=600, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 6)).astype(np.float32)
    x[:, 0] = np.exp(x[:, 0])
    x[:, 1], x[:, 2], x[:, 4], x[:, 5] = x[:, 1] > 0, rng.integers(0, 6, n), np.where(x[:, 4] > 1, 2.5, -1), 3
    x[::5, 1] = x[1::9, 3] = np.nan
    return x, rng.normal(size=(n, 1)) + (x[:, :1] > 2)


def prepared(name, **settings):
    module = build(Choice(name=name, settings=settings), INPUTS, 3)
    x, targets = rows()
    if name == "additive":
        targets = targets + 6 * (np.nan_to_num(x[:, :1]) > 1) * (x[:, 2:3] > 2) + x[:, 4:5] * np.nan_to_num(x[:, 3:4])
        state = fit_curves((settings.get("edges", 32), settings.get("pairs", 0)), INPUTS, x, targets)
    else:
        state = fit_edges(settings.get("edges", 32), INPUTS, x, targets)
    assert state.keys() <= module.state_dict().keys()
    module.load_state_dict(module.state_dict() | state)
    return module.eval(), torch.from_numpy(x)


def formula(x, edges):
    """Gorishniy et al. 2022, equation 1, clipped at both ends."""
    return np.stack([np.clip((x - a) / (b - a), 0, 1) for a, b in itertools.pairwise(edges)], axis=1)


def test_rows_are_encoded_by_the_formula_and_holes_are_flagged():
    x, targets = rows()
    front = Front(INPUTS, 8)
    front.load_state_dict({k.removeprefix("front."): v for k, v in fit_edges(8, INPUTS, x, targets).items()})
    found = front(torch.from_numpy(x)).numpy()
    known = [x[~np.isnan(x[:, at]), at] for at in range(6)]
    parts = []
    for at in (0, 2, 3):
        there = ~np.isnan(x[:, at])
        edges = column_edges(known[at], targets[there], min(8, INPUTS.values[at]))
        parts.append(formula(np.nan_to_num(x[:, at]), edges))
    parts += [np.nan_to_num(x[:, 1:2]), (x[:, 4:5] > 0).astype(float), np.zeros((len(x), 1))]
    parts += [np.isnan(x[:, at : at + 1]) for at in (1, 3)]
    np.testing.assert_allclose(found, np.concatenate(parts, axis=1), rtol=0, atol=1e-5)


def test_the_folded_layer_reads_normal_quantiles_interpolated_between_the_edges():
    x, targets = rows()
    front = Front(INPUTS, 8)
    front.load_state_dict({k.removeprefix("front."): v for k, v in fit_edges(8, INPUTS, x, targets).items()})
    weight, bias = torch.randn(4, front.layout.weights), torch.randn(4)
    quantiles = []
    for at in (0, 2, 3):
        there = ~np.isnan(x[:, at])
        edges = column_edges(x[there, at], targets[there], min(8, INPUTS.values[at])).astype(np.float64)
        ordered = np.sort(x[there, at])
        rank = (np.searchsorted(ordered, edges) + np.searchsorted(ordered, edges, "right")) / 2 / len(ordered)
        quantiles.append(np.interp(np.nan_to_num(x[:, at]), edges, ndtri(np.clip(rank, 5e-4, 1 - 5e-4))))
    encoded = front(torch.from_numpy(x))
    whole = torch.cat([encoded, torch.tensor(np.stack(quantiles, axis=1), dtype=torch.float32)], dim=1)
    expected = torch.nn.functional.linear(whole, weight, bias)
    torch.testing.assert_close(
        torch.nn.functional.linear(encoded, *front.folded(weight, bias)), expected, rtol=1e-4, atol=1e-4
    )


class TestEdges:
    def test_few_values_are_all_edges(self):
        x = np.repeat(np.float32([5, 1, 3, 1]), 10)
        assert column_edges(x, np.zeros((40, 1)), 8).tolist() == [1, 3, 5]

    def test_half_are_quantiles_and_half_lie_where_the_target_changes(self):
        x = np.random.default_rng(0).normal(size=5000).astype(np.float32)
        told = (np.abs(x - 1.7) < 0.05).astype(float)[:, None]  # a narrow step that quantiles alone would miss
        edges = column_edges(x, told, 16)
        assert len(edges) == 16 and (np.diff(edges) > 0).all() and edges[0] == x.min() and edges[-1] == x.max()
        near = edges[(edges > 1.6) & (edges < 1.8)]
        assert len(near) >= 2 and np.abs(near - 1.65).min() < 0.01 and np.abs(near - 1.75).min() < 0.01
        blind = column_edges(x, np.zeros((5000, 1)), 16)  # nothing to tell: quantiles alone
        np.testing.assert_allclose(blind[1:-1], np.quantile(x, np.linspace(0, 1, 16))[1:-1], atol=1e-6)

    def test_a_mass_of_equal_values_leaves_no_edge_unused(self):
        rng = np.random.default_rng(0)
        x = np.where(rng.random(4000) < 0.9, 0, rng.lognormal(3, 1, 4000)).astype(np.float32)
        edges = column_edges(x, (x > 50).astype(float)[:, None], 32)
        assert len(edges) == 32 and len(np.unique(edges)) == 32

    def test_several_targets_are_heard(self):
        x = np.random.default_rng(0).uniform(size=3000).astype(np.float32)
        edges = column_edges(x, np.stack([x > 0.123, x > 0.871], axis=1).astype(float), 8)
        assert np.abs(edges - 0.123).min() < 2e-3 and np.abs(edges - 0.871).min() < 2e-3

    def test_the_same_rows_give_the_same_bits_and_the_rows_of_large_tables_are_drawn(self, monkeypatch):
        x, targets = rows()
        one, two = (fit_edges(8, INPUTS, x, targets) for _ in range(2))
        assert all(torch.equal(one[k], two[k]) for k in one)
        monkeypatch.setattr("kd_core.models.piecewise_edges.FIT_ROWS", 300)
        drawn = fit_edges(8, INPUTS, x, targets)
        assert any(not torch.equal(one[k], drawn[k]) for k in one) and all(one[k].shape == drawn[k].shape for k in one)

    def test_rows_that_hold_fewer_values_than_was_told_leave_pieces_that_nothing_reaches(self):
        x, targets = rows()
        x[:, 3], x[:, 2] = np.nan, 4
        module = build(Choice(name="piecewise"), INPUTS, 2)
        module.load_state_dict(module.state_dict() | fit_edges(32, INPUTS, x, targets))
        odd = np.array([[3e38, 1e30, -3e38, np.nan, 3e38, 0]], np.float32)
        assert torch.isfinite(module(torch.from_numpy(np.concatenate([x, odd, -odd]))).logits).all()

    def test_neighbours_among_float32_are_told_apart(self):
        values = np.nextafter(np.float32(0), np.float32(1)) * np.arange(1, 4, dtype=np.float32)
        x, targets = np.tile(values, 20)[:, None], np.zeros((60, 1))
        state = fit_edges(32, columns_inputs([3]), x, targets)
        assert all(torch.isfinite(t).all() for t in state.values())


class TestLayout:
    def test_up_to_two_values_are_one_piece_and_few_values_have_few(self):
        made = Layout.of(columns_inputs([256, 2, 5, 1], [0]), 32)
        assert (made.numbers, made.pieces, made.plain, made.holes) == ((0, 2), (31, 4), (1, 3), (0,))
        assert (made.encoded, made.weights) == (31 + 4 + 2 + 1, 31 + 4 + 2 + 1 + 2)

    @pytest.mark.parametrize("numbers", [10, 11, 40, 400])
    def test_many_numbers_share_the_edges_of_ten(self, numbers):
        made = Layout.of(columns_inputs([256] * numbers), 32)
        assert sum(made.pieces) <= max(SHARED * 32, numbers * (LEAST - 1)) and min(made.pieces) >= LEAST - 1
        assert made.pieces[0] == (31 if numbers == 10 else made.pieces[0]) and len(set(made.pieces)) == 1

    @pytest.mark.parametrize(("size", "most"), [("tiny", 4), ("small", 15), ("base", 40), ("large", 100)])
    @pytest.mark.parametrize("numbers", [8, 40])
    def test_sizes_keep_their_promise_in_two_bytes_a_number(self, size, most, numbers):
        module = build(Choice(name="piecewise", settings={"size": size}), columns_inputs([256] * numbers + [2] * 10), 2)
        folded = len(module.front.layout.numbers) * PRESETS[size]["width"]
        weights = sum(p.numel() for p in module.parameters()) - folded
        assert 2 * (weights + module.front.low.numel() + numbers) <= most * 1000


@pytest.mark.parametrize(("name", "more"), [("piecewise", {}), ("additive", {}), ("additive", {"pairs": 4})])
class TestNetworks:
    def test_weights_and_edges_load_into_one_that_has_seen_no_rows(self, name, more):
        module, x = prepared(name, **more)
        again = build(Choice(name=name, settings=more), INPUTS, 3).eval()
        again.load_state_dict(safetensors.torch.load(safetensors.torch.save(cpu_state(module))))
        assert torch.equal(module(x).logits, again(x).logits)

    def test_its_onnx_file_says_the_same_of_rows_with_holes(self, name, more):
        module, x = prepared(name, **more)
        data = onnx_bytes(module, INPUTS)
        found = open_session(data).run(None, {"x": x.numpy()})[0]
        expected = module(x).logits.detach().numpy()
        assert np.abs(found - expected).max() <= 1e-5 * max(1, np.abs(expected).max())
        assert np.isnan(x.numpy()).any()
        weights = sum(w.size for w in map(onnx.numpy_helper.to_array, onnx.load(io.BytesIO(data)).graph.initializer))
        layout = module.front.layout
        assert weights <= sum(p.numel() for p in module.parameters()) + 4 * layout.encoded + 20  # folded, not beside


def test_curves_and_tables_of_an_additive_model_add_up_to_its_answers():
    module, x = prepared("additive", edges=9, pairs=4)
    module.first.weight.data.normal_()
    total = np.tile(module.level().astype(np.float64), (len(x), 1))
    assert sorted(module.curves()) == [0, 1, 2, 3, 4]  # the sixth has one value
    for feature, (at, added) in module.curves().items():
        assert added.shape == (len(at), 3) and not added[0].any()
        known = np.nan_to_num(x[:, feature].numpy())
        total += np.stack([np.interp(known, at, added[:, c]) for c in range(3)], axis=1)
    for feature, added in module.missing().items():
        total += np.isnan(x[:, feature : feature + 1].numpy()) * added
    assert {table.features for table in module.pairs()} >= {(0, 2), (3, 4)}
    for table in module.pairs():
        inside = [
            np.nan_to_num(x[:, f].numpy()).clip(v[0], v[-1]) for f, v in zip(table.features, table.values, strict=True)
        ]
        total += RegularGridInterpolator(table.values, table.added.astype(np.float64))(np.stack(inside, axis=1))
    np.testing.assert_allclose(total, module(x).logits.detach().numpy(), rtol=0, atol=1e-4)


def test_a_file_holds_only_the_pairs_that_were_found_and_every_piece_once():
    x, targets = rows(2000)
    bare, one, more = (
        _file(pairs, x, targets * 0 + (np.nan_to_num(x[:, :1]) > 1) * (x[:, 2:3] > 2)) for pairs in (0, 1, 8)
    )
    assert 0 < len(one) - len(bare) < 3000 and len(more) - len(one) < 3000  # one pair tells it all


def _file(pairs, x, targets):
    module = build(Choice(name="additive", settings={"pairs": pairs}), INPUTS, 3)
    module.load_state_dict(module.state_dict() | fit_curves((32, pairs), INPUTS, x, targets))
    return onnx_bytes(module.eval(), INPUTS)


@pytest.mark.slow
def test_telling_the_size_of_a_student_loads_no_compiler():
    """A page asks for sizes before anything is trained: torch's compiler would cost it 0.6 s and 850 modules."""
    program = (
        "import sys; from kd_core.models.sizes import sizes; from kd_core.data.views.columns import columns_inputs\n"
        "from kd_core.specs import Choice\n"
        "print(sizes(Choice(name='piecewise'), columns_inputs([256, 2], [1]), 2).parameters, 'torch._dynamo' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert int(told[0]) > 0 and told[1] == "False"


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_edges_before_any_rows_are_those_of_the_normal_distribution_where_the_network_is_made(device):
    with torch.device(device):
        front = Front(INPUTS, 8)
    assert front.low.device.type == front.start.device.type == device
    if device == "cpu":
        pieces = front.layout.pieces[0]
        wanted = torch.special.ndtri(torch.linspace(0.02, 0.98, pieces + 1))
        assert torch.equal(front.low[:pieces], wanted[:-1]) and torch.equal(front.start[0], wanted[0])
