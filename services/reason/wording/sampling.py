"""Choosing a token from logits: temperature, nucleus, penalty of what was said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_COLD: Final = 1e-3
"""Under this temperature the likeliest token is taken."""


@dataclass(frozen=True, slots=True)
class SamplingSettings:
    """How tokens are drawn.

    Attributes:
        top_p: Of the nucleus (Holtzman et al., 2020).
        temperature: Divides the logits; next to 0 the likeliest token is taken.
        repetition_penalty: Of tokens that were said (Keskar et al., 2019); 1 for none.
        no_repeat: Runs of so many tokens are not said twice; 0 for no limit.
        max_tokens: Of a reason; one that is longer is not served.
    """

    top_p: float = 0.9
    temperature: float = 0.8
    repetition_penalty: float = 1.1
    no_repeat: int = 6
    max_tokens: int = 80

    def __post_init__(self) -> None:
        """Checks the ranges.

        Raises:
            ValueError: Names the field at fault.
        """
        if not 0 < self.top_p <= 1:
            raise ValueError("top_p must be over 0 and at most 1")
        if self.temperature < 0 or self.repetition_penalty < 1:
            raise ValueError("temperature must be 0 or more, repetition_penalty 1 or more")
        if self.no_repeat < 0 or self.max_tokens < 1:
            raise ValueError("no_repeat must be 0 or more, max_tokens 1 or more")


def choose_token(
    logits: NDArray[np.float32],
    allowed: NDArray[np.int64],
    said: Sequence[int],
    settings: SamplingSettings,
    rng: np.random.Generator,
) -> int:
    """Draws the next token.

    Args:
        logits: (vocabulary,).
        allowed: Ids of which one is drawn; not empty.
        said: Ids of the reason so far.
        settings: How.
        rng: Of the draw.

    Returns:
        An id of `allowed`.
    """
    fresh = _without_repeats(allowed, said, settings.no_repeat)
    if len(fresh) == 1:
        return int(fresh[0])
    scores = logits[fresh].astype(np.float64)
    scores = np.where(np.isfinite(scores), scores, -1e30)
    if settings.repetition_penalty > 1 and said:
        before = set(said)
        seen = np.array([token in before for token in fresh.tolist()])
        penalty = settings.repetition_penalty
        scores = np.where(seen, np.where(scores > 0, scores / penalty, scores * penalty), scores)
    if settings.temperature < _COLD:
        return int(fresh[np.argmax(scores)])
    shifted = (scores - scores.max()) / settings.temperature
    chances = np.exp(shifted)
    chances /= chances.sum()
    # Stable, so that every build of numpy orders ties alike.
    order = np.argsort(-chances, kind="stable")
    total = np.cumsum(chances[order])
    # The smallest set whose mass reaches top_p.
    count = int(np.searchsorted(total, settings.top_p - 1e-9)) + 1
    nucleus = order[:count]
    drawn = int(np.searchsorted(total[:count], float(rng.random() * total[:count][-1])))
    return int(fresh[nucleus[min(drawn, len(nucleus) - 1)]])


def _without_repeats(
    allowed: NDArray[np.int64], said: Sequence[int], length: int
) -> NDArray[np.int64]:
    """Takes out tokens that would say a run again, unless nothing were left."""
    if not length or len(said) < length:
        return allowed
    tail = tuple(said[-(length - 1) :]) if length > 1 else ()
    repeated = {
        said[end]
        for end in range(length - 1, len(said))
        if tuple(said[end - length + 1 : end]) == tail
    }
    if not repeated:
        return allowed
    fresh = [token for token in allowed.tolist() if token not in repeated]
    return np.array(fresh, dtype=np.int64) if fresh else allowed
