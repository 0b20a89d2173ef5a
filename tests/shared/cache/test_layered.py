"""Single flight, staleness, and a second level that may fail."""

import asyncio

import pytest

from shared.cache import LayeredCache, Made
from shared.errors import DeadlineExceededError, UnavailableError

KEY = b"k"


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Maker:
    """Makes "1", "2", ... and waits at a gate where there is one."""

    def __init__(self) -> None:
        self.count = 0
        self.keep = True
        self.gate: asyncio.Event | None = None
        self.error: Exception | None = None

    async def __call__(self) -> Made:
        self.count += 1
        value = str(self.count).encode()
        if self.gate:
            await self.gate.wait()
        if self.error:
            raise self.error
        return Made(value, self.keep)


class Shelf:
    """A second level in memory."""

    def __init__(self, clock: Clock) -> None:
        self.kept: dict[bytes, tuple[bytes, float]] = {}
        self.clock = clock

    async def get(self, key: bytes) -> tuple[bytes, float] | None:
        found = self.kept.get(key)
        return found and (found[0], self.clock() - found[1])

    async def set(self, key: bytes, value: bytes, seconds: float) -> None:
        self.kept[key] = value, self.clock()

    async def close(self) -> None:
        pass


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make() -> Maker:
    return Maker()


def cache(clock: Clock, **fields) -> LayeredCache:
    return LayeredCache(
        "test", **{"size": 8, "fresh_seconds": 10, "stale_seconds": 10, "clock": clock, **fields}
    )


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_a_fresh_answer_is_told_again(clock, make) -> None:
    kept = cache(clock)
    assert (await kept.get(KEY, make)).own
    clock.now = 9
    again = await kept.get(KEY, make)
    assert (again.value, again.own, make.count) == (b"1", False, 1)
    assert (await kept.get(b"other", make)).value == b"2"


async def test_a_stale_one_is_told_once_more_and_renewed(clock, make) -> None:
    kept = cache(clock)
    await kept.get(KEY, make)
    clock.now = 15
    for _ in range(3):
        assert (await kept.get(KEY, make)).value == b"1"
    await settle()
    assert (await kept.get(KEY, make)).value == b"2"
    assert make.count == 2, "one renewal for all"


async def test_a_renewal_that_fails_leaves_the_stale_one(clock, make) -> None:
    kept = cache(clock)
    await kept.get(KEY, make)
    clock.now = 15
    make.error = UnavailableError("gone")
    assert (await kept.get(KEY, make)).value == b"1"
    await settle()
    assert (await kept.get(KEY, make)).value == b"1"
    clock.now = 21
    with pytest.raises(UnavailableError):
        await kept.get(KEY, make)


async def test_a_burst_of_one_question_is_one_question(clock, make) -> None:
    kept = cache(clock)
    make.gate = asyncio.Event()
    asking = [asyncio.create_task(kept.get(KEY, make)) for _ in range(20)]
    await settle()
    make.gate.set()
    found = await asyncio.gather(*asking)
    assert {each.value for each in found} == {b"1"}
    assert [each.own for each in found].count(True) == 1
    assert make.count == 1


async def test_who_leaves_takes_nobodys_answer_along(clock, make) -> None:
    kept = cache(clock)
    make.gate = asyncio.Event()
    first, second = (asyncio.create_task(kept.get(KEY, make)) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    make.gate.set()
    assert (await second).value == b"1"


async def test_when_all_have_left_the_work_ends(clock, make) -> None:
    kept = cache(clock)
    ended = asyncio.Event()

    async def hang() -> Made:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()
        raise AssertionError

    asking = [asyncio.create_task(kept.get(KEY, hang)) for _ in range(2)]
    await settle()
    for each in asking:
        each.cancel()
    await asyncio.wait_for(ended.wait(), 10)
    assert (await kept.get(KEY, make)).value == b"1"


async def test_the_deadline_of_the_first_is_not_that_of_the_others(clock, make) -> None:
    kept = cache(clock)
    make.gate = asyncio.Event()
    make.error = DeadlineExceededError("late")
    first = asyncio.create_task(kept.get(KEY, make))
    await settle()
    patient = Maker()
    second = asyncio.create_task(kept.get(KEY, patient))
    await settle()
    make.gate.set()
    with pytest.raises(DeadlineExceededError):
        await first
    assert (await second).value == b"1"


async def test_other_errors_are_those_of_all(clock, make) -> None:
    kept = cache(clock)
    make.gate = asyncio.Event()
    make.error = UnavailableError("gone")
    asking = [asyncio.create_task(kept.get(KEY, make)) for _ in range(3)]
    await settle()
    make.gate.set()
    for each in asking:
        with pytest.raises(UnavailableError):
            await each
    assert make.count == 1
    make.error = None
    assert (await kept.get(KEY, make)).value == b"2", "an error is not kept"


async def test_what_went_without_a_part_is_not_kept(clock, make) -> None:
    kept = cache(clock)
    make.keep = False
    await kept.get(KEY, make)
    assert (await kept.get(KEY, make)).value == b"2"


async def test_off_it_makes_every_time(clock, make) -> None:
    kept = cache(clock, fresh_seconds=0)
    assert [(await kept.get(KEY, make)).own for _ in range(2)] == [True, True]
    assert make.count == 2


async def test_another_process_finds_what_this_one_made(clock, make) -> None:
    shelf = Shelf(clock)
    here, there = (cache(clock, second=shelf) for _ in range(2))
    await here.get(KEY, make)
    clock.now = 4
    assert (await there.get(KEY, make)).value == b"1"
    clock.now = 15  # its age is that of its making, wherever it is kept
    assert (await there.get(KEY, make)).value == b"1"
    await settle()
    assert make.count == 2
    clock.now = 60
    assert (await there.get(KEY, make)).value == b"3"


async def test_what_is_one_users_stays_here(clock, make) -> None:
    shelf = Shelf(clock)
    here, there = (cache(clock, second=shelf) for _ in range(2))
    await here.get(KEY, make, shared=False)
    assert not shelf.kept
    assert (await there.get(KEY, make, shared=False)).value == b"2"
    shelf.kept[b"planted"] = b"x", 0.0
    assert (await there.get(b"planted", make, shared=False)).value == b"3"


async def test_it_holds_no_more_than_its_size(clock, make) -> None:
    kept = cache(clock, size=2)
    for key in (b"a", b"b", b"c"):
        await kept.get(key, make)
    assert (await kept.get(b"a", make)).value == b"4"


async def test_closing_ends_what_is_under_way(clock) -> None:
    kept = cache(clock)
    asking = asyncio.create_task(kept.get(KEY, lambda: asyncio.sleep(60)))  # type: ignore[arg-type]
    await settle()
    await kept.close()
    with pytest.raises(asyncio.CancelledError):
        await asking
