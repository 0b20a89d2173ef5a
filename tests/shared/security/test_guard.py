"""The door, over real calls to a server with keys."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from shared.errors import ResourceExhaustedError, error_from_rpc
from shared.request_context import current_caller
from shared.security.audit_chain import verify
from shared.settings import ServiceSettings
from tests.shared.conftest import Launch
from tests.shared.security.conftest import Secured
from tests.shared.toy_service import ToyService
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceImportRequest,
    ProductServiceImportResponse,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub

pytestmark = pytest.mark.integration
CATALOGUE = "wherefore.orchestrator.v1.ProductService/Import"


@pytest.fixture
async def channel(secured: Secured, launch: Launch) -> AsyncIterator[grpc.aio.Channel]:
    server = await launch(security=secured.settings, inner_port=0)
    authorities = grpc.ssl_channel_credentials(secured.settings.ca_file.read_bytes())
    async with grpc.aio.secure_channel(f"localhost:{server.port}", authorities) as channel:
        yield channel


async def test_a_handler_knows_its_caller_and_tenant(
    secured: Secured, toy: ToyService, channel: grpc.aio.Channel
) -> None:
    seen = []

    async def parse(request: ParseRequest, context) -> ParseResponse:
        seen.append(current_caller())
        return ParseResponse()

    toy.parse = parse
    metadata = (("x-api-key", secured.key("operator", tenant="acme")),)
    await NluServiceStub(channel).Parse(ParseRequest(), timeout=5, metadata=metadata)
    (caller,) = seen
    assert (caller.name, caller.tenant, caller.roles) == ("operator", "acme", {"operator"})


async def test_a_handler_knows_the_accounts_of_a_key(
    secured: Secured, toy: ToyService, channel: grpc.aio.Channel
) -> None:
    told = []

    async def parse(request: ParseRequest, context) -> ParseResponse:
        told.append(current_caller().accounts)
        return ParseResponse()

    toy.parse = parse
    for options in ({}, {"accounts": ["acme", "zeta"]}):
        metadata = (("x-api-key", secured.key("operator", **options)),)
        await NluServiceStub(channel).Parse(ParseRequest(), timeout=5, metadata=metadata)
    assert told == [frozenset(), {"acme", "zeta"}]


async def test_only_operators_without_a_tenant_name_one(
    secured: Secured, channel: grpc.aio.Channel
) -> None:
    stub = NluServiceStub(channel)
    free, bound = secured.key("operator"), secured.key("operator", tenant="acme")
    for key, tenant, passes in (
        (free, "acme", True),
        (free, "../x", False),
        (bound, "acme", True),
        (bound, "bolt", False),
    ):
        metadata = (("x-api-key", key), ("x-wherefore-tenant", tenant))
        call = stub.Parse(ParseRequest(), timeout=5, metadata=metadata)
        code = await call.code()
        assert (code is grpc.StatusCode.OK) == passes, (tenant, code)
        assert passes or code is grpc.StatusCode.PERMISSION_DENIED


async def test_who_calls_too_fast_is_told_when_to_come_back(
    secured: Secured, channel: grpc.aio.Channel
) -> None:
    key = secured.key("operator", calls_per_second=0.5)
    stub = NluServiceStub(channel)
    outcomes = []
    for _ in range(52):  # a burst is 50
        try:
            await stub.Parse(ParseRequest(), timeout=5, metadata=(("x-api-key", key),))
            outcomes.append(None)
        except grpc.aio.AioRpcError as error:
            outcomes.append(error_from_rpc(error))
    assert outcomes[:50] == [None] * 50
    refused = outcomes[-1]
    assert isinstance(refused, ResourceExhaustedError)
    assert refused.retry_after_seconds is not None
    assert 0 < refused.retry_after_seconds <= 2


async def test_writes_and_refused_calls_are_in_the_audit_log(
    secured: Secured, channel: grpc.aio.Channel
) -> None:
    writer, shopper = secured.key("catalogue", tenant="acme"), secured.key("shopper")
    stub = ProductServiceStub(channel)
    for key in (writer, shopper, "wk_0000_x"):
        call = stub.Import(timeout=5, metadata=(("x-api-key", key),))
        with suppress(grpc.aio.AioRpcError):
            await call.write(ProductServiceImportRequest())
            await call.done_writing()
            async for _ in call:
                pass
        await call.code()
    log = secured.settings.audit_dir / "nlu.jsonl"
    for _ in range(100):
        if log.exists() and log.read_text().count("\n") >= 4:
            break
        await asyncio.sleep(0.05)
    entries = [json.loads(line) for line in log.read_text().splitlines()]
    assert [(each["code"], each["caller"], each["tenant"]) for each in entries] == [
        ("BEGUN", "catalogue", "acme"),
        ("OK", "catalogue", "acme"),
        ("PERMISSION_DENIED", "shopper", ""),
        ("UNAUTHENTICATED", "", ""),
    ]
    assert entries[1]["messages"] == 1
    assert {each["method"] for each in entries} == {f"/{CATALOGUE}"}
    assert verify(log).entries == 4
    assert not any(key in log.read_text() for key in (writer, shopper))


async def test_reflection_wants_a_credential_and_health_none(
    secured: Secured, channel: grpc.aio.Channel
) -> None:
    from grpc_health.v1 import health_pb2, health_pb2_grpc
    from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

    health = health_pb2_grpc.HealthStub(channel)
    assert (await health.Check(health_pb2.HealthCheckRequest(), timeout=5)).status == 1
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    request = reflection_pb2.ServerReflectionRequest(list_services="")
    for key, code in (
        ("", grpc.StatusCode.UNAUTHENTICATED),
        (secured.key("shopper"), grpc.StatusCode.PERMISSION_DENIED),
        (secured.key("shop"), grpc.StatusCode.OK),
    ):
        call = stub.ServerReflectionInfo(
            iter([request]), timeout=5, metadata=(("x-api-key", key),) if key else ()
        )
        found = []
        with suppress(grpc.aio.AioRpcError):
            found = [each async for each in call]
        assert await call.code() is code
        assert bool(found) == (code is grpc.StatusCode.OK)


async def test_what_cannot_be_written_down_is_not_done(
    secured: Secured, toy: ToyService, channel: grpc.aio.Channel
) -> None:
    secured.settings.audit_dir.touch()  # a file where the folder is to be
    done = []

    async def import_(requests, context) -> AsyncIterator[ProductServiceImportResponse]:
        done.append(True)
        yield ProductServiceImportResponse()

    toy.import_ = import_
    key = secured.key("catalogue")
    call = ProductServiceStub(channel).Import(
        iter([ProductServiceImportRequest()]), timeout=5, metadata=(("x-api-key", key),)
    )
    assert await call.code() is grpc.StatusCode.UNAVAILABLE
    assert not done


async def test_tokens_are_taken_at_the_public_port(secured: Secured, launch: Launch) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key()))
    secured.settings.jwks_file.write_text(
        json.dumps({"keys": [public | {"kid": "one", "alg": "ES256"}]})
    )
    settings = secured.settings.model_copy(update={"jwt_issuer": "https://id.example"})
    server = await launch(security=settings, inner_port=0)
    authorities = grpc.ssl_channel_credentials(settings.ca_file.read_bytes())
    claims = {"iss": "https://id.example", "aud": "wherefore", "sub": "ops", "roles": ["operator"]}
    async with grpc.aio.secure_channel(f"localhost:{server.port}", authorities) as channel:
        for seconds, code in ((60, grpc.StatusCode.OK), (-60, grpc.StatusCode.UNAUTHENTICATED)):
            token = jwt.encode(
                claims | {"exp": time.time() + seconds}, key, "ES256", headers={"kid": "one"}
            )
            call = NluServiceStub(channel).Parse(
                ParseRequest(), timeout=5, metadata=(("authorization", f"Bearer {token}"),)
            )
            assert await call.code() is code


def test_security_is_off_unless_it_is_turned_on() -> None:
    assert not ServiceSettings(port=0).security.enabled
