"""The few calls of torch whose types it leaves open, each behind one typed function."""

from typing import Any, cast

import torch
from numpy.typing import NDArray

_torch = cast("Any", torch)


def to_tensor(array: NDArray[Any]) -> torch.Tensor:
    """Returns a tensor over the memory of an array."""
    return _torch.from_numpy(array)


def seed_torch(seed: int) -> None:
    """Makes what torch draws from chance repeatable."""
    _torch.manual_seed(seed)
