"""The supervisor over a real service process that speaks grpc.health.v1."""

import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.suite import PortPlan, Suite, SuiteError
from shared.suite.ports import taken
from shared.suite.process import Command

SERVICE = """
import asyncio, grpc, os, signal
from shared.health import Health
async def main():
    server = grpc.aio.server()
    health = Health(())
    health.register(server)
    server.add_insecure_port("127.0.0.1:" + os.environ["PORT"])
    await server.start()
    health.set_serving(True)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(0)
asyncio.run(main())
"""


class SmallSuite(Suite):
    """Runs a small real server instead of each service."""

    code = SERVICE

    def _command(self, name: str) -> Command:
        command = super()._command(name)
        port = {"PORT": str(self._port(name))}
        return Command(
            [sys.executable, "-c", self.code], {**command.environment, **port}, command.folder
        )


@pytest.fixture
def suite(tmp_path: Path) -> Iterator[SmallSuite]:
    services = ("ranking", "reason")
    with SmallSuite(
        tmp_path, PortPlan.free(), services=services, triton=False, private=True
    ) as suite:
        yield suite


def pids(suite: Suite) -> dict[str, int | None]:
    return {row.name: row.pid for row in suite.status() if row.state != "absent"}


def test_up_is_idempotent_and_down_stops_all(suite: SmallSuite) -> None:
    told: list[tuple[str, str]] = []
    suite.up(60, lambda name, state: told.append((name, state)))
    first = pids(suite)
    assert ("triton", "absent: turned off") in told
    assert {("ranking", "ready"), ("reason", "ready")} <= set(told)
    assert [(r.state, r.health) for r in suite.status()][1:] == [("running", "SERVING")] * 2
    assert all(row.rss_mib > 1 for row in suite.status()[1:])

    suite.up(60)
    assert pids(suite) == first

    suite.kill("reason")
    suite.up(60)
    assert pids(suite)["ranking"] == first["ranking"]
    assert pids(suite)["reason"] != first["reason"]

    suite.restart("ranking")
    assert pids(suite)["ranking"] != first["ranking"]

    suite.down()
    assert pids(suite) == {"ranking": None, "reason": None}
    assert not taken(suite.ports.ranking)


def test_a_strangers_port_is_named_with_its_setting(suite: SmallSuite) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", suite.ports.reason))
        stranger.listen()
        with pytest.raises(SuiteError, match="WHEREFORE_REASON_PORT") as error:
            suite.up(5)
    assert str(suite.ports.reason) in str(error.value)
    assert pids(suite)["ranking"] is None  # nothing was started


def test_a_service_that_dies_at_its_start_shows_its_log(suite: SmallSuite) -> None:
    suite.code = "raise SystemExit('no weights here')"
    with pytest.raises(SuiteError, match="no weights here"):
        suite.up(30)


def test_one_that_never_gets_healthy_is_reported(suite: SmallSuite) -> None:
    suite.code = "import time; print('still loading', flush=True); time.sleep(60)"
    with pytest.raises(SuiteError, match="not healthy after"):
        suite.up(1)


def test_fixed_ports_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHEREFORE_NLU_PORT", "9001")
    plan = PortPlan.fixed()
    assert (plan.nlu, plan.orchestrator, plan.triton_grpc) == (9001, 7700, 7711)
    assert plan.of("orchestrator") == {
        "orchestrator": 7700,
        "orchestrator_inner": 7706,
        "orchestrator_http": 7780,
        "orchestrator_metrics": 7790,
    }


def test_free_ports_differ() -> None:
    plan = PortPlan.free()
    ports = [port for port in plan.model_dump().values() if port]
    assert len(ports) == len(set(ports)) == len(PortPlan.model_fields)


@pytest.mark.parametrize(("wanted", "expected", "edge"), [("", 2, -10), ("0", 0, 0), ("5", 5, -10)])
def test_all_stand_back_for_the_edge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, expected: int, edge: int
) -> None:
    monkeypatch.setenv("WHEREFORE_NICENESS", wanted)
    with Suite(tmp_path, PortPlan.free(), triton=False, private=True) as suite:
        niceness = {name: suite._command(name).niceness for name in suite.names}
    assert niceness.pop("orchestrator") == edge
    assert set(niceness.values()) == {expected}


@pytest.mark.parametrize("wanted", ["-5", "20", "much"])
def test_a_niceness_that_is_none_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str
) -> None:
    monkeypatch.setenv("WHEREFORE_NICENESS", wanted)
    with (
        Suite(tmp_path, PortPlan.free(), triton=False, private=True) as suite,
        pytest.raises(SuiteError, match="from 0 to 19"),
    ):
        suite.up()
