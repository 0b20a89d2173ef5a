"""Requests that lie in Triton's queue until the next one comes."""

import asyncio

import pytest
from tritonclient.utils import InferenceServerException

from shared.inference.waker import LEAST_PATIENCE, MOST_PATIENCE, BatcherWaker


class Batcher:
    """Sleeps until it is woken by another request."""

    def __init__(self, error=None):
        self.woken = asyncio.Event()
        self.wakes = 0
        self.error = error

    async def ask(self, answer="answer"):
        await self.woken.wait()
        return answer

    async def wake(self):
        self.wakes += 1
        self.woken.set()
        if self.error:
            raise self.error


async def test_a_request_that_is_late_and_alone_is_followed_by_a_small_one():
    batcher = Batcher()
    assert await BatcherWaker(usual=0.001).watch(batcher.ask(), batcher.wake) == "answer"
    assert batcher.wakes == 1


async def test_a_request_that_is_answered_in_time_is_not():
    batcher = Batcher()
    batcher.woken.set()
    assert await BatcherWaker(usual=9.0).watch(batcher.ask(), batcher.wake) == "answer"
    assert batcher.wakes == 0


async def test_a_small_one_that_wakes_nobody_is_followed_by_another():
    batcher = Batcher()

    async def sleepy():
        batcher.wakes += 1
        if batcher.wakes == 3:
            batcher.woken.set()

    assert await BatcherWaker(usual=0.001).watch(batcher.ask(), sleepy) == "answer"
    assert batcher.wakes == 3


async def test_a_request_that_a_later_one_overtook_is_followed_too():
    batcher, waker = Batcher(), BatcherWaker(usual=0.001)

    async def quick():
        return "quick"

    late = asyncio.create_task(waker.watch(batcher.ask(), batcher.wake))
    await asyncio.sleep(LEAST_PATIENCE / 4)
    assert await waker.watch(quick(), batcher.wake) == "quick"
    assert await late == "answer"
    assert batcher.wakes == 1


async def test_of_many_requests_the_last_alone_is_followed():
    batcher, waker = Batcher(), BatcherWaker(usual=0.001)
    answers = await asyncio.gather(
        *(waker.watch(batcher.ask(number), batcher.wake) for number in range(5))
    )
    assert answers == [0, 1, 2, 3, 4]
    assert batcher.wakes == 1


async def test_what_became_of_the_small_one_is_nobodys_concern():
    batcher = Batcher(InferenceServerException("gone"))
    assert await BatcherWaker(usual=0.001).watch(batcher.ask(), batcher.wake) == "answer"
    await asyncio.sleep(0)


async def test_an_error_of_the_request_is_raised():
    async def fail():
        raise InferenceServerException("no such model")

    with pytest.raises(InferenceServerException, match="no such model"):
        await BatcherWaker(usual=0.001).watch(fail(), Batcher().wake)


async def test_a_caller_that_gives_up_takes_the_request_along():
    given_up = asyncio.Event()

    async def ask():
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            given_up.set()
            raise

    async with asyncio.timeout(5):
        watching = asyncio.ensure_future(BatcherWaker(usual=9.0).watch(ask(), Batcher().wake))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        watching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watching
        await given_up.wait()


async def test_a_small_one_that_hangs_ends_with_the_model():
    waker, batcher = BatcherWaker(usual=0.001), Batcher()

    async def wake():
        batcher.woken.set()
        await asyncio.sleep(60)

    assert await waker.watch(batcher.ask(), wake) == "answer"
    waker.close()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not waker._waking


async def test_patience_follows_what_is_usual_within_bounds():
    now = [0.0]
    waker, batcher = BatcherWaker(clock=lambda: now[0]), Batcher()
    batcher.woken.set()
    assert waker.patience == MOST_PATIENCE

    async def slow(seconds):
        now[0] += seconds

    for seconds, patience in ((0.001, LEAST_PATIENCE), (0.03, 0.09), (2.0, MOST_PATIENCE)):
        for _ in range(80):
            await waker.watch(slow(seconds), batcher.wake)
        assert waker.patience == pytest.approx(patience, rel=0.01)
    assert batcher.wakes == 0
