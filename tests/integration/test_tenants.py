"""Two shops in one suite: neither ever sees anything of the other."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import pytest
from google.protobuf.message import Message
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.security.api_keys import new_key
from shared.security.policy import Role
from shared.security.settings import SecuritySettings
from wherefore.common.v1 import user_event_pb2 as event_pb
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1 import completion_service_pb2 as completion_pb
from wherefore.orchestrator.v1 import event_log_service_pb2 as log_pb
from wherefore.orchestrator.v1 import explanation_service_pb2 as explanation_pb
from wherefore.orchestrator.v1 import product_service_pb2 as product_pb
from wherefore.orchestrator.v1 import recommendation_service_pb2 as recommendation_pb
from wherefore.orchestrator.v1 import search_service_pb2 as search_pb
from wherefore.orchestrator.v1 import summary_service_pb2 as summary_pb
from wherefore.orchestrator.v1 import user_event_service_pb2 as user_event_pb
from wherefore.orchestrator.v1.completion_service_pb2_grpc import CompletionServiceStub
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub
from wherefore.orchestrator.v1.explanation_service_pb2_grpc import ExplanationServiceStub
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.summary_service_pb2_grpc import SummaryServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.suite

WORDS = ("kettle", "headphones", "backpack", "lamp", "mug", "jacket")


M = TypeVar("M")


@dataclass(frozen=True)
class Shop:
    """One tenant: its credential, and the word that stands in all it has and nowhere else."""

    tenant: str
    brand: str
    secret: str
    metadata: tuple[tuple[str, str], ...]

    def products(self) -> list[Product]:
        return [
            Product(
                id=f"p-{number}",  # the same ids in both shops
                titles={"en": f"{self.brand} {word} {number}"},
                descriptions={"en": f"A {word} for every day, {self.secret}."},
                brand=self.brand,
                category_path=["Home", word.title()],
            )
            for number, word in enumerate(WORDS * 2)
        ]


@pytest.fixture(scope="module")
def shops(edge: grpc.Channel, security: SecuritySettings) -> tuple[Shop, Shop]:
    """Two shops with catalogues and events, and the completions of both learnt."""

    def made(tenant: str, brand: str, secret: str) -> Shop:
        roles = [Role.SHOP, Role.CATALOGUE]
        key = new_key(security.api_keys_file, f"{tenant}-back-end", roles, tenant=tenant)
        return Shop(tenant, brand, secret, (("x-api-key", key),))

    both = made("acme", "Zorvex", "glimmerite"), made("bolt", "Quillan", "thrumwood")
    time.sleep(1.1)  # the file of keys is looked at once a second
    for shop in both:
        request = product_pb.ProductServiceImportRequest(
            products=shop.products(), rows=range(1, 2 * len(WORDS) + 1)
        )
        *_, last = ProductServiceStub(edge).Import(
            iter([request]), timeout=60, metadata=shop.metadata
        )
        assert last.imported_count == 2 * len(WORDS)
        for number in range(6):  # a search is completed once five users made it
            search_of = {"user_id": f"visitor-{number}", "query": f"{shop.secret} lamp"}
            write(edge, shop, event_pb.USER_EVENT_TYPE_SEARCH, **search_of)
    acme = both[0]
    for product in ("p-1", "p-2"):  # bolt has a user and products of the same names
        write(edge, acme, event_pb.USER_EVENT_TYPE_PURCHASE, product)
    for shop in both:
        until(lambda shop=shop: complete(edge, shop, shop.brand[:3]).completions)
        until(lambda shop=shop: complete(edge, shop, shop.secret[:5]).completions)
    return both


def patiently(ask: Callable[[], M]) -> M:
    """Asks again while the suite has too much to do, as a client would."""
    for _ in range(60):
        try:
            return ask()
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.RESOURCE_EXHAUSTED:
                raise
            time.sleep(0.5)
    raise AssertionError("never had time")


def until(done: Callable[[], Any]) -> Any:
    for _ in range(100):
        if found := done():
            return found
        time.sleep(0.2)
    raise AssertionError("never came")


def ask(method: Callable[..., M], request: Message, shop: Shop) -> M:
    return patiently(lambda: method(request, timeout=30, metadata=shop.metadata))


def write(edge: grpc.Channel, shop: Shop, kind: int, *products: str, **rest: str) -> None:
    event = event_pb.UserEvent(type=kind, **({"user_id": "ada"} | rest))
    for product in products:
        event.products.add(product_id=product)
    request = user_event_pb.UserEventServiceWriteRequest(event=event)
    ask(UserEventServiceStub(edge).Write, request, shop)


def complete(edge: grpc.Channel, shop: Shop, prefix: str) -> completion_pb.CompleteResponse:
    request = completion_pb.CompleteRequest(prefix=prefix)
    return ask(CompletionServiceStub(edge).Complete, request, shop)


def search(edge: grpc.Channel, shop: Shop, query: str, **rest) -> search_pb.SearchResponse:
    request = search_pb.SearchRequest(query=query, page_size=3, **rest)
    return ask(SearchServiceStub(edge).Search, request, shop)


def holds(message: Message, shop: Shop) -> bool:
    data = message.SerializeToString().lower()
    return shop.brand.lower().encode() in data or shop.secret.encode() in data


def answers(edge: grpc.Channel, shop: Shop) -> Iterator[Message]:
    """All that a shop can ask, in its own words."""
    user = {"user_id": "ada"}
    for word in WORDS:
        yield search(edge, shop, word, facets=[{"key": "brand"}])
    yield from patiently(
        lambda: list(
            SearchServiceStub(edge).SearchStream(
                search_pb.SearchStreamRequest(request={"query": "kettle", "user": user}),
                timeout=30,
                metadata=shop.metadata,
            )
        )
    )
    for config in ("", "for-you", "buy-again", "popular", "similar"):
        request = recommendation_pb.RecommendRequest(
            user=user, product_ids=["p-1"], serving_config=config, include_bought=True
        )
        yield ask(RecommendationServiceStub(edge).Recommend, request, shop)
    explain = explanation_pb.ExplainRequest(query="lamp", product_ids=["p-3"])
    yield ask(ExplanationServiceStub(edge).Explain, explain, shop)
    products = ProductServiceStub(edge)
    yield ask(products.Get, product_pb.ProductServiceGetRequest(product_id="p-1"), shop)
    yield ask(products.List, product_pb.ProductServiceListRequest(), shop)
    summarise = summary_pb.SummariseRequest(product_id="p-1")
    yield ask(SummaryServiceStub(edge).Summarise, summarise, shop)
    for prefix in ("l", "ke", "zor", "qui", "glim", "thru"):
        yield complete(edge, shop, prefix)


def test_no_answer_holds_a_word_of_the_other_shop(
    edge: grpc.Channel, shops: tuple[Shop, Shop]
) -> None:
    for own, other in (shops, shops[::-1]):
        found = list(answers(edge, own))
        assert sum(holds(each, own) for each in found) > len(WORDS)
        assert not any(holds(each, other) for each in found)


def test_no_search_finds_products_of_the_other_shop(
    edge: grpc.Channel, shops: tuple[Shop, Shop]
) -> None:
    words = st.sampled_from([*WORDS, *(w for shop in shops for w in (shop.brand, shop.secret))])

    @settings(max_examples=25, derandomize=True, deadline=None, database=None)
    @given(st.lists(words, min_size=1, max_size=4), st.sampled_from([0, 1]))
    def check(query: list[str], which: int) -> None:
        shop = shops[which]
        found = search(edge, shop, " ".join(query))
        assert {each.product.brand for each in found.results} <= {shop.brand}

    check()
    # A slip of the pen is mended by words of the own catalogue alone.
    for (own, other), slip in ((shops, "quilan lamp"), (shops[::-1], "zorvx lamp")):
        assert not holds(search(edge, own, slip), other)


def test_tokens_of_one_shop_are_none_of_the_other(
    edge: grpc.Channel, shops: tuple[Shop, Shop]
) -> None:
    acme, bolt = shops
    page = search(edge, acme, "lamp kettle")
    assert page.next_page_token
    assert page.attribution_token
    with pytest.raises(grpc.RpcError) as error:
        search(edge, bolt, "lamp kettle", page_token=page.next_page_token)
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as error:
        write(
            edge,
            bolt,
            event_pb.USER_EVENT_TYPE_CLICK,
            "p-1",
            attribution_token=page.attribution_token,
        )
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_events_stay_in_their_log(
    edge: grpc.Channel, shops: tuple[Shop, Shop], security: SecuritySettings
) -> None:
    token = security.operator_token_file.read_text().strip()

    def log(tenant: str) -> log_pb.FollowResponse:
        metadata = (("x-api-key", token), ("x-wherefore-tenant", tenant))
        call = EventLogServiceStub(edge).Follow(
            log_pb.FollowRequest(), timeout=10, metadata=metadata
        )
        first = next(call)
        call.cancel()
        return first

    acme, bolt = shops
    of_acme, of_bolt = log("acme"), log("bolt")
    assert any(each.products for each in of_acme.events)
    assert not holds(of_acme, bolt)
    assert not holds(of_bolt, acme)
    assert not any(each.products for each in of_bolt.events)
    assert of_acme.log_id != of_bolt.log_id

    def bought(shop: Shop) -> bool:
        request = recommendation_pb.RecommendRequest(
            user={"user_id": "ada"}, serving_config="buy-again", include_bought=True
        )
        answer = ask(RecommendationServiceStub(edge).Recommend, request, shop)
        return answer.serving_config == "buy-again" and bool(answer.results)

    assert until(lambda: bought(acme))
    assert not bought(bolt)


def test_a_write_in_one_shop_changes_nothing_in_the_other(
    edge: grpc.Channel, shops: tuple[Shop, Shop]
) -> None:
    acme, bolt = shops
    products = ProductServiceStub(edge)
    request = product_pb.ProductServiceDeleteRequest(product_id="p-11")
    products.Delete(request, timeout=20, metadata=acme.metadata)
    get = product_pb.ProductServiceGetRequest(product_id="p-11")
    with pytest.raises(grpc.RpcError) as error:
        products.Get(get, timeout=10, metadata=acme.metadata)
    assert error.value.code() is grpc.StatusCode.NOT_FOUND
    assert products.Get(get, timeout=10, metadata=bolt.metadata).product.brand == bolt.brand


def test_a_key_of_one_shop_cannot_name_the_other(
    edge: grpc.Channel, shops: tuple[Shop, Shop]
) -> None:
    acme, bolt = shops
    for name in (bolt.tenant, "a-third", "../acme"):
        with pytest.raises(grpc.RpcError) as error:
            SearchServiceStub(edge).Search(
                search_pb.SearchRequest(query="lamp"),
                timeout=10,
                metadata=(*acme.metadata, ("x-wherefore-tenant", name)),
            )
        assert error.value.code() is grpc.StatusCode.PERMISSION_DENIED
