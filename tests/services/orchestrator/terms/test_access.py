"""Requests that name an account are let through for callers whose credential is for it alone."""

import pytest

from services.orchestrator.events import EventLog
from services.orchestrator.servers import explanation, recommend, search
from shared.errors import PermissionDeniedError
from shared.request_context import NOBODY, Caller, set_caller
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_PURCHASE, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest

USER = UserContext(user_id="ann", account_id="acme")


def searched():
    return search.to_query(SearchRequest(query="cup", user=USER)).user.account_id


def recommended():
    return recommend.to_query(RecommendRequest(user=USER)).user.account_id


def written():
    event = UserEvent(
        type=USER_EVENT_TYPE_PURCHASE,
        user_id="ann",
        account_id="acme",
        products=[ProductDetail(product_id="cup")],
    )
    # What it keeps events in has no say in what they may hold.
    assert EventLog.check(object.__new__(EventLog), event) == []
    return event.account_id


def explained():
    return explanation._to_search(ExplainRequest(query="cup", user=USER)).user.account_id


@pytest.mark.parametrize("call", [searched, recommended, written, explained])
@pytest.mark.parametrize(
    ("roles", "accounts", "allowed"),
    [
        ((), (), True),  # security is off
        (("shopper",), (), False),
        (("shopper",), ("bolt",), False),
        (("shopper",), ("acme",), True),
        (("shop",), (), True),
        (("shop",), ("bolt",), False),
    ],
)
def test_every_request_that_names_an_account_is_checked(call, roles, accounts, allowed):
    set_caller(Caller("web", "", frozenset(roles), frozenset(accounts)))
    try:
        if allowed:
            assert call() == "acme"
        else:
            with pytest.raises(PermissionDeniedError):
                call()
    finally:
        set_caller(NOBODY)
