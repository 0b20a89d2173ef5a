"""How well scores rank: the whole list of items, without those seen, without sampled negatives.

Sources: Krichene and Rendle, "On sampled metrics for item recommendation", KDD 2020, for why no
negatives are sampled; Zhou et al., "Solving the apparent diversity-accuracy dilemma of recommender
systems", PNAS 107(10), 2010, for novelty as self-information.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.recommend.recommender import Recommender, Scores, batches
from services.recommend.sequences import Items, Sequences
from services.recommend.split import Held

K = 10
"""Places of the list that count."""
BATCH = 512


@dataclass(frozen=True, slots=True)
class Measured:
    """A model's lists against the items that came next.

    Attributes:
        ndcg: nDCG@10 of each user, [n]: 1 / log2(1 + rank) of the one relevant item, or 0.
        hits: Whether the item is among the first 10, [n].
        coverage: Share of all items that stand in any list, 0 to 1.
        novelty: Mean -log2 of the share of users who had the listed item, in bits.
    """

    ndcg: NDArray[np.float64]
    hits: NDArray[np.bool_]
    coverage: float
    novelty: float

    def means(self) -> dict[str, float]:
        """The figures over users, by their names."""
        return {
            f"ndcg@{K}": float(self.ndcg.mean()),
            f"hr@{K}": float(self.hits.mean()),
            f"coverage@{K}": self.coverage,
            f"novelty@{K}": self.novelty,
        }


def mean_ndcg(model: Recommender, held: Held) -> float:
    """The nDCG@10 of a fitted model, by which settings and epochs are chosen.

    Args:
        model: Fitted on nothing that comes after the histories.
        held: Histories, and the items to be found.
    """
    lists = np.concatenate(
        [
            top(without_seen(model.scores(held.histories[rows]), held.histories[rows]))
            for rows in batches(len(held.targets), BATCH)
        ]
    )
    return float(ndcg_of_lists(lists, held.targets).mean())


def measure_lists(lists: Items, targets: Items, shares: NDArray[np.float64]) -> Measured:
    """Measure lists of items.

    Args:
        lists: The first items of each user, best first, -1 where there are no more, [n, K].
        targets: [n].
        shares: Of `user_shares`, [items].
    """
    listed: Items = lists[lists >= 0]
    bits = -np.log2(shares)
    return Measured(
        ndcg=ndcg_of_lists(lists, targets),
        hits=(lists == targets[:, None]).any(axis=1),
        coverage=len(set(listed.tolist())) / len(shares),
        novelty=float(bits[listed].mean()) if len(listed) else 0.0,
    )


def ndcg_of_lists(lists: Items, targets: Items) -> NDArray[np.float64]:
    """The nDCG of each list, whose one relevant item is the target, [n]."""
    gains = 1.0 / np.log2(np.arange(2.0, lists.shape[1] + 2.0))
    return ((lists == targets[:, None]) * gains).sum(axis=1)


def without_seen(scores: Scores, histories: Sequences) -> Scores:
    """The same matrix, changed in place: what a user has had is -inf."""
    for row, history in zip(scores, histories, strict=True):
        row[history] = -np.inf
    return scores


def top(scores: Scores, k: int = K) -> Items:
    """Numbers of the best items of each row, best first, [rows, min(k, items)].

    Ties fall to the lower number, which is drawn by chance (see `read_sequences`). A place that
    would hold a score of -inf holds -1.
    """
    k = min(k, scores.shape[1])
    best = np.argpartition(-scores, k - 1, axis=1)[:, :k]
    best.sort(axis=1)
    values = np.take_along_axis(scores, best, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    ranked = np.take_along_axis(best, order, axis=1)
    ranked[np.isneginf(np.take_along_axis(values, order, axis=1))] = -1
    return ranked.astype(np.int32)


def user_shares(sequences: Iterable[Items], items: int) -> NDArray[np.float64]:
    """Share of users who had each item, [items]; an item that nobody had counts as had by one."""
    counts = np.zeros(items)
    users = 0
    for sequence in sequences:
        counts[np.unique(sequence)] += 1
        users += 1
    return np.maximum(counts, 1) / users
