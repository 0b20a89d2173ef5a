"""Turns at the cross-encoder."""

import asyncio

import pytest

from shared.errors import DeadlineExceededError, ResourceExhaustedError
from shared.reading_queue import ReadingQueue


class Clock:
    """Time that passes when it is told to."""

    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


async def read(queue, clock, items, takes, seconds=1.0):
    """One reading that takes so many seconds; returns what was left for it."""
    async with queue.place(items, seconds) as place, place.turn() as left:
        clock.now += takes
        return left


async def test_readings_take_turns_in_the_order_of_their_coming(clock):
    queue = ReadingQueue(1, clock)
    running, order = [], []

    async def one(name):
        async with queue.place(1, 5.0) as place, place.turn():
            running.append(name)
            assert len(running) == 1
            await asyncio.sleep(0)
            order.append(running.pop())

    await asyncio.gather(*(one(name) for name in "abc"))
    assert order == ["a", "b", "c"]


async def test_so_many_at_once_as_it_is_told(clock):
    queue = ReadingQueue(2, clock)
    together = asyncio.Barrier(2)

    async def one():
        async with queue.place(1, 5.0) as place, place.turn():
            await together.wait()

    await asyncio.wait_for(asyncio.gather(one(), one()), 5)


async def test_the_time_of_a_reading_tells_that_of_the_next(clock):
    queue = ReadingQueue(1, clock)
    for _ in range(50):
        await read(queue, clock, 20, takes=0.4)
    assert queue.expected_seconds(20) == pytest.approx(0.4, rel=0.01)
    async with queue.place(20, 1.0):
        assert queue.expected_seconds(20) == pytest.approx(0.8, rel=0.01)


async def test_what_would_be_late_is_refused_before_it_has_cost_anything(clock):
    queue = ReadingQueue(1, clock)
    for _ in range(50):
        await read(queue, clock, 20, takes=0.25)
    async with queue.place(20, 0.6):
        async with queue.place(20, 0.6):
            with pytest.raises(ResourceExhaustedError, match="40 items are ahead"):
                async with queue.place(20, 0.6):
                    pytest.fail("it was let in")
        async with queue.place(20, 0.6):
            pass  # the place became free again


async def test_what_is_being_read_counts_for_what_is_left_of_it(clock):
    queue = ReadingQueue(1, clock)
    for _ in range(50):
        await read(queue, clock, 20, takes=0.4)
    async with queue.place(20, 1.0) as place, place.turn():
        clock.now += 0.3
        assert queue.expected_seconds(20) == pytest.approx(0.5, rel=0.01)
        clock.now += 5.0
        assert queue.expected_seconds(20) == pytest.approx(0.4, rel=0.01)
        clock.now -= 4.9


async def test_a_reading_that_fails_does_not_tell_how_long_one_takes(clock):
    queue = ReadingQueue(1, clock)
    before = queue.expected_seconds(20)

    async def late():
        async with queue.place(20, 0.6) as place, place.turn():
            clock.now += 0.6
            raise DeadlineExceededError("late")

    with pytest.raises(DeadlineExceededError):
        await late()
    assert queue.expected_seconds(20) == before


async def test_the_first_in_the_queue_is_let_in_however_slow_the_model_was(clock):
    queue = ReadingQueue(1, clock)
    for _ in range(20):
        await read(queue, clock, 20, takes=5.0)
    slow = queue.expected_seconds(20)
    assert slow > 3
    await read(queue, clock, 20, takes=0.1)
    assert queue.expected_seconds(20) < slow


async def test_waiting_counts_against_the_time_for_reading(clock):
    queue = ReadingQueue(1, clock)
    async with queue.place(20, 0.6) as place:
        clock.now += 0.2
        async with place.turn() as left:
            assert left == pytest.approx(0.4)


async def test_a_turn_that_does_not_come_in_time_is_a_deadline(clock):
    queue = ReadingQueue(1, clock)
    async with queue.place(1, 5.0) as first, first.turn(), queue.place(1, 0.05) as second:
        with pytest.raises(DeadlineExceededError):
            async with second.turn():
                pytest.fail("two at once")
    await read(queue, clock, 1, takes=0.0)


async def test_a_reading_that_fails_gives_its_turn_back(clock):
    queue = ReadingQueue(1, clock)
    with pytest.raises(RuntimeError):
        async with queue.place(20, 1.0) as place, place.turn():
            raise RuntimeError
    assert await read(queue, clock, 20, takes=0.1) == pytest.approx(1.0)
    assert queue.expected_seconds(0) == 0
