"""A freshly built network takes the shapes of a saved state: layers that were cut, or taken apart into two thin ones."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from kd_core.errors import KDError
from kd_core.models.reshape.thin import ThinEmbedding, ThinLinear
from kd_core.models.reshape.units import Resized


def reshaped(module: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Give a network the shapes and the numbers of a state, in place, and return it.

    A state of the network's own shapes is loaded as ever. Errors: KDError `other_network` where names or axes don't fit.
    """
    _replace_layers(module, state)
    changed = False
    for name, part in module.named_modules():
        for own, old in (*part.named_parameters(recurse=False), *part.named_buffers(recurse=False)):
            new = state.get(f"{name}.{own}" if name else own)
            if new is None or new.shape == old.shape:
                continue
            if new.dim() != old.dim():
                raise _other(f"{name}.{own} has {new.dim()} axes, not {old.dim()}")
            _resize(part, own, old, new.shape)
            changed = True
    if changed:
        for part in module.modules():
            _follow(part)
        for part in module.modules():  # once their layers are right
            if isinstance(part, Resized):
                part.resized()
    try:
        module.load_state_dict(dict(state))
    except RuntimeError as error:
        raise _other(str(error).splitlines()[-1].strip()) from None
    return module


def _replace_layers(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Put thin layers where the state has them."""
    for name, part in tuple(module.named_modules()):
        thin: nn.Module
        if isinstance(part, nn.Linear) and f"{name}.narrow.weight" in state:
            rank = len(state[f"{name}.narrow.weight"])
            thin = ThinLinear(part.in_features, rank, part.out_features, part.bias is not None)
        elif isinstance(part, nn.Embedding) and f"{name}.rows.weight" in state:
            rank = state[f"{name}.rows.weight"].shape[1]
            thin = ThinEmbedding(part.num_embeddings, rank, part.embedding_dim, part.padding_idx)
        else:
            continue
        put(module, name, thin.train(part.training))


def put(module: nn.Module, name: str, part: nn.Module) -> None:
    """Put a module where another one is, by its name."""
    above, _, own = name.rpartition(".")
    setattr(module.get_submodule(above), own, part)


def _resize(part: nn.Module, own: str, old: Tensor, shape: torch.Size) -> None:
    new = torch.empty(shape, dtype=old.dtype, device=old.device)
    if old.dim() == 4 and old.is_contiguous(memory_format=torch.channels_last):
        new = new.contiguous(memory_format=torch.channels_last)
    if isinstance(old, nn.Parameter):
        setattr(part, own, nn.Parameter(new, requires_grad=old.requires_grad))
    else:
        part._buffers[own] = new


def _follow(part: nn.Module) -> None:
    """Let a layer's attributes follow from its weights."""
    if isinstance(part, nn.Linear):
        part.out_features, part.in_features = part.weight.shape
    elif isinstance(part, nn.Conv1d | nn.Conv2d):
        alone = part.groups > 1 and part.weight.shape[1] == 1  # a filter for every band
        part.out_channels = len(part.weight)
        part.in_channels = part.groups = part.out_channels
        if not alone:
            part.in_channels, part.groups = part.weight.shape[1], 1
    elif isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) and part.running_mean is not None:
        part.num_features = len(part.running_mean)
    elif isinstance(part, nn.LayerNorm):
        part.normalized_shape = tuple(part.weight.shape)
    elif isinstance(part, nn.Embedding):
        part.num_embeddings, part.embedding_dim = part.weight.shape
    elif isinstance(part, nn.RNNBase):
        part.hidden_size, part.input_size = (getattr(part, f"weight_{of}_l0").shape[1] for of in ("hh", "ih"))


def _other(why: str) -> KDError:
    return KDError(
        "These weights belong to another network: {why}.",
        "Build the architecture that they were learned by.",
        "other_network",
        why=why,
    )
