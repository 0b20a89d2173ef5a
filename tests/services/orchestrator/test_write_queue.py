"""What waits for a log together: users' single events go before the slices of imports."""

import asyncio

import pytest

from services.orchestrator.write_queue import WriteQueue
from tests.services.orchestrator.conftest import serve
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_VIEW, ProductDetail, UserEvent
from wherefore.orchestrator.v1.user_event_service_pb2 import (
    UserEventServiceImportRequest,
    UserEventServiceWriteRequest,
)
from wherefore.orchestrator.v1.user_event_service_pb2_grpc import UserEventServiceStub


class Disk:
    """Writes when it is told to."""

    def __init__(self) -> None:
        self.writes: list[list[list[int]]] = []
        self.may_write = asyncio.Semaphore(0)

    async def write(self, groups) -> list[list[int]]:
        await self.may_write.acquire()
        self.writes.append([list(group) for group in groups])
        return [list(group) for group in groups]


async def put(queue: WriteQueue[int, int], *groups: list[int]) -> list[asyncio.Task[list[int]]]:
    tasks = [asyncio.create_task(queue.put(group)) for group in groups]
    await asyncio.sleep(0)
    return tasks


async def test_single_items_go_first_and_the_rest_in_its_order() -> None:
    disk = Disk()
    queue: WriteQueue[int, int] = WriteQueue(disk.write, most=4)
    under_way = await put(queue, [0])
    await asyncio.sleep(0)
    waiting = await put(queue, [10, 11, 12], [20, 21], [30], [40, 41, 42, 43, 44], [50])
    for _ in range(10):
        disk.may_write.release()
    results = await asyncio.gather(*under_way, *waiting)
    assert results == [[0], [10, 11, 12], [20, 21], [30], [40, 41, 42, 43, 44], [50]]
    assert disk.writes == [
        [[0]],
        [[30], [50]],
        [[10, 11, 12]],
        [[20, 21]],
        [[40, 41, 42, 43, 44]],  # one group may have more
    ]


async def test_an_error_is_told_to_those_of_its_write_alone() -> None:
    async def write(groups) -> list[list[int]]:
        if any(13 in group for group in groups):
            raise OSError("full")
        return [list(group) for group in groups]

    queue: WriteQueue[int, int] = WriteQueue(write, most=2)
    good, bad, after = await put(queue, [1, 2], [13, 14], [3, 4])
    assert await good == [1, 2]
    with pytest.raises(OSError, match="full"):
        await bad
    assert await after == [3, 4]


def event(number: int) -> UserEvent:
    return UserEvent(
        id=f"e{number}",
        type=USER_EVENT_TYPE_VIEW,
        user_id=f"u{number % 7}",
        products=[ProductDetail(product_id="p1")] if number % 120 else [],  # bad without
    )


async def test_an_event_is_taken_in_the_midst_of_a_message_of_an_import(tmp_path) -> None:
    async with serve(tmp_path) as shop:
        stub = UserEventServiceStub(shop.channel)
        store, sizes = shop.service._store, []
        first, go_on = asyncio.Event(), asyncio.Event()
        append = store.append

        async def slow(events):
            sizes.append(len(events))
            if len(events) > 1:
                first.set()
                await go_on.wait()
            return await append(events)

        store.append = slow
        message = UserEventServiceImportRequest(events=[event(n) for n in range(1, 501)])
        importing = asyncio.ensure_future(stub.Import(iter([message]), timeout=30))
        async with asyncio.timeout(20):
            await first.wait()
            live = UserEvent(
                type=USER_EVENT_TYPE_VIEW,
                user_id="ann",
                products=[ProductDetail(product_id="p1")],
            )
            await stub.Write(UserEventServiceWriteRequest(event=live), timeout=10)
            assert not importing.done()
            go_on.set()
            response = await importing
        assert response.imported_count == 496
        assert [error.row for error in response.errors] == [120, 240, 360, 480]
        assert [error.id for error in response.errors] == ["e120", "e240", "e360", "e480"]
        assert max(sizes) <= 100


async def test_small_messages_of_an_import_share_writes_and_keep_their_rows(tmp_path) -> None:
    async with serve(tmp_path) as shop:
        store, sizes = shop.service._store, []
        append = store.append

        async def counted(events):
            sizes.append(len(events))
            return await append(events)

        store.append = counted
        messages = [UserEventServiceImportRequest(events=[event(n)]) for n in range(1, 251)]
        response = await UserEventServiceStub(shop.channel).Import(iter(messages), timeout=30)
        assert response.imported_count == 248
        assert [(error.row, error.id) for error in response.errors] == [
            (120, "e120"),
            (240, "e240"),
        ]
        assert sizes == [100, 99, 49]
