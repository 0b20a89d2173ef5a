"""Chooses the settings of a model: the best nDCG@10 on validation items, never on test items."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

from services.recommend.ranking import mean_ndcg
from services.recommend.recommender import Advance, Recommender
from services.recommend.sequences import Sequences
from services.recommend.split import Held

Settings = TypeVar("Settings")

USERS = 4_000
"""Validation users that settings are compared on; more would change the choice little."""
SEED = 3

ITEM_KNN: Mapping[str, Sequence[float]] = {
    "recency": (0.9, 0.8, 0.6, 0.4),
    "nearness": (1.0, 0.9, 0.7),
    "backward": (1.0, 0.6, 0.3),
    "user_power": (0.0, 0.5, 1.0),
    "target_power": (0.5, 0.3, 0.7),
}
ALS: Mapping[str, Sequence[float]] = {
    "alpha": (10.0, 1.0, 40.0),
    "factors": (64, 128),
    "regularisation": (0.1, 0.01, 1.0, 10.0),
}
BPR: Mapping[str, Sequence[float]] = {
    "regularisation": (0.01, 0.002, 0.05),
    "factors": (64, 128),
    "iterations": (100, 200),
}
CONTENT: Mapping[str, Sequence[float]] = {"recency": (1.0, 0.8, 0.6, 0.4)}


def some_users(held: Held, users: int = USERS) -> Held:
    """At most so many of the users, drawn by chance."""
    drawn = np.random.default_rng(SEED).permutation(len(held.users))[:users]
    return held.part(np.sort(drawn))


def choose(
    start: Settings,
    grid: Mapping[str, Sequence[float]],
    make: Callable[[Settings], Recommender],
    training: Sequences,
    validation: Held,
    *,
    advance: Advance = lambda _done, _total: None,
) -> Settings:
    """Improve one setting after the other, each to its best value given those before.

    Args:
        start: Settings to begin with.
        grid: Values to try, by the setting's name.
        make: Makes a model from settings.
        training: Fitted by every candidate.
        validation: Judges every candidate.
        advance: Told of candidates.

    Returns:
        The best settings that were tried.
    """

    def judge(settings: Settings) -> float:
        model = make(settings)
        model.fit(training)
        return mean_ndcg(model, validation)

    # Of each setting's values one is the best so far, which is not tried again.
    total, done = 1 + sum(len(values) - 1 for values in grid.values()), 1
    best, best_ndcg = start, judge(start)
    advance(done, total)
    for name, values in grid.items():
        for candidate in _variants(best, name, values):
            ndcg = judge(candidate)
            done += 1
            advance(done, total)
            if ndcg > best_ndcg:
                best, best_ndcg = candidate, ndcg
    return best


def _variants(settings: Settings, name: str, values: Sequence[float]) -> Iterator[Settings]:
    given: Any = settings
    for value in values:
        if value != getattr(given, name):
            yield dataclasses.replace(given, **{name: value})
