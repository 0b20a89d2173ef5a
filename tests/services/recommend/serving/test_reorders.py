"""What is due again, by an account's own intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.recommend.serving.found import Tie
from services.recommend.serving.reorders import DUE_SHARE, Reorders, party_of

DAY = 86_400.0
NOW = 1_800_000_000.0


def nothing(product_id):
    return [product_id]


def ordered(days_ago, product="paper", actor="u:ann", account="acme", orders=None):
    orders = Reorders() if orders is None else orders
    for days in days_ago:
        orders.count(actor, account, [product], NOW - days * DAY)
    return orders


def due(orders, party="a:acme", kind_of=nothing):
    return orders.due(party, 100, kind_of, NOW)


def test_what_is_ordered_every_month_is_due_after_a_month():
    (found,) = due(ordered([121, 91, 61, 31]))
    (evidence,) = found.evidence
    assert (found.product_id, evidence.tie) == ("paper", Tie.DUE_AGAIN)
    assert (evidence.purchases, evidence.interval_days) == (4, 30)
    assert evidence.age_seconds == 31 * DAY
    assert due(ordered([100, 70, 40, 10])) == []


@pytest.mark.parametrize("days", [[31], [61, 31], [31.1, 31.2, 31.3, 31.4]])
def test_of_two_days_no_interval_is_usual(days):
    assert due(ordered(days)) == []


def test_what_was_given_up_is_not_due():
    assert due(ordered([1_000, 970, 940, 910])) == []


def test_an_account_orders_by_all_its_people_and_each_of_them_alone():
    orders = ordered([90, 60])
    ordered([30], actor="u:bob", orders=orders)
    assert [each.evidence[0].purchases for each in due(orders)] == [3]
    assert due(orders, "u:ann") == []
    assert due(orders, party_of("zeta", "")) == []
    assert party_of("", "u:bob") == "u:bob"
    orders.forget("u:bob")
    assert due(orders) == []
    orders.forget("u:ann")
    assert orders._orders == {}
    assert (orders._all.days, orders._all.count) == (0, 0)
    assert orders._gaps == {}


def test_few_orders_are_drawn_to_what_is_usual_for_the_kind():
    """Twice after five days, of a kind that is ordered every 60: not due after a week."""
    hasty = [17, 12, 7]
    assert due(ordered(hasty)) == []  # with a month for a prior
    kind = {"paper": ["paper", "other"]}
    slow, quick = ordered(hasty), ordered(hasty)
    for n in range(12):
        ordered([60 * n], "other", "u:eve", "", slow)
        ordered([5 * n], "other", "u:eve", "", quick)
    assert due(slow, kind_of=lambda each: kind.get(each, [each])) == []
    (found,) = due(quick, kind_of=lambda each: kind.get(each, [each]))
    assert found.evidence[0].interval_days == 5, "what is told is one's own"


def test_the_surest_come_first():
    orders = ordered([150, 120, 90, 60, 30])
    ordered([90, 60, 30], "pens", orders=orders)
    ordered([200, 150, 100], "ink", orders=orders)
    assert [each.product_id for each in due(orders)] == ["paper", "pens", "ink"]


@given(st.lists(st.floats(0, 700), min_size=0, max_size=40), st.randoms())
def test_what_is_told_holds_whatever_the_order_of_events(days, random):
    shuffled = list(days)
    random.shuffle(shuffled)
    found = due(ordered(days))
    assert found == due(ordered(shuffled))
    for each in found:
        (evidence,) = each.evidence
        assert 0 < each.score <= 1
        assert evidence.purchases >= 3
        assert evidence.interval_days >= 1
        assert evidence.age_seconds // DAY >= DUE_SHARE * evidence.interval_days
