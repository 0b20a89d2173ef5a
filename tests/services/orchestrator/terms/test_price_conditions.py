"""Conditions on prices: what retrieval is asked instead lets everything pass that meets them."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.terms.contract import AgreedPrice, Contract, PartyTerms, Rebate
from services.orchestrator.terms.price_check import PriceCheck, without_prices
from services.orchestrator.terms.price_conditions import free_parts, holds, names_price, widened
from shared.errors import InvalidArgumentError
from shared.filter_syntax import (
    And,
    Expression,
    Not,
    Operator,
    Or,
    Restriction,
    Value,
    format_filter,
    parse_filter,
)
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import Constraint, NumberRange, QueryUnderstanding

BRAND = Restriction("brand", Operator.HAS, (Value("Acme"),))


def contract(prices=None, percent=0):
    rebates = {("", ""): Rebate(Decimal(percent))} if percent else {}
    agreed = {name: AgreedPrice(minor) for name, minor in (prices or {}).items()}
    return Contract("acme", [PartyTerms("acme", agreed, rebates)], "EUR", "")


def product(name, amount=None, currency="EUR", brand=""):
    made = Product(id=name, brand=brand)
    if amount is not None:
        made.price.amount, made.price.currency_code = amount, currency
    return made


@pytest.mark.parametrize(
    ("text", "price", "met"),
    [
        ("price < 10", 10, False),
        ("price <= 10", 10, True),
        ("price > 10", 10, False),
        ("price >= 10", 10, True),
        ("price = 10", 10, True),
        ("price != 10", 10, False),
        ("price: (9 OR 10)", 10, True),
        ("price: *", 10, True),
        ("currency = eur", 10, True),
        ("currency != EUR", 10, False),
        ('currency: ("USD" OR "EUR")', 10, True),
        ("NOT price > 5", 10, False),
        ("price < 5", None, False),
        ("price: *", None, False),
        ("NOT price < 5", None, True),
        ("price != 5", None, True),
        ("price > 5 AND price < 20", 10, True),
        ("price < 5 OR brand: Acme", 10, True),
    ],
)
def test_prices_compare_as_the_index_compares_them(text, price, met):
    known = {BRAND: True, parse_filter("brand: Acme"): True}
    assert holds(parse_filter(text), price, "EUR" if price else "", known) is met


def test_parts_that_are_not_about_prices_are_found():
    tree = parse_filter('(brand: "Acme" AND price < 5) OR NOT (rating > 3 AND in_stock = true)')
    assert names_price(tree)
    found = [format_filter(part) for part in free_parts(tree)]
    assert found == ['brand: "Acme"', "NOT (rating > 3 AND in_stock = true)"]


LIMITS = st.sampled_from([0.0, 4.99, 5.0, 10.0, 99.5, 1000.0])
OPERATORS = st.sampled_from([each for each in Operator if each is not Operator.HAS])
LEAVES = st.builds(
    lambda operator, limit: Restriction("price", operator, (Value(f"{limit!r}", quoted=False),)),
    OPERATORS,
    LIMITS,
) | st.just(BRAND)
TREES: st.SearchStrategy[Expression] = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Not, inner)
        | st.lists(inner, min_size=2, max_size=3).map(lambda each: And(tuple(each)))
        | st.lists(inner, min_size=2, max_size=3).map(lambda each: Or(tuple(each)))
    ),
    max_leaves=6,
)


@given(
    tree=TREES,
    listed=st.floats(0, 2_000).map(lambda price: round(price, 2)),
    percent=st.integers(0, 100),
    is_acme=st.booleans(),
)
def test_no_product_that_meets_a_condition_fails_what_is_asked_instead(
    tree, listed, percent, is_acme
):
    made = contract(percent=percent)
    known = {BRAND: is_acme}
    offer = made.offer(product("p", listed))
    if holds(tree, offer.amount, "EUR", known):
        wide = widened(tree, made.least_share)
        assert wide is None or holds(wide, listed, "EUR", known)


def test_a_caller_is_told_the_conditions_and_retrieval_is_asked_for_more():
    understanding = QueryUnderstanding(
        constraints=[
            Constraint(field="price", range=NumberRange(max=8, unit="€"), hard=True),
            Constraint(field="price", range=NumberRange(max=3), hard=False),
        ]
    )
    check = PriceCheck.of(
        contract({"cup": 400, "mug": 900}, 50), "brand: Acme AND price > 3", understanding
    )
    assert check.asked == (
        'brand: Acme AND (price >= 2 OR id: ("cup" OR "mug")) AND '
        '((price <= 18 AND currency: "EUR") OR id: "cup")'
    ).replace('id: ("cup")', 'id: "cup"')
    told = check.told(f"{check.asked} AND colour: red")
    assert told == ('brand: Acme AND price > 3 AND price <= 8 AND currency: "EUR" AND colour: red')
    softened = without_prices(understanding)
    assert [each.hard for each in softened.constraints] == [False, False]


async def test_products_are_held_against_the_accounts_prices():
    made = contract({"cup": 400}, 50)
    shelf = [product("cup", 100.0), product("pan", 10.0), product("pot", 20.0), product("free")]
    check = PriceCheck.of(made, "price <= 5")
    assert await check.kept(None, shelf) == {"cup", "pan"}
    check = PriceCheck.of(made, "NOT price <= 5")
    assert await check.kept(None, shelf) == {"pot", "free"}


def test_without_prices_of_their_own_nothing_is_checked():
    assert PriceCheck.of(None, "price < 5") is None
    assert PriceCheck.of(contract(), "price < 5") is None
    assert PriceCheck.of(contract(percent=5), "brand: Acme") is None
    assert PriceCheck.of(contract(percent=5), "") is None


def test_long_lists_and_whole_discounts_are_not_named_to_retrieval():
    many = contract({f"p{n}": 100 for n in range(501)})
    assert PriceCheck.of(many, "price < 5 AND brand: Acme").asked == "brand: Acme"
    assert PriceCheck.of(contract(percent=100), "price < 5").asked == ""


@pytest.mark.parametrize("text", ["price < cheap", 'price = "ten"', "currency < EUR"])
def test_a_price_that_is_none_is_refused(text):
    with pytest.raises(InvalidArgumentError):
        PriceCheck.of(contract(percent=5), text)
