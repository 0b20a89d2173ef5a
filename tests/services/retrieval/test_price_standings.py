"""Where a price stands in its category."""

import pytest

from services.retrieval.price_standings import PriceGatherer
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.price_standing_pb2 import PriceStanding


def product(
    product_id: str, amount: float, currency: str = "EUR", group: str = "", path: str = "Kettles"
) -> Product:
    made = Product(id=product_id, category_path=["Kitchen", path], variant_group_id=group)
    made.price.amount, made.price.currency_code = amount, currency
    return made


CATALOGUE = [
    product("a", 10),
    product("b", 20),
    product("c", 20),
    product("d", 30),
    product("e", 5, "USD"),
    product("g1", 24, group="g"),
    product("g2", 40, group="g"),
    product("t", 99, path="Toasters"),
    Product(id="bare", category_path=["Kitchen", "Kettles"]),
]


@pytest.mark.parametrize(
    ("product_id", "compared", "dearer"),
    [("a", 4, 4), ("b", 4, 2), ("d", 4, 0), ("g1", 4, 1), ("g2", 4, 0)],
)
def test_equal_prices_are_not_dearer_and_a_group_is_one(
    product_id: str, compared: int, dearer: int
) -> None:
    gatherer = PriceGatherer()
    for each in CATALOGUE:
        gatherer.add(each)
    wanted = next(each for each in CATALOGUE if each.id == product_id)
    assert gatherer.prices().standing(wanted) == PriceStanding(
        category="Kettles", currency_code="EUR", compared_count=compared, dearer_count=dearer
    )


@pytest.mark.parametrize("product_id", ["e", "t", "bare"])
def test_what_has_nothing_beside_it_has_no_standing(product_id: str) -> None:
    gatherer = PriceGatherer()
    for each in CATALOGUE:
        gatherer.add(each)
    wanted = next(each for each in CATALOGUE if each.id == product_id)
    assert gatherer.prices().standing(wanted) is None


def test_a_price_that_changed_since_is_not_compared_with_itself() -> None:
    gatherer = PriceGatherer()
    for each in CATALOGUE:
        gatherer.add(each)
    assert gatherer.prices().standing(product("a", 7)) is None
