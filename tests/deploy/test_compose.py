"""compose.yaml: what it names exists, and it says the same as images, settings and manifests."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from compose_spec import PyCompose
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.retry import Retry

from shared import health_probe
from shared.suite.ports import ALL, SERVICES, PortPlan
from tests.deploy import dockerfile, settings_keys
from tests.deploy.dockerfile import ROOT

OURS = (*ALL, "import", "triton")


def validate(compose: dict[str, Any]) -> None:
    # Merge keys are YAML's and gone once it is read.
    PyCompose.from_yaml(yaml.safe_dump(compose)).validate()


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))


@pytest.fixture(scope="module")
def services(compose: dict[str, Any]) -> dict[str, Any]:
    return compose["services"]


def test_it_follows_the_specification(compose: dict[str, Any]) -> None:
    validate(compose)


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (("services", "nlu", "cap_dorp"), ["ALL"], "cap_dorp"),
        (("services", "nlu", "depends_on", "triton", "condition"), "healthy", "healthy"),
        (("services", "nlu", "healthcheck", "interval"), "often", "interval"),
    ],
)
def test_what_breaks_the_specification_is_found(
    path: tuple[str, ...], value: Any, named: str
) -> None:
    broken = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    within = broken
    for name in path[:-1]:
        within = within[name]
    within[path[-1]] = value
    with pytest.raises(ValueError, match=named):
        validate(broken)


def test_every_variable_is_read(services: dict[str, Any]) -> None:
    for name in ALL:
        set_here = {
            key for key in services[name].get("environment", {}) if key.startswith("WHEREFORE_")
        }
        assert set_here <= settings_keys.of_service(name), name
    assert set(services["import"]["environment"]) <= settings_keys.known()


def test_an_unknown_variable_would_be_found() -> None:
    assert "WHEREFORE_NLU_INFERENCE__TRITON_TARGT" not in settings_keys.of_service("nlu")
    assert "WHEREFORE_NLU_INFERENCE__TRITON_TARGET" in settings_keys.of_service("nlu")


def test_targets_are_services_at_their_ports(services: dict[str, Any]) -> None:
    ports = PortPlan()
    known = {f"{name}:{getattr(ports, name)}" for name in ALL} | {
        f"triton:{ports.triton_grpc}",
        "http://qdrant:6333",
        "redis://redis:6379/0",
        "http://jaeger:4317",
    }
    for name in (*ALL, "import"):
        for key, value in services[name]["environment"].items():
            assert value in known, f"{name}: {key}"


def test_images_are_those_of_the_dockerfile(services: dict[str, Any]) -> None:
    version = re.search(r'^version = "(.+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    for name in OURS:
        target = services[name]["build"]["target"]
        assert target == {"import": "tools"}.get(name, name)
        assert target in dockerfile.stages()
        assert services[name]["image"] == f"wherefore/{target}:{version[1]}"
        assert services[name]["read_only"] is True
        assert services[name]["cap_drop"] == ["ALL"]


def test_images_are_those_of_the_manifests(services: dict[str, Any]) -> None:
    used: dict[str, set[str]] = {}
    for path in (ROOT / "deploy" / "k8s").rglob("*.yaml"):
        for image in re.findall(r"^\s*(?:- )?image: (\S+:\S+)$", path.read_text(), re.MULTILINE):
            used.setdefault(image.rpartition(":")[0], set()).add(image.rpartition(":")[2])
    shared = 0
    for service in services.values():
        name, _, tag = service["image"].rpartition(":")
        assert re.match(r"v?\d+\.\d+", tag), f"{service['image']}: name a version"
        if name in used:
            shared += 1
            assert used[name] == {tag}, name
    assert shared >= len(ALL)


def test_services_wait_for_those_they_cannot_do_without(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[other], f"{name} waits for {other}"
    assert set(SERVICES) - {"orchestrator"} <= set(services["orchestrator"]["depends_on"])
    assert services["import"]["depends_on"]["orchestrator"]["condition"] == "service_healthy"


def test_health_is_asked_for_at_the_port_of_each(services: dict[str, Any]) -> None:
    ports = PortPlan()
    for name in ALL:
        assert services[name]["healthcheck"]["test"] == [
            "CMD",
            "python",
            "-m",
            health_probe.__name__,
            str(getattr(ports, name)),
        ]
    assert f":{ports.triton_http}/" in services["triton"]["healthcheck"]["test"][-1]


def test_what_is_mounted_exists(compose: dict[str, Any], services: dict[str, Any]) -> None:
    mounted = {
        mount.split(":")[0] for service in services.values() for mount in service.get("volumes", ())
    }
    volumes = {source for source in mounted if not source.startswith(".")}
    assert volumes == set(compose["volumes"])
    assert len(mounted - volumes) >= 5
    for path in mounted - volumes:
        assert (ROOT / path).exists(), path
    catalogue = Path(services["import"]["command"][1]).relative_to("/app")
    assert str(catalogue) in dockerfile.files("tools")


def test_ports_are_published_to_this_machine_alone(services: dict[str, Any]) -> None:
    published = [port for service in services.values() for port in service.get("ports", ())]
    assert len(set(published)) == len(published) >= 4
    assert all(port.startswith("127.0.0.1:") for port in published)
    ports = PortPlan()
    for port in (ports.orchestrator, ports.orchestrator_http):
        assert f"127.0.0.1:{port}:{port}" in services["orchestrator"]["ports"]


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
def test_redis_keeps_what_it_acknowledges(services: dict[str, Any], tmp_path: Path) -> None:
    socket_file = tmp_path / "redis.sock"
    command = [*services["redis"]["command"], "--port", "0", "--unixsocket", str(socket_file)]
    with subprocess.Popen([*command, "--dir", str(tmp_path)], stdout=subprocess.DEVNULL) as process:
        try:
            retry = Retry(ConstantBackoff(0.05), 200, supported_errors=(RedisConnectionError,))
            with Redis(unix_socket_path=str(socket_file), retry=retry) as redis:
                found: Any = redis.config_get("append*", "save", "maxmemory-policy")
        finally:
            process.terminate()
    assert found["appendonly"] == "yes"
    assert found["appendfsync"] == "always"
    assert found["save"] == ""
    assert found["maxmemory-policy"] == "noeviction"


def test_prometheus_scrapes_the_same_jobs(services: dict[str, Any]) -> None:
    here = yaml.safe_load((ROOT / "deploy/compose/prometheus.yml").read_text())
    there = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())

    def ports(config: Any) -> dict[str, str]:
        jobs = config["scrape_configs"]
        return {
            job["job_name"]: job["static_configs"][0]["targets"][0].split(":")[1] for job in jobs
        }

    assert ports(here) == ports(there)
    for job in here["scrape_configs"]:
        assert job["static_configs"][0]["targets"][0].split(":")[0] == job["job_name"]
        assert job["job_name"] in services
    folder = {mount.split(":")[1] for mount in services["prometheus"]["volumes"]}
    for name in here["rule_files"]:
        assert f"/etc/prometheus/{name}" in folder


def test_grafana_finds_what_it_shows(services: dict[str, Any]) -> None:
    folder = ROOT / "deploy/compose/grafana"
    for source in yaml.safe_load((folder / "datasources.yml").read_text())["datasources"]:
        host = re.match(r"http://([a-z]+):\d+$", source["url"])
        assert host is not None
        assert host[1] in services
    provider = yaml.safe_load((folder / "dashboards.yml").read_text())["providers"][0]
    mounts = {mount.split(":")[1] for mount in services["grafana"]["volumes"]}
    assert provider["options"]["path"] in mounts
