"""What a network takes of another one's weights: of a narrower one (Chen et al. 2016, Net2Net), or of its trunk alone.

Training a narrow network is cheap; a wide one need not begin anew. Weights of channels that both have are copied; what
is new listens to everything and is not yet listened to. A network that says something else begins with the trunk.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

Weights = Mapping[str, Tensor]
TRUNK = "trunk."
"""How the weights are named that networks of the same trunk share."""


def with_trunk_of(other: Weights, own: Weights) -> Weights:
    """Return what there is to begin with: the other's weights, or its trunk's beside one's own where only that fits.

    Parameters
    ----------
    other, own : mapping of name to tensor
        Of two networks, as `state_dict` gives them.
    """
    theirs, ours = (
        {name: values.shape for name, values in weights.items() if name.startswith(TRUNK)} for weights in (other, own)
    )
    if other.keys() == own.keys() or not ours or theirs != ours:
        return other
    return {**own, **{name: other[name] for name in ours}}


def widened(narrow: Weights, wide: Weights, joined: Mapping[str, int]) -> dict[str, Tensor]:
    """Return the weights of the wide network, with those of the narrow one in the first channels.

    Parameters
    ----------
    narrow, wide : mapping of name to tensor
        Convolutions (out, in, y, x) and biases (out,); equal widths give the narrow weights back.
    joined : mapping of name to int
        Convolutions whose inputs are so many groups of channels, one behind the other.

    Raises
    ------
    ValueError
        The layers are not the same, or one is narrower than before.
    """
    if narrow.keys() != wide.keys():
        raise ValueError("the networks do not have the same layers")
    return {name: _placed(name, narrow[name], values, joined.get(name, 1)) for name, values in wide.items()}


def _placed(name: str, narrow: Tensor, wide: Tensor, groups: int) -> Tensor:
    if any(n > w for n, w in zip(narrow.shape, wide.shape, strict=True)):
        raise ValueError(f"{name} is {tuple(narrow.shape)} there and {tuple(wide.shape)} here")
    if not wide.ndim:  # a counter
        return narrow
    result, outputs = wide.clone(), len(narrow)
    if narrow.ndim == 1:
        result[:outputs] = narrow
        return result
    result[:outputs] = 0
    inputs = narrow.shape[1] // groups
    for group in range(groups):
        start = group * (wide.shape[1] // groups)
        result[:outputs, start : start + inputs] = narrow[:, group * inputs : (group + 1) * inputs]
    return result
