"""Both clients against a server that the suite's own code runs: what they send and make of it."""

import asyncio
import time
from collections.abc import Callable, Iterator

import grpc
import pytest

from shared.errors import FieldViolation, InvalidArgumentError, UnavailableError
from tests.clients.conftest import Caller, Launch
from tests.clients.shop import PACKAGE, Asked, Shop
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import UserEvent, UserEventType
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceUpdateRequest
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub
from wherefore.orchestrator.v1.search_service_pb2 import (
    SearchRequest,
    SearchResponse,
    SearchStreamRequest,
)
from wherefore_client import AsyncClient, Deadlines, errors

Connect = Callable[..., Caller]
MUG = SearchRequest(query="mug")


async def test_every_call_says_who_asks_and_until_when(
    shop: Shop, launch: Launch, connect: Connect
):
    server = await launch(shop)
    deadlines = Deadlines(page=3, study=20, write=6, stream=30, bulk=500)
    tokens = iter(["first", "second", "third", "fourth", "fifth"])
    caller = connect(
        f"127.0.0.1:{server.port}",
        token=lambda: next(tokens),
        plain_text_credentials=True,
        tenant="acme",
        deadlines=deadlines,
    )
    await caller.ask("search", MUG, request_id="mine")
    await caller.ask("explain", ExplainRequest(query="mug"))
    await caller.ask("write_event", UserEvent(type=UserEventType.USER_EVENT_TYPE_VIEW))
    await caller.first("search_stream", SearchStreamRequest(request=MUG))
    await caller.list("import_products", [Product(id="p1")])
    wanted = [3, 20, 6, 30, 500]
    assert [each.method for each in shop.asked] == [
        "Search",
        "Explain",
        "Write",
        "SearchStream",
        "Import",
    ]
    for asked, seconds in zip(shop.asked, wanted, strict=True):
        assert 0.6 * seconds < asked.seconds_left < 1.1 * seconds, asked.method
        assert asked.metadata["x-wherefore-tenant"] == "acme"
    assert [each.metadata["authorization"] for each in shop.asked] == [
        f"Bearer {each}" for each in ("first", "second", "third", "fourth", "fifth")
    ]
    ids = [each.metadata["x-request-id"] for each in shop.asked]
    assert ids[0] == "mine"
    assert len(set(ids)) == len(ids)


async def test_a_key_and_a_timeout_of_ones_own(shop: Shop, launch: Launch, connect: Connect):
    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}", api_key="wk_1", plain_text_credentials=True)
    await caller.ask("search", MUG, timeout=40)
    (asked,) = shop.asked
    assert asked.metadata["x-api-key"] == "wk_1"
    assert "authorization" not in asked.metadata
    assert 35 < asked.seconds_left < 41


async def test_bad_input_names_the_field(shop: Shop, launch: Launch, connect: Connect):
    async def refuse(asked: Asked, context: object) -> None:
        raise InvalidArgumentError(FieldViolation("page_size", "must be at least 0"))

    shop.act = refuse
    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}")
    with pytest.raises(errors.InvalidArgumentError) as raised:
        await caller.ask("search", MUG, request_id="mine")
    assert raised.value.violations == (errors.FieldViolation("page_size", "must be at least 0"),)
    assert raised.value.request_id == "mine"
    assert isinstance(raised.value.__cause__, grpc.RpcError)
    with pytest.raises(errors.InvalidArgumentError):
        await caller.list("search_stream", SearchStreamRequest(request=MUG))
    with pytest.raises(errors.InvalidArgumentError):
        await caller.list("import_products", [Product(id="p1")])


async def test_overload_says_when_to_come_again(shop: Shop, launch: Launch, connect: Connect):
    busy = asyncio.Event()

    async def wait(asked: Asked, context: object) -> None:
        await busy.wait()

    shop.act = wait
    server = await launch(shop, max_concurrency=1, max_queue=1)
    caller = connect(f"127.0.0.1:{server.port}")
    calls = [asyncio.ensure_future(caller.ask("search", MUG, timeout=20)) for _ in range(6)]
    done, _ = await asyncio.wait(calls, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    refused = [each.exception() for each in done]
    busy.set()
    outcomes = await asyncio.gather(*calls, return_exceptions=True)
    assert any(isinstance(each, SearchResponse) for each in outcomes)
    assert refused
    for error in refused:
        assert isinstance(error, errors.ResourceExhaustedError)
        assert error.retry_after_seconds is not None
        assert error.retry_after_seconds > 0


async def test_a_late_answer_is_no_answer(shop: Shop, launch: Launch, connect: Connect):
    async def sleep(asked: Asked, context: object) -> None:
        await asyncio.sleep(30)

    shop.act = sleep
    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}", deadlines=Deadlines(page=0.3))
    with pytest.raises(errors.DeadlineExceededError):
        await caller.ask("search", MUG)


async def test_the_transport_is_tried_again_where_that_does_no_harm(
    shop: Shop, launch: Launch, connect: Connect
):
    async def fail_twice(asked: Asked, context: grpc.aio.ServicerContext) -> None:
        if sum(each.method == asked.method for each in shop.asked) < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "a proxy says no")

    shop.act = fail_twice
    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}")
    await caller.ask("search", MUG)
    event = UserEvent(type=UserEventType.USER_EVENT_TYPE_VIEW, user_id="ada")
    await caller.ask("write_event", event)
    writes = [each.request.event.id for each in shop.asked if each.method == "Write"]
    assert len(writes) == 3
    assert len(set(writes)) == 1
    assert writes[0]

    update = ProductServiceStub(caller.client.channel).Update
    with pytest.raises(errors.UnavailableError):
        await caller.ask("call", update, ProductServiceUpdateRequest())
    assert sum(each.method == "Update" for each in shop.asked) == 1


