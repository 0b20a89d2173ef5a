"""Moving on to a newer version between two requests."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from services.nlu.learnt.port import Reading, Readings
from services.nlu.learnt.versions import FollowingReader
from shared.errors import UnavailableError


@dataclass
class FakeVersion:
    number: int
    stands: list[int]
    heads: tuple[str, ...] = ("entities",)
    broken: bool = False
    closed: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def __hash__(self) -> int:
        return id(self)

    @property
    def model(self) -> str:
        return f"query_zh@{self.number}"

    async def read(self, texts: Sequence[str]) -> Readings:
        if self.broken:
            raise UnavailableError("does not load")
        await self.gate.wait()
        return Readings(self.model, [Reading() for _ in texts], 0, 0)

    async def versions(self) -> list[int]:
        return sorted(self.stands)

    async def check_ready(self) -> None: ...

    async def close(self) -> None:
        self.closed = True


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while True:
            if true():
                return
            await asyncio.sleep(0.005)


@pytest.fixture
def stands() -> list[int]:
    return [1]


@pytest.fixture
def opened() -> dict[int, FakeVersion]:
    return {}


@pytest.fixture
def reader(stands: list[int], opened: dict[int, FakeVersion]) -> FollowingReader:
    def open_version(number: int) -> Any:
        return opened.setdefault(number, FakeVersion(number, stands))

    return FollowingReader(open_version(1), 1, open_version)


async def test_nothing_new_changes_nothing(reader: FollowingReader) -> None:
    assert not await reader.look()
    assert (await reader.read(["a"])).model == reader.model == "query_zh@1"


async def test_requests_under_way_are_answered_by_their_version(
    reader: FollowingReader, stands: list[int], opened: dict[int, FakeVersion]
) -> None:
    stands.append(2)
    await reader.look()
    opened[2].gate.clear()
    under_way = asyncio.create_task(reader.read(["a"]))
    await asyncio.sleep(0)
    stands.append(3)
    assert await reader.look()
    assert (await reader.read(["b"])).model == "query_zh@3"
    await reader.look()
    assert not opened[2].closed  # somebody still waits for it
    opened[2].gate.set()
    assert (await under_way).model == "query_zh@2"
    await reader.look()
    assert opened[2].closed
    assert not opened[1].closed  # its owner's: vectors may still be asked of it


async def test_a_version_that_does_not_work_is_passed_over(
    reader: FollowingReader, stands: list[int], opened: dict[int, FakeVersion]
) -> None:
    opened[2] = FakeVersion(2, stands, broken=True)
    stands.append(2)
    with pytest.raises(UnavailableError):
        await reader.look()
    assert opened[2].closed
    assert (await reader.read(["a"])).model == "query_zh@1"
    opened[2].broken = False
    assert await reader.look()


async def test_taking_a_version_away_is_a_way_back(
    reader: FollowingReader, stands: list[int]
) -> None:
    stands.append(2)
    await reader.look()
    stands.remove(2)
    assert await reader.look()
    assert (await reader.read(["a"])).model == "query_zh@1"
    stands.clear()  # Triton restarts: nothing stands there for a while
    assert not await reader.look()


async def test_watching_survives_failures(
    reader: FollowingReader, stands: list[int], opened: dict[int, FakeVersion]
) -> None:
    opened[2] = FakeVersion(2, stands, broken=True)
    watching = asyncio.create_task(reader.watch(0.005))
    stands.append(2)
    await until(lambda: opened[2].closed)
    opened[2].broken = False
    await until(lambda: reader.model == "query_zh@2")
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    await reader.close()
    assert not opened[1].closed
