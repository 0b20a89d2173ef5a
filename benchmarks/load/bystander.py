"""A client beside a load that does nothing else, in a process of its own.

A generator that sends fifty calls a second and reads as many answers measures its own loop as well.
One call in a while, from a process that has nothing else to do, is what a caller sees of a suite
whose load is that of others.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from typing import Final

import grpc.aio

from benchmarks.load.measured import Latencies
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore.orchestrator.v1.search_service_pb2_grpc import SearchServiceStub

_EVERY_SECONDS: Final = 0.05
_TIMEOUT_SECONDS: Final = 1.0


@asynccontextmanager
async def refusals_seen(target: str, into: Latencies) -> AsyncGenerator[None]:
    """Has a client of its own search until the end of the block.

    Args:
        target: HOST:PORT of the orchestrator.
        into: Given what each refusal took, as that client saw it.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.load.bystander", target),
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        told, _ = await process.communicate()
    for line in told.decode().splitlines():
        into.add(float(line))


async def _search(target: str) -> None:
    async with grpc.aio.insecure_channel(target) as channel:
        await channel.channel_ready()
        stub = SearchServiceStub(channel)
        async with asyncio.TaskGroup() as tasks:
            number = 0
            while True:
                tasks.create_task(_one(stub, number))
                number += 1
                await asyncio.sleep(_EVERY_SECONDS)


async def _one(stub: SearchServiceStub, number: int) -> None:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    try:
        await stub.Search(SearchRequest(query=f"lamp {number}"), timeout=_TIMEOUT_SECONDS)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            print(loop.time() - begun, flush=True)


if __name__ == "__main__":
    asyncio.run(_search(sys.argv[1]))
