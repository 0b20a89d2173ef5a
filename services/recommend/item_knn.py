"""Item to item: what other users had soon after, or with, the items of the history.

Cosine between items, where two items of a user count the more the nearer they stand, the more when
in this order, and the less the more that user had; older items of a history weigh less.

Sources: Deshpande and Karypis, "Item-based top-N recommendation algorithms", TOIS 22(1), 2004, for
the cosine with a popularity exponent; Breese et al., UAI 1998, for the inverse user frequency;
Ludewig and Jannach, "Evaluation of session-based recommendation algorithms", UMUAI 28, 2018, for
the weights by distance and recency.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from services.recommend.recommender import Scores, recency_matrix
from services.recommend.sequences import Sequences


@dataclass(frozen=True, slots=True)
class ItemKnnSettings:
    """What the validation part chooses.

    Attributes:
        nearness: Weight of a pair against one a step nearer, above 0, at most 1; 1 for a plain
            cosine.
        backward: Weight of a pair in the other order, 0 to 1.
        user_power: A user's pairs are divided by the length of the sequence to this power.
        target_power: Exponent of the count of the item that is scored; 0.5 for a plain cosine, less
            favours what is popular.
        recency: Weight of an item of the history against the one after it, above 0, at most 1.
        window: Pairs at most this many steps apart, and the newest items of a history that count.
    """

    nearness: float = 0.9
    backward: float = 1.0
    user_power: float = 0.5
    target_power: float = 0.5
    recency: float = 0.8
    window: int = 50


class ItemKnn:
    """Item-item collaborative filtering.

    Args:
        items: How many there are.
        settings: See there.
    """

    def __init__(self, items: int, settings: ItemKnnSettings | None = None) -> None:
        self._items = items
        self._settings = settings or ItemKnnSettings()
        self._similarity: Any = None

    def fit(self, sequences: Sequences) -> None:
        """Count the pairs of items, weighed, and divide by how often each item was had."""
        sparse: Any = import_module("scipy.sparse")
        power = self._settings.target_power
        pairs = pair_weights(sequences, self._items, self._settings)
        counts = np.bincount(np.concatenate(list(sequences)), minlength=self._items)
        counts = np.maximum(counts, 1).astype(np.float32)
        similarity = sparse.diags(counts ** (power - 1)) @ pairs @ sparse.diags(counts**-power)
        self._similarity = similarity.tocsr().astype(np.float32)

    def scores(self, histories: Sequences) -> Scores:
        """Sum of the similarities to the items of the history, [histories, items]."""
        newest = [history[-self._settings.window :] for history in histories]
        rows = recency_matrix(newest, self._items, self._settings.recency)
        return np.asarray((rows @ self._similarity).toarray(), dtype=np.float32)


def pair_weights(sequences: Sequences, items: int, settings: ItemKnnSettings) -> Any:
    """How often, and how near, two items stand in one sequence, as a sparse [items, items].

    Row: the item of the history. Column: the item that is scored. The diagonal is 0.
    """
    sparse: Any = import_module("scipy.sparse")
    # All sequences in one row, so that a distance is one shift of the whole.
    joined = np.concatenate(list(sequences))
    lengths = np.array([len(sequence) for sequence in sequences])
    users = np.repeat(np.arange(len(lengths)), lengths)
    user_weights = (lengths.astype(np.float32) ** -settings.user_power)[users]
    ahead = sparse.csr_matrix((items, items), dtype=np.float32)
    for step in range(1, min(settings.window, int(lengths.max()) - 1) + 1):
        same = users[:-step] == users[step:]
        weights = user_weights[step:][same] * np.float32(settings.nearness ** (step - 1))
        places = (joined[:-step][same], joined[step:][same])
        ahead += sparse.csr_matrix((weights, places), shape=(items, items))
    pairs = (ahead + settings.backward * ahead.T).tocsr()
    pairs.setdiag(0)
    pairs.eliminate_zeros()
    return pairs
