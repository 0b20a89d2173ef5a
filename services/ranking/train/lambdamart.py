"""LambdaMART over the linear score: trees learn what the weights leave over.

Burges, "From RankNet to LambdaRank to LambdaMART: an overview", 2010. Few judged queries are too
little to learn a ranking from nothing, so boosting starts at the linear score, and a feature may
only push a score the way that its meaning says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.ranking.boosting import boost
from services.ranking.features import FEATURES
from services.ranking.model import LinearModel
from services.ranking.train.dataset import RankingData
from services.ranking.tree_model import TreeModel

LOWERING: Final = frozenset({"accessory_mention", "type_modifier", "unwanted", "already_bought"})
"""Features of which more is worse; of all others more is better, or means nothing."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How trees are grown; few and small, for few queries."""

    rounds: int = 30
    leaves: int = 8
    learning_rate: float = 0.05
    least_rows: int = 20
    """Rows that a leaf has at least."""
    seed: int = 0


def fit(
    data: RankingData,
    linear: Mapping[str, float],
    version: str,
    settings: Settings | None = None,
    on_round: Callable[[], object] = lambda: None,
) -> TreeModel:
    """Trains a model; the same data and settings give the same one.

    Args:
        data: What to learn from. What nobody judged counts as rated 0.
        linear: Weights of the score that boosting starts from.
        version: Name and version of the model.
        settings: How to grow the trees.
        on_round: Called after each tree, for progress.
    """
    import lightgbm

    chosen = settings or Settings()
    trained = lightgbm.Dataset(
        data.features,
        label=data.ratings,
        group=data.group_sizes(),
        init_score=LinearModel.of("", linear).score(data.features),
        feature_name=list(FEATURES),
    )
    trees = boost(
        trained,
        # The gain of the measures, 2^rating - 1.
        label_gain=[2**rating - 1 for rating in range(int(data.ratings.max(initial=0)) + 1)],
        rounds=chosen.rounds,
        leaves=chosen.leaves,
        learning_rate=chosen.learning_rate,
        least_rows=chosen.least_rows,
        seed=chosen.seed,
        on_round=on_round,
        feature_fraction=0.7,
        bagging_fraction=0.8,
        bagging_freq=1,
        monotone_constraints=[-1 if name in LOWERING else 1 for name in FEATURES],
    )
    return TreeModel(version, FEATURES, dict(linear), trees)


def importance(model: TreeModel, data: RankingData) -> dict[str, float]:
    """Returns by feature the mean magnitude of its contribution, largest first."""
    _, contributions = model.contributions(data.features)
    sizes = np.abs(contributions).mean(axis=0)
    return {FEATURES[i]: float(sizes[i]) for i in np.argsort(-sizes, kind="stable")}
