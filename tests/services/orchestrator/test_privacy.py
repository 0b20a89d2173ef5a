"""What one user's history brought about is never shown to another, whatever is kept meanwhile."""

from dataclasses import dataclass

import grpc
import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.orchestrator.fake_backends import personal_order
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")


@dataclass(frozen=True)
class Actor:
    """Someone, and the only product that they looked at."""

    user_id: str = ""
    session_id: str = ""
    known: str = ""

    @property
    def context(self) -> UserContext:
        return UserContext(user_id=self.user_id, session_id=self.session_id)


ANN = Actor(user_id="ann", known="p03")
ACTORS = (
    ANN,
    Actor(user_id="bob", known="p08"),
    Actor(session_id="ann", known="p11"),  # a session called like a user is not that user
    Actor(),
)
QUERIES = ("cup", "mug")
STEPS = st.lists(
    st.tuples(
        st.sampled_from(ACTORS),
        st.sampled_from(QUERIES),
        st.integers(1, 12),  # page size
        st.none() | st.integers(0, 30),  # which of the tokens given out so far
    ),
    min_size=2,
    max_size=8,
)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def known_shop(shop):
    events = UserEventServiceStub(shop.channel)
    for actor in ACTORS:
        if actor.known:
            event = UserEvent(
                type=USER_EVENT_TYPE_VIEW,
                user_id=actor.user_id,
                session_id=actor.session_id,
                products=[ProductDetail(product_id=actor.known)],
            )
            await events.Write(UserEventServiceWriteRequest(event=event))
    return shop


@settings(max_examples=40, deadline=None)
@given(steps=STEPS)
async def test_answers_are_the_callers_own(known_shop, steps):
    search = SearchServiceStub(known_shop.channel)
    ids = sorted(known_shop.fake.products)
    given_out: list[tuple[Actor, str, int, str]] = []
    for actor, query, size, which in steps:
        request = SearchRequest(query=query, user=actor.context, page_size=size)
        owner, offset = (actor, query), 0
        if which is not None and given_out:
            *owner, offset, request.page_token = given_out[which % len(given_out)]
        if tuple(owner) != (actor, query):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await search.Search(request)
            assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
            assert "page_token" in (error.value.details() or "")
            continue
        answer = await search.Search(request)
        order = personal_order(ids, [actor.known] if actor.known else [])
        assert [r.product.id for r in answer.results] == order[offset : offset + size]
        assert {_history(r.reason.text) for r in answer.results} == {actor.known}
        if answer.next_page_token:
            given_out.append((actor, query, offset + size, answer.next_page_token))


@settings(max_examples=15, deadline=None)
@given(actors=st.lists(st.sampled_from(ACTORS[:3]), min_size=2, max_size=5))
async def test_recommendations_are_the_callers_own(known_shop, actors):
    recommend = RecommendationServiceStub(known_shop.channel)
    for actor in actors:
        answer = await recommend.Recommend(RecommendRequest(user=actor.context))
        assert answer.serving_config == "for-you"
        assert {_history(r.reason.text) for r in answer.results} == {actor.known}
        assert actor.known not in {r.product.id for r in answer.results}


@pytest.mark.parametrize("other", [{"query": "lamp"}, {"filter": "price > 1"}])
async def test_a_token_serves_one_request(known_shop, other):
    search = SearchServiceStub(known_shop.channel)
    request = SearchRequest(query="cup", page_size=5, user=ANN.context)
    request.page_token = (await search.Search(request)).next_page_token
    request.MergeFrom(SearchRequest(**other))
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await search.Search(request)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_user_is_told_to_ranking_and_to_nobody_else(known_shop):
    known_shop.fake.seen_users.clear()
    search = SearchServiceStub(known_shop.channel)
    for actor in ACTORS:
        await search.Search(SearchRequest(query="ranked", user=actor.context))
    ann, bob, *others = known_shop.fake.seen_users
    # By pseudonyms of their own, and nobody by name.
    assert len({ann, bob, ""}) == 3
    assert {"ann", "bob"}.isdisjoint(known_shop.fake.seen_users)
    assert others == ["", ""]


def _history(reason: str) -> str:
    return reason.split("Known: ")[1].split(".", maxsplit=1)[0]
