"""A model that ranks beside the one that serves, and changes nothing of the answer."""

from dataclasses import replace
from typing import Final

import numpy as np
import structlog

from services.ranking.online.metrics import SHADOW, SHADOW_FAILED
from services.ranking.ranker import Prepared, Ranker, Ranking
from services.ranking.variants import Variant
from shared.errors import WhereforeError

_TOP: Final = 10
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Shadow:
    """Ranks a share of the requests again, and tells how much the first places have in common.

    Args:
        ranker: Has the variant.
        variant: What ranks.
        share: Of the requests, above 0, at most 1.
        random: Where chance comes from; anew each time when absent.
    """

    def __init__(
        self,
        ranker: Ranker,
        variant: Variant,
        share: float,
        random: np.random.Generator | None = None,
    ) -> None:
        self._ranker = ranker
        self._variant = variant
        self._share = share
        self._random = random or np.random.default_rng()
        self._failing = False

    def compare(self, prepared: Prepared, served: Ranking) -> float | None:
        """Returns the share of the first ten that both have; None where it was not looked at."""
        if self._random.random() >= self._share:
            return None
        wanted = replace(
            prepared.wanted,
            variant=self._variant,
            explore=False,
            include_contributions=False,
            limit=_TOP,
        )
        try:
            ranked = self._ranker.place(replace(prepared, wanted=wanted))
        except WhereforeError as error:
            SHADOW_FAILED.labels(self._variant).inc()
            if not self._failing:
                _log.warning("no shadow", variant=self._variant, reason=error.message)
            self._failing = True
            return None
        self._failing = False
        own = {placed.product_id for placed in ranked.results}
        first = {placed.product_id for placed in served.results[:_TOP]}
        overlap = len(own & first) / max(len(first), 1)
        SHADOW.labels(self._variant).observe(overlap)
        return overlap
