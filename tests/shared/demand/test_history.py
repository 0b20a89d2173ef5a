"""Units a day, from events."""

from datetime import UTC, date, datetime

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from shared.demand.history import daily_demand
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_PURCHASE,
    USER_EVENT_TYPE_VIEW,
    ProductDetail,
    UserEvent,
)


def event(kind, product, day, quantity=0, hour=12):
    at = datetime(2026, 3, day, hour, tzinfo=UTC).timestamp()
    return UserEvent(
        type=kind,
        event_time=Timestamp(seconds=int(at)),
        products=[ProductDetail(product_id=product, quantity=quantity)],
    )


def test_a_product_begins_when_it_was_first_seen_and_ends_before_the_last_day():
    history = daily_demand(
        [
            event(USER_EVENT_TYPE_PURCHASE, "cup", 4, quantity=2),
            event(USER_EVENT_TYPE_PURCHASE, "cup", 4, hour=23),
            event(USER_EVENT_TYPE_VIEW, "cup", 2),
            event(USER_EVENT_TYPE_PURCHASE, "cup", 7, quantity=9),
            event(USER_EVENT_TYPE_VIEW, "lamp", 1),
        ]
    )
    assert history.until == date(2026, 3, 7)
    assert {name: list(units) for name, units in history.units.items()} == {"cup": [0, 0, 3, 0, 0]}


def test_the_end_may_be_given():
    events = [event(USER_EVENT_TYPE_PURCHASE, "cup", day) for day in (1, 2, 5)]
    history = daily_demand(events, date(2026, 3, 7))
    assert list(history.units["cup"]) == [1, 1, 0, 0, 1, 0]
    assert daily_demand(events, date(2026, 3, 1)).units == {}


def test_the_order_of_events_is_of_no_account():
    events = [event(USER_EVENT_TYPE_PURCHASE, "cup", day) for day in (1, 2, 5, 8)]
    told = [list(daily_demand(each).units["cup"]) for each in (events, events[::-1])]
    assert told[0] == told[1]


@pytest.mark.parametrize("events", [[], [UserEvent(type=USER_EVENT_TYPE_PURCHASE)]])
def test_what_has_no_time_is_not_counted(events):
    assert daily_demand(events).units == {}
