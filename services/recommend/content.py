"""Content: items whose attributes are those of the user's items, the rarer the better.

Needs no other user, so it can rank an item that nobody had. Source: Salton and Buckley,
"Term-weighting approaches in automatic text retrieval", IP&M 24(5), 1988, for TF-IDF and cosine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from services.recommend.recommender import Scores, recency_matrix
from services.recommend.sequences import Attributes, Sequences


@dataclass(frozen=True, slots=True)
class ContentSettings:
    """What the validation part chooses.

    Attributes:
        recency: Weight of an item of the history against the one after it, above 0, at most 1.
    """

    recency: float = 0.8


class Content:
    """Cosine between an item's attributes and those of the history.

    Args:
        items: How many there are.
        attributes: Of the items.
        settings: See there.
    """

    def __init__(
        self, items: int, attributes: Attributes, settings: ContentSettings | None = None
    ) -> None:
        import scipy.sparse

        sparse: Any = scipy.sparse
        self._items = items
        self._recency = (settings or ContentSettings()).recency
        counts = np.bincount(attributes.attributes, minlength=len(attributes.names))
        weights = np.log(items / counts[attributes.attributes]) + 1.0
        lengths = np.sqrt(np.bincount(attributes.items, weights=weights**2, minlength=items))
        values = (weights / lengths[attributes.items]).astype(np.float32)
        self._vectors: Any = sparse.csr_matrix(
            (values, (attributes.items, attributes.attributes)),
            shape=(items, len(attributes.names)),
        )

    def fit(self, sequences: Sequences) -> None:
        """Nothing to learn from other users."""

    def scores(self, histories: Sequences) -> Scores:
        """Cosine but for a factor of each history's own, [histories, items]."""
        profiles = recency_matrix(histories, self._items, self._recency) @ self._vectors
        return np.asarray((profiles @ self._vectors.T).toarray(), dtype=np.float32)
