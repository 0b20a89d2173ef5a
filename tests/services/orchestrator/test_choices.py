"""What shoppers chose after a query has a say in the next search for it."""

import time
from types import SimpleNamespace

import pytest

from services.orchestrator import choices
from services.orchestrator.choices import LEG, MIN_USERS, QueryChoices, add_leg
from tests.services.orchestrator.test_search import searcher
from wherefore.common.v1 import user_event_pb2 as pb
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub
from wherefore.retrieval.v1.candidate_pb2 import Candidate

DAY = 86_400


def event(
    user: str,
    product_id: str,
    query: str = "steel kettle",
    *,
    kind: pb.UserEventType.ValueType = pb.USER_EVENT_TYPE_CLICK,
    position: int = 1,
    age: float = 0,
) -> pb.UserEvent:
    made = pb.UserEvent(type=kind, user_id=user, query=query, id=f"{user}-{product_id}-{kind}")
    made.event_time.FromSeconds(int(time.time() - age))
    made.products.add(product_id=product_id, quantity=1, position=position)
    return made


def counted(*events: pb.UserEvent) -> QueryChoices:
    made = QueryChoices(half_life_days=7)
    for each in events:
        made.count(each)
    return made


def users(product_id: str, count: int, **fields) -> list[pb.UserEvent]:
    return [event(f"{product_id}-{n}", product_id, **fields) for n in range(count)]


def test_fewer_than_three_users_are_never_told() -> None:
    one = [event("ann", "a", kind=kind) for kind in (1, 3, 4, 5)]
    assert counted(*one, *users("b", MIN_USERS - 1)).best("steel kettle", 9) == []
    assert counted(*users("b", MIN_USERS)).best("steel kettle", 9) == [("b", 1.0)]


def test_words_count_in_any_order_and_other_queries_do_not() -> None:
    made = counted(*users("a", 3))
    assert made.best("Kettle, steel", 9) == [("a", 1.0)]
    assert made.best("steel", 9) == made.best("", 9) == made.best("x" * 500, 9) == []


def test_purchases_places_and_age_weigh() -> None:
    made = counted(
        *users("clicked", 3),
        *users("bought", 3, kind=pb.USER_EVENT_TYPE_PURCHASE),
        *users("below", 3, position=15),
        *users("old", 3, age=21 * DAY),
        *users("shown", 3, kind=pb.USER_EVENT_TYPE_IMPRESSION),
    )
    best = dict(made.best("steel kettle", 9))
    assert list(best) == ["bought", "below", "clicked", "old"]
    assert best["clicked"] == pytest.approx(0.2)
    assert best["below"] == pytest.approx(0.8)
    assert best["old"] == pytest.approx(0.2 / 8, rel=1e-3)


def test_one_user_counts_once() -> None:
    many = [event("ann", "a", kind=pb.USER_EVENT_TYPE_PURCHASE)] * 50
    assert dict(counted(*many, *users("a", 2), *users("b", 3)).best("steel kettle", 9)) == {
        "a": 1.0,
        "b": pytest.approx(3 / 7),
    }


def test_it_stays_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "MAX_QUERIES", 20)
    made = counted(*(e for n in range(100) for e in users("a", 3, query=f"thing {n}")))
    assert len(made._chosen) == 20
    assert made.best("thing 99", 9) == [("a", 1.0)]
    crowd = counted(*(e for n in range(80) for e in users(f"p{n}", 3)))
    assert len(crowd.best("steel kettle", 100)) <= 50


def test_the_leg_adds_to_the_fused_score() -> None:
    candidates = [Candidate(fused_score=0.03), Candidate(fused_score=0.02)]
    candidates[0].product.id, candidates[1].product.id = "a", "b"
    add_leg(candidates, [("b", 1.0), ("gone", 0.5)], 2.0)
    assert not candidates[0].legs
    (leg,) = candidates[1].legs
    assert (leg.leg, leg.rank, leg.score) == (LEG, 1, 1.0)
    assert candidates[1].fused_score == pytest.approx(0.02 + 2 / 61)


@pytest.mark.asyncio(loop_scope="module")
async def test_the_next_search_knows(shop: SimpleNamespace) -> None:
    ask, events = searcher(shop), UserEventServiceStub(shop.channel)
    for n in range(MIN_USERS):
        said = event(f"u{n}", "p07", query="cup", kind=pb.USER_EVENT_TYPE_PURCHASE)
        await events.Write(UserEventServiceWriteRequest(event=said), timeout=5)
    for query, order, expected in (
        ("cup", "", {"p07"}),
        ("cup", "price", set()),
        ("jug", "", set()),
    ):
        answer = await ask(query=query, order_by=order, page_size=100)
        told = {r.product.id for r in answer.results if LEG in {leg.leg for leg in r.legs}}
        assert told == expected
