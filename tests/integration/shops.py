"""Shops that share one suite: what they hold, and how they call."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from shared.security.api_keys import new_key
from shared.security.policy import Role
from shared.security.settings import SecuritySettings
from wherefore.common.v1 import user_event_pb2 as event_pb
from wherefore.common.v1.product_pb2 import Product
from wherefore.orchestrator.v1 import completion_service_pb2 as completion_pb
from wherefore.orchestrator.v1 import product_service_pb2 as product_pb
from wherefore.orchestrator.v1 import search_service_pb2 as search_pb
from wherefore.orchestrator.v1 import user_event_service_pb2 as user_event_pb
from wherefore.orchestrator.v1.completion_service_pb2_grpc import CompletionServiceStub
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

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


def open_shop(
    edge: grpc.Channel, security: SecuritySettings, tenant: str, brand: str, secret: str
) -> Shop:
    """A shop with a catalogue, and searches from which completions are learnt."""
    roles = [Role.SHOP, Role.CATALOGUE, Role.PRIVACY]
    key = new_key(security.api_keys_file, f"{tenant}-back-end", roles, tenant=tenant)
    shop = Shop(tenant, brand, secret, (("x-api-key", key),))
    request = product_pb.ProductServiceImportRequest(
        products=shop.products(), rows=range(1, 2 * len(WORDS) + 1)
    )
    *_, last = ProductServiceStub(edge).Import(iter([request]), timeout=60, metadata=shop.metadata)
    assert last.imported_count == 2 * len(WORDS)
    for number in range(6):  # a search is completed once five users made it
        search_of = {"user_id": f"visitor-{number}", "query": f"{shop.secret} lamp"}
        write(edge, shop, event_pb.USER_EVENT_TYPE_SEARCH, **search_of)
    return shop


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
