"""What the config.json of an encoder may say: a known family and sizes within bounds; nothing in it can name code.

Only the fields listed here reach the library that builds the model. Others have made it fetch and run code
(CVE-2026-4372, CVE-2026-5241), so they are left behind, and those that ask for code are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kd_core.errors import DataError
from kd_core.safe_io import Damaged, read_object

CONFIG_BYTES = 2**20  # a config.json has some kilobytes; one with 1,000 class names about 50
MOST_LABELS = 1_000
# Field of a config as BERT names it: the least and the most. XLM-R large has 250,002 pieces and 24 layers of 1,024.
_BOUNDS = {
    "vocab_size": (8, 400_000),
    "hidden_size": (2, 2_048),
    "num_hidden_layers": (1, 48),
    "num_attention_heads": (1, 64),
    "intermediate_size": (1, 8_192),
    "max_position_embeddings": (8, 8_192),
}
_OPTIONAL = {"type_vocab_size": (1, 16), "embedding_size": (1, 2_048), "pad_token_id": (0, 400_000)}
_ACTIVATIONS = ("gelu", "gelu_new", "relu", "silu", "tanh")
_CODE = ("auto_map", "custom_pipelines", "trust_remote_code", "quantization_config", "adapter_config")


@dataclass(frozen=True)
class Family:
    """How one family of encoders is built: its classes in `transformers`, its prefix in files of weights, its own names of fields.

    `spare`: positions that it never uses; `dropout`: the fields that hold shares of what is left out in training.
    """

    config: str
    model: str
    classifier: str
    prefix: str
    names: Mapping[str, str] = field(default_factory=dict)
    pooler: bool = True
    spare: int = 0
    dropout: tuple[str, ...] = ("hidden_dropout_prob", "attention_probs_dropout_prob")


_DISTILBERT = {
    "hidden_size": "dim",
    "num_hidden_layers": "n_layers",
    "num_attention_heads": "n_heads",
    "intermediate_size": "hidden_dim",
    "hidden_act": "activation",
}
FAMILIES = {
    "bert": Family("BertConfig", "BertModel", "BertForSequenceClassification", "bert."),
    "distilbert": Family(
        "DistilBertConfig",
        "DistilBertModel",
        "DistilBertForSequenceClassification",
        "distilbert.",
        _DISTILBERT,
        pooler=False,
        dropout=("dropout", "attention_dropout"),
    ),
    "roberta": Family("RobertaConfig", "RobertaModel", "RobertaForSequenceClassification", "roberta.", spare=2),
    "xlm-roberta": Family(
        "XLMRobertaConfig", "XLMRobertaModel", "XLMRobertaForSequenceClassification", "roberta.", spare=2
    ),
    "electra": Family("ElectraConfig", "ElectraModel", "ElectraForSequenceClassification", "electra.", pooler=False),
}


@dataclass(frozen=True)
class EncoderConfig:
    """An encoder before it is built. `fields` by BERT's names; `labels` in the order of a classification head, none where there is none."""

    family: str
    fields: Mapping[str, Any]
    labels: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Count the numbers of a hidden state."""
        return int(self.fields["hidden_size"])

    @property
    def longest(self) -> int:
        """Count the word pieces that it can read at once."""
        return int(self.fields["max_position_embeddings"]) - FAMILIES[self.family].spare

    @property
    def weights(self) -> int:
        """Estimate the weights that a word piece passes: attention and the layer between, of every layer."""
        width, between = self.width, int(self.fields["intermediate_size"])
        return int(self.fields["num_hidden_layers"]) * (4 * width * width + 2 * width * between)

    def own_names(self) -> dict[str, Any]:
        """Return the fields as the family names them."""
        names = FAMILIES[self.family].names
        return {names.get(name, name): value for name, value in self.fields.items()}


def read_config(folder: Path) -> EncoderConfig:
    """Read and check a folder's config.json.

    Errors: DataError `model_config`, `model_code`, `model_family` or `model_bounds`.
    """
    found = plain_object(folder / "config.json")
    refuse_code(found, FAMILIES)
    name = found.get("model_type")
    family = FAMILIES.get(name) if isinstance(name, str) else None
    if family is None:
        raise unknown_family(name, FAMILIES)
    return EncoderConfig(str(name), _fields(found, family), labels_of(found))


def plain_object(path: Path) -> dict[str, Any]:
    """Read a small file that holds a JSON object, as it is. Errors: DataError `model_config`."""
    try:
        size = path.stat().st_size
        if size > CONFIG_BYTES:
            raise Damaged(f"has {size:,} bytes, {CONFIG_BYTES:,} are the most")
        return read_object(path)
    except FileNotFoundError:
        raise bad_config(path.name, "is missing") from None
    except Damaged as error:
        raise bad_config(path.name, str(error)) from None


def refuse_code(found: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse settings that name code. Errors: DataError `model_code`."""
    code = [name for name in _CODE if found.get(name)]
    if code:
        raise DataError(
            "The model's config.json names code or other files ({names}), and no code of a model is ever run here.",
            "Take a plain model of one of these families: {known}.",
            "model_code",
            names=", ".join(code),
            known=", ".join(known),
        )


