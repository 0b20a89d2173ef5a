"""Queries whose relevance no weighted sum of features can say."""

import numpy as np
import pytest

from services.ranking.features import FEATURES
from services.ranking.train.dataset import RankingData

QUERIES, CANDIDATES = 60, 30


@pytest.fixture(scope="session")
def make_data():
    def make(*, learnable: bool) -> RankingData:
        random = np.random.default_rng(3)
        features = random.random((QUERIES * CANDIDATES, len(FEATURES)))
        # Good is what is close in words and in meaning at once.
        both = np.minimum(
            features[:, FEATURES.index("sparse_score")], features[:, FEATURES.index("dense_cosine")]
        )
        ratings = np.digitize(both, [0.5, 0.75])
        if not learnable:
            random.shuffle(ratings)
        query = np.repeat(np.arange(QUERIES), CANDIDATES)
        for number in range(QUERIES):  # every query has something relevant
            best = int(both[query == number].argmax()) if learnable else random.integers(CANDIDATES)
            ratings[number * CANDIDATES + best] = 2
        judged = random.random(len(ratings)) < 0.8
        ideals = [sorted(ratings[query == n].tolist(), reverse=True) for n in range(QUERIES)]
        return RankingData(
            features, ratings, judged, query, ideals, [f"query {n}" for n in range(QUERIES)]
        )

    return make


@pytest.fixture(scope="session")
def data(make_data) -> RankingData:
    return make_data(learnable=True)


WEIGHTS = {"sparse_score": 1.0, "accessory_mention": -0.1}


@pytest.fixture(scope="session")
def weights() -> dict[str, float]:
    return WEIGHTS
