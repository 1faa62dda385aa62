"""A random BERT in a folder, made here: two layers, 32 wide, with a tokenizer of the words that the tests use."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

WORDS = re.findall(
    "[a-z]+", "good bad fine poor card lost late early money gone top up why did not work my the is it again"
)
MARKS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SIZES = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "max_position_embeddings": 64,
}


def need(package: str) -> None:
    """Skip where an extra is not installed; fail in CI, so that encoders are really run there."""
    if importlib.util.find_spec(package) is None:
        message = f"{package} is not installed: make pretrained"
        if os.environ.get("CI") or os.environ.get("KD_DATA"):
            pytest.fail(message)
        pytest.skip(message)


def library():
    need("transformers")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import transformers
    return transformers


def write_tokenizer(folder: Path, marks=MARKS) -> int:
    """Write tokenizer.json, WordPiece of the words; return how many pieces it knows."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    pieces = {name: i for i, name in enumerate([*marks, *WORDS, *map(chr, range(97, 123))])}
    made = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.TemplateProcessing(
        "[CLS] $A [SEP]", special_tokens=[("[CLS]", pieces["[CLS]"]), ("[SEP]", pieces["[SEP]"])]
    )
    made.save(str(folder / "tokenizer.json"))
    return len(pieces)


def write_model(folder: Path, family: str = "Bert", labels: tuple[str, ...] = (), seed: int = 0, **changes) -> Path:
    """Write the three files of a random model, as save_pretrained() does."""
    transformers = library()
    folder.mkdir(parents=True)
    pieces = write_tokenizer(folder)
    sizes = SIZES | changes
    if family == "DistilBert":
        names = {"hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads"}
        sizes = {names.get(k, "hidden_dim" if k == "intermediate_size" else k): v for k, v in sizes.items()}
    told = {"id2label": dict(enumerate(labels)), "label2id": {c: i for i, c in enumerate(labels)}} if labels else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        config = getattr(transformers, f"{family}Config")(vocab_size=pieces, **sizes, **told)
        kind = "ForSequenceClassification" if labels else "Model"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            made = getattr(transformers, family + kind)(config)
            transformers.utils.logging.disable_progress_bar()
            made.save_pretrained(folder)
    return folder


def edit(folder: Path, **changes) -> None:
    """Change entries of a config.json; None takes one away."""
    found = json.loads((folder / "config.json").read_text()) | changes
    (folder / "config.json").write_text(json.dumps({k: v for k, v in found.items() if v is not None}))


def text_frame(rows: int = 240, seed: int = 0, chance: bool = False) -> pd.DataFrame:
    """Sentences whose words tell the class; by `chance`, labels that nothing tells."""
    rng = np.random.default_rng(seed)
    label = rng.integers(0, 2, rows)
    told = rng.integers(0, 2, rows) if chance else label
    texts = [
        " ".join(
            [("good fine early" if y else "bad poor late").split()[rng.integers(3)], *rng.choice(WORDS[4:], 4 + i % 3)]
        )
        for i, y in enumerate(told)
    ]
    texts = [
        f"{text} {'abcdefghij'[i % 10]}{'klmnopqrst'[i // 10 % 10]} again the {i:03d}" for i, text in enumerate(texts)
    ]
    return pd.DataFrame({"text": texts, "label": np.array(["no", "yes"])[label]})
