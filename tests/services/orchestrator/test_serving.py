"""What the tests of this folder serve ends with them, also where they fail.

A server that still runs when its loop is closed is stopped by nobody: whoever frees it later, in
another module, gets a coroutine that was never awaited.
"""

import asyncio

import pytest

from tests.services.orchestrator.conftest import serve
from tests.services.orchestrator.fake_backends import serve_backends
from tests.services.orchestrator.web.applied import page_with


class FailedError(Exception):
    """What went wrong in a test."""


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True


async def test_a_test_that_fails_leaves_no_server_behind(tmp_path):
    ports: list[int] = []

    async def fail() -> None:
        async with (
            serve_backends() as backends,
            serve(tmp_path / "served") as served,
            page_with(tmp_path / "page") as page,
        ):
            ports.extend((int(backends.target.split(":")[1]), served.server.port, page.port))
            assert [await listens(port) for port in ports] == [True, True, True]
            raise FailedError

    with pytest.raises(FailedError):
        await fail()
    assert [await listens(port) for port in ports] == [False, False, False]
