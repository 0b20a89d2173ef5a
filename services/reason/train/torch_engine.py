"""The engine of training: a causal model of transformers, with its own cache."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

_TORCH: Any = torch


class TorchEngine:
    """Implements `decode.Engine`.

    Args:
        network: GPT-2 or another causal model; in evaluation mode.
    """

    def __init__(self, network: Any) -> None:
        self._network = network
        self._past: Any = None
        self._mask = torch.zeros(0)

    def start(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        """Reads the prefixes; see `decode.Engine`."""
        given = _TORCH.from_numpy(ids)
        self._mask = (given != 0).long()
        self._past = None
        return self._forward(given)

    def step(self, ids: NDArray[np.int64], keep: NDArray[np.int64]) -> NDArray[np.float32]:
        """Reads one token a row; see `decode.Engine`."""
        rows = _TORCH.from_numpy(keep)
        if len(rows) < len(self._mask):
            self._past.batch_select_indices(rows)
            self._mask = self._mask[rows]
        self._mask = torch.cat([self._mask, torch.ones(len(rows), 1, dtype=torch.long)], dim=1)
        return self._forward(_TORCH.from_numpy(ids)[:, None])

    def _forward(self, ids: torch.Tensor) -> NDArray[np.float32]:
        positions = (self._mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        with torch.no_grad():
            out = self._network(
                input_ids=ids,
                attention_mask=self._mask,
                position_ids=positions,
                cache=self._past,
                use_cache=True,
                logits_to_keep=1,
            )
        self._past = out.cache
        return out.logits[:, -1].float().numpy()
