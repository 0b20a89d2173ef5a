"""The Qdrant cluster's manifests, and the settings that retrieval makes its collection with."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.retrieval.config import RetrievalSettings

FOLDER = Path(__file__).resolve().parents[3] / "deploy" / "k8s" / "base" / "qdrant"


@pytest.fixture
def kustomization() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))


@pytest.fixture
def objects(kustomization: dict[str, Any]) -> dict[tuple[str, str], Any]:
    found = [
        document
        for name in kustomization["resources"]
        for document in yaml.safe_load_all((FOLDER / name).read_text("utf-8"))
    ]
    return {(item["kind"], item["metadata"]["name"]): item for item in found}


@pytest.fixture
def settings(kustomization: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> RetrievalSettings:
    for line in kustomization["configMapGenerator"][0]["literals"]:
        monkeypatch.setenv(*line.split("=", 1))
    return RetrievalSettings()


def test_retrieval_takes_the_settings(settings: RetrievalSettings, objects: Any) -> None:
    assert (settings.shards, settings.replicas, settings.write_consistency) == (6, 2, 2)
    assert settings.quantisation == "int8"
    host = settings.qdrant_url.removeprefix("http://").split(":")[0]
    assert ("Service", host) in objects


def test_one_lost_node_loses_neither_majority_nor_shard(
    settings: RetrievalSettings, objects: Any
) -> None:
    nodes = objects["StatefulSet", "qdrant"]["spec"]["replicas"]
    lost = objects["PodDisruptionBudget", "qdrant"]["spec"]["maxUnavailable"]
    assert nodes - lost > nodes / 2
    assert settings.replicas > lost
    assert nodes >= settings.replicas
    # More shards than nodes, so that there is something to move when a node joins.
    assert settings.shards % nodes == 0


def test_services_and_budget_choose_the_nodes(objects: Any) -> None:
    stateful = objects["StatefulSet", "qdrant"]["spec"]
    labels = stateful["template"]["metadata"]["labels"]
    assert stateful["selector"]["matchLabels"] == labels
    assert objects["PodDisruptionBudget", "qdrant"]["spec"]["selector"]["matchLabels"] == labels
    for name in ("qdrant", "qdrant-nodes"):
        assert objects["Service", name]["spec"]["selector"] == labels


def test_nodes_find_each_other(objects: Any) -> None:
    spec = objects["StatefulSet", "qdrant"]["spec"]
    nodes = objects["Service", spec["serviceName"]]["spec"]
    assert nodes["clusterIP"] == "None"
    assert nodes["publishNotReadyAddresses"] is True
    (container,) = spec["template"]["spec"]["containers"]
    assert f"qdrant-0.{spec['serviceName']}:{nodes['ports'][0]['port']}" in container["args"][0]
    kept = {volume["metadata"]["name"] for volume in spec["volumeClaimTemplates"]}
    assert {"name": "storage", "mountPath": "/qdrant/storage"} in container["volumeMounts"]
    assert kept == {"storage", "snapshots"}
