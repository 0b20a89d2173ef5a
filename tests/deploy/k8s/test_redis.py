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
from tests.deploy.k8s.rendering import FOLDER, needs_kubectl, render
from tests.deploy.k8s.workloads import lasting, named, of_kind, workloads
from tests.redis_server import running_redis

pytestmark = needs_kubectl
SCRIPT = FOLDER / "base" / "redis" / "backup.sh"
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


def test_a_copy_brings_the_log_of_events_back(tmp_path: Path) -> None:
    redis = pytest.importorskip("redis", reason="the extra redis is not installed")
    (tmp_path / "auth.conf").write_text(f"requirepass {PASSWORD}\n")
    backups, data = tmp_path / "backups", tmp_path / "data"
    for old in ("20260101T000000Z", "20260102T000000Z"):
        (backups / old).parent.mkdir(exist_ok=True)
        (backups / f"{old}.rdb").write_bytes(b"older")
    data.mkdir()
    with running_redis(data, durable=True) as server:
        client: Any = redis.Redis(port=server.port)
        client.config_set("requirepass", PASSWORD)
        client.auth(PASSWORD)
        for number in range(100):
            client.xadd("log", {"event": f"{number}"})
        client.hset("users", "ada", "sealed")
        before = client.xrange("log")
        _backup(tmp_path, "backup", str(backups), "127.0.0.1", str(server.port), "2")
        client.flushall()  # the accident
        client.close()
    kept = sorted(each.name for each in backups.iterdir())
    assert kept[0] == "20260102T000000Z.rdb"
    assert len(kept) == 2
    said = _backup(tmp_path, "restore", str(backups), str(data))
    assert said.startswith("2 keys of")
    # What was there before is kept aside, and nothing else is left.
    assert {each.name.partition(".")[0] for each in data.iterdir()} == {"appendonlydir"}
    with running_redis(data, durable=True) as server:
        client = redis.Redis(port=server.port)
        assert client.xrange("log") == before
        assert client.hget("users", "ada") == b"sealed"
        client.close()


def test_a_damaged_copy_changes_nothing(tmp_path: Path) -> None:
    if not shutil.which("redis-check-rdb"):
        pytest.skip("redis-server is not installed (apt: redis-server)")
    backups, data = tmp_path / "backups", tmp_path / "data"
    backups.mkdir()
    (data / "appendonlydir").mkdir(parents=True)
    (backups / "20260101T000000Z.rdb").write_bytes(b"damaged")
    with pytest.raises(subprocess.CalledProcessError):
        _backup(tmp_path, "restore", str(backups), str(data))
    assert [each.name for each in data.iterdir()] == ["appendonlydir"]


def test_the_jobs_call_the_script_as_it_wants_to_be_called() -> None:
    objects = render("base/redis")
    jobs = {each.name: each.main for each in workloads(objects) if not each.lasting}
    assert jobs["redis-backup"]["args"] == ["backup", "/backups", "redis", "6379", "3"]
    assert jobs["redis-restore"]["args"] == ["restore", "/backups", "/data"]
    maps = [each["data"] for each in of_kind(objects, "ConfigMap")]
    script = next(data["backup.sh"] for data in maps if "backup.sh" in data)
    assert script == SCRIPT.read_text("utf-8")
    for container in jobs.values():
        assert container["command"] == ["sh", "/script/backup.sh"]


def _backup(folder: Path, *arguments: str) -> str:
    environment = {"PATH": os.environ["PATH"], "AUTH_FILE": str(folder / "auth.conf")}
    done = subprocess.run(
        ["sh", str(SCRIPT), *arguments],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        timeout=60,
    )
    return done.stdout


def _probe(container: dict[str, Any], secrets: Path, port: int) -> bool:
    shell, flag, script = container["readinessProbe"]["exec"]["command"]
    script = script.replace("/etc/redis/secrets/auth.conf", str(secrets))
    script = script.replace("redis-cli", f"redis-cli -p {port}")
    done = subprocess.run(
        [shell, flag, script], capture_output=True, check=False, env={"PATH": os.environ["PATH"]}
    )
    return done.returncode == 0
