"""Budgets last through the day."""

import numpy as np

from services.orchestrator.sponsored.offers import Offer, OfferSeal, product_mark
from services.orchestrator.sponsored.pacing import FIRST_RATE, LEAST_RATE, Pacer

DAY = 20_000 * 86_400.0


def spend(pacer, budget, price, auctions_a_minute):
    """A day of auctions, each of which is won and clicked; returns what each hour cost."""
    drawn = np.random.default_rng(4)
    spent, hours = 0, []
    for minute in range(24 * 60):
        before = spent
        for _ in range(auctions_a_minute):
            rate = pacer.step(DAY + 60.0 * minute, spent, budget)
            if spent < budget and drawn.random() < rate:
                spent += price
        if minute % 60 == 0:
            hours.append(0)
        hours[-1] += spent - before
    return hours


def test_a_budget_that_is_too_small_for_all_auctions_lasts_the_day():
    hours = spend(Pacer(), 2_400, 1, 20)
    assert 0.9 * 2_400 <= sum(hours) <= 2_400
    assert max(hours) < 3 * 2_400 / 24
    assert min(hours[2:-1]) > 0


def test_a_budget_that_is_never_spent_throttles_nobody():
    pacer = Pacer()
    hours = spend(pacer, 10**9, 1, 5)
    assert pacer.rate == 1.0
    assert hours[-1] == 5 * 60


def test_rates_stay_within_their_limits():
    pacer = Pacer()
    assert pacer.step(DAY, 0, 10) == FIRST_RATE
    assert pacer.step(DAY + 30, 10, 10) == FIRST_RATE
    assert pacer.step(DAY + 60 * 500, 10, 10) == LEAST_RATE
    assert pacer.step(DAY + 60 * 1_000, 0, 10) == 1.0


def test_offers_are_sealed_for_one_ranking():
    offers = [Offer(product_mark("cup"), "cups", 250_000)]
    old = OfferSeal([b"a" * 32])
    text = old.seal(offers, "r1")
    assert old.open(text, "r1") == offers
    assert OfferSeal([b"b" * 32, b"a" * 32]).open(text, "r1") == offers
    assert "cups" not in text
    assert old.seal([], "r1") == ""
    for other, ranking in ((text, "r2"), (text[:-8] + "AAAAAAAA", "r1"), ("", "r1"), ("é", "r1")):
        assert old.open(other, ranking) == []
    assert OfferSeal([b"b" * 32]).open(text, "r1") == []
