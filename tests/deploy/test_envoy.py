"""The JSON gateway's configuration against the contracts; Envoy itself is not run."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from services.orchestrator.config import OrchestratorSettings
from shared.security.policy import RULES

ROOT = Path(__file__).resolve().parents[2]
RESOURCES: dict[str, Any] = yaml.safe_load((ROOT / "deploy/envoy/json.yaml").read_text())[
    "static_resources"
]
(LISTENER,) = RESOURCES["listeners"]
(CLUSTER,) = RESOURCES["clusters"]
MANAGER: dict[str, Any] = LISTENER["filter_chains"][0]["filters"][0]["typed_config"]
TRANSCODER: dict[str, Any] = MANAGER["http_filters"][0]["typed_config"]


@pytest.fixture(scope="module")
def contracts(tmp_path_factory: pytest.TempPathFactory) -> FileDescriptorSet:
    """The descriptors, built as the documentation says."""
    target = tmp_path_factory.mktemp("contracts") / "wherefore.binpb"
    command = ["buf", "build", "--as-file-descriptor-set", "-o", str(target)]
    subprocess.run(command, cwd=ROOT, check=True)
    return FileDescriptorSet.FromString(target.read_bytes())


def test_each_service_is_in_the_contracts_and_open_to_shops(contracts: FileDescriptorSet) -> None:
    known = {
        f"{file.package}.{service.name}": [method.name for method in service.method]
        for file in contracts.file
        for service in file.service
    }
    for service in TRANSCODER["services"]:
        methods = known[service]
        roles = {role for method in methods for role in RULES[f"/{service}/{method}"].roles}
        assert roles & {"shopper", "shop", "catalogue"}, service


def test_descriptors_are_whole(contracts: FileDescriptorSet) -> None:
    """Envoy resolves every import within the file."""
    names = {file.name for file in contracts.file}
    assert {name for file in contracts.file for name in file.dependency} <= names


def test_every_method_has_a_route_to_the_public_port() -> None:
    (host,) = MANAGER["route_config"]["virtual_hosts"]
    (route,) = host["routes"]
    assert all(f"/{each}/".startswith(route["match"]["prefix"]) for each in TRANSCODER["services"])
    assert route["route"]["cluster"] == CLUSTER["name"]
    (endpoints,) = CLUSTER["load_assignment"]["endpoints"]
    (endpoint,) = endpoints["lb_endpoints"]
    address = endpoint["endpoint"]["address"]["socket_address"]
    assert address["port_value"] == OrchestratorSettings.model_fields["port"].default
    assert TRANSCODER["auto_mapping"] is True
    (check,) = CLUSTER["health_checks"]
    assert check["grpc_health_check"]["service_name"] in TRANSCODER["services"]
