"""Character n-grams inside the graph, hashed into tables: what a small encoder learns slowest.

A pair of characters says far more than either (bigrams beside characters: Zhang and Yang, 2018),
and a table of pairs costs a look-up. The hash is of token ids, so no further input is needed.
"""

from pathlib import Path

import numpy as np
import torch

from services.nlu.train.arrays import to_tensor

CONTEXT_DIMENSION = 64
"""Components of the vector of a bigram."""


class NgramTable(torch.nn.Module):
    """A linear model over hashed character n-grams of 1 to 3, inside the graph."""

    def __init__(self, buckets: int, classes: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.weights = torch.nn.Embedding(buckets, classes)
        torch.nn.init.zeros_(self.weights.weight)
        self.dropout = torch.nn.Dropout(0.3)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(batch, tokens) and (batch, tokens, 1) -> (batch, classes)."""
        grams = ngram_buckets(ids, self.buckets)
        total = sum((self.weights(buckets) * mask).sum(1) for buckets in grams)
        # Long texts hold more n-grams; their sum grows slower than their number.
        scaled: torch.Tensor = total / mask.sum(1).clamp(min=1.0).sqrt()
        return self.dropout(scaled)


def ngram_buckets(ids: torch.Tensor, buckets: int) -> tuple[torch.Tensor, ...]:
    """Returns the buckets of the n-grams of 1, 2 and 3 that begin at each token.

    Args:
        ids: (batch, tokens).
        buckets: Of the table.

    Returns:
        Three times (batch, tokens) int64.
    """
    ids = ids.to(torch.int64)
    one = ids * 31 + 7
    two = _lengthened(one, ids, 1, 1_000_003)
    three = _lengthened(two, ids, 2, 7_368_787)
    return one % buckets, two % buckets, three % buckets


def _lengthened(grams: torch.Tensor, ids: torch.Tensor, by: int, prime: int) -> torch.Tensor:
    """The hash of n-grams one character longer; past the end stands padding."""
    ahead = torch.cat([ids[:, by:], torch.zeros_like(ids[:, :by])], dim=1)
    return grams * 131 + ahead * prime


class NgramContext(torch.nn.Module):
    """States of tokens beside the vectors of their bigrams, read by a convolution.

    Args:
        buckets: Rows of the table of bigrams.
        width: Of the states.
    """

    def __init__(self, buckets: int, width: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.vectors = torch.nn.Embedding(buckets, CONTEXT_DIMENSION)
        torch.nn.init.normal_(self.vectors.weight, std=0.1)
        self.dropout = torch.nn.Dropout(0.3)
        self.convolution = torch.nn.Conv1d(width + 2 * CONTEXT_DIMENSION, width, 3, padding=1)

    def load(self, path: Path) -> None:
        """Takes vectors that were made of texts without labels (`character_vectors.py`)."""
        with torch.no_grad():
            self.vectors.weight.copy_(to_tensor(np.load(path)))

    def forward(self, states: torch.Tensor, mask: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        """(batch, tokens, width), (batch, tokens, 1), (batch, tokens) -> (batch, tokens, width)."""
        right = self.vectors(bigram_buckets(ids, self.buckets))
        left = torch.cat([torch.zeros_like(right[:, :1]), right[:, :-1]], dim=1)
        both = self.dropout(torch.cat([left, right], dim=-1)).to(states.dtype)
        # Padding is made nothing, or the convolution would read it at a text's end.
        joined = (torch.cat([states, both], dim=-1) * mask).transpose(1, 2)
        return states + torch.nn.functional.gelu(self.convolution(joined)).transpose(1, 2)


def bigram_buckets(ids: torch.Tensor, buckets: int) -> torch.Tensor:
    """Returns the bucket of each token with the one after it, (batch, tokens) int64."""
    return ngram_buckets(ids, buckets)[1]
