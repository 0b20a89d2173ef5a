"""A SuperLink and SuperNodes as processes on real ports, over TLS."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from shared.federated import environment
from shared.federated.flower.in_process import train_in_process
from shared.federated.flower.server import run_settings
from shared.federated.settings import RunSettings
from shared.security.authority import issue, open_authority
from shared.suite.ports import PortPlan
from tests.shared.federated.made_up import TASK, intent_shop

BIN = Path(sys.prefix) / "bin"
APP = environment.REQUIREMENTS.parent / "app"
SECONDS = 300.0


def until(happened: Callable[[], bool], running: list[subprocess.Popen[bytes]], told) -> None:
    end = time.monotonic() + SECONDS
    while not happened():
        ended = [process.args for process in running if process.poll() is not None]
        assert not ended, f"{ended} ended: {told()}"
        assert time.monotonic() < end, told()
        time.sleep(0.5)


@pytest.fixture
def processes() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    with ExitStack() as stack:

        def start(log: Path, variables, *command) -> subprocess.Popen[bytes]:
            stream = stack.enter_context(log.open("wb"))
            process = subprocess.Popen(
                [str(each) for each in command], stdout=stream, stderr=stream, env=variables
            )
            stack.callback(process.wait)
            stack.callback(process.terminate)
            return process

        yield start


@pytest.mark.parametrize(("shops", "secure"), [(2, False), (3, True)])
def test_nodes_train_over_grpc_with_tls_as_they_do_in_one_process(
    tmp_path: Path, processes, shops: int, secure: bool
) -> None:
    authority = open_authority(tmp_path / "ca")
    issue(authority, tmp_path, "superlink", "service")
    TASK.save(tmp_path / "task.json")
    rows = [intent_shop(20 + 10 * at, seed=at) for at in range(shops)]
    for at, each in enumerate(rows):
        each.save(tmp_path / f"shop{at}.npz")
    home = tmp_path / "flower"
    home.mkdir()
    variables = {
        **environment.variables(), "FLWR_HOME": str(home),
        "PATH": f"{BIN}:{environment.variables()['PATH']}",
    }  # fmt: skip
    plan = PortPlan.free()
    free = [plan.nlu, plan.retrieval, plan.ranking, plan.reason, plan.orchestrator, plan.recommend]
    fleet, control, runtime = free[:3]
    link = processes(
        tmp_path / "link.log", variables, BIN / "flower-superlink",
        "--ssl-certfile", tmp_path / "superlink.crt", "--ssl-keyfile", tmp_path / "superlink.key",
        "--ssl-ca-certfile", tmp_path / "ca" / "ca.crt", "--host", "127.0.0.1",
        "--port", runtime, "--fleet-api-address", f"127.0.0.1:{fleet}",
        "--control-api-address", f"127.0.0.1:{control}",
        "--disable-runtime-dependency-installation",
    )  # fmt: skip
    told = (tmp_path / "link.log").read_text
    until(lambda: "Fleet" in told() or "gRPC" in told(), [link], told)
    nodes = [
        processes(
            tmp_path / f"node{at}.log", variables, BIN / "flower-supernode",
            "--root-certificates", tmp_path / "ca" / "ca.crt", "--superlink", f"127.0.0.1:{fleet}",
            "--host", "127.0.0.1", "--port", free[3 + at], "--node-config",
            f'rows="{tmp_path}/shop{at}.npz" task="{tmp_path}/task.json"'
            + ("" if secure else ' aggregation="plain"'),
        )
        for at in range(shops)
    ]  # fmt: skip
    (home / "config.toml").write_text(
        f'[superlink]\ndefault = "shops"\n[superlink.shops]\naddress = "127.0.0.1:{control}"\n'
        f'root-certificates = "{tmp_path}/ca/ca.crt"\n'
    )
    out = tmp_path / "out"
    begun = subprocess.run(
        [
            BIN / "flwr", "run", APP, "shops", "--run-config",
            f'task="{tmp_path}/task.json" out="{out}" rounds=1 batch=8 least-shops={shops} '
            f"secure={str(secure).lower()}",
        ],
        env=variables, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert begun.returncode == 0, begun.stdout + begun.stderr
    until((out / "model.json").is_file, [link, *nodes], told)
    card = json.loads((out / "model.json").read_text())
    assert card["shops"] == shops
    settings = RunSettings(rounds=1, batch=8, secure=secure)
    here = train_in_process(TASK.model(), lambda at: (TASK.model(), rows[at]), shops, settings)
    with np.load(out / "model.npz") as model:
        for at, expected in enumerate(here):
            np.testing.assert_allclose(model[f"w{at}"], expected, atol=2e-3)
            assert np.abs(expected).max() > 0.01


def test_a_run_configuration_that_is_wrong_is_told_by_name() -> None:
    from shared.federated.errors import FederatedError

    assert run_settings({"sample-rate": 0.5, "task": "t", "out": "/o"}).sample_rate == 0.5
    with pytest.raises(FederatedError, match=r"rounds.*greater than or equal to 1"):
        run_settings({"rounds": 0})
    with pytest.raises(FederatedError, match="noise needs a clip"):
        run_settings({"noise": 1.0})
