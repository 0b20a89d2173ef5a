"""The strength of the best reason, beside what the reason service finds itself."""

import time

import pytest

from services.ranking.features import compute_features
from services.ranking.product_text import ProductTextCache
from services.ranking.query import QueryView, view_query
from services.reason.explainer import find_facts
from services.reason.facts import PagePrices, Scene
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import EntityType, QueryUnderstanding
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore

NOW = time.time()


def strength(candidate, query=None, user=None):
    view = view_query(query) if query is not None else QueryView()
    table = compute_features(view, [candidate], user, ProductTextCache(10), NOW)
    return table.column("best_reason")[0]


def found(candidate, query=None, user=None):
    """Strength of the strongest evidence that the reason service finds."""
    product = candidate.product
    scene = Scene(product, query, user, PagePrices({}), now=NOW, legs=candidate.legs)
    return max((fact.strength for fact in find_facts(scene, "en")), default=0.0)


def asking(text, **entities):
    query = QueryUnderstanding(query=text, search_text=text, language_code="en")
    for name, word in entities.items():
        kind = EntityType.Value(f"ENTITY_TYPE_{name.upper()}")
        query.entities.add(type=kind, text=word, normalized=word)
    return query


def rated(candidate):
    candidate.product.review_summary.average_rating = 4.5
    candidate.product.review_summary.rating_count = 60


def praised(candidate):
    candidate.product.review_summary.opinions.add(aspect="quality", positive_count=9)


def sold(candidate):
    candidate.product.statistics.purchase_count = 40


def reduced(candidate):
    candidate.product.price.currency_code = "EUR"
    candidate.product.price.amount, candidate.product.price.list_amount = 80.0, 100.0


def new(candidate):
    candidate.product.release_time.seconds = int(NOW) - 5 * 86_400


def chosen(candidate):
    candidate.legs.append(LegScore(leg="chosen", rank=1, score=1.0))


@pytest.mark.parametrize("change", [rated, praised, sold, reduced, new])
def test_what_speaks_for_a_product_is_as_strong_as_its_evidence(make_candidate, change):
    candidate = make_candidate("a", "Kettle")
    assert strength(candidate) == 0.0
    change(candidate)
    assert strength(candidate) == pytest.approx(found(candidate))


@pytest.mark.parametrize(
    "query",
    [
        asking("acme kettle", brand="acme"),
        asking("black kettle", colour="black"),
        asking("kettle", product_type="kettle"),
        asking("copper kettle"),
    ],
)
def test_what_the_query_names_is_as_strong_as_its_evidence(make_candidate, query):
    candidate = make_candidate("a", "Copper kettle", brand="Acme")
    candidate.product.attributes["colour"].texts.append("black")
    candidate.product.attributes["product_type"].texts.append("kettle")
    if not query.entities:
        candidate.product.ClearField("attributes")
    assert strength(candidate, query) == pytest.approx(found(candidate, query))


def test_choices_and_taste_are_as_strong_as_their_evidence(make_candidate):
    candidate = make_candidate("a", "Kettle", brand="Acme", category_path=["Kitchen", "Kettles"])
    query = asking("something else")
    user = UserProfile(category_affinities={"Kitchen > Kettles": 0.5})
    assert strength(candidate, query, user) == pytest.approx(found(candidate, query, user))
    user.brand_affinities["acme"] = 0.4
    assert strength(candidate, query, user) == pytest.approx(found(candidate, query, user))
    chosen(candidate)
    assert strength(candidate, query, user) == pytest.approx(found(candidate, query, user))


def test_a_weight_lifts_what_can_be_explained(make_candidate, weights):
    from services.ranking.model import LinearModel

    plain, told = make_candidate("a", "Kettle"), make_candidate("b", "Kettle")
    sold(told)
    table = compute_features(QueryView(), [plain, told], None, ProductTextCache(10), NOW)
    scores = LinearModel.of("m", {"best_reason": 1.0}).score(table.values)
    assert scores.tolist() == [0.0, 0.45]
    assert weights.serving["search"].weights.get("best_reason", 0.0) == 0.0
    assert isinstance(plain, Candidate)
