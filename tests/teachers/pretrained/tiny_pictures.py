"""Random networks of pictures in folders, made here: a few thousand weights each, of every family."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch

from tests.teachers.pretrained.tiny import library

SIZES = {
    "ViT": {
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "image_size": 32,
        "patch_size": 8,
    },
    "ResNet": {"embedding_size": 16, "hidden_sizes": [16, 32], "depths": [1, 1], "layer_type": "basic"},
    "MobileNetV2": {"image_size": 32, "depth_multiplier": 0.25, "first_layer_is_expansion": False},
    "ConvNext": {"hidden_sizes": [16, 32], "depths": [1, 1], "num_stages": 2, "layer_scale_init_value": 1.0},
}
NAMES = {"vit": "ViT", "resnet": "ResNet", "mobilenet_v2": "MobileNetV2", "convnext": "ConvNext"}
PROCESSORS = {
    "ViT": ("ViT", {"size": {"height": 32, "width": 32}}),
    "ResNet": ("ConvNext", {"size": {"shortest_edge": 28}}),
    "MobileNetV2": ("MobileNetV2", {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}),
    "ConvNext": ("ConvNext", {"size": {"shortest_edge": 28}}),
}


def processor(family: str, **changes):
    """The library's own reader of pictures of a family, the one that works with Pillow."""
    name, own = PROCESSORS[family]
    return getattr(library(), f"{name}ImageProcessorPil")(**(own | changes))


def write_pictures(
    folder: Path, family: str = "ResNet", labels: tuple[str, ...] = (), seed: int = 0, **changes
) -> Path:
    """Write the three files of a random model, as save_pretrained() does; its counts of batches are those of random pictures."""
    transformers = library()
    told = {"id2label": dict(enumerate(labels)), "label2id": {c: i for i, c in enumerate(labels)}} if labels else {}
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        config = getattr(transformers, f"{family}Config")(**(SIZES[family] | changes), **told)
        made = getattr(transformers, family + ("ForImageClassification" if labels else "Model"))(config)
        made.train()
        with torch.no_grad():
            for _ in range(20):  # so that batch normalisation knows of pictures
                made(pixel_values=torch.randn(8, config.num_channels, 32, 32))
        transformers.utils.logging.disable_progress_bar()
        made.eval().save_pretrained(folder)
    processor(family).save_pretrained(folder)
    return folder


def pixels(rows: int = 6, height: int = 20, width: int = 24, bands: int = 3, seed: int = 0) -> np.ndarray:
    """Smooth random pictures. Shape: (N, K, H, W) uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (rows, bands, height // 4, width // 4))
    fine = np.kron(coarse, np.ones((1, 1, 4, 4))) + rng.normal(0, 20, (rows, bands, height, width))
    return fine.clip(0, 255).astype(np.uint8)
