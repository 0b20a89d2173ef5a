"""A service that fails is left alone for a while; one that refuses is not."""

from typing import Any

import grpc
import grpc.aio
import pytest

from shared.errors import CircuitOpenError, InvalidArgumentError, UnavailableError
from shared.peer import Peer


class Method:
    """Fails with a code, or answers."""

    def __init__(self, code: grpc.StatusCode | None) -> None:
        self.code = code
        self.calls = 0

    async def __call__(self, request: Any, timeout: float) -> str:  # noqa: ASYNC109
        self.calls += 1
        if self.code is not None:
            empty = grpc.aio.Metadata()
            raise grpc.aio.AioRpcError(self.code, empty, empty, details="gone")
        return f"{request} within {timeout:g} s"


async def ask(peer: Peer, method: Any) -> str:
    return await peer.ask(method, "word", 3.0)


@pytest.fixture
async def peer() -> Any:
    made = Peer("nlu", "wherefore.nlu.v1.NluService", "127.0.0.1:1", "test.nlu")
    yield made
    await made.close()


async def test_failures_open_the_breaker(peer: Peer) -> None:
    method = Method(grpc.StatusCode.UNAVAILABLE)
    for _ in range(20):
        with pytest.raises(UnavailableError):  # CircuitOpenError is one of these
            await ask(peer, method)
    with pytest.raises(CircuitOpenError, match="nlu does not answer"):
        await ask(peer, method)
    assert 0 < method.calls < 20


async def test_refusals_do_not(peer: Peer) -> None:
    refusing = Method(grpc.StatusCode.INVALID_ARGUMENT)
    for _ in range(20):
        with pytest.raises(InvalidArgumentError):
            await ask(peer, refusing)
    assert refusing.calls == 20
    assert await ask(peer, Method(None)) == "word within 3 s"
