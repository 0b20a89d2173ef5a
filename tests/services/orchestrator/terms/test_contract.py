"""What an account is asked for a product."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.terms.applied import reprice, terms_of, without
from services.orchestrator.terms.contract import (
    AgreedPrice,
    Contract,
    PartyTerms,
    Rebate,
    Source,
)
from shared.filter_syntax import join_and
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1 import account_terms_pb2 as pb


def product(product_id="cup", amount=10.0, currency="EUR", brand="Acme", path=("Kitchen", "Mugs")):
    made = Product(id=product_id, brand=brand, category_path=path)
    if amount is not None:
        made.price.amount, made.price.currency_code = amount, currency
    return made


def contract(own=None, group=None, rebates=None, group_rebates=None):
    parties = [PartyTerms("acme", own or {}, rebates or {})]
    parties.append(PartyTerms("trade", group or {}, group_rebates or {}))
    return Contract("acme", parties, "EUR", "")


def rebate(percent, **breaks):
    return Rebate(Decimal(percent), tuple((int(q[1:]), Decimal(p)) for q, p in breaks.items()))


def test_without_terms_the_catalogues_price_holds_as_it_is():
    offer = contract().offer(product(amount=9.999))
    assert (offer.source, offer.amount, offer.party) == (Source.LIST, 9.999, "")
    assert (offer.minimum, offer.step, offer.breaks) == (1, 1, ())
    assert contract().offer(product(amount=None)).amount is None


def test_an_agreed_price_goes_before_discounts_and_the_accounts_own_before_its_groups():
    agreed = {"cup": AgreedPrice(790)}
    everything = {("", ""): rebate(50)}
    both = contract(agreed, {"cup": AgreedPrice(500)}, everything, everything).offer(product())
    assert (both.source, both.party, both.amount) == (Source.CONTRACT, "acme", 7.9)
    groups = contract(None, agreed, everything).offer(product())
    assert (groups.source, groups.party, groups.amount) == (Source.CONTRACT, "trade", 7.9)
    own = contract(rebates={("", ""): rebate(5)}, group_rebates=everything).offer(product())
    assert (own.source, own.party, own.amount) == (Source.DISCOUNT, "acme", 9.5)
    # Also where the catalogue has no price, or one in another currency.
    assert contract(agreed).offer(product(amount=None)).amount == 7.9
    assert contract(agreed).offer(product(currency="USD")).currency == "EUR"
    assert contract(rebates=everything).offer(product(currency="USD")).currency == "USD"


@pytest.mark.parametrize(
    ("named", "percent"),
    [
        ((("", ""), ("acme", "")), 20),
        ((("", ""), ("acme", ""), ("", "mugs")), 30),
        ((("", ""), ("", "kitchen > mugs")), 20),
        ((("", ""), ("acme", "kitchen")), 20),
        ((("", ""), ("zeta", ""), ("", "lamps"), ("zeta", "mugs")), 10),
    ],
)
def test_the_largest_discount_that_a_product_falls_under_counts(named, percent):
    rebates = {name: rebate(10 * n) for n, name in enumerate(named, 1)}
    offer = contract(rebates=rebates).offer(product())
    assert offer.amount == pytest.approx(10 - percent / 10)


def test_breaks_begin_where_one_can_order():
    agreed = AgreedPrice(790, ((10, 750), (100, 690), (103, 680)), 10, 5)
    offer = contract({"cup": agreed}).offer(product())
    assert (offer.amount, offer.minimum, offer.step) == (7.5, 10, 5)
    assert offer.breaks == ((100, 6.9), (105, 6.8))
    # Quantities alone leave the price to others.
    packs = contract({"cup": AgreedPrice(None, (), 0, 6)}, {"cup": AgreedPrice(500, (), 8)})
    offer = packs.offer(product())
    assert (offer.amount, offer.minimum, offer.step) == (5.0, 12, 6)


def test_a_discount_that_rounds_to_nothing_is_no_break():
    rebates = {("", ""): rebate(1, q10=2, q20=60)}
    offer = contract(rebates=rebates).offer(product(amount=0.04))
    assert (offer.amount, offer.breaks) == (0.04, ((20, 0.02),))


AMOUNTS = st.floats(0, 1e6, allow_nan=False)
PERCENTS = st.lists(st.decimals(Decimal("0.0001"), 100, places=4), min_size=1, unique=True)
QUANTITIES = st.integers(1, 1_000)


@st.composite
def rebates_and_rows(draw):
    percents = sorted(draw(PERCENTS))
    quantities = sorted(draw(st.sets(st.integers(2, 5_000), max_size=len(percents) - 1)))
    breaks = tuple(zip(quantities, percents[1:], strict=False))
    return Rebate(percents[0], breaks), draw(QUANTITIES), draw(QUANTITIES)


@given(amount=AMOUNTS, drawn=rebates_and_rows(), currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_prices_fall_with_the_quantity_and_never_below_nothing(amount, drawn, currency):
    discount, minimum, step = drawn
    made = contract({"cup": AgreedPrice(None, (), minimum, step)}, None, {("", ""): discount})
    offer = made.offer(product(amount=amount, currency=currency))
    prices = [offer.amount, *(price for _, price in offer.breaks)]
    assert all(higher > lower for higher, lower in pairwise(prices))
    assert min(prices) >= 0
    quantities = [offer.minimum, *(quantity for quantity, _ in offer.breaks)]
    assert all(low < high for low, high in pairwise(quantities))
    assert all(quantity % offer.step == 0 for quantity in quantities)
    assert minimum <= offer.minimum < minimum + step


def test_what_is_told_has_both_prices_and_products_are_repriced():
    made = contract({"cup": AgreedPrice(750, ((100, 690),))})
    shown = product()
    terms = terms_of(made, shown)
    assert (terms.account_id, terms.party_id) == ("acme", "acme")
    assert terms.source == pb.TERMS_SOURCE_CONTRACT
    assert (terms.unit_price.amount, terms.list_price.amount) == (7.5, 10.0)
    assert [(b.minimum_quantity, b.unit_amount) for b in terms.quantity_breaks] == [(100, 6.9)]
    reprice(shown, terms)
    assert (shown.price.amount, shown.price.list_amount) == (7.5, 10.0)
    dearer = product(amount=5.0)
    reprice(dearer, terms_of(made, dearer))
    assert (dearer.price.amount, dearer.price.list_amount) == (7.5, 0)
    dollars = product(currency="USD")
    reprice(dollars, terms_of(made, dollars))
    assert (dollars.price.currency_code, dollars.price.list_amount) == ("EUR", 0)
    untouched = product("other")
    untouched.price.list_amount = 12.0
    reprice(untouched, terms_of(made, untouched))
    assert (untouched.price.amount, untouched.price.list_amount) == (10.0, 12.0)
    bare = product(amount=None)
    assert not terms_of(contract(), bare).HasField("unit_price")


@pytest.mark.parametrize("own", ["", "brand: Acme", "brand: Acme OR price < 5 AND rating > 2"])
@pytest.mark.parametrize("hidden", ["", 'NOT id: "x"', 'NOT id: ("x" OR "y") AND brand: "Z"'])
def test_filters_are_told_without_what_hides_products(own, hidden):
    told = without(join_and(own, hidden), hidden)
    assert join_and(told, "x = 1") == join_and(own, "x = 1")
    assert not hidden or hidden not in told
