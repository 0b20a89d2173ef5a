"""Both clients at a secured door: keys, tokens and certificates, and who may not come in."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.security.api_keys import new_key
from shared.security.settings import SecuritySettings
from shared.security.setup import set_up
from shared.server import RunningServer
from tests.clients.conftest import Caller, Launch
from tests.clients.shop import Shop
from tests.shared.security.test_bearer_tokens import ISSUER, key_set, token
from wherefore.orchestrator.v1.explanation_service_pb2 import ExplainRequest
from wherefore.orchestrator.v1.search_service_pb2 import SearchRequest
from wherefore_client import Tls, errors

Connect = Callable[..., Caller]
MUG = SearchRequest(query="mug")


@pytest.fixture
def security(tmp_path: Path) -> SecuritySettings:
    folder = tmp_path / "security"
    set_up(folder)
    return SecuritySettings(
        enabled=True, dir=folder, audit_dir=tmp_path / "audit", jwt_issuer=ISSUER
    )


@pytest.fixture
async def door(shop: Shop, launch: Launch, security: SecuritySettings) -> RunningServer:
    return await launch(shop, security=security, inner_port=0)


@pytest.fixture
def tls(security: SecuritySettings) -> Tls:
    return Tls(ca=security.ca_file)


async def test_a_key_opens_what_its_role_may_call(
    door: RunningServer, security: SecuritySettings, tls: Tls, connect: Connect
) -> None:
    key = new_key(security.api_keys_file, "page", ["shopper"])
    caller = connect(f"127.0.0.1:{door.port}", api_key=key, tls=tls)
    await caller.ask("search", MUG)
    with pytest.raises(errors.PermissionDeniedError):
        await caller.ask("explain", ExplainRequest(query="mug"))


async def test_a_token_is_renewed_between_calls(
    door: RunningServer, security: SecuritySettings, tls: Tls, connect: Connect
) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    key_set(security.dir / "jwks.json", one=private)
    current = [token(private, tenant=None, exp=1)]
    caller = connect(f"127.0.0.1:{door.port}", token=lambda: current[-1], tls=tls)
    with pytest.raises(errors.UnauthenticatedError):
        await caller.ask("search", MUG)
    current.append(token(private, tenant=None))
    await caller.ask("search", MUG)


@pytest.mark.parametrize("credential", [{}, {"api_key": "wk_000000000000_guess"}, {"token": "a.b"}])
async def test_nobody_else_comes_in(
    door: RunningServer, tls: Tls, connect: Connect, credential: dict[str, str], shop: Shop
) -> None:
    caller = connect(f"127.0.0.1:{door.port}", tls=tls, **credential)
    with pytest.raises(errors.UnauthenticatedError) as raised:
        await caller.ask("search", MUG)
    assert "guess" not in str(raised.value)
    assert not shop.asked


async def test_a_server_that_cannot_be_trusted_is_not_talked_to(
    door: RunningServer, tls: Tls, connect: Connect, shop: Shop
) -> None:
    for trusting in (None, Tls(), Tls(ca=tls.ca, server_name="shop.example")):
        caller = connect(f"127.0.0.1:{door.port}", tls=trusting)
        with pytest.raises(errors.UnavailableError):
            await caller.ask("search", MUG)
    named = connect([f"127.0.0.1:{door.port}"], tls=Tls(ca=tls.ca, server_name="localhost"))
    with pytest.raises(errors.UnauthenticatedError):
        await named.ask("search", MUG)
    assert not shop.asked


async def test_a_certificate_of_ones_own(
    door: RunningServer, security: SecuritySettings, connect: Connect
) -> None:
    certificate, key = security.pair("operator")
    own = Tls(security.ca_file, certificate, key)
    await connect(f"127.0.0.1:{door.inner_port}", tls=own).ask("search", MUG)
    with pytest.raises(errors.UnavailableError):
        await connect(f"127.0.0.1:{door.inner_port}", tls=Tls(security.ca_file)).ask("search", MUG)


async def test_who_calls_too_fast_is_told_when_to_come_again(
    shop: Shop, launch: Launch, security: SecuritySettings, tls: Tls, connect: Connect
) -> None:
    limited = security.model_copy(update={"calls_per_second": 0.1, "call_burst": 1})
    server = await launch(shop, security=limited, inner_port=0)
    key = new_key(security.api_keys_file, "page", ["shopper"])
    caller = connect(f"127.0.0.1:{server.port}", api_key=key, tls=tls)
    await caller.ask("search", MUG)
    with pytest.raises(errors.ResourceExhaustedError) as raised:
        await caller.ask("search", MUG)
    assert raised.value.retry_after_seconds is not None
    assert 1 < raised.value.retry_after_seconds <= 10
