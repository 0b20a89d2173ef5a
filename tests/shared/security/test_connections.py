"""Real servers and channels with certificates, changed while they run."""

import asyncio

import grpc
import pytest
from cryptography import x509
from prometheus_client import REGISTRY

from shared.channel import open_channel
from shared.errors import error_from_rpc
from shared.security.authority import issue, open_authority
from shared.security.identity import load_identity
from shared.suite import PortPlan
from shared.suite.probe import service_health
from tests.shared.conftest import Launch
from tests.shared.security.conftest import Secured
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub

pytestmark = pytest.mark.integration


def code_of(error: pytest.ExceptionInfo[grpc.aio.AioRpcError]) -> grpc.StatusCode:
    return error.value.code()


async def parse(channel: grpc.aio.Channel, **options) -> None:
    await NluServiceStub(channel).Parse(ParseRequest(query="q"), timeout=5, **options)


async def test_a_service_is_let_in_by_its_certificate(secured: Secured, launch: Launch) -> None:
    server = await launch(security=secured.settings)
    identity = load_identity(secured.settings, "orchestrator")
    async with open_channel(f"127.0.0.1:{server.port}", identity=identity) as channel:
        await parse(channel)


async def test_a_service_may_not_call_what_it_has_no_business_with(
    secured: Secured, launch: Launch
) -> None:
    server = await launch(security=secured.settings)
    identity = load_identity(secured.settings, "retrieval")
    async with open_channel(f"127.0.0.1:{server.port}", identity=identity) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await parse(channel)
    assert code_of(error) is grpc.StatusCode.PERMISSION_DENIED


async def test_no_certificate_no_connection(secured: Secured, launch: Launch) -> None:
    server = await launch(security=secured.settings)
    target = f"127.0.0.1:{server.port}"
    authorities = grpc.ssl_channel_credentials((secured.folder / "ca.crt").read_bytes())
    for channel in (
        grpc.aio.insecure_channel(target),
        grpc.aio.secure_channel(target, authorities),
    ):
        async with channel:
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await parse(channel, metadata=(("x-api-key", secured.key("operator")),))
            assert code_of(error) is grpc.StatusCode.UNAVAILABLE


async def test_a_certificate_of_another_authority_is_refused(
    secured: Secured, launch: Launch, tmp_path
) -> None:
    server = await launch(security=secured.settings)
    other = tmp_path / "other"
    issue(open_authority(other), other, "orchestrator", "service.orchestrator")
    (other / "ca.crt").write_bytes((secured.folder / "ca.crt").read_bytes())
    identity = load_identity(secured.settings.model_copy(update={"dir": other}), "orchestrator")
    async with open_channel(f"127.0.0.1:{server.port}", identity=identity) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await parse(channel)
    assert code_of(error) is grpc.StatusCode.UNAVAILABLE


async def test_certificates_are_changed_without_a_restart(secured: Secured, launch: Launch) -> None:
    server = await launch(security=secured.settings)
    target = f"127.0.0.1:{server.port}"
    identity = load_identity(secured.settings, "orchestrator")
    async with open_channel(target, identity=identity) as channel:
        await parse(channel)
        # All is made anew, the authority too: what was shown before is worth nothing now.
        for name in ("ca.crt", "ca.key"):
            (secured.folder / name).unlink()
        for name in ("nlu", "orchestrator"):
            secured.certificate(name, f"service.{name}")
        await asyncio.sleep(1.1)  # files are looked at once a second
        await parse(channel)
    anew = load_identity(secured.settings, "orchestrator")
    async with open_channel(target, identity=anew) as channel:
        await parse(channel)


async def test_a_half_written_change_changes_nothing(secured: Secured, launch: Launch) -> None:
    server = await launch(security=secured.settings)
    (secured.folder / "nlu.key").write_bytes((secured.folder / "operator.key").read_bytes())
    await asyncio.sleep(1.1)
    identity = load_identity(secured.settings, "orchestrator")
    async with open_channel(f"127.0.0.1:{server.port}", identity=identity) as channel:
        await parse(channel)


async def test_a_server_without_its_certificate_does_not_start(
    secured: Secured, launch: Launch
) -> None:
    (secured.folder / "nlu.crt").unlink()
    with pytest.raises(OSError, match=r"nlu\.crt"):
        await launch(security=secured.settings)


async def test_the_public_port_takes_keys(secured: Secured, launch: Launch) -> None:
    server = await launch(security=secured.settings, inner_port=0)
    authorities = grpc.ssl_channel_credentials((secured.folder / "ca.crt").read_bytes())
    async with grpc.aio.secure_channel(f"localhost:{server.port}", authorities) as channel:
        await parse(channel, metadata=(("x-api-key", secured.key("operator")),))
        key = secured.key("operator")
        await asyncio.sleep(1.1)
        await parse(channel, metadata=(("authorization", f"Bearer {key}"),))
        for metadata in ((), (("x-api-key", "wk_0000_no"),), (("authorization", "Basic x"),)):
            with pytest.raises(grpc.aio.AioRpcError) as error:
                await parse(channel, metadata=metadata)
            assert code_of(error) is grpc.StatusCode.UNAUTHENTICATED
            assert error_from_rpc(error.value).message == "a valid credential is needed"
    identity = load_identity(secured.settings, "orchestrator")
    async with open_channel(f"127.0.0.1:{server.inner_port}", identity=identity) as channel:
        await parse(channel)


async def test_a_port_of_its_own_tells_health_in_the_clear(
    secured: Secured, launch: Launch
) -> None:
    port = PortPlan.free().orchestrator
    server = await launch(security=secured.settings, health_port=port)
    assert await asyncio.to_thread(service_health, port) == "SERVING"
    assert await asyncio.to_thread(service_health, server.port) == ""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await parse(channel)
        assert code_of(error) is grpc.StatusCode.UNIMPLEMENTED


async def test_the_end_of_a_certificate_is_a_metric(secured: Secured) -> None:
    files = load_identity(secured.settings, "nlu").certificate
    certificate = x509.load_pem_x509_certificate(files.current().chain)
    told = REGISTRY.get_sample_value(
        "wherefore_certificate_expires_seconds", {"certificate": "nlu"}
    )
    assert told == certificate.not_valid_after_utc.timestamp()
