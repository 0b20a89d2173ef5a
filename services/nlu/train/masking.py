"""Masked language modelling by whole words (Devlin et al., 2019; whole words: Cui et al., 2019)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.nlu.learnt.tokens import BEGIN, NO_SEGMENT, SINGLE, Ids

IGNORED = -100
"""Label of a token that is not predicted, or of a text of which nothing is known, as torch's cross
entropy ignores by default."""


@dataclass(frozen=True, slots=True)
class Masking:
    """How words are hidden.

    Attributes:
        share: Share of a text's tokens that is to be predicted.
        mask_id: Token that hides; 80% of the chosen tokens become it, 10% a random one, 10% stay.
        first_id: Smallest id that is no special token.
        vocabulary_size: Number of tokens.
    """

    mask_id: int
    first_id: int
    vocabulary_size: int
    share: float = 0.18

    def apply(
        self, ids: Ids, segments: Ids, random: np.random.Generator
    ) -> tuple[Ids, NDArray[np.int64]]:
        """Hides whole words of one text.

        Args:
            ids: (tokens,).
            segments: (tokens,), which tell where words begin.
            random: Source of chance.

        Returns:
            The ids with words hidden, and the labels, IGNORED where nothing is predicted.
        """
        hidden, labels = ids.copy(), np.full(len(ids), IGNORED, dtype=np.int64)
        real = ids >= self.first_id
        # A token of which no place is known is a word of its own.
        starts = np.flatnonzero(real & np.isin(segments, (NO_SEGMENT, BEGIN, SINGLE)))
        if not len(starts):
            return hidden, labels
        wanted = max(1, round(self.share * int(real.sum())))
        ends = np.append(starts[1:], len(ids))
        taken = 0
        for word in random.permutation(len(starts)):
            span = np.arange(int(starts[word]), int(ends[word]))
            span = span[real[span]]
            if taken and taken + len(span) > wanted + 1:
                continue
            labels[span] = ids[span]
            taken += len(span)
            if taken >= wanted:
                break
        chosen = np.flatnonzero(labels != IGNORED)
        dice = random.random(len(chosen))
        hidden[chosen[dice < 0.8]] = self.mask_id  # noqa: PLR2004 # the shares of the paper
        swapped = chosen[dice >= 0.9]  # noqa: PLR2004
        hidden[swapped] = random.integers(self.first_id, self.vocabulary_size, len(swapped))
        return hidden, labels
