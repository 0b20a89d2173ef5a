"""The auction: its prices, and that nobody gains by bidding what a click is not worth."""

from hypothesis import given
from hypothesis import strategies as st

from services.orchestrator.sponsored.auction import Bid, run_auction

MICROS = st.integers(1, 5_000_000)
RELEVANCE = st.floats(0.05, 1.0)


@st.composite
def all_bids(draw, least=1, most=8):
    count = draw(st.integers(least, most))
    products = st.sampled_from([f"p{n}" for n in range(6)])
    return [Bid(f"c{n}", draw(products), draw(MICROS), draw(RELEVANCE)) for n in range(count)]


def bid(name, amount, relevance=1.0, product=""):
    return Bid(name, product or f"of-{name}", amount, relevance)


def told(won):
    return [(each.bid.campaign_id, each.price, each.slot) for each in won]


def test_prices_are_those_of_the_next():
    bids = [bid("a", 100), bid("b", 80), bid("c", 50)]
    assert told(run_auction(bids, 2, 10)) == [("a", 80, 1), ("b", 50, 2)]
    assert told(run_auction(bids[:1], 2, 10)) == [("a", 10, 1)]
    assert told(run_auction(bids, 5, 60)) == [("a", 80, 1), ("b", 60, 2)]


def test_relevance_makes_a_click_cheaper():
    bids = [bid("dear", 100, 0.4), bid("fitting", 60, 0.8)]
    assert told(run_auction(bids, 1, 1)) == [("fitting", 50, 1)]


def test_a_product_and_a_campaign_have_one_slot():
    bids = [
        bid("a", 100, 0.5, "cup"),
        bid("a", 100, 0.9, "lamp"),
        bid("b", 70, 0.9, "lamp"),
        bid("c", 20, 0.9, "mug"),
    ]
    # "b" would have had the lamp's slot, so that it sets its price; then "c" is next.
    assert told(run_auction(bids, 3, 1)) == [("a", 70, 1), ("c", 1, 2)]


@given(all_bids(), st.integers(1, 4), MICROS)
def test_a_price_is_within_reserve_and_bid(bids, slots, reserve):
    won = run_auction(bids, slots, reserve)
    assert len(won) <= slots
    assert [each.slot for each in won] == list(range(1, len(won) + 1))
    assert len({each.bid.product_id for each in won}) == len(won)
    assert len({each.bid.campaign_id for each in won}) == len(won)
    for each in won:
        assert reserve <= each.price <= each.bid.bid
        assert each.bid in bids
    scores = [each.bid.score for each in won]
    assert scores == sorted(scores, reverse=True)


@given(all_bids(), MICROS, RELEVANCE, MICROS, MICROS)
def test_with_one_slot_nobody_gains_by_bidding_another_sum(others, value, relevance, lie, reserve):
    def gain(amount):
        won = run_auction([*others, Bid("me", "mine", amount, relevance)], 1, reserve)
        return sum(value - each.price for each in won if each.bid.campaign_id == "me")

    # Prices are whole micros, so that a lie may at most save the fraction of one.
    assert gain(value) >= gain(lie) - 1


@given(all_bids(), MICROS, RELEVANCE, MICROS, MICROS)
def test_that_holds_for_a_product_that_others_bid_for_too(others, value, relevance, lie, reserve):
    def gain(amount):
        won = run_auction([*others, Bid("me", "p0", amount, relevance)], 1, reserve)
        return sum(value - each.price for each in won if each.bid.campaign_id == "me")

    assert gain(value) >= gain(lie) - 1


@given(all_bids(), MICROS)
def test_the_price_of_one_slot_does_not_hang_on_the_bid_that_won(bids, reserve):
    (*_, first) = [None, *run_auction(bids, 1, reserve)]
    if first is None:
        return
    raised = [
        Bid(b.campaign_id, b.product_id, b.bid * 2, b.relevance)
        if b.campaign_id == first.bid.campaign_id
        else b
        for b in bids
    ]
    (again,) = run_auction(raised, 1, reserve)
    assert (again.bid.campaign_id, again.price) == (first.bid.campaign_id, first.price)
