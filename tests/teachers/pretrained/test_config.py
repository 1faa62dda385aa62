"""What a config.json may say, and what each refusal says."""

from __future__ import annotations

import json

import pytest

from kd_core.errors import DataError
from kd_core.teachers.pretrained.config import FAMILIES, read_config

BERT = {
    "model_type": "bert",
    "vocab_size": 100,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}


def write(folder, **changes):
    (folder / "config.json").write_text(json.dumps(BERT | changes))
    return folder


def refused(folder, code):
    with pytest.raises(DataError) as caught:
        read_config(folder)
    assert caught.value.code == code
    return str(caught.value)


def test_known_fields_are_taken_and_all_others_left_behind(tmp_path):
    found = read_config(write(tmp_path, _attn_implementation="evil/kernel", torch_dtype="float16", layer_norm_eps=1e-5))
    assert found.family == "bert" and found.width == 32 and found.longest == 64 and found.labels == ()
    assert set(found.fields) == {*BERT, "hidden_act", "layer_norm_eps"} - {"model_type"}


def test_distilbert_has_names_of_its_own_and_roberta_spares_two_positions(tmp_path):
    own = {"dim": 16, "n_layers": 3, "n_heads": 2, "hidden_dim": 48, "activation": "relu"}
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "distilbert", "vocab_size": 100, "max_position_embeddings": 64, **own})
    )
    found = read_config(tmp_path)
    assert found.width == 16 and own.items() <= found.own_names().items()
    assert read_config(write(tmp_path, model_type="roberta")).longest == 62


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"hidden_size": 4096}, "hidden_size = 4096; it must be a whole number from 2 to 2,048"),
        ({"num_hidden_layers": 1000}, "num_hidden_layers = 1000; it must be a whole number from 1 to 48"),
        ({"vocab_size": 10**9}, "vocab_size = 1000000000; it must be a whole number from 8 to 400,000"),
        ({"vocab_size": None}, "vocab_size = None"),
        ({"vocab_size": "100"}, "vocab_size = '100'"),
        ({"vocab_size": True}, "vocab_size = True"),
        ({"max_position_embeddings": 10**6}, "max_position_embeddings = 1000000"),
        ({"hidden_size": 30}, "hidden_size = 30; it must be a multiple of its 4 heads"),
        ({"pad_token_id": 100}, "pad_token_id = 100; it must be one of the word pieces"),
        ({"hidden_act": "os.system"}, "hidden_act = 'os.system'; it must be one of gelu"),
        ({"layer_norm_eps": 1.0}, "layer_norm_eps = 1.0; it must be a number between 0 and 0.01"),
        (
            {"position_embedding_type": "relative_key"},
            "position_embedding_type = 'relative_key'; it must be 'absolute'",
        ),
        ({"is_decoder": True}, "is_decoder = True; it must be left out"),
        ({"architectures": ["BertForSequenceClassification"], "id2label": {"1": "a"}}, "id2label = 'no class 0'"),
    ],
)
def test_a_size_out_of_bounds_is_refused_before_anything_is_built(tmp_path, changes, said):
    assert said in refused(write(tmp_path, **changes), "model_bounds")


@pytest.mark.parametrize("name", ["auto_map", "quantization_config"])
def test_a_config_that_names_code_is_refused(tmp_path, name):
    said = refused(write(tmp_path, **{name: {"AutoModel": "evil.py--Evil"}}), "model_code")
    assert f"names code or other files ({name}), and no code of a model is ever run here" in said


@pytest.mark.parametrize("family", ["lightglue", "llama", None, 3, ["bert"]])
def test_a_family_that_is_not_known_is_refused_with_those_that_are(tmp_path, family):
    said = refused(write(tmp_path, model_type=family), "model_family")
    assert f"family {str(family)!r}" in said and ", ".join(FAMILIES) in said and "MiniLM is bert" in said


def test_a_file_that_is_no_config_is_refused(tmp_path):
    assert "config.json is missing" in refused(tmp_path, "model_config")
    (tmp_path / "config.json").write_text("[1]")
    assert "holds no JSON object" in refused(tmp_path, "model_config")
    (tmp_path / "config.json").write_text("{" + " " * 2**20 + "}")
    assert "has 1,048,578 bytes, 1,048,576 are the most" in refused(tmp_path, "model_config")
    (tmp_path / "config.json").unlink()
    (tmp_path / "other.json").write_text(json.dumps(BERT))
    (tmp_path / "config.json").symlink_to(tmp_path / "other.json")
    assert "is a link" in refused(tmp_path, "model_config")
