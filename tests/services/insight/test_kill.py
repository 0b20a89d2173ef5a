"""Acknowledged texts outlast kill -9."""

import asyncio
import os
import signal
import sys

import grpc
import pytest

from tests.services.insight.serving import ingest, post_of, serving
from tests.services.insight.streams import burst, in_order, quiet
from wherefore.insight.v1 import alert_pb2
from wherefore.insight.v1 import insight_service_pb2 as pb
from wherefore.insight.v1.insight_service_pb2_grpc import InsightServiceStub

SURGE = [post_of(m) for m in in_order(quiet(1, 160), burst(120, 10, 120))]


async def started(data, port_file):
    """Runs the service as a process of its own; returns it and its port."""
    program = (
        "import asyncio, pathlib, sys\n"
        "from services.insight.config import Settings\n"
        "from services.insight.server import InsightServer\n"
        "from shared.server import start_server\n"
        "async def main():\n"
        "    settings = Settings(port=0, metrics_port=0, alert_warm_hours=0.5)\n"
        "    server = await start_server(InsightServer(settings), settings)\n"
        "    await server.wait_ready(30)\n"
        "    path = pathlib.Path(sys.argv[1])\n"
        "    path.with_suffix('.part').write_text(str(server.port))\n"
        "    path.with_suffix('.part').rename(path)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        str(port_file),
        env=os.environ | {"WHEREFORE_INSIGHT_DATA_DIR": str(data)},
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(60):
        while not port_file.exists():
            assert process.returncode is None
            await asyncio.sleep(0.05)
    return process, int(port_file.read_text())


@pytest.mark.integration
async def test_acknowledged_texts_and_alerts_outlast_a_kill(tmp_path):
    data = tmp_path / "data"
    process, port = await started(data, tmp_path / "port")
    acknowledged = 0
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = InsightServiceStub(channel)
            for at in range(0, len(SURGE) - 200, 50):
                taken = await ingest(stub, SURGE[at : at + 50])
                acknowledged += taken.counted_count
            listed = (await stub.ListAlerts(pb.ListAlertsRequest(), timeout=5)).alerts
            # A call is under way as the process dies.
            broken = asyncio.create_task(ingest(stub, SURGE[acknowledged:], size=1))
            await asyncio.sleep(0.05)
            process.send_signal(signal.SIGKILL)
            with pytest.raises(grpc.aio.AioRpcError):
                await broken
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert acknowledged == 50 * len(range(0, len(SURGE) - 200, 50))
    assert len(listed) == 1
    async with serving(data) as stub:
        again = await ingest(stub, SURGE)
        assert again.duplicate_count >= acknowledged
        assert again.counted_count + again.duplicate_count == len(SURGE)
        found = await stub.QueryAggregates(pb.QueryAggregatesRequest(), timeout=5)
        total = found.series[0].total
        whole = total.positive_count + total.neutral_count + total.negative_count
        assert whole == len(SURGE)
        (alert,) = (await stub.ListAlerts(pb.ListAlertsRequest(), timeout=5)).alerts
        assert alert.id == listed[0].id
        notices = stub.SubscribeAlerts(pb.SubscribeAlertsRequest(), timeout=10)
        opened = 0
        await notices.read()
        while (notice := (await notices.read()).notice).change != alert_pb2.ALERT_CHANGE_CLOSED:
            opened += notice.change == alert_pb2.ALERT_CHANGE_OPENED
        notices.cancel()
        assert opened == 1
