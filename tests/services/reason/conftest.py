"""A scene in which every code has evidence, in English and in Chinese."""

from collections.abc import Callable

import pytest

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.facts import PagePrices, Scene
from services.reason.verify import Verifier
from wherefore.common.v1.product_pb2 import Availability, Product
from wherefore.common.v1.user_profile_pb2 import RecentProduct, UserProfile
from wherefore.nlu.v1.query_understanding_pb2 import EntityType, QueryUnderstanding
from wherefore.ranking.v1.ranked_result_pb2 import Contribution
from wherefore.recommend.v1 import relation_pb2
from wherefore.retrieval.v1.candidate_pb2 import LegScore
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding

NOW = 1_700_000_000.0


def build_product(product_id: str = "p1", amount: float = 299.0) -> Product:
    product = Product(
        id=product_id,
        titles={"en": "Canvas trail backpack 17 inch", "zh": "帆布轻量双肩包 17寸"},
        brand="Thule",
        category_path=["Bags", "Backpacks"],
    )
    product.price.currency_code, product.price.amount = "CNY", amount
    product.price.list_amount = 399.0
    product.attributes["colour"].texts.append("black")
    product.attributes["material"].texts.append("canvas")
    product.attributes["product_type"].texts.append("backpack")
    product.review_summary.average_rating = 4.65
    product.review_summary.rating_count = 1320
    for aspect in ("value_for_money", "quality", "reputation", "gift"):
        product.review_summary.opinions.add(aspect=aspect, positive_count=41, negative_count=4)
    product.statistics.purchase_count = 120
    product.stock.availability = Availability.AVAILABILITY_IN_STOCK
    product.release_time.seconds = int(NOW) - 12 * 86_400
    return product


def build_query(language: str) -> QueryUnderstanding:
    chinese = language == "zh"
    text = (
        "thule 黑色 帆布 轻量 双肩包 500以内 不要红色 frame 2000d"
        if chinese
        else ("thule black canvas trail backpack under 500 not red frame 2000d")
    )
    query = QueryUnderstanding(
        query=text,
        search_text="thule 轻量 双肩包" if chinese else "thule trail backpack",
        language_code=language,
    )
    words = {
        "black": "黑色",
        "red": "红色",
        "canvas": "帆布",
        "backpack": "双肩包",
        "thule": "thule",
    }
    for kind, word in (
        (EntityType.ENTITY_TYPE_BRAND, "thule"),
        (EntityType.ENTITY_TYPE_COLOUR, "black"),
        (EntityType.ENTITY_TYPE_MATERIAL, "canvas"),
        (EntityType.ENTITY_TYPE_PRODUCT_TYPE, "backpack"),
        (EntityType.ENTITY_TYPE_COLOUR, "red"),
    ):
        query.entities.add(
            type=kind,
            text=words[word] if chinese else word,
            normalized=word,
            negated=word == "red",
        )
    query.constraints.add(field="price", hard=True).range.max = 500
    query.constraints.add(field="colour", hard=True).none_of.values.append("red")
    return query


def build_user() -> UserProfile:
    return UserProfile(
        recent_products=[RecentProduct(product_id="h1", action="view", title="Trail pack 20 l")],
        brand_affinities={"thule": 0.5},
        category_affinities={"Bags > Backpacks": 0.6},
    )


def build_scene(language: str = "en", amount: float = 299.0) -> Scene:
    product = build_product(amount=amount)
    product.attributes["compatibility"].texts.append("Rail SYS-80\\nOrbit Frame 2000D, K7")
    others = [build_product(f"o{i}", 400.0 + i) for i in range(4)]
    return Scene(
        product,
        build_query(language),
        build_user(),
        PagePrices.of([product, *others]),
        ("h1",),
        NOW,
        build_relations(),
        PriceStanding(
            category="Backpacks", currency_code="CNY", compared_count=45, dearer_count=36
        ),
        [
            LegScore(leg="dense", rank=2, score=0.7),
            LegScore(leg="sparse", rank=4, score=9.0),
            LegScore(leg="chosen", rank=1, score=1.0),
        ],
        build_contributions("rating", "popularity"),
    )


def build_contributions(*features: str) -> list[Contribution]:
    return [Contribution(feature=name, value=0.8, contribution=0.02) for name in features]


def build_known_scene(action: str = "view") -> Scene:
    """A product that the user has looked at before."""
    user = UserProfile(
        recent_products=[RecentProduct(product_id="p1", action=action, age_seconds=3.5 * 86_400)]
    )
    return Scene(
        build_product(),
        None,
        user,
        PagePrices({}),
        now=NOW,
        contributions=build_contributions("user_recency"),
    )


def build_paying_scene(amount: float = 260.0) -> Scene:
    """A product that costs about what the user pays."""
    user = UserProfile(
        recent_products=[RecentProduct(product_id="h2", action="purchase")],
        typical_prices={"CNY": amount},
    )
    return Scene(
        build_product(),
        None,
        user,
        PagePrices({}),
        now=NOW,
        contributions=build_contributions("price_affinity"),
    )


def build_meaning_scene() -> Scene:
    """A product that only its meaning led to: no word of the query stands in a title."""
    query = QueryUnderstanding(query="rucksack for hikers", search_text="rucksack hikers")
    return Scene(
        build_product(),
        query,
        None,
        PagePrices({}),
        now=NOW,
        legs=[LegScore(leg="dense", rank=2, score=0.7)],
    )


def build_relations() -> list[relation_pb2.Relation]:
    beside = {"product_id": "h2", "product_title": "Rain cover XT 40"}
    return [
        relation_pb2.Relation(
            kind=relation_pb2.RELATION_KIND_BOUGHT_TOGETHER, customer_count=37, **beside
        ),
        relation_pb2.Relation(
            kind=relation_pb2.RELATION_KIND_VIEWED_TOGETHER, customer_count=250, **beside
        ),
        relation_pb2.Relation(
            kind=relation_pb2.RELATION_KIND_FITS, evidence="XT 40", owned=True, **beside
        ),
        relation_pb2.Relation(
            kind=relation_pb2.RELATION_KIND_FITS,
            product_id="h3",
            product_title="Frame 7",
            evidence="7",
        ),
        relation_pb2.Relation(
            kind=relation_pb2.RELATION_KIND_FITTED_BY, evidence="XT 40", **beside
        ),
        relation_pb2.Relation(kind=relation_pb2.RELATION_KIND_GOES_WITH, **beside),
        relation_pb2.Relation(kind=relation_pb2.RELATION_KIND_STEP_UP, evidence="4.2", **beside),
        relation_pb2.Relation(
            kind=relation_pb2.RELATION_KIND_BOUGHT_BEFORE,
            age_seconds=40.5 * 86_400,
            purchase_count=1,
        ),
        relation_pb2.Relation(
            kind=relation_pb2.RELATION_KIND_BOUGHT_BEFORE,
            age_seconds=12.5 * 86_400,
            purchase_count=3,
        ),
        relation_pb2.Relation(kind=relation_pb2.RELATION_KIND_SIMILAR, evidence="THULE", **beside),
    ]


@pytest.fixture
def make_scene() -> Callable[..., Scene]:
    return build_scene


@pytest.fixture
def verifier() -> Verifier:
    return Verifier(DEFAULT_BANNED_WORDS)
