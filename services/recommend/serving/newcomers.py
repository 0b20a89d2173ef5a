"""Products that came after the training of a model of sequences: each stands where its likes do.

A new product has no vector of its own until the model is trained anew. What is chosen together with
it tells which known product it goes with: the model reads it as that one, and it follows where that
one is foretold. Events teach this as they come.
"""

from __future__ import annotations

import math
from collections.abc import Container, Sequence
from typing import Final

from services.recommend.serving.co_occurrence import CoOccurrence
from services.recommend.serving.found import Found

_NEIGHBOURS: Final = 50
_LESS: Final = math.log(2.0)
"""Logits by which a new product follows what it stands beside: half as likely."""


class Newcomers:
    """Finds stand-ins.

    Args:
        visits: What was looked at together.
        known: Ids of the products that the model knows.
    """

    def __init__(self, visits: CoOccurrence, known: Container[str]) -> None:
        self._visits = visits
        self._known = known

    def stand_in(self, product_id: str) -> str | None:
        """Returns the known product that a new one goes with most; None where none is."""
        beside = self._visits.beside(product_id, _NEIGHBOURS)
        return next((each.product_id for each in beside if each.product_id in self._known), None)

    def join(self, found: Sequence[Found]) -> list[Found]:
        """Returns what was found, with the new products that stand beside it, best first."""
        scores = {each.product_id: each.score for each in found}
        joined = list(found)
        for each in found:
            for other in self._visits.together_with(each.product_id):
                if other in self._known or other in scores:
                    continue
                if self.stand_in(other) == each.product_id:
                    scores[other] = each.score - _LESS
                    joined.append(Found(other, scores[other]))
        return sorted(joined, key=lambda each: (-each.score, each.product_id))
