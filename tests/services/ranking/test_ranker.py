import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from services.ranking.config import DEFAULT_WEIGHTS
from services.ranking.explain import LABELS
from services.ranking.features import FEATURES, PICTURE, compute_features
from services.ranking.model import LinearModel
from services.ranking.product_text import ProductTextCache
from services.ranking.query import view_query
from services.ranking.ranker import Ranker, RankInput
from services.ranking.variants import Variants
from services.ranking.weights import Weights, load_weights
from shared.errors import InvalidArgumentError
from wherefore.common.v1.product_pb2 import Availability, Stock
from wherefore.common.v1.user_profile_pb2 import RecentProduct, UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import (
    Constraint,
    NumberRange,
    QueryUnderstanding,
    ValueSet,
)
from wherefore.retrieval.v1.candidate_pb2 import LegScore


def ids(ranking):
    return [placed.product_id for placed in ranking.results]


@given(arrays(np.float64, (7, len(FEATURES)), elements=st.floats(0, 1)))
def test_contributions_and_base_sum_to_the_score_exactly(values):
    model = LinearModel.of("m", load_weights(DEFAULT_WEIGHTS).serving["search"].weights)
    base, contributions = model.contributions(values)
    np.testing.assert_allclose(base + contributions.sum(axis=1), model.score(values), atol=1e-9)
    np.testing.assert_allclose(contributions.mean(axis=0), 0, atol=1e-9)


def test_contributions_are_shapley_values_by_brute_force():
    """Average of marginal gains over all orders of three features, others held at the mean."""
    values = np.zeros((3, len(FEATURES)))
    values[:, :3] = [[1, 0.2, 0.5], [0.1, 0.9, 0.4], [0.3, 0.3, 1]]
    model = LinearModel.of("m", {FEATURES[0]: 2.0, FEATURES[1]: -1.0, FEATURES[2]: 0.5})
    _, contributions = model.contributions(values)
    mean = values.mean(axis=0)
    from itertools import permutations

    gains = np.zeros(3)
    for order in permutations(range(3)):
        point = mean.copy()
        for feature in order:
            before = model.score(point[None, :])[0]
            point[feature] = values[0, feature]
            gains[feature] += model.score(point[None, :])[0] - before
    np.testing.assert_allclose(contributions[0, :3], gains / 6, atol=1e-12)


def test_response_sums_for_real_candidates(ranker, make_candidate):
    ranking = ranker.rank(
        RankInput(
            candidates=[
                make_candidate("a", "Notebook case", dense=0.6, sparse=9.0, fused=0.03),
                make_candidate("b", "Mouse", dense=0.2, fused=0.01),
            ],
            query=QueryUnderstanding(query="notebook case"),
            include_contributions=True,
        )
    )
    assert ids(ranking) == ["a", "b"]
    for placed in ranking.results:
        total = ranking.base_value + sum(part.contribution for part in placed.contributions)
        assert math.isclose(total, placed.score, abs_tol=1e-9)
        sizes = [abs(part.contribution) for part in placed.contributions]
        assert sizes == sorted(sizes, reverse=True)
    assert ranking.results[0].confidence > ranking.results[1].confidence


def test_every_feature_stays_between_0_and_1(make_candidate):
    candidates = [
        make_candidate("a", "Notebook case 17 inch", dense=-0.4, sparse=30.0, fused=2.0),
        make_candidate("b", "", sparse=0.0, fused=0.0),
    ]
    query = view_query(QueryUnderstanding(query="notebook case"))
    user = UserProfile(brand_affinities={"": 1.0}, typical_prices={"EUR": 3.0})
    table = compute_features(query, candidates, user, ProductTextCache(10), 0.0)
    assert np.all((table.values >= 0) & (table.values <= 1))
    assert np.isnan(table.cosine[1])


def test_every_feature_has_a_label_and_every_weight_a_sign(weights):
    assert set(LABELS) == set(FEATURES)
    negative = {"accessory_mention", "type_modifier", "unwanted", "already_bought"}
    for config in weights.serving.values():
        for name, weight in config.weights.items():
            assert (weight < 0) == (name in negative), name


