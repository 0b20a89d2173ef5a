"""A service that goes and comes back, on a real port."""

import asyncio
import time

import pytest

from services.orchestrator.config import OrchestratorSettings
from services.orchestrator.dependency import Dependency
from services.orchestrator.stage_budgets import StageBudget
from shared.deadline import Deadline, set_current_deadline
from shared.errors import CircuitOpenError, DeadlineExceededError, UnavailableError
from shared.server import start_server
from shared.settings import ServiceSettings
from tests.shared.toy_service import NLU, ToyService
from wherefore.nlu.v1.nlu_service_pb2 import ParseRequest, ParseResponse
from wherefore.nlu.v1.nlu_service_pb2_grpc import NluServiceStub


@pytest.fixture
async def port():
    listening = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    return port


@pytest.fixture
async def dependency(port):
    each = Dependency("toy", NLU, f"127.0.0.1:{port}", OrchestratorSettings())
    yield each
    await each.close()


async def call(dependency, patience, parse=None):
    parse = parse or NluServiceStub(dependency.channel).Parse
    budget = StageBudget(seconds=5, reserve=0)
    return await dependency.call(parse, ParseRequest(), 5.0, budget, patience_seconds=patience)


async def test_a_patient_call_outlasts_the_gap_between_two_processes(dependency, port):
    calling = asyncio.create_task(call(dependency, 30))
    await asyncio.sleep(0.3)
    assert not calling.done()
    server = await start_server(ToyService(), ServiceSettings(port=port))
    await calling
    await dependency.check_health(10)
    await server.stop()


async def test_an_impatient_one_fails_at_once_and_says_so(dependency):
    with pytest.raises(UnavailableError):
        await call(dependency, 0)
    with pytest.raises(UnavailableError):
        await dependency.check_health(0.1)


async def test_patience_takes_half_of_the_deadline_at_most(dependency):
    set_current_deadline(Deadline.after(1.0))
    begun = time.monotonic()
    with pytest.raises(UnavailableError):
        await call(dependency, 60)
    await dependency.wait_reachable(60)
    assert time.monotonic() - begun < 1.0


async def test_what_a_service_says_itself_is_not_asked_again(dependency, port):
    toy = ToyService()
    asked = 0

    async def parse(request, context):
        nonlocal asked
        asked += 1
        raise UnavailableError("Triton is away")

    toy.parse = parse
    server = await start_server(toy, ServiceSettings(port=port))
    with pytest.raises(UnavailableError, match="Triton"):
        await call(dependency, 30)
    assert asked == 1
    await server.stop()


async def test_a_second_of_two_addresses_may_stand_by(port):
    """Health is that of whoever serves."""
    serving = await start_server(ToyService(), ServiceSettings(port=port))
    standby = ToyService()
    standby.ready_error = RuntimeError("standing by")
    other = await start_server(standby, ServiceSettings(port=0))
    target = f"ipv4:127.0.0.1:{port},127.0.0.1:{other.port}"
    dependency = Dependency("toy", NLU, target, OrchestratorSettings())
    for _ in range(6):
        await dependency.check_health(10)
        await call(dependency, 10)
    await dependency.close()
    await serving.stop()
    await other.stop()


async def test_a_replica_that_stands_still_costs_a_hedge_and_not_the_deadline(port):
    quick, stuck = ToyService(), ToyService()
    hanging = False
    given_up = asyncio.Event()

    async def answer(request, context):
        if hanging:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                given_up.set()
                raise
        return ParseResponse()

    stuck.parse = answer
    servers = [await start_server(each, ServiceSettings(port=0)) for each in (quick, stuck)]
    for server in servers:
        await server.wait_ready(10)
    target = "ipv4:" + ",".join(f"127.0.0.1:{server.port}" for server in servers)
    dependency = Dependency("toy", NLU, target, OrchestratorSettings())
    parse = NluServiceStub(dependency.channel).Parse
    for _ in range(60):
        await call(dependency, 10, parse)
    hanging = True
    for _ in range(4):
        await call(dependency, 0, parse)  # within its 5 s, or this raises
    await asyncio.wait_for(given_up.wait(), 10)
    await dependency.close()
    for server in servers:
        await server.stop()


async def test_callers_in_a_hurry_open_no_breaker_whatever_their_stage_allows(port):
    toy = ToyService()
    late = True

    async def parse(request, context):
        if late:
            await asyncio.sleep(60)
        return ParseResponse()

    toy.parse = parse
    server = await start_server(toy, ServiceSettings(port=port))
    await server.wait_ready(10)
    settings = OrchestratorSettings(breaker_failures=2)
    dependency = Dependency("toy", NLU, f"127.0.0.1:{port}", settings)
    for _ in range(4):
        set_current_deadline(Deadline.after(0.02))
        with pytest.raises(DeadlineExceededError):
            await call(dependency, 0)
    late = False
    set_current_deadline(Deadline.after(60))
    await call(dependency, 0)
    await dependency.close()
    await server.stop()


async def test_a_breaker_that_opened_only_now_is_waited_for_and_an_old_one_is_not(port):
    toy = ToyService()
    gone = True

    async def parse(request, context):
        if gone:
            raise UnavailableError("stumbling")
        return ParseResponse()

    toy.parse = parse
    server = await start_server(toy, ServiceSettings(port=port))
    await server.wait_ready(10)
    settings = OrchestratorSettings(breaker_reset_seconds=0.3)
    dependency = Dependency("toy", NLU, f"127.0.0.1:{port}", settings)
    for _ in range(3):
        with pytest.raises(UnavailableError, match="stumbling"):
            await call(dependency, 10)
    with pytest.raises(CircuitOpenError):
        await call(dependency, 0)
    gone = False
    await call(dependency, 10)
    gone = True
    for _ in range(3):
        with pytest.raises(UnavailableError, match="stumbling"):
            await call(dependency, 10)
    dependency._failing_since -= 100
    with pytest.raises(CircuitOpenError):
        await call(dependency, 10)
    await dependency.close()
    await server.stop()
