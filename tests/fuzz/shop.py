"""Products, shoppers and what they do, of fuzzed requests alone."""

from typing import Final

from tests.fuzz.values import PRODUCT_IDS
from wherefore.common.v1.product_pb2 import Price, Product, Review
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_CART,
    USER_EVENT_TYPE_PURCHASE,
    USER_EVENT_TYPE_SEARCH,
    ProductDetail,
    UserEvent,
)
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.retrieval.v1.facet_pb2 import FacetSpec, Interval

TERMS: Final = """currency: CNY
groups:
  - {id: trade, discounts: [{percent: 10, breaks: {100: 12.5}}]}
accounts:
  - id: fuzz
    group: trade
    prices: [{product: kitchen-0001, price: 9.99, breaks: {10: 9.5}, minimum: 5, step: 5}]
    hidden: {brands: [Nobody]}
reserved:
  - {tags: [trade-only], for: [trade]}
"""
"""Terms of the account that requests name, for the orchestrator of a suite that is fuzzed."""


def make_product(number: int = 0) -> Product:
    """A product that fuzzed requests may make, change and delete."""
    product = Product(
        id=PRODUCT_IDS[number],
        titles={"en": "Blue enamel cup", "zh": "蓝色搪瓷杯"},
        descriptions={"en": "A cup of 350 ml that fits cup holders."},
        brand="Acme",
        category_path=["Kitchen", "Cups"],
        price=Price(currency_code="EUR", amount=9.5, list_amount=12),
        tags=["enamel"],
        uri="https://example.com/cup",
        language_code="en",
        reviews=make_reviews(),
    )
    product.attributes["colour"].texts.append("blue")
    product.attributes["capacity_ml"].numbers.append(350)
    product.attributes["dishwasher_safe"].boolean = True
    product.stock.quantity = 3
    product.statistics.purchase_count = 12
    product.release_time.seconds = 1_700_000_000
    product.review_summary.average_rating = 4.5
    product.review_summary.rating_count = 12
    product.review_summary.opinions.add(aspect="quality", positive_count=9, negative_count=1)
    return product


def make_reviews() -> list[Review]:
    texts = (
        "Sturdy and pretty. The handle gets hot.",
        "Great value, arrived late.",
        "质量很好，有点小。",
    )
    return [
        Review(id=f"r{number}", rating=4, text=text, create_time={"seconds": 1_700_000_000})
        for number, text in enumerate(texts)
    ]


def make_user() -> UserContext:
    return UserContext(user_id="fuzz", session_id="fuzz-session")


def make_buyer() -> UserContext:
    """Of the account that there are terms of."""
    return UserContext(user_id="fuzz", account_id="fuzz")


def make_facets() -> list[FacetSpec]:
    return [
        FacetSpec(key="brand", limit=5, prefix="a"),
        FacetSpec(key="price", intervals=[Interval(min=0, max=100), Interval(min=100)]),
    ]


def make_events() -> list[UserEvent]:
    cart = UserEvent(
        id="fuzz-event",
        type=USER_EVENT_TYPE_CART,
        user_id="fuzz",
        session_id="fuzz-session",
        event_time={"seconds": 1_700_000_000},
        products=[ProductDetail(product_id=PRODUCT_IDS[0], quantity=1, position=2)],
    )
    search = UserEvent(type=USER_EVENT_TYPE_SEARCH, user_id="fuzz", query="blue cup")
    order = UserEvent(
        type=USER_EVENT_TYPE_PURCHASE,
        user_id="fuzz",
        account_id="fuzz",
        products=[ProductDetail(product_id=PRODUCT_IDS[0], quantity=12)],
    )
    return [cart, search, order]