def test_soft_exclusion_and_price_push_down(ranker, make_candidate):
    red, blue = make_candidate("red", "Kettle"), make_candidate("blue", "Kettle")
    red.product.attributes["colour"].texts.append("Red")
    blue.product.attributes["colour"].texts.append("Blue")
    query = QueryUnderstanding(
        query="kettle", constraints=[Constraint(field="colour", none_of=ValueSet(values=["red"]))]
    )
    assert ids(ranker.rank(RankInput([red, blue], query))) == ["blue", "red"]
    red.product.price.currency_code = blue.product.price.currency_code = "EUR"
    red.product.price.amount, blue.product.price.amount = 90, 400
    query = QueryUnderstanding(
        query="kettle", constraints=[Constraint(field="price", range=NumberRange(max=100))]
    )
    assert ids(ranker.rank(RankInput([blue, red], query))) == ["red", "blue"]


def test_hard_constraints_are_left_to_retrieval(ranker, make_candidate):
    red, blue = make_candidate("red", "Kettle"), make_candidate("blue", "Kettle")
    red.product.attributes["colour"].texts.append("Red")
    condition = Constraint(field="colour", none_of=ValueSet(values=["red"]), hard=True)
    query = QueryUnderstanding(query="kettle", constraints=[condition])
    assert ids(ranker.rank(RankInput([red, blue], query))) == ["red", "blue"]


def test_out_of_stock_sinks_and_the_user_lifts(ranker, make_candidate):
    gone = make_candidate(
        "gone", "Kettle", stock=Stock(availability=Availability.AVAILABILITY_OUT_OF_STOCK)
    )
    there, liked = (
        make_candidate("there", "Kettle"),
        make_candidate("liked", "Kettle", brand="Acme"),
    )
    user = UserProfile(brand_affinities={"acme": 0.9})
    ranking = ranker.rank(RankInput([gone, there, liked], QueryUnderstanding(query="kettle"), user))
    assert ids(ranking) == ["liked", "there", "gone"]


def test_recommend_sinks_what_was_bought_and_has_no_confidence(ranker, make_candidate):
    candidates = [make_candidate("bought"), make_candidate("new")]
    user = UserProfile(recent_products=[RecentProduct(product_id="bought", action="purchase")])
    ranking = ranker.rank(RankInput(candidates, user=user, serving_config="recommend"))
    assert ids(ranking) == ["new", "bought"]
    assert [placed.confidence for placed in ranking.results] == [0.0, 0.0]
    assert ranking.model.startswith("linear-recommend@")


def test_variants_give_way_only_to_near_equals(ranker, make_candidate):
    def page(third_score):
        return [
            make_candidate("v1", fused=1.0, variant_group_id="v"),
            make_candidate("v2", fused=0.99, variant_group_id="v"),
            make_candidate("other", fused=third_score),
            make_candidate("last", fused=0.1),
        ]

    assert ids(ranker.rank(RankInput(page(0.95))))[:3] == ["v1", "other", "v2"]
    assert ids(ranker.rank(RankInput(page(0.3))))[:3] == ["v1", "v2", "other"]


def test_asked_variety_looks_at_brand_and_category_too(ranker, make_candidate):
    page = [
        make_candidate("a1", fused=1.0, brand="A", category_path=["x"]),
        make_candidate("a2", fused=0.9, brand="A", category_path=["x"]),
        make_candidate("b", fused=0.2, brand="B", category_path=["y"]),
    ]
    assert ids(ranker.rank(RankInput(page))) == ["a1", "a2", "b"]
    assert ids(ranker.rank(RankInput(page, diversity=0.7))) == ["a1", "b", "a2"]
    assert ids(ranker.rank(RankInput(page, diversity=0.0, limit=2))) == ["a1", "a2"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"candidates": []}, "candidates"),
        ({"serving_config": "nope"}, "serving_config"),
        ({"limit": -1}, "limit"),
        ({"diversity": 1.1}, "diversity"),
        ({"diversity": float("nan")}, "diversity"),
        ({"candidates": "twice"}, "candidates[1].product.id"),
        ({"candidates": "unnamed"}, "candidates[0].product.id"),
        ({"candidates": "nan"}, "candidates[0]"),
        ({"candidates": "many"}, "candidates"),
    ],
)
def test_bad_input_names_the_field(ranker, make_candidate, change, field):
    lists = {
        "twice": [make_candidate("a"), make_candidate("a")],
        "unnamed": [make_candidate("")],
        "nan": [make_candidate("a", fused=float("nan"))],
        "many": [make_candidate(str(i)) for i in range(1001)],
    }
    values = {"candidates": [make_candidate("a")], **change}
    if isinstance(values["candidates"], str):
        values["candidates"] = lists[values["candidates"]]
    with pytest.raises(InvalidArgumentError) as caught:
        ranker.rank(RankInput(**values))
    assert [v.field for v in caught.value.violations] == [field]


