"""Builders shared by the ranking tests."""

from collections.abc import Callable

import pytest

from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.ranker import Ranker
from services.ranking.weights import Weights, load_weights
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore

NOW = 1_700_000_000.0


@pytest.fixture
def weights() -> Weights:
    return load_weights(DEFAULT_WEIGHTS)


@pytest.fixture
def ranker(weights: Weights) -> Ranker:
    return Ranker(weights, 1_000, clock=lambda: NOW)


@pytest.fixture
def make_candidate() -> Callable[..., Candidate]:
    def make(product_id: str, title: str = "Thing", **fields: object) -> Candidate:
        legs = {name: fields.pop(name) for name in ("dense", "sparse") if name in fields}
        fused = fields.pop("fused", 0.01)
        language = str(fields.pop("language", "en"))
        product = Product(id=product_id, titles={language: title}, **fields)
        candidate = Candidate(product=product, fused_score=fused, fused_rank=1)
        for name, score in legs.items():
            candidate.legs.append(LegScore(leg=name, rank=1, score=score))
        return candidate

    return make
