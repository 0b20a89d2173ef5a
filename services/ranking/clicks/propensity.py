"""How likely each place is looked at, estimated from clicks alone.

Expectation maximisation of the position-based model (Chuklin, Markov and de Rijke, "Click Models
for Web Search", 2015, section 4.2). What tells place from product is that products stand now here,
now there: a log of one order alone tells nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.ranking.clicks.log import ClickLog

LEAST = 0.01
"""Propensities are clipped here: a click in a place that nobody looks at must not count without
bound (Strehl et al., NIPS 2010)."""
_PRIOR = 1.0


class TooFixedError(ValueError):
    """Products hardly change places in a log, so that place and product cannot be told apart."""


@dataclass(frozen=True, slots=True)
class Propensities:
    """What was estimated."""

    places: NDArray[np.float64]
    """(places,) relative to the first place, LEAST and up."""
    iterations: int
    """Until it no longer changed."""


def estimate_propensities(
    log: ClickLog, *, tolerance: float = 1e-5, most_iterations: int = 2_000
) -> Propensities:
    """Estimates the propensity of each place.

    Args:
        log: Pages in which products change places.
        tolerance: Ends when no place changes by more.
        most_iterations: Ends then at the latest.

    Raises:
        TooFixedError: A place is not tied to the first by products that stood in both.
    """
    views, clicks = log.counts()
    _check_connected(views)
    missed = views - clicks
    places = np.linspace(1.0, 0.5, views.shape[1])
    attracts = np.full(len(views), 0.5)
    seen = views.sum(axis=1)
    iteration = 0
    for iteration in range(1, most_iterations + 1):  # noqa: B007 - read below
        both = np.outer(attracts, places)
        neither = np.maximum(1.0 - both, 1e-12)
        looked = clicks + missed * (places * (1.0 - attracts[:, None])) / neither
        liked = clicks + missed * (attracts[:, None] * (1.0 - places)) / neither
        # One page more, half of them liked, keeps what was hardly shown off 0 and 1.
        attracts = (liked.sum(axis=1) + 0.5 * _PRIOR) / (seen + _PRIOR)
        updated = looked.sum(axis=0) / np.maximum(views.sum(axis=0), 1.0)
        change = float(np.abs(updated - places).max())
        places = updated
        if change < tolerance:
            break
    return Propensities(np.clip(places / places[0], LEAST, None), iteration)


def _check_connected(views: NDArray[np.float64]) -> None:
    """Products that stood in two places tie them; every place must hang on the first somehow."""
    present = (views > 0).astype(np.float64)
    ties = (present.T @ present) > 0
    reached = np.zeros(len(ties), dtype=np.bool_)
    reached[0] = True
    for _ in range(len(ties)):
        reached |= ties[reached].any(axis=0)
    used = views.sum(axis=0) > 0
    if not reached[used].all():
        place = int(np.flatnonzero(used & ~reached)[0]) + 1
        raise TooFixedError(
            f"no chain of products ties place {place} to place 1: show some pages in another order"
        )