def test_a_weight_of_an_unknown_feature_stops_the_start(weights):
    data = weights.model_dump()
    data["serving"]["search"]["weights"]["titel_coverage"] = 1.0
    with pytest.raises(ValueError, match="titel_coverage"):
        Weights.model_validate(data)


def test_a_language_may_have_weights_of_its_own(make_candidate, weights):
    document = weights.model_dump()
    document["serving"]["search"]["languages"] = {"zh": {"title_coverage": 5.0}}
    ranker = Ranker(Weights.model_validate(document), 100)
    candidates = [make_candidate("a", "kettle"), make_candidate("b", "teapot", fused=0.02)]

    def first(language):
        query = QueryUnderstanding(query="kettle", language_code=language)
        return ids(ranker.rank(RankInput(candidates, query)))[0]

    assert first("en") == "b"
    assert first("zh") == first("zh-Hans") == "a"
    assert first("") == "b"


def test_a_learnt_model_ranks_every_language(make_candidate, weights):
    document = weights.model_dump()
    document["serving"]["search"]["languages"] = {"zh": {"title_coverage": 5.0}}
    learnt = LinearModel.of("learnt@1", {"fused_score": 1.0})
    made = Weights.model_validate(document)
    ranker = Ranker(made, 100, variants=Variants(made, learnt={"search": learnt}))
    candidates = [make_candidate("a", "kettle"), make_candidate("b", "teapot", fused=0.02)]
    query = QueryUnderstanding(query="kettle", language_code="zh")
    ranking = ranker.rank(RankInput(candidates, query))
    assert ranking.model == "learnt@1"
    assert ids(ranking)[0] == "b"


def test_a_mistyped_feature_of_a_language_is_refused(weights):
    document = weights.model_dump()
    document["serving"]["search"]["languages"] = {"zh": {"title_coverge": 5.0}}
    with pytest.raises(ValueError, match="title_coverge"):
        Weights.model_validate(document)


def pictured(make_candidate, **cosines):
    """Candidates with pictures; those that come first are rated and sold best."""
    made = []
    for at, (name, cosine) in enumerate(cosines.items()):
        candidate = make_candidate(name, "Thing")
        candidate.legs.append(LegScore(leg="picture", rank=1, score=cosine))
        candidate.product.statistics.purchase_count = 1_000 // 10**at
        made.append(candidate)
    return made


def test_pictures_lead_where_they_are_what_is_sought(ranker, make_candidate):
    candidates = pictured(make_candidate, far=0.5, near=0.6, nearest=0.9)
    ranked = ranker.rank(RankInput(candidates, serving_config="pictures"))
    assert ids(ranked) == ["nearest", "near", "far"]
    assert ranked.model == "linear-pictures@1"
    assert ids(ranker.rank(RankInput(candidates))) == ["far", "near", "nearest"]


def test_how_much_pictures_count_can_be_asked(ranker, make_candidate):
    candidates = pictured(make_candidate, far=0.5, near=0.6, nearest=0.9)

    def rank(weight):
        return ranker.rank(
            RankInput(
                candidates,
                serving_config="pictures",
                picture_weight=weight,
                include_contributions=True,
            )
        )

    assert ids(rank(0.001)) == ["far", "near", "nearest"]
    once, twice = (
        next(c.contribution for c in rank(w).results[0].contributions if c.feature == PICTURE)
        for w in (1.0, 2.0)
    )
    assert twice == pytest.approx(2 * once)
    # What was asked of one search is not kept for the next.
    assert ids(rank(1.0)) == ["nearest", "near", "far"]
    for placed in (ranking := rank(2.0)).results:
        total = ranking.base_value + sum(c.contribution for c in placed.contributions)
        assert total == pytest.approx(placed.score, abs=1e-9)


@pytest.mark.parametrize("weight", [-0.1, 100.1, math.inf, math.nan])
def test_a_weight_of_pictures_out_of_range_is_told(ranker, make_candidate, weight):
    with pytest.raises(InvalidArgumentError, match="picture_weight"):
        ranker.rank(RankInput([make_candidate("a")], picture_weight=weight))
