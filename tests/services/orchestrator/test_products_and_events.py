"""Imports, updates, events and recommendations over real ports; events survive kill -9."""

import asyncio
import signal
import subprocess
import sys

import grpc
import pytest

from services.orchestrator.event_store import SqliteEventStore
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_PURCHASE,
    USER_EVENT_TYPE_VIEW,
    ProductDetail,
    UserEvent,
)
from wherefore.common.v1.user_profile_pb2 import UserContext
from wherefore.orchestrator.v1 import product_service_pb2 as products_pb
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.recommendation_service_pb2 import RecommendRequest
from wherefore.orchestrator.v1.recommendation_service_pb2_grpc import RecommendationServiceStub
from wherefore.orchestrator.v1.user_event_service_pb2 import UserEventServiceWriteRequest
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

WRITER = """
import asyncio, pathlib, sys
from services.orchestrator.event_store import SqliteEventStore
from wherefore.common.v1.user_event_pb2 import UserEvent

async def main():
    store = SqliteEventStore(pathlib.Path(sys.argv[1]))
    await store.open()
    n = 0
    while True:
        await store.append([UserEvent(id=f"e{n}", user_id="ann")])
        print(n, flush=True)
        n += 1

asyncio.run(main())
"""


async def imported(running, *messages):
    stub = ProductServiceStub(running.channel)
    return [r async for r in stub.Import(iter(messages), timeout=10)]


def batch(*products, **fields):
    return products_pb.ProductServiceImportRequest(products=products, **fields)


def cup(product_id: str, title: str = "Cup") -> Product:
    return Product(id=product_id, titles={"en": title})


async def test_an_import_reports_bad_rows_and_goes_on(running):
    last = (await imported(running, batch(cup("a"), Product(id="b"), cup("a")), batch(cup("c"))))[
        -1
    ]
    assert (last.imported_count, last.failed_count, last.acknowledged_row) == (2, 2, 4)
    assert {"a", "c"} <= set(running.fake.products)
    assert running.fake.products["a"].titles["en"] == "Cup"


async def test_unchanged_rows_are_not_embedded_again(running):
    await imported(running, batch(cup("a"), cup("b")))
    embedded = running.fake.embedded
    last = (await imported(running, batch(cup("a"), cup("b"), cup("c"))))[-1]
    assert (last.imported_count, last.unchanged_count) == (1, 2)
    assert running.fake.embedded == embedded + 1


async def test_a_later_import_fills_in_the_vectors(running):
    running.fake.broken.add("embed")
    last = (await imported(running, batch(cup("a"))))[-1]
    assert last.imported_count == 1
    assert last.degraded[0].stage == "nlu.embedding"
    assert "a" not in running.fake.vectors
    running.fake.broken.clear()
    for _ in range(40):
        await imported(running, batch(cup("a")))
        if "a" in running.fake.vectors:
            break
        await asyncio.sleep(0.1)
    assert "a" in running.fake.vectors


async def test_lost_retrieval_ends_an_import_with_what_was_acknowledged(running):
    running.fake.broken.add("index")
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await imported(running, *(batch(cup(f"n{n}")) for n in range(20)))
    assert error.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_updates_follow_their_mask(running):
    stub = ProductServiceStub(running.channel)

    async def update(paths, allow_missing=False, **fields):
        request = products_pb.ProductServiceUpdateRequest(
            product=Product(**fields), allow_missing=allow_missing
        )
        request.update_mask.paths.extend(paths)
        return (await stub.Update(request)).product

    product = await update(["price.amount"], id="p01", price={"amount": 3.5}, brand="Other")
    assert (product.price.amount, product.price.currency_code, product.brand) == (
        3.5,
        "EUR",
        "Acme",
    )
    product = await update(["titles.zh"], id="p01", titles={"zh": "杯"})
    assert dict(product.titles) == {"en": "Steel cup 1", "zh": "杯"}
    product = await update(["brand"], id="p01")
    assert product.brand == ""
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await update(["brand"], id="p01", brand="New", etag="0" * 16)
    assert error.value.code() is grpc.StatusCode.ABORTED
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await update(["brand"], id="unknown", brand="New")
    assert error.value.code() is grpc.StatusCode.NOT_FOUND
    assert (await update([], allow_missing=True, id="new", titles={"en": "New"})).id == "new"


async def test_the_list_is_paged(running):
    stub, seen, token = ProductServiceStub(running.channel), [], ""
    while True:
        page = await stub.List(products_pb.ProductServiceListRequest(page_size=8, page_token=token))
        seen += [p.id for p in page.products]
        token = page.next_page_token
        if not token:
            break
    assert seen == sorted(running.fake.products)


async def test_events_count_in_the_next_request(running):
    events, recommend = (
        UserEventServiceStub(running.channel),
        RecommendationServiceStub(running.channel),
    )
    user = UserContext(user_id="ann")
    first = await recommend.Recommend(RecommendRequest(user=user))
    assert first.serving_config == "popular"
    event = UserEvent(
        id="one",
        type=USER_EVENT_TYPE_PURCHASE,
        user_id="ann",
        products=[ProductDetail(product_id="p05")],
        attribution_token=first.attribution_token,
    )
    request = UserEventServiceWriteRequest(event=event)
    assert not (await events.Write(request)).duplicate
    assert (await events.Write(request)).duplicate
    second = await recommend.Recommend(RecommendRequest(user=user))
    assert second.serving_config == "for-you"
    assert second.results
    assert "p05" not in {r.product.id for r in second.results}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"type": 0}, "type"),
        ({"user_id": ""}, "user_id"),
        ({"products": []}, "products"),
        ({"attribution_token": "forged"}, "attribution_token"),
        ({"rating": 4}, "rating"),
    ],
)
async def test_bad_events(running, fields, field):
    good = {
        "type": USER_EVENT_TYPE_VIEW,
        "user_id": "u",
        "products": [ProductDetail(product_id="p")],
    }
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await UserEventServiceStub(running.channel).Write(
            UserEventServiceWriteRequest(event=UserEvent(**{**good, **fields}))
        )
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f"event.{field}" in (error.value.details() or "")


async def test_acknowledged_events_survive_kill_9(tmp_path):
    path = tmp_path / "events.sqlite"
    process = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(20)]
    process.send_signal(signal.SIGKILL)
    acknowledged += [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    store = SqliteEventStore(path)
    await store.open()
    kept = {event.id for event in await store.recent("u:ann", 100_000)}
    await store.close()
    assert {f"e{n}" for n in acknowledged} <= kept
