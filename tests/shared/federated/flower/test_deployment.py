"""A SuperLink and SuperNodes as processes on real ports, over TLS."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

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


def key_pair(folder: Path, name: str) -> Path:
    """As `ssh-keygen -t ecdsa -b 384` makes it."""
    key = ec.generate_private_key(ec.SECP384R1())
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (folder / name).write_bytes(secret)
    public = key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    (folder / f"{name}.pub").write_bytes(public)
    return folder / name


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


@pytest.mark.parametrize(
    ("shops", "secure", "known"), [(2, False, False), (3, True, True)],
    ids=["plain sums", "secure sums of shops that are known"],
)  # fmt: skip
def test_nodes_train_over_grpc_with_tls_as_they_do_in_one_process(
    *, tmp_path: Path, processes, shops: int, secure: bool, known: bool
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
        "--disable-runtime-dependency-installation", "--database", tmp_path / "link.sqlite",
        *(["--enable-supernode-auth"] if known else []),
    )  # fmt: skip
    told = (tmp_path / "link.log").read_text
    until(lambda: "Fleet" in told() or "gRPC" in told(), [link], told)
    (home / "config.toml").write_text(
        f'[superlink]\ndefault = "shops"\n[superlink.shops]\naddress = "127.0.0.1:{control}"\n'
        f'root-certificates = "{tmp_path}/ca/ca.crt"\n'
    )
    (tmp_path / "keys").mkdir()
    keys = [key_pair(tmp_path / "keys", f"shop{at}") for at in range(shops)] if known else []
    link_of = ["--link", f"127.0.0.1:{control}", "--ca", str(tmp_path / "ca" / "ca.crt")]
    if known:  # as the jobs in Kubernetes do
        for said in ("registered", "known already"):
            told_keys = _operate("register", str(tmp_path / "keys"), *link_of)
            assert told_keys.count(said) == shops
    nodes = [
        processes(
            tmp_path / f"node{at}.log", variables, sys.executable, "-m",
            "shared.federated.flower.node",
            "--root-certificates", tmp_path / "ca" / "ca.crt", "--superlink", f"127.0.0.1:{fleet}",
            *(("--auth-supernode-private-key", keys[at]) if known else ()),
            "--host", "127.0.0.1", "--port", free[3 + at], "--node-config",
            f'rows="{tmp_path}/shop{at}.npz" task="{tmp_path}/task.json"'
            + ("" if secure else ' aggregation="plain"'),
        )
        for at in range(shops)
    ]  # fmt: skip
    if known:
        stranger = processes(
            tmp_path / "stranger.log", variables, sys.executable, "-m",
            "shared.federated.flower.node",
            "--root-certificates", tmp_path / "ca" / "ca.crt", "--superlink", f"127.0.0.1:{fleet}",
            "--auth-supernode-private-key", key_pair(tmp_path, "stranger.key"),
            "--host", "127.0.0.1", "--port", plan.orchestrator_http, "--node-config",
            f'rows="{tmp_path}/shop0.npz" task="{tmp_path}/task.json"',
        )  # fmt: skip
        refused = (tmp_path / "stranger.log").read_text
        until(lambda: "Failed to activate SuperNode" in refused(), [link, *nodes], told)
        until(lambda: stranger.poll() == 1, [link, *nodes], told)  # it does not stay as a husk
    out = tmp_path / "out"
    config = {"task": f"{tmp_path}/task.json", "rounds": 1, "batch": 8, "least-shops": shops}
    if known:
        lines = [f"{key} = {json.dumps(value)}" for key, value in config.items()]
        (tmp_path / "run.toml").write_text("\n".join(lines))
        told_run = _operate("run", str(tmp_path / "run.toml"), "--out", str(out), *link_of)
        assert f"the model is in {out}" in told_run
    else:
        pairs = [f"{key}={json.dumps(value)}" for key, value in config.items()]
        begun = subprocess.run(
            [
                BIN / "flwr", "run", APP, "shops", "--run-config",
                " ".join([*pairs, f'out="{out}"', "secure=false"]),
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


def _operate(*arguments: str) -> str:
    """Runs the operator's program; returns what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "shared.federated.flower", *arguments],
        env=environment.variables(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_noise_without_its_accountant_is_refused_before_the_first_round(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from shared.federated.errors import FederatedError
    from shared.federated.flower import server

    monkeypatch.setattr(server, "find_spec", lambda _name: None)
    config = {"noise": 1.0, "clip": 1.0, "out": str(tmp_path), "task": "t"}
    with pytest.raises(FederatedError, match="federated-private"):
        server.main(None, SimpleNamespace(run_config=config))


def test_a_run_configuration_that_is_wrong_is_told_by_name() -> None:
    from shared.federated.errors import FederatedError

    assert run_settings({"sample-rate": 0.5, "task": "t", "out": "/o"}).sample_rate == 0.5
    with pytest.raises(FederatedError, match=r"rounds.*greater than or equal to 1"):
        run_settings({"rounds": 0})
    with pytest.raises(FederatedError, match="noise needs a clip"):
        run_settings({"noise": 1.0})
