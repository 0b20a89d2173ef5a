"""A linear model over the characters around a character, inside the graph of a tagger.

What is named is often seen in the nearest characters alone, and there a table of hashed windows
needs no layers. It errs elsewhere than the encoder does: the sum of both is an ensemble in one pass
(wide and deep: Cheng et al., 2016). The templates are those of taggers of Chinese words (Ng and
Low, 2004; places in words: Zhao and Kit, 2008).
"""

from collections.abc import Sequence

import torch

REACH = 2
"""Tokens that a window looks to either side."""

WIDTH = 2 * REACH + 1
"""Tokens of a window."""

PLACES = 8
"""More than there are places of a character in a word."""


def _runs(kind: int, lengths: Sequence[int]) -> tuple[tuple[tuple[int, int], ...], ...]:
    """Templates of neighbouring tokens, one at each place of the window where it fits."""
    return tuple(
        tuple((kind, at) for at in range(start, start + length))
        for length in lengths
        for start in range(WIDTH - length + 1)
    )


KINDS = 3
TOKEN, PLACE, BOTH = range(KINDS)

TEMPLATES: tuple[tuple[tuple[int, int], ...], ...] = (
    *_runs(TOKEN, (1, 2, 3, 4, 5)),
    ((TOKEN, 1), (TOKEN, 3)),
    *_runs(BOTH, (1, 2, 3)),
    ((PLACE, 1),),
    ((PLACE, 2),),
    ((PLACE, 3),),
    ((PLACE, 1), (PLACE, 2), (PLACE, 3)),
    *_runs(PLACE, (5,)),
)
"""Each a set of (what is read, where in the window), hashed together."""


class WindowTable(torch.nn.Module):
    """Sums of weights of the hashed windows round each token.

    It is nothing until `window_start.py` fits it apart: two that learn side by side would see each
    other's errors.

    Args:
        buckets: Rows of the table; a prime spreads the hashes best.
        tags: Of the head.
    """

    def __init__(self, buckets: int, tags: int) -> None:
        super().__init__()
        self.buckets = buckets
        self.weights = torch.nn.Embedding(buckets, tags)
        torch.nn.init.zeros_(self.weights.weight)
        self.weights.requires_grad_(False)

    def forward(self, ids: torch.Tensor, places: torch.Tensor | None) -> torch.Tensor:
        """(batch, tokens) twice -> (batch, tokens, tags)."""
        return self.weights(window_buckets(ids, places, self.buckets)).sum(2)


def window_buckets(ids: torch.Tensor, places: torch.Tensor | None, buckets: int) -> torch.Tensor:
    """Returns the bucket of every template at every token, (batch, tokens, templates) int64.

    Args:
        ids: (batch, tokens); what is outside of the text counts as padding, 0.
        places: (batch, tokens), of characters in words; None where a model reads none.
        buckets: Rows of the table.
    """
    ids = ids.to(torch.int64)
    places = torch.zeros_like(ids) if places is None else places.to(torch.int64)
    read = torch.stack([ids, places, ids * PLACES + places], dim=2)  # TOKEN, PLACE, BOTH
    edge = torch.zeros_like(read[:, :1]).expand(-1, REACH, -1)
    wide = torch.cat([edge, read, edge], dim=1)
    # (batch, tokens, width * kinds): few large operators, for there is one pass a query.
    tokens = ids.shape[1]
    around = torch.cat([wide[:, at : at + tokens] for at in range(WIDTH)], dim=2)
    factors, offsets = _hash()
    return (around @ factors + offsets) % buckets


def _hash() -> tuple[torch.Tensor, torch.Tensor]:
    """Factors (width * kinds, templates) and offsets (templates,) of a hash that never changes."""
    factors = torch.zeros(WIDTH * KINDS, len(TEMPLATES), dtype=torch.int64)
    offsets = torch.zeros(len(TEMPLATES), dtype=torch.int64)
    state = 20_261_125
    for number, template in enumerate(TEMPLATES):
        for place in (*(at * KINDS + kind for kind, at in template), None):
            # A congruential generator (Knuth, 1981); its upper bits are as good as chance.
            state = (state * 6_364_136_223_846_793_005 + 1_442_695_040_888_963_407) % 2**64
            if place is None:
                offsets[number] = state >> 33
            else:
                factors[place, number] = state >> 33
    return factors, offsets
