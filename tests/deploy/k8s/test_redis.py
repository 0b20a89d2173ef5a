"""A real Redis with the configuration of the manifests: durable by our own check, and its probe."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from services.orchestrator.event_stream import durability
from tests.deploy.k8s.rendering import needs_kubectl, render
from tests.deploy.k8s.workloads import lasting, named

pytestmark = needs_kubectl
PASSWORD = "of-the-test"  # noqa: S105


def test_the_configuration_is_durable_and_the_probe_tells_that_it_serves(tmp_path: Path) -> None:
    redis = pytest.importorskip("redis", reason="the extra redis is not installed")
    if not shutil.which("redis-server"):
        pytest.skip("redis-server is not installed (apt: redis-server)")
    objects = render("base/redis")
    (workload,) = lasting(objects)
    secrets = tmp_path / "auth.conf"
    secrets.write_text(f"requirepass {PASSWORD}\n")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = workload.pod["volumes"][0]["configMap"]["name"]
    text: str = named(objects, "ConfigMap", settings)["data"]["redis.conf"]
    assert "/etc/redis/secrets/auth.conf" in text
    text = text.replace("/etc/redis/secrets/auth.conf", str(secrets))
    text = text.replace("dir /data", f"dir {tmp_path}")
    (tmp_path / "redis.conf").write_text(f"{text}\nport {port}\nbind 127.0.0.1\n")
    assert workload.main["command"][0] == "redis-server"
    server = subprocess.Popen(
        ["redis-server", str(tmp_path / "redis.conf")], stdout=subprocess.DEVNULL
    )
    client: Any = redis.Redis(port=port, password=PASSWORD)
    try:
        for _ in range(500):
            if _probe(workload.main, secrets, port):
                break
            time.sleep(0.02)
        assert _probe(workload.main, secrets, port)
        assert durability.problems(client.config_get("*")) == []
        secrets.write_text("requirepass wrong\n")
        assert not _probe(workload.main, secrets, port)
        with pytest.raises(redis.exceptions.AuthenticationError):
            redis.Redis(port=port).ping()
    finally:
        client.close()
        server.kill()
        server.wait()
    assert not _probe(workload.main, secrets, port)


def _probe(container: dict[str, Any], secrets: Path, port: int) -> bool:
    shell, flag, script = container["readinessProbe"]["exec"]["command"]
    script = script.replace("/etc/redis/secrets/auth.conf", str(secrets))
    script = script.replace("redis-cli", f"redis-cli -p {port}")
    done = subprocess.run(
        [shell, flag, script], capture_output=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    return done.returncode == 0
