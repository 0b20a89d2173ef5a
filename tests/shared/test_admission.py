import asyncio

import pytest

from shared.admission import Admission, current_queue_nanos
from shared.errors import ResourceExhaustedError


async def test_places_queue_and_refusals():
    admission = Admission(max_concurrency=1, max_queue=1)
    release = asyncio.Event()
    waited: list[int] = []

    async def work() -> None:
        async with admission.admit() as nanos:
            assert nanos == current_queue_nanos()
            waited.append(nanos)
            await release.wait()

    first = asyncio.create_task(work())
    second = asyncio.create_task(work())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert admission.waiting == 1
    with pytest.raises(ResourceExhaustedError) as refused:
        async with admission.admit():
            pass
    assert 0.1 <= refused.value.retry_after_seconds <= 1
    release.set()
    await asyncio.gather(first, second)
    assert len(waited) == 2
    assert waited[1] > waited[0]
    assert admission.waiting == 0


async def test_a_cancelled_waiter_leaves_the_queue():
    admission = Admission(max_concurrency=1, max_queue=1)
    async with admission.admit():

        async def wait() -> None:
            async with admission.admit():
                pass

        waiter = asyncio.create_task(wait())
        await asyncio.sleep(0)
        assert admission.waiting == 1
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert admission.waiting == 0
    async with admission.admit():
        pass