def unknown_family(name: object, known: Iterable[str]) -> DataError:
    """Say which families are known."""
    return DataError(
        "The model is of the family {name!r}, which is not known here.",
        "Known are: {known}." if "bert" not in known else "Known are: {known} (MiniLM is bert).",
        "model_family",
        name=str(name)[:40],
        known=", ".join(known),
    )


def _fields(found: Mapping[str, Any], family: Family) -> dict[str, Any]:
    """Take the known fields, each within its bounds."""
    fields: dict[str, Any] = {}
    for name, (low, high) in (_BOUNDS | _OPTIONAL).items():
        own = family.names.get(name, name)
        value = found.get(own, found.get(name))
        if value is None and name in _OPTIONAL:
            continue
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise bounds(own, value, f"a whole number from {low:,} to {high:,}")
        fields[name] = value
    if fields["hidden_size"] % fields["num_attention_heads"]:
        raise bounds("hidden_size", fields["hidden_size"], f"a multiple of its {fields['num_attention_heads']} heads")
    if fields.get("pad_token_id", 0) >= fields["vocab_size"]:
        raise bounds("pad_token_id", fields["pad_token_id"], "one of the word pieces")
    own = family.names.get("hidden_act", "hidden_act")
    activation = found.get(own, "gelu")
    if activation not in _ACTIVATIONS:
        raise bounds(own, activation, f"one of {', '.join(_ACTIVATIONS)}")
    fields["hidden_act"] = activation
    epsilon = found.get("layer_norm_eps", 1e-12 if family.spare == 0 else 1e-5)
    if not isinstance(epsilon, float) or not 0 < epsilon < 0.01:
        raise bounds("layer_norm_eps", epsilon, "a number between 0 and 0.01")
    if "layer_norm_eps" in found:
        fields["layer_norm_eps"] = epsilon
    if (kind := found.get("position_embedding_type", "absolute")) != "absolute":
        raise bounds("position_embedding_type", kind, "'absolute'")
    for switch in ("is_decoder", "add_cross_attention", "sinusoidal_pos_embds"):
        if found.get(switch):
            raise bounds(switch, found[switch], "left out: encoders with learned positions are known")
    return fields


def labels_of(found: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the names of the classes of a head, in its order; none where there is no head, or it has no names."""
    told = found.get("id2label")
    if not isinstance(told, dict) or not any("Classification" in str(a) for a in found.get("architectures") or ()):
        return ()
    if len(told) > MOST_LABELS:
        raise bounds("id2label", f"{len(told):,} classes", f"at most {MOST_LABELS:,} classes")
    try:
        return tuple(str(told[str(number)]) for number in range(len(told)))
    except KeyError as error:
        raise bounds("id2label", f"no class {error.args[0]}", "all numbers from 0 on") from None


def bad_config(file: str, why: str) -> DataError:
    """Say what is wrong with a file of settings."""
    return DataError(
        "The model's {file} {why}.",
        "A folder of a model holds its files as save_pretrained() writes them, of one and the same model.",
        "model_config",
        file=file,
        why=why,
    )


def bounds(name: str, value: object, wanted: str) -> DataError:
    """Say what a field must be."""
    return DataError(
        "The model's config.json has {name} = {value}; it must be {wanted}.",
        "Take another model, or mend the file.",
        "model_bounds",
        name=name,
        value=ascii(value)[:60],
        wanted=wanted,
    )
