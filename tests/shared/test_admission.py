import asyncio
import contextlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shared.admission import Admission, ShedError, current_queue_nanos
from shared.concurrency_limit import ConcurrencyLimit
from shared.deadline import Deadline, set_current_deadline
from shared.errors import ResourceExhaustedError


def places(most: int, max_queue: int) -> Admission:
    return Admission(ConcurrencyLimit(most), max_queue)


async def turn() -> None:
    """Lets every task go on as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def calls(
    admission: Admission, count: int
) -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """So many calls, which have a place or wait for one as long as the block runs, and more."""
    release = asyncio.Event()

    async def work() -> None:
        async with admission.admit("any"):
            await release.wait()

    working: list[asyncio.Task[None]] = []

    async def more(count: int) -> None:
        working.extend(asyncio.create_task(work()) for _ in range(count))
        await turn()

    await more(count)
    yield more
    release.set()
    await asyncio.gather(*working)


async def test_places_queue_and_refusals():
    admission = places(1, 1)
    release = asyncio.Event()
    waited: list[int] = []

    async def work() -> None:
        async with admission.admit() as nanos:
            assert nanos == current_queue_nanos()
            waited.append(nanos)
            await release.wait()

    first = asyncio.create_task(work())
    second = asyncio.create_task(work())
    await turn()
    assert (admission.in_flight, admission.waiting) == (1, 1)
    with pytest.raises(ResourceExhaustedError) as refused:
        async with admission.admit():
            pass
    assert 0.1 <= refused.value.retry_after_seconds <= 1
    release.set()
    await asyncio.gather(first, second)
    assert len(waited) == 2
    assert waited[1] > waited[0]
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_a_cancelled_waiter_leaves_the_queue():
    admission = places(1, 1)
    async with admission.admit():

        async def wait() -> None:
            async with admission.admit():
                pass

        waiter = asyncio.create_task(wait())
        await turn()
        assert admission.waiting == 1
        waiter.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiter
        assert admission.waiting == 0
    async with admission.admit():
        pass


async def test_a_place_that_comes_as_its_caller_leaves_goes_to_the_next():
    admission = places(1, 2)
    entered: list[str] = []

    async def work(name: str) -> None:
        async with admission.admit():
            entered.append(name)

    first = admission.admit()
    await first.__aenter__()
    leaving, next_one = (asyncio.create_task(work(name)) for name in ("leaving", "next"))
    await turn()
    await first.__aexit__(None, None, None)  # gives the place away
    leaving.cancel()  # before it could take it
    await asyncio.gather(leaving, next_one, return_exceptions=True)
    assert entered == ["next"]
    assert (admission.in_flight, admission.waiting) == (0, 0)


async def test_an_error_gives_the_place_back():
    admission = places(1, 0)
    with pytest.raises(ValueError, match="broken"):
        async with admission.admit():
            raise ValueError("broken")
    async with admission.admit():
        pass


async def test_people_go_before_jobs_whoever_came_first():
    admission = places(1, 10)
    order: list[str] = []

    async def work(name: str, *, batch: bool) -> None:
        async with admission.admit(batch=batch):
            order.append(name)

    async with admission.admit():
        tasks = [
            asyncio.create_task(work(name, batch=name.startswith("job")))
            for name in ("job 1", "job 2", "person 1", "person 2")
        ]
        await turn()
    await asyncio.gather(*tasks)
    assert order == ["person 1", "person 2", "job 1", "job 2"]


async def test_jobs_leave_room_in_the_queue_for_people():
    admission = places(1, 2)

    async def work(*, batch: bool) -> None:
        async with admission.admit(batch=batch):
            pass

    async with admission.admit():
        job = asyncio.create_task(work(batch=True))
        await turn()
        with pytest.raises(ResourceExhaustedError):
            await work(batch=True)
        person = asyncio.create_task(work(batch=False))
        await turn()
        assert admission.waiting == 2
    await asyncio.gather(job, person)


async def test_a_call_that_would_be_answered_too_late_is_refused_at_once():
    admission = places(1, 100)
    for _ in range(3):
        async with admission.admit("slow"):
            await asyncio.sleep(0.1)

    async def ask(seconds: float) -> None:
        set_current_deadline(Deadline.after(seconds))
        async with admission.admit("slow"):
            pass

    async with admission.admit("slow"):
        # About 0.1 s until the place is free, and as much for the call itself.
        with pytest.raises(ResourceExhaustedError):
            await asyncio.create_task(ask(0.15))
        patient = asyncio.create_task(ask(10.0))
        await turn()
        assert admission.waiting == 1
    await patient


async def test_quick_refusals_say_nothing_of_how_long_work_takes():
    admission = places(1, 100)
    async with admission.admit("search"):
        await asyncio.sleep(0.1)
    for _ in range(50):
        with pytest.raises(ValueError, match="bad"):
            async with admission.admit("search"):
                raise ValueError("bad")

    async def ask() -> None:
        set_current_deadline(Deadline.after(0.15))
        async with admission.admit("search"):
            pass

    async with admission.admit("search"):
        with pytest.raises(ResourceExhaustedError):
            await asyncio.create_task(ask())


async def test_behind_the_edge_a_call_with_little_time_is_tried_however_long_others_took():
    admission = places(2, 0)
    async with admission.admit("read"):
        await asyncio.sleep(0.2)

    async def ask() -> None:
        set_current_deadline(Deadline.after(0.05))
        async with admission.admit("read"):
            pass

    async with admission.admit("other"):
        await asyncio.create_task(ask())


async def test_a_hopeless_call_is_refused_until_there_is_doubt():
    admission = Admission(ConcurrencyLimit(8, target_seconds=1.0), 0)
    async with admission.admit("slow"):
        await asyncio.sleep(0.2)

    async def ask() -> None:
        set_current_deadline(Deadline.after(0.05))
        async with admission.admit("slow"):
            pass

    async with admission.admit("other"):
        for _ in range(20):  # from 0.2 s down to 0.1 s, half of which there is not
            with pytest.raises(ResourceExhaustedError):
                await asyncio.create_task(ask())
        for _ in range(60):
            try:
                await asyncio.create_task(ask())
                break
            except ResourceExhaustedError:
                continue
        else:
            pytest.fail("it is never tried again")
    # Alone it is tried: nobody else is kept waiting.
    async with admission.admit("slow"):
        await asyncio.sleep(0.2)
    await asyncio.create_task(ask())


async def test_pressure_rises_from_nobody_waits_to_refused():
    admission = places(1, 4)
    assert admission.pressure("any") == 0.0
    async with calls(admission, 1) as more:
        seen = []
        for _ in range(4):
            seen.append(admission.pressure("any"))
            await more(1)
        assert seen == [0.0, 0.25, 0.5, 0.75]
        assert admission.pressure("any") == 1.0
        with pytest.raises(ShedError) as refused:
            async with admission.admit("any"):
                pass
        assert refused.value.cause == "queue_full"
    assert admission.pressure("any") == 0.0


@pytest.mark.parametrize(
    ("deadline", "expected"), [(1.0, 0.375), (10.0, 0.5 * 0.75 * 0.3), (math.inf, 0.0)]
)
async def test_before_anybody_waits_pressure_is_of_places_where_time_is_short(
    deadline: float, expected: float
):
    now = 0.0
    admission = Admission(ConcurrencyLimit(4), 100, clock=lambda: now)
    async with admission.admit("any"):
        now += 0.4  # what a call takes
    async with calls(admission, 4):
        set_current_deadline(Deadline.after(deadline, clock=lambda: now))
        crowd = admission._crowd("any")
        assert crowd == pytest.approx(expected)
    assert admission.pressure("any") == 0.0


async def test_pressure_is_of_what_the_deadline_leaves_room_for():
    now = 0.0
    admission = Admission(ConcurrencyLimit(1), 100, clock=lambda: now)
    async with admission.admit("any"):
        now += 0.1  # what a call takes
    async with calls(admission, 1):
        set_current_deadline(Deadline.after(1.0, clock=lambda: now))
        # 0.4 of it, less 0.1 of work, for a wait of 0.1.
        assert admission.pressure("any") == pytest.approx(1 / 3, rel=0.01)
        set_current_deadline(Deadline.after(0.3, clock=lambda: now))
        assert admission.pressure("any") == 1.0
        set_current_deadline(Deadline.unlimited())
        assert admission.pressure("any") == 0.0
