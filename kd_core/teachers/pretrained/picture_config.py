"""What config.json and preprocessor_config.json of a model of pictures may say: a known family, known fields, sizes within bounds.

As with models of texts, only the fields listed here reach the library that builds the model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kd_core.teachers.pretrained.config import bad_config, bounds, labels_of, plain_object, refuse_code, unknown_family
from kd_core.teachers.pretrained.picture_reading import PictureReading, reading_of

BESIDE = "preprocessor_config.json"
# A rule says why a value can't be taken, as the end of "it must be ...".
Rule = Callable[[Any], str | None]


def _whole(low: int, high: int) -> Rule:
    def rule(value: Any) -> str | None:
        fits = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
        return None if fits else f"a whole number from {low:,} to {high:,}"

    return rule


def _number(low: float, high: float) -> Rule:
    def rule(value: Any) -> str | None:
        fits = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
        return None if fits else f"a number from {low:g} to {high:g}"

    return rule


def _wholes(low: int, high: int, most: int = 8) -> Rule:
    one = _whole(low, high)

    def rule(value: Any) -> str | None:
        fits = isinstance(value, list) and 1 <= len(value) <= most and not any(map(one, value))
        return None if fits else f"a list of 1 to {most} whole numbers from {low:,} to {high:,}"

    return rule


def _one_of(*known: Any) -> Rule:
    return lambda value: (
        None if any(type(value) is type(k) and value == k for k in known) else f"one of {', '.join(map(str, known))}"
    )


def _switch(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false"


_ACTIVATION = _one_of("gelu", "gelu_new", "relu", "relu6", "silu", "tanh")
_CHANNELS = _one_of(1, 3)
_EPSILON = _number(1e-15, 0.01)
_STAGES = {"hidden_sizes": _wholes(2, 4_096), "depths": _wholes(1, 64)}


@dataclass(frozen=True)
class PictureFamily:
    """How one family is built: its classes in `transformers`, its prefix in files of weights, the fields that it takes.

    `marked`: its vector is the state of a mark before the patches, and it takes pictures of its own size only; that of others is their
    pooled one. `settings`: fields of the library that are set here: nothing is left out by chance.
    `renamed`: parts of names in files, and what the library calls them today.
    """

    name: str
    prefix: str
    fields: Mapping[str, Rule]
    marked: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)


FAMILIES = {
    "vit": PictureFamily(
        "ViT",
        "vit.",
        {
            "hidden_size": _whole(2, 2_048),
            "num_hidden_layers": _whole(1, 48),
            "num_attention_heads": _whole(1, 64),
            "intermediate_size": _whole(1, 8_192),
            "image_size": _whole(8, 1_024),
            "patch_size": _whole(2, 64),
            "num_channels": _CHANNELS,
            "qkv_bias": _switch,
            "hidden_act": _ACTIVATION,
            "layer_norm_eps": _EPSILON,
        },
        marked=True,
        settings={"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "attn_implementation": "sdpa"},
        renamed={
            "encoder.layer.": "layers.",
            "attention.attention.query": "attention.q_proj",
            "attention.attention.key": "attention.k_proj",
            "attention.attention.value": "attention.v_proj",
            "attention.output.dense": "attention.o_proj",
            "intermediate.dense": "mlp.fc1",
            "output.dense": "mlp.fc2",
        },
    ),
    "resnet": PictureFamily(
        "ResNet",
        "resnet.",
        {
            **_STAGES,
            "embedding_size": _whole(2, 4_096),
            "num_channels": _CHANNELS,
            "layer_type": _one_of("basic", "bottleneck"),
            "hidden_act": _ACTIVATION,
            "downsample_in_first_stage": _switch,
            "downsample_in_bottleneck": _switch,
        },
    ),
    "mobilenet_v2": PictureFamily(
        "MobileNetV2",
        "mobilenet_v2.",
        {
            "num_channels": _CHANNELS,
            "image_size": _whole(8, 1_024),
            "depth_multiplier": _number(0.1, 4),
            "depth_divisible_by": _whole(1, 64),
            "min_depth": _whole(1, 64),
            "expand_ratio": _number(1, 12),
            "output_stride": _one_of(8, 16, 32),
            "first_layer_is_expansion": _switch,
            "finegrained_output": _switch,
            "hidden_act": _ACTIVATION,
            "tf_padding": _switch,
            "layer_norm_eps": _EPSILON,
        },
        settings={"classifier_dropout_prob": 0.0},
    ),
    "convnext": PictureFamily(
        "ConvNext",
        "convnext.",
        {
            **_STAGES,
            "num_channels": _CHANNELS,
            "patch_size": _whole(1, 64),
            "num_stages": _whole(1, 8),
            "hidden_act": _ACTIVATION,
            "layer_norm_eps": _EPSILON,
        },
        settings={"drop_path_rate": 0.0},
    ),
}


@dataclass(frozen=True)
class PictureConfig:
    """A model of pictures before it is built. `labels` in the order of its classifier, none where there is none."""

    family: str
    fields: Mapping[str, Any]
    labels: tuple[str, ...]
    reading: PictureReading

    @property
    def bands(self) -> int:
        """Count the bands of the pictures that it takes."""
        return int(self.fields.get("num_channels", 3))


def read_pictures(folder: Path) -> PictureConfig:
    """Read and check config.json and preprocessor_config.json of a folder.

    Errors: DataError `model_config`, `model_code`, `model_family` or `model_bounds`.
    """
    found = plain_object(folder / "config.json")
    beside = plain_object(folder / BESIDE)
    for told in (found, beside):
        refuse_code(told, FAMILIES)
    name = found.get("model_type")
    family = FAMILIES.get(name) if isinstance(name, str) else None
    if family is None:
        raise unknown_family(name, FAMILIES)
    fields = {name: found[name] for name in family.fields if name in found}
    for own, value in fields.items():
        if why := family.fields[own](value):
            raise bounds(own, value, why)
    _fitting(fields)
    reading = reading_of(beside, int(fields.get("num_channels", 3)))
    if family.marked and reading.size != (side := fields.get("image_size", 224), side):
        raise bad_config(
            BESIDE, f"makes pictures of {reading.size[1]} x {reading.size[0]}, the model takes {side} x {side}"
        )
    return PictureConfig(str(name), fields, labels_of(found), reading)


def _fitting(fields: Mapping[str, Any]) -> None:
    """Check fields that hang together. Errors: DataError `model_bounds`."""
    if "hidden_size" in fields and fields["hidden_size"] % fields.get("num_attention_heads", 12):
        raise bounds("hidden_size", fields["hidden_size"], "a multiple of its heads")
    if "patch_size" in fields and fields.get("image_size", 224) < fields["patch_size"]:
        raise bounds("patch_size", fields["patch_size"], "at most the side of a picture")
    depths, widths = fields.get("depths", [0] * 4), fields.get("hidden_sizes", [0] * 4)
    if not len(depths) == len(widths) == fields.get("num_stages", len(depths)):
        raise bounds("depths", depths, f"as long as hidden_sizes ({len(widths)}), and as num_stages where it is told")
