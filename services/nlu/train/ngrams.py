"""Character n-grams inside the graph, hashed into tables: what a small encoder learns slowest.

A pair of characters says far more than either (bigrams beside characters: Zhang and Yang, 2018),
and a table of pairs costs a look-up. The hash is of token ids, so no further input is needed.
"""

import torch

CONTEXT_DIMENSION = 64
"""Components of the vector of a bigram."""


class NgramTable(torch.nn.Module):
    """A linear model over hashed character n-grams of 1 to 3, inside the graph.

    It does not learn beside the encoder, for the two would see each other's errors: it is nothing
    until `ngram_start.py` fits it apart, and the sum of both logits is an ensemble.
    """

    def __init__(self, buckets: int, classes: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.weights = torch.nn.Embedding(buckets, classes)
        torch.nn.init.zeros_(self.weights.weight)
        self.weights.requires_grad_(False)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(batch, tokens) and (batch, tokens, 1) -> (batch, classes)."""
        grams = ngram_buckets(ids, self.buckets)
        total = sum((self.weights(buckets) * mask).sum(1) for buckets in grams)
        # Long texts hold more n-grams; their sum grows slower than their number.
        return total / mask.sum(1).clamp(min=1.0).sqrt()


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


def bigram_buckets(ids: torch.Tensor, buckets: int) -> torch.Tensor:
    """Returns the bucket of each token with the one after it, (batch, tokens) int64."""
    return ngram_buckets(ids, buckets)[1]
