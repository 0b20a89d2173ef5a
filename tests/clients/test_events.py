"""Events that follow from an answer, and messages in batches."""

import pytest

from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import UserEvent, UserEventType
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendResponse
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse
from wherefore_client import event_after
from wherefore_client.batches import BATCH_BYTES, BATCH_ROWS, event_packer, product_packer
from wherefore_client.events import with_id

CLICK = UserEventType.USER_EVENT_TYPE_CLICK
TOKEN = "signed"  # noqa: S105 - of an answer, no secret
ADA = UserContext(user_id="ada", session_id="visit-1")


def answer(kind: type[SearchResponse] | type[RecommendResponse]):
    made = kind(attribution_token=TOKEN)
    for name in ("p1", "p2"):
        made.results.add().product.id = name
    return made


def test_an_event_after_a_search_says_what_it_followed_from():
    page = answer(SearchResponse)
    page.query.query = "steel kettle"
    event = event_after(page, "p2", CLICK, user=ADA, shown_before=20)
    assert (event.user_id, event.session_id) == ("ada", "visit-1")
    assert event.attribution_token == TOKEN
    assert event.query == "steel kettle"
    assert [(each.product_id, each.position) for each in event.products] == [("p2", 22)]
    assert event.event_time.seconds > 0
    assert event.id
    assert event.id != event_after(page, "p2", CLICK, user=ADA).id


def test_an_event_after_a_recommendation():
    event = event_after(answer(RecommendResponse), "p1", CLICK, user=ADA, quantity=2)
    assert (event.query, event.attribution_token) == ("", TOKEN)
    assert (event.products[0].position, event.products[0].quantity) == (1, 2)


def test_what_was_not_shown_or_nobody_did_is_refused():
    page = answer(SearchResponse)
    with pytest.raises(ValueError, match='product_id: "p3"'):
        event_after(page, "p3", CLICK, user=ADA)
    with pytest.raises(ValueError, match="user: give user_id or session_id"):
        event_after(page, "p1", CLICK, user=UserContext())


def test_an_id_is_given_once():
    named = UserEvent(id="mine", type=CLICK)
    assert with_id(named) is named
    bare = UserEvent(type=CLICK, user_id="ada")
    given = with_id(bare)
    assert given.id
    assert not bare.id
    assert (given.type, given.user_id) == (CLICK, "ada")


def products(count: int) -> list[Product]:
    return [Product(id=f"p{number}") for number in range(count)]


def test_messages_are_full_and_say_their_rows():
    requests = list(product_packer(11).of(products(2 * BATCH_ROWS + 1)))
    assert [len(each.products) for each in requests] == [BATCH_ROWS, BATCH_ROWS, 1]
    assert [each.first_row for each in requests] == [11, 11 + BATCH_ROWS, 11 + 2 * BATCH_ROWS]
    assert not list(product_packer(1).of([]))
    with pytest.raises(ValueError, match="first_row"):
        product_packer(0)


def test_large_products_go_in_smaller_messages():
    large = [Product(id=str(n), uri="x" * (BATCH_BYTES // 2 + 1)) for n in range(3)]
    huge = Product(id="huge", uri="x" * (BATCH_BYTES * 2))
    requests = list(product_packer(1).of([*large, huge]))
    assert [len(each.products) for each in requests] == [1, 1, 1, 1]


async def test_products_may_come_asynchronously():
    async def slowly():
        for product in products(BATCH_ROWS + 2):
            yield product

    requests = [each async for each in product_packer(1).of_async(slowly())]
    assert [len(each.products) for each in requests] == [BATCH_ROWS, 2]
    assert [each async for each in product_packer(1).of_async([])] == []


def test_events_get_ids_on_the_way():
    (request,) = event_packer().of([UserEvent(type=CLICK), UserEvent(id="mine", type=CLICK)])
    assert request.events[0].id
    assert request.events[1].id == "mine"
