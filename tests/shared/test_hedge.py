"""Second calls where the first is late."""

import asyncio
from contextlib import suppress

import pytest

from shared.call_budget import CallBudget
from shared.hedge import Hedge
from shared.latency import LatencyWindow


def test_extra_calls_are_a_share_of_the_calls() -> None:
    budget = CallBudget(0.05, burst=1)
    sent = 0
    for _ in range(1_000):
        budget.earn()
        sent += budget.spend()
    assert sent == pytest.approx(51, abs=1)


def test_a_quantile_says_nothing_of_few_and_follows_a_change() -> None:
    window = LatencyWindow(size=100)
    for n in range(29):
        window.add(n)
    assert window.quantile(0.95) is None
    for n in range(100):
        window.add(n / 100)
    assert window.quantile(0.95) == pytest.approx(0.95, abs=0.17)
    for _ in range(120):
        window.add(7)
    assert window.quantile(0.95) == 7


class Replica:
    """Calls that answer at once, until told to hang."""

    def __init__(self) -> None:
        self.sent = 0
        self.cancelled = 0
        self.hanging = 0
        self.error: Exception | None = None

    async def send(self, seconds: float) -> int:
        self.sent += 1
        number = self.sent
        if self.hanging:
            self.hanging -= 1
            try:
                await asyncio.sleep(seconds)
            except asyncio.CancelledError:
                self.cancelled += 1
                raise
            raise TimeoutError
        if self.error:
            raise self.error
        return number


@pytest.fixture
async def warm():
    replica, hedge = Replica(), Hedge("toy", 0.05)
    for _ in range(40):
        await hedge.call("read", replica.send, 5)
    assert replica.sent == 40, "none was late"
    return replica, hedge


async def test_the_second_answers_for_a_late_first_which_is_given_up(warm) -> None:
    replica, hedge = warm
    replica.hanging = 1
    assert await hedge.call("read", replica.send, 60) == 42
    await asyncio.sleep(0)
    assert replica.cancelled == 1


async def test_nothing_is_known_of_another_method(warm) -> None:
    replica, hedge = warm
    replica.hanging = 1
    with pytest.raises(TimeoutError):
        await hedge.call("another", replica.send, 0.05)
    assert replica.sent == 41


async def test_hedges_end_with_their_budget(warm) -> None:
    replica, hedge = warm
    for _ in range(40):
        replica.hanging = 1
        with suppress(TimeoutError):
            await hedge.call("read", replica.send, 0.02)
    # Ten saved up, and five for each hundred calls.
    assert replica.sent <= 40 + 40 + 10 + 4


async def test_the_error_of_the_first_is_its_answer_while_it_is_in_time(warm) -> None:
    replica, hedge = warm
    replica.error = ValueError("no")
    with pytest.raises(ValueError, match="no"):
        await hedge.call("read", replica.send, 5)
    assert replica.sent == 41


async def test_when_both_fail_so_does_the_call(warm) -> None:
    replica, hedge = warm
    replica.hanging = 1
    replica.error = ValueError("second")
    with pytest.raises(TimeoutError):  # the first is waited for: it might still have answered
        await hedge.call("read", replica.send, 0.1)


async def test_a_caller_who_leaves_leaves_nothing_behind(warm) -> None:
    replica, hedge = warm
    replica.hanging = 2
    calling = asyncio.create_task(hedge.call("read", replica.send, 60))
    async with asyncio.timeout(10):
        while replica.sent < 42:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.005)
    calling.cancel()
    await asyncio.wait({calling})
    await asyncio.sleep(0)
    assert replica.cancelled == 2


async def test_without_a_share_none_is_sent() -> None:
    replica, hedge = Replica(), Hedge("toy", 0)
    for _ in range(40):
        await hedge.call("read", replica.send, 5)
    replica.hanging = 1
    with pytest.raises(TimeoutError):
        await hedge.call("read", replica.send, 0.05)
    assert replica.sent == 41