async def test_what_the_suite_retried_is_not_tried_again(
    shop: Shop, launch: Launch, connect: Connect
):
    async def lose(asked: Asked, context: object) -> None:
        raise UnavailableError("the index cannot be reached", 2.5)

    shop.act = lose
    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}")
    with pytest.raises(errors.UnavailableError) as raised:
        await caller.ask("search", MUG)
    assert raised.value.retry_after_seconds == 2.5
    assert raised.value.message == "the index cannot be reached"
    assert len(shop.asked) == 1


async def test_a_lost_server_is_told_at_once_and_found_again(
    shop: Shop, launch: Launch, connect: Connect
):
    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}")
    await caller.ask("search", MUG)
    await server.stop()
    began = time.monotonic()
    with pytest.raises(errors.UnavailableError) as raised:
        await caller.ask("search", MUG, timeout=20)
    assert time.monotonic() - began < 10
    assert raised.value.retry_after_seconds is None
    await launch(shop, port=server.port)
    async with asyncio.timeout(20):
        while True:
            try:
                await caller.ask("search", MUG)
                break
            except errors.UnavailableError:
                await asyncio.sleep(0.05)


async def test_calls_are_shared_among_the_addresses_that_serve(launch: Launch, connect: Connect):
    shops = Shop(), Shop()
    servers = [await launch(each, health_interval_seconds=0.05) for each in shops]
    caller = connect([f"127.0.0.1:{each.port}" for each in servers])
    async with asyncio.timeout(20):
        while not all(each.asked for each in shops):
            await caller.ask("search", MUG)
    shops[0].ready_error = RuntimeError("its index is lost")
    async with asyncio.timeout(20):
        while True:
            before = len(shops[0].asked)
            for _ in range(6):
                await caller.ask("search", MUG)
            if len(shops[0].asked) == before:
                break
    assert shops[1].asked[-1].method == "Search"


async def test_nobody_serving_is_told_without_waiting(shop: Shop, launch: Launch, connect: Connect):
    shop.ready_error = RuntimeError("warming up")
    server = await launch(shop, health_interval_seconds=0.05)
    caller = connect(f"127.0.0.1:{server.port}")
    with pytest.raises(errors.UnavailableError):
        await caller.ask("search", MUG, timeout=20)
    assert not shop.asked


async def test_pages_follow_one_another(shop: Shop, launch: Launch, connect: Connect):
    async def turn(asked: Asked, context: object) -> None:
        number = int(asked.request.page_token or "0")
        token = str(number + 1) if number < 2 else ""
        shop.answer = SearchResponse(next_page_token=token, estimated_total=number)

    shop.act = turn
    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}")
    request = SearchRequest(query="mug", page_size=7)
    pages = await caller.list("search_pages", request)
    assert [each.estimated_total for each in pages] == [0, 1, 2]
    assert all(each.request.page_size == 7 for each in shop.asked)
    assert not request.page_token


async def test_a_stream_that_is_left_ends_at_the_server(
    shop: Shop, launch: Launch, connect: Connect
):
    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}")
    await caller.first("search_stream", SearchStreamRequest(request=MUG))
    async with asyncio.timeout(10):
        await shop.given_up.wait()


async def test_an_import_tells_how_far_it_is(shop: Shop, launch: Launch, connect: Connect):
    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}")
    products = (Product(id=f"p{number}") for number in range(300))
    progress = await caller.list("import_products", products, first_row=101)
    assert [each.acknowledged_row for each in progress] == [128, 256, 300]
    assert [each.request.first_row for each in shop.asked] == [101, 229, 357]


async def test_a_fault_of_ones_own_ends_the_import_and_is_raised(
    shop: Shop, launch: Launch, connect: Connect
):
    def rows() -> Iterator[Product]:
        for number in range(200):
            yield Product(id=f"p{number}")
        raise LookupError("row 200 of my file is broken")

    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}")
    with pytest.raises(LookupError, match="row 200"):
        await caller.list("import_products", rows())
    await caller.ask("search", MUG)


async def test_other_services_are_called_by_their_stubs(
    shop: Shop, launch: Launch, connect: Connect
):
    server = await launch(shop)
    caller = connect(f"127.0.0.1:{server.port}", api_key="wk_1", plain_text_credentials=True)
    update = ProductServiceStub(caller.client.channel).Update
    await caller.ask("call", update, ProductServiceUpdateRequest())
    assert shop.asked[0].metadata["x-api-key"] == "wk_1"
    absent = caller.client.channel.unary_unary(
        f"/{PACKAGE}.SearchService/Absent",
        request_serializer=SearchRequest.SerializeToString,
        response_deserializer=SearchResponse.FromString,
    )
    with pytest.raises(errors.UnimplementedError):
        await caller.ask("call", absent, MUG)


async def test_a_cancelled_task_cancels_its_call(shop: Shop, launch: Launch):
    asked, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_: Asked, context: object) -> None:
        asked.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    shop.act = wait
    server = await launch(shop)
    async with AsyncClient(f"127.0.0.1:{server.port}") as client, asyncio.timeout(10):
        call = asyncio.ensure_future(client.search(MUG, timeout=20))
        await asked.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await cancelled.wait()
