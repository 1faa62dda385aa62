import pytest
import torch

from kd_core.data.input_spec import table_inputs
from kd_core.models.archs.ft_transformer import MOST_TOKENS, Attention, Tokenizer, columns_per_token
from kd_core.models.building import build
from kd_core.specs import Choice


@pytest.mark.parametrize(("columns", "per_token"), [(1, 1), (128, 1), (129, 2), (256, 2), (257, 3), (2000, 16)])
def test_wide_tables_share_tokens(columns, per_token):
    assert columns_per_token(columns) == per_token
    assert Tokenizer(columns, 8).tokens <= MOST_TOKENS


def test_a_shared_token_is_the_sum_of_its_columns():
    torch.manual_seed(0)
    tokenizer, x = Tokenizer(257, 4), torch.randn(3, 257)
    tokens = tokenizer(x)
    assert tokens.shape == (3, 1 + 86, 4)
    expected = (x[:, 3:6, None] * tokenizer.weight[3:6]).sum(1) + tokenizer.bias[1]
    torch.testing.assert_close(tokens[:, 2], expected)
    torch.testing.assert_close(tokens[:, 86], x[:, 255:, None].mul(tokenizer.weight[255:]).sum(1) + tokenizer.bias[85])


def test_attention_is_that_of_torch():
    torch.manual_seed(0)
    ours, x = Attention(8, 2, 0.0), torch.randn(3, 5, 8)
    theirs = torch.nn.MultiheadAttention(8, 2, batch_first=True)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key_value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key_value.bias]))
        theirs.out_proj.load_state_dict(ours.out.state_dict())
    torch.testing.assert_close(ours(x, only_first=False), theirs(x, x, x)[0])
    torch.testing.assert_close(ours(x, only_first=True), theirs(x, x, x)[0][:, :1])


def test_heads_that_do_not_divide_the_width_are_reduced():
    module = build(Choice(name="ft_transformer", settings={"size": None, "width": 12, "heads": 8}), table_inputs(4), 2)
    assert module.blocks[0].attention.heads == 6
