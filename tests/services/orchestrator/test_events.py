"""User events over real ports: what is refused, what is counted once, what kill -9 leaves."""

import asyncio
import signal
import subprocess
import sys

import grpc
import pytest

from services.orchestrator.event_files.store import SqliteEventStore
from wherefore.common.v1.user_event_pb2 import (
    USER_EVENT_TYPE_CART,
    USER_EVENT_TYPE_REVIEW,
    USER_EVENT_TYPE_VIEW,
    ProductDetail,
    UserEvent,
)
from wherefore.orchestrator.v1.user_event_service_pb2 import (
    ImportWithProgressRequest,
    UserEventServiceImportRequest,
    UserEventServiceWriteRequest,
)
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITER = """
import asyncio, pathlib, sys
from services.orchestrator.event_files.store import SqliteEventStore
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


def view(event_id: str, product_id: str = "p01", **fields) -> UserEvent:
    event = UserEvent(id=event_id, type=USER_EVENT_TYPE_VIEW, user_id="eve")
    event.products.add(product_id=product_id)
    event.MergeFrom(UserEvent(**fields))
    return event


async def imported(running, *batches):
    requests = [UserEventServiceImportRequest(events=events) for events in batches]
    return await UserEventServiceStub(running.channel).Import(iter(requests), timeout=10)


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
async def test_bad_events(shop, fields, field):
    good = {
        "type": USER_EVENT_TYPE_VIEW,
        "user_id": "u",
        "products": [ProductDetail(product_id="p")],
    }
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await UserEventServiceStub(shop.channel).Write(
            UserEventServiceWriteRequest(event=UserEvent(**{**good, **fields}))
        )
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert f"event.{field}" in (error.value.details() or "")


async def test_an_import_counts_good_bad_and_repeated_rows(shop):
    forged = view("e")
    forged.attribution_token = "forged"  # noqa: S105
    response = await imported(
        shop,
        [view("a"), UserEvent(id="b", type=USER_EVENT_TYPE_VIEW), view("a", "p02")],
        [view("c", rating=9), view("a"), view("d"), forged],
    )
    assert (response.imported_count, response.duplicate_count, response.failed_count) == (2, 2, 3)
    assert [(e.row, e.id, e.field) for e in response.errors] == [
        (2, "b", "user_id"),
        (4, "c", "rating"),
        (7, "e", "attribution_token"),
    ]
    assert all(error.reason for error in response.errors)
    again = await imported(shop, [view("a"), view("d"), view("f")])
    assert (again.imported_count, again.duplicate_count, again.failed_count) == (1, 2, 0)


async def test_the_first_event_of_an_id_stays(shop):
    stub = UserEventServiceStub(shop.channel)
    first = view("once", type=USER_EVENT_TYPE_CART)
    await stub.Write(UserEventServiceWriteRequest(event=first))
    second = await stub.Write(
        UserEventServiceWriteRequest(event=view("once", type=USER_EVENT_TYPE_REVIEW, rating=5))
    )
    assert second.duplicate
    assert second.event.type == USER_EVENT_TYPE_CART
    assert second.event.HasField("event_time")


async def test_errors_of_an_import_are_cut_and_counted(shop):
    bad = [UserEvent(id=f"bad{n}") for n in range(600)]
    response = await imported(shop, bad, bad)
    assert (response.failed_count, len(response.errors)) == (1_200, 1_000)


async def test_a_message_of_too_many_events_is_refused(shop):
    with pytest.raises(grpc.aio.AioRpcError) as error:
        await imported(shop, [view(f"many{n}") for n in range(1_001)])
    assert error.value.code() is grpc.StatusCode.INVALID_ARGUMENT


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


async def test_an_import_tells_how_far_it_is_and_goes_on_where_it_broke_off(running):
    stub = UserEventServiceStub(running.channel)
    batches = [[view(f"p{n}-{m}") for m in range(3)] for n in range(3)]
    batches[1][1].rating = 9

    async def broken_off():
        for batch in batches[:2]:
            yield ImportWithProgressRequest(events=batch)
        await asyncio.sleep(60)

    call = stub.ImportWithProgress(broken_off())
    first, second = await call.read(), await call.read()
    assert (first.acknowledged_row, first.imported_count, list(first.errors)) == (3, 3, [])
    assert (second.acknowledged_row, second.imported_count, second.failed_count) == (6, 5, 1)
    assert [(e.row, e.field) for e in second.errors] == [(5, "rating")]
    call.cancel()
    again = [ImportWithProgressRequest(events=batch) for batch in batches]
    *_, last = [each async for each in stub.ImportWithProgress(iter(again))]
    assert (last.acknowledged_row, last.imported_count, last.duplicate_count) == (9, 3, 5)


async def test_personal_data_is_masked_before_it_is_written(shop):
    event = view("masked", query="kettle for 138-1234-5678")
    event.text = "Ask ann@example.com or +44 20 7946 0958. 身份证11010519491231002X"
    stored = await UserEventServiceStub(shop.channel).Write(
        UserEventServiceWriteRequest(event=event)
    )
    assert stored.event.query == "kettle for [phone]"
    assert stored.event.text == "Ask [e-mail] or [phone]. 身份证[identity card]"
