"""A service object for each tenant, over real calls."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import grpc
import pytest

from shared.errors import PermissionDeniedError, UnavailableError
from shared.request_context import Caller, current_tenant, set_caller
from shared.security.settings import SecuritySettings
from shared.settings import ServiceSettings
from shared.tenant_service import TenantService, tenanted
from tests.shared.toy_service import NLU, ToyService
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse


class Shop(ToyService):
    """Answers with its tenant, as it was made and as its background task sees it."""

    def __init__(self, tenant: str) -> None:
        super().__init__()
        self.tenant = tenant
        self.seen = "not started"

    async def start(self) -> None:
        await super().start()

        async def look() -> None:
            self.seen = current_tenant()

        await asyncio.create_task(look())

    async def parse(self, request: ParseRequest, context) -> ParseResponse:
        response = ParseResponse()
        response.understanding.query = f"{self.tenant}/{self.seen}"
        return response


class Kept:
    """The handlers that a service adds to a server."""

    def __init__(self, service: TenantService) -> None:
        self._handlers: list = []
        service.register(self)

    def add_generic_rpc_handlers(self, handlers) -> None:
        self._handlers.extend(handlers)

    def add_registered_method_handlers(self, *_) -> None: ...

    def method(self, path: str):
        class Details:
            method = path
            invocation_metadata = ()

        found = [handler.service(Details()) for handler in self._handlers]
        return next(each for each in found if each is not None)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Shop]:
    """All shops that were made. Their handlers are added as generated code adds them."""

    def register(self: Shop, server) -> None:
        async def call(request, context):
            return await self.parse(request, context)

        async def parts(request, context):
            async for part in self.explain(request, context):
                yield part

        server.add_registered_method_handlers(
            NLU,
            {
                "Parse": grpc.unary_unary_rpc_method_handler(call),
                "Parts": grpc.unary_stream_rpc_method_handler(parts),
            },
        )

    monkeypatch.setattr(Shop, "register", register)
    return []


@pytest.fixture
def service(made: list[Shop]) -> TenantService:
    def make(tenant: str) -> Shop:
        made.append(Shop(tenant))
        return made[-1]

    return TenantService(make, 2)


async def ask(service: TenantService, tenant: str) -> str:
    async def call() -> str:
        set_caller(Caller("c", tenant))
        handler = Kept(service).method(f"/{NLU}/Parse")
        answer = await handler.unary_unary(ParseRequest(), None)
        return answer.understanding.query

    return await asyncio.create_task(call())


async def test_each_tenant_has_an_object_of_its_own(
    service: TenantService, made: list[Shop]
) -> None:
    await service.start()
    answers = await asyncio.gather(*(ask(service, each) for each in ("a", "b", "", "a", "b")))
    assert answers == ["a/a", "b/b", "/", "a/a", "b/b"]
    assert sorted(shop.tenant for shop in made) == ["", "a", "b"]
    await service.close()
    assert [shop.closes for shop in made] == [1, 1, 1]


async def test_there_are_no_more_than_were_agreed(service: TenantService) -> None:
    await service.start()
    for tenant in ("a", "b"):
        await ask(service, tenant)
    with pytest.raises(Exception, match="too many tenants"):
        await ask(service, "c")
    assert await ask(service, "a") == "a/a"


async def test_a_start_that_failed_is_tried_again(
    service: TenantService, made: list[Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    await service.start()
    start, failures = Shop.start, [UnavailableError("not yet")]

    async def fails_once(self: Shop) -> None:
        if failures:
            raise failures.pop()
        await start(self)

    monkeypatch.setattr(Shop, "start", fails_once)
    with pytest.raises(UnavailableError):
        await ask(service, "a")
    assert await ask(service, "a") == "a/a"
    assert [(shop.tenant, shop.closes) for shop in made] == [("", 0), ("a", 1), ("a", 0)]


async def test_streams_go_to_their_tenant(service: TenantService) -> None:
    await service.start()

    async def parts() -> int:
        set_caller(Caller("c", "a"))
        handler = Kept(service).method(f"/{NLU}/Parts")
        return len([part async for part in handler.unary_stream(None, None)])

    assert await asyncio.create_task(parts()) == 3


def test_without_security_there_is_one_object_and_nothing_between() -> None:
    settings = ServiceSettings(port=0)
    assert isinstance(tenanted(Shop, settings), Shop)
    secured = ServiceSettings(port=0, security=SecuritySettings(enabled=True))
    assert isinstance(tenanted(Shop, secured), TenantService)


@dataclass
class Door:
    """Stands in for the guard: who is removed, and what was told of it."""

    removed: set[str] = field(default_factory=set)
    told: list[tuple[str, bool]] = field(default_factory=list)

    def removed_tenants(self) -> frozenset[str]:
        return frozenset(self.removed)

    async def tell_removal(self, tenant: str, *, done: bool) -> None:
        self.told.append((tenant, done))


@dataclass
class Removing:
    """A service with tenants whose data is deleted by a function that can fail."""

    service: TenantService
    door: Door
    forgotten: list[str]
    failures: list[Exception]

    async def look(self) -> None:
        assert self.service._removal
        await self.service._removal.look()


@pytest.fixture
async def removing(made: list[Shop]) -> AsyncIterator[Removing]:
    forgotten: list[str] = []
    failures: list[Exception] = []

    def make(tenant: str) -> Shop:
        made.append(Shop(tenant))
        return made[-1]

    async def forget(tenant: str) -> None:
        assert all(shop.closes for shop in made if shop.tenant == tenant)
        if failures:
            raise failures.pop()
        forgotten.append(tenant)

    found = Removing(TenantService(make, 2, forget), Door(), forgotten, failures)
    found.service.use_guard(found.door)
    await found.service.start()
    yield found
    await found.service.close()


async def test_who_is_removed_is_closed_deleted_and_comes_no_more(
    removing: Removing, made: list[Shop]
) -> None:
    assert await ask(removing.service, "a") == "a/a"
    assert await ask(removing.service, "b") == "b/b"
    removing.door.removed.add("a")
    with pytest.raises(PermissionDeniedError):
        await ask(removing.service, "a")
    for _ in range(3):
        await removing.look()
    assert removing.forgotten == ["a"]
    assert removing.door.told == [("a", False), ("a", True)]
    assert [(shop.tenant, shop.closes) for shop in made] == [("", 0), ("a", 1), ("b", 0)]
    assert await ask(removing.service, "b") == "b/b"
    assert await ask(removing.service, "c") == "c/c"  # its place is free


async def test_what_could_not_be_deleted_is_tried_again(removing: Removing) -> None:
    removing.failures += [OSError("disk"), UnavailableError("another process has it")]
    removing.door.removed.add("a")
    for expected in ([], [], ["a"], ["a"]):
        await removing.look()
        assert removing.forgotten == expected
    assert removing.door.told == [("a", False), ("a", True)]


async def test_a_start_deletes_what_was_left(made: list[Shop]) -> None:
    forgotten: list[str] = []

    async def forget(tenant: str) -> None:
        forgotten.append(tenant)

    service = TenantService(Shop, 2, forget)
    service.use_guard(Door({"gone"}))
    await service.start()
    assert forgotten == ["gone"]
    await service.close()


async def test_calls_that_are_being_answered_end_before_it_closes(
    removing: Removing, made: list[Shop], monkeypatch: pytest.MonkeyPatch
) -> None:
    going_on, begun = asyncio.Event(), asyncio.Event()
    parse = Shop.parse

    async def slow(self: Shop, request: ParseRequest, context) -> ParseResponse:
        begun.set()
        await going_on.wait()
        assert not self.closes
        return await parse(self, request, context)

    monkeypatch.setattr(Shop, "parse", slow)
    call = asyncio.create_task(ask(removing.service, "a"))
    await begun.wait()
    removing.door.removed.add("a")
    look = asyncio.create_task(removing.look())
    await asyncio.sleep(0.05)
    assert not look.done()
    going_on.set()
    assert await call == "a/a"
    await look
    assert removing.forgotten == ["a"]
