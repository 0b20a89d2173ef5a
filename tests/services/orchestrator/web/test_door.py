"""The page's routes while security is on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from services.orchestrator.web.app import PAGES, Api, api_routes, make_app
from services.orchestrator.web.applications import Applications
from services.orchestrator.web.door import METHODS, Pages
from shared.request_context import current_caller
from shared.security.api_keys import new_key
from shared.security.audit_log import AuditLog
from shared.security.guard import Guard
from shared.security.policy import RULES
from shared.security.settings import SecuritySettings
from wherefore.orchestrator.v1.completion_service_pb2 import CompleteResponse


@pytest.fixture
def settings(tmp_path: Path) -> SecuritySettings:
    return SecuritySettings(enabled=True, dir=tmp_path, audit_dir=tmp_path / "audit")


async def answer(_: object) -> CompleteResponse:
    assert current_caller().name
    return CompleteResponse()


def api_of(say: Callable[[object], Awaitable[CompleteResponse]] = answer) -> Api:
    async def ready() -> None: ...

    async def parts(_: object):
        yield CompleteResponse()

    async def none(_: object) -> dict[str, bytes]:
        return {}

    others = dict.fromkeys(
        ("search", "summarise", "explain", "complete", "recommend", "write_event"), say
    )
    return Api(
        **others,
        search_stream=parts,
        thumbnails=none,
        accounts=lambda: ("acme", "bolt"),
        applications=Applications("", "", 5),
        check_ready=ready,
        deadline_seconds=5,
    )


@asynccontextmanager
async def page_of(settings: SecuritySettings, *more: Pages) -> AsyncIterator[httpx.AsyncClient]:
    audit = AuditLog(settings.audit_dir / "log.jsonl")
    app = make_app(api_of(), Guard(settings, audit), *more)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://page") as client:
        yield client
    audit.close()


@pytest.fixture
async def client(settings: SecuritySettings) -> AsyncIterator[httpx.AsyncClient]:
    async with page_of(settings) as client:
        yield client


def routes() -> set[str]:
    app = make_app(None)  # pyright: ignore[reportArgumentType]
    return {each.path for each in app.routes if isinstance(each, Route)}


def test_every_route_below_api_stands_for_a_method() -> None:
    assert {path for path in routes() if path.startswith("/api/")} == set(METHODS)
    assert set(METHODS.values()) <= set(RULES)


@pytest.mark.parametrize("path", [*METHODS, "/api/", "/api/unknown", "/api/../api/search"])
async def test_no_route_answers_without_a_credential(client: httpx.AsyncClient, path: str) -> None:
    for headers in ({}, {"x-api-key": "wk_0000_x"}, {"authorization": "Basic eDp5"}):
        response = await client.post(path, json={}, headers=headers)
        assert response.status_code == httpx.codes.UNAUTHORIZED
        assert response.json()["error"]["status"] == "UNAUTHENTICATED"


async def test_a_key_opens_what_its_role_may_call(
    client: httpx.AsyncClient, settings: SecuritySettings
) -> None:
    keys = {
        role: new_key(settings.api_keys_file, role, [role])
        for role in ("shopper", "shop", "catalogue", "operator")
    }
    for path, method in METHODS.items():
        for role, key in keys.items():
            response = await client.post(path, json={}, headers={"x-api-key": key})
            allowed = role in RULES[method].roles
            assert (response.status_code != httpx.codes.FORBIDDEN) == allowed, (path, role)
    response = await client.post("/api/unknown", headers={"x-api-key": keys["operator"]})
    assert response.status_code == httpx.codes.FORBIDDEN


async def test_a_tenant_does_not_see_the_data_of_the_suite(
    client: httpx.AsyncClient, settings: SecuritySettings
) -> None:
    key = new_key(settings.api_keys_file, "shop", ["shop"], tenant="acme")
    response = await client.post("/api/complete", json={}, headers={"x-api-key": key})
    assert response.status_code == httpx.codes.FORBIDDEN


async def test_a_tenant_is_answered_from_their_own_data(settings: SecuritySettings) -> None:
    inside: list[str] = []

    @asynccontextmanager
    async def pages(tenant: str) -> AsyncIterator[Starlette]:
        async def theirs(_: object) -> CompleteResponse:
            assert current_caller().tenant == tenant
            return CompleteResponse(completions=[{"text": f"of {tenant}"}])

        inside.append(tenant)
        yield Starlette(routes=api_routes(api_of(theirs)))
        inside.remove(tenant)

    keys = {
        tenant: new_key(settings.api_keys_file, "shop", ["shop"], tenant=tenant)
        for tenant in ("acme", "bolt", "")
    }
    async with page_of(settings, pages) as client:
        for tenant, key in keys.items():
            response = await client.post("/api/complete", json={}, headers={"x-api-key": key})
            expected = {"completions": [{"text": f"of {tenant}"}]} if tenant else {}
            assert response.json() == expected
            assert response.headers["content-security-policy"]
        response = await client.post("/api/complete", json={})
        assert response.status_code == httpx.codes.UNAUTHORIZED
    assert not inside


async def test_the_page_and_health_are_open(client: httpx.AsyncClient) -> None:
    for path in (*PAGES, "/healthz"):
        assert (await client.get(path)).status_code == httpx.codes.OK


async def test_a_key_is_offered_the_accounts_that_it_is_for(
    client: httpx.AsyncClient, settings: SecuritySettings
) -> None:
    made = {
        "shop": new_key(settings.api_keys_file, "shop", ["shop"]),
        "acme": new_key(settings.api_keys_file, "acme", ["shopper"], accounts=["acme"]),
        "page": new_key(settings.api_keys_file, "page", ["shopper"]),
    }
    offered: dict[str, list[str]] = {}
    for name, key in made.items():
        response = await client.post("/api/accounts", json={}, headers={"x-api-key": key})
        offered[name] = response.json()["accounts"]
    assert offered == {"shop": ["acme", "bolt"], "acme": ["acme"], "page": []}
