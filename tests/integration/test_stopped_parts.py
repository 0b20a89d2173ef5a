"""Parts that stand still (SIGSTOP): nothing is refused or closed, and answers come in time."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
import grpc.aio
import pytest

from shared.suite import Suite
from tests.integration.test_failures import HEALING, Shopper
from wherefore.common.v1.diagnostics_pb2 import DEGRADATION_CAUSE_DEADLINE

pytestmark = pytest.mark.suite
DEADLINE = 8.0
"""Of every search: the shares of parts that stand still fit in, on a busy machine too."""


@pytest.fixture
async def shopper(channel: grpc.aio.Channel) -> Shopper:
    shopper = Shopper(channel, DEADLINE)
    await shopper.until(degraded=False)
    return shopper


@contextmanager
def stopped(suite: Suite, part: str) -> Iterator[None]:
    """Has a process of the suite stand still until the end of the block."""
    (pid,) = [row.pid for row in suite.status() if row.name == part]
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("part", ["nlu", "ranking", "reason"])
async def test_a_part_that_stands_still_costs_its_share_of_the_time(
    suite: Suite, shopper: Shopper, part: str
) -> None:
    with stopped(suite, part):
        answers = await shopper.until(degraded=True)
        first = [d for d in answers[-1].degraded if d.stage == part]
        assert [d.cause for d in first] == [DEGRADATION_CAUSE_DEADLINE]
        for _ in range(5):  # by and by the breaker opens, and they cost nothing
            answers.append(await shopper.search())
        assert all(part in {d.stage for d in answer.degraded} for answer in answers[-5:])
    assert not (await shopper.until(degraded=False))[-1].degraded


async def test_retrieval_that_stands_still_is_told_in_time(suite: Suite, shopper: Shopper) -> None:
    with stopped(suite, "retrieval"):
        for _ in range(3):
            begun = time.monotonic()
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await shopper.search()
            assert error.value.code() in {
                grpc.StatusCode.DEADLINE_EXCEEDED,
                grpc.StatusCode.UNAVAILABLE,
            }
            assert time.monotonic() - begun < 2 * DEADLINE
    async with asyncio.timeout(HEALING):
        while True:
            try:
                await shopper.search()
                break
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.1)
    assert not (await shopper.until(degraded=False))[-1].degraded
