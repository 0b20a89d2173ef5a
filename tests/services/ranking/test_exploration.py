from statistics import NormalDist

import numpy as np
import pytest

from services.ranking.diversity import Likeness, diversify, diversify_many
from services.ranking.exploration import DRAWS, Explorer
from services.ranking.features import FEATURES
from services.ranking.ranker import Ranker, RankInput
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding

NOTHING = Likeness.of([Product(id="a"), Product(id="b")], (), {})


def values_of(*rows: tuple[float, float]) -> np.ndarray:
    values = np.zeros((len(rows), len(FEATURES)))
    values[:, :2] = rows
    return values


@pytest.mark.parametrize("strength", [0.0, 0.1, 0.6, 1.0])
@pytest.mark.parametrize("limit", [1, 5, 12, 30])
def test_many_orders_at_once_are_each_as_one(strength, limit):
    random = np.random.default_rng(7)
    products = [
        Product(id=str(n), variant_group_id=f"g{n % 3}" if n % 4 else "", brand=f"b{n % 5}")
        for n in range(12)
    ]
    weights = {"variant_group": 1.0, "brand": 0.3}
    likeness = Likeness.of(products, ("variant_group", "brand"), weights)
    scores = random.random((40, 12)).round(1)  # with ties
    scores[0] = 0.5
    orders = diversify_many(scores, likeness, strength, limit)
    for row, order in zip(scores, orders, strict=True):
        assert order.tolist() == diversify(row, likeness, strength, limit)


def test_orders_come_as_often_as_the_belief_says():
    # The first is ahead by 0.1 w - 0.1 v with w ~ N(3, 3 d) and v ~ N(1, d).
    weights = {FEATURES[0]: 3.0, FEATURES[1]: 1.0}
    values = values_of((0.6, 0.4), (0.5, 0.5))
    deviation = 0.8
    expected = NormalDist().cdf(2 / (deviation * (3**2 + 1) ** 0.5))
    explorer = Explorer(deviation, np.random.default_rng(1))
    scores = values[:, :2] @ [3.0, 1.0]
    drawn = [
        explorer.order(scores, values, weights, likeness=NOTHING, strength=0.0, limit=2)
        for _ in range(2_000)
    ]
    first = np.mean([explored.order[0] == 0 for explored in drawn])
    assert first == pytest.approx(expected, abs=0.03)
    told = [e.propensities[0] if e.order[0] == 0 else 1 - e.propensities[0] for e in drawn]
    assert np.mean(told) == pytest.approx(expected, abs=0.01)
    for explored in drawn[:50]:
        assert explored.propensities[0] == explored.propensities[1]


def test_what_is_far_apart_keeps_its_place():
    values = values_of((1.0, 0.0), (0.1, 0.0))
    explored = Explorer(0.1, np.random.default_rng(1)).order(
        values[:, 0], values, {FEATURES[0]: 1.0}, likeness=NOTHING, strength=0.0, limit=2
    )
    assert explored.order == [0, 1]
    assert explored.propensities.tolist() == [1.0, 1.0]


def test_what_has_happened_is_never_impossible():
    # The weight all but never turns its sign, and one draw is made to.
    class Turned:
        def normal(self, size):
            noise = np.zeros(size)
            noise[0] = -100.0
            return noise

    values = values_of((1.0, 0.0), (0.1, 0.0))
    explored = Explorer(0.1, Turned()).order(
        values[:, 0], values, {FEATURES[0]: 1.0}, likeness=NOTHING, strength=0.0, limit=2
    )
    assert explored.order == [1, 0]
    assert explored.propensities == pytest.approx(1 / (1 + DRAWS))


def test_a_ranker_explores_only_when_it_may(weights, make_candidate):
    explorer = Explorer(2.0, np.random.default_rng(1))
    ranker = Ranker(weights, 100, explorer=explorer)
    candidates = [make_candidate("a"), make_candidate("b", "Kettle", fused=0.009)]
    plain = RankInput(candidates=candidates, query=QueryUnderstanding(query="kettle"))
    assert [placed.propensity for placed in ranker.rank(plain).results] == [0.0, 0.0]
    drawn = ranker.rank(RankInput(plain.candidates, plain.query, explore=True, limit=1))
    (placed,) = drawn.results
    assert placed.propensity > 0


def test_logs_hold_the_features_that_add_nothing(weights, make_candidate):
    ranker = Ranker(weights, 100, explorer=Explorer(0.5))
    wanted = RankInput(
        [make_candidate("a", "Red kettle"), make_candidate("b", "Kettle")],
        QueryUnderstanding(query="kettle"),
        include_contributions=True,
        explore=True,
    )
    told = {part.feature: part.value for part in ranker.rank(wanted).results[0].contributions}
    assert told["stock"] == 1.0  # alike for both
    assert "title_focus" in told  # weighs nothing
