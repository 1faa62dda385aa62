"""The file of weights of a pretrained model: every name and shape is compared before anything is taken."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from kd_core.errors import DataError

BYTES_A_WEIGHT = 2  # in a file of the shortest numbers that are used
LARGE_BYTES = 2**26  # a smaller model is built, and its names and shapes are compared
_OLD = {".gamma": ".weight", ".beta": ".bias"}  # names of the first BERT's files
_UNUSED = ("position_ids", "token_type_ids", "num_batches_tracked")  # counters that some files hold beside the weights


def fill(
    network: nn.Module, file: Path, prefix: str, head: bool, renamed: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Load the weights; return the names in the file that the network has no use for."""
    from safetensors import SafetensorError, safe_open

    wanted = {name: tuple(t.shape) for name, t in network.state_dict().items() if not name.endswith(_UNUSED)}
    state: dict[str, Tensor] = {}
    left_out = []
    try:
        with safe_open(file, "pt") as weights:
            for own in weights.keys():  # noqa: SIM118, it is no dict
                name = _renamed(own, prefix, head, wanted)
                if name not in wanted:
                    for old, new in (renamed or {}).items():
                        name = name.replace(old, new)
                    name = _renamed(name, prefix, head, wanted)
                if name not in wanted:
                    left_out.append(own)
                    continue
                shape = tuple(weights.get_slice(own).get_shape())
                if shape != wanted[name]:
                    raise bad_weights(
                        f"holds {own} of shape {list(shape)}, its config.json asks for {list(wanted[name])}"
                    )
                state[name] = weights.get_tensor(own).float()
    except SafetensorError as error:
        raise bad_weights(f"is no whole safetensors file ({str(error).splitlines()[0][:100]})") from None
    if missing := [name for name in wanted if name not in state]:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise bad_weights(f"lacks {', '.join(missing[:3])}{more}")
    if broken := next((name for name, t in state.items() if not bool(torch.isfinite(t).all())), None):
        raise bad_weights(f"holds {broken} with numbers that are not finite")
    network.load_state_dict(state, strict=False)
    return tuple(n for n in left_out if not n.endswith(_UNUSED))


def _renamed(own: str, prefix: str, head: bool, wanted: dict[str, Any]) -> str:
    """Name an entry of a file as the network does: with or without the family's prefix, in today's words."""
    name = own
    for old, new in _OLD.items():
        name = name.removesuffix(old) + new if name.endswith(old) else name
    if head:
        return name
    plain = name.removeprefix(prefix)
    return plain if plain in wanted else name


def bad_weights(why: str) -> DataError:
    """Say what is wrong with a file of weights."""
    return DataError(
        "The model's model.safetensors {why}.",
        "Take weights and config.json from the same model.",
        "model_weights",
        why=why,
    )
