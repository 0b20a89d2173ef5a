"""Every folder renders and stands up to the schemas; what is applied as a whole, to all checks."""

import copy
import os
import shutil
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from shared.suite.ports import ALL, SERVICES
from tests.deploy.k8s import (
    availability,
    call_graph,
    pods,
    ports,
    probes,
    references,
    schemas,
    settings_of,
)
from tests.deploy.k8s.rendering import FOLDER, Objects, kubectl, needs_kubectl, render, renderable
from tests.deploy.k8s.workloads import lasting, matches, named, of_kind, workloads

pytestmark = needs_kubectl
CHECKS = (availability, pods, ports, probes, references, schemas, settings_of)
OPTIONAL = ("gpu", "tracing", "canary", "federated")
"""Components that the production overlay names in a comment."""


def with_components(folder: Path, names: tuple[str, ...]) -> Objects:
    """Renders the production overlay with lines for components no longer comments."""
    prod = FOLDER / "overlays" / "prod"
    shutil.copy(prod / "namespace.yaml", folder)
    text = (prod / "kustomization.yaml").read_text("utf-8")
    for name in names:
        line = f"- ../../components/{name}\n"
        assert f"# {line}" in text
        text = text.replace(f"# {line}", line)
    text = text.replace("../..", os.path.relpath(FOLDER, folder.resolve()))
    (folder / "kustomization.yaml").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [kubectl() or "", "kustomize", str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize("folder", renderable())
def test_it_renders_and_is_what_kubernetes_knows(folder: str) -> None:
    objects = render(folder)
    assert objects
    for version in (schemas.OLDEST, schemas.NEWEST):
        assert schemas.problems(objects, version) == []


@pytest.mark.parametrize("overlay", ["overlays/dev", "overlays/prod"])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.rpartition(".")[2])
def test_overlays_have_no_problem(overlay: str, check: ModuleType) -> None:
    assert check.problems(render(overlay)) == []


def test_policies_allow_the_call_graph_and_no_more() -> None:
    assert call_graph.problems(render("overlays/prod")) == []
    assert call_graph.problems(render("base")) == []


@pytest.mark.parametrize("names", [(each,) for each in OPTIONAL] + [OPTIONAL], ids="+".join)
def test_components_may_be_added_to_production(tmp_path: Path, names: tuple[str, ...]) -> None:
    objects = with_components(tmp_path, names)
    for check in CHECKS:
        assert check.problems(objects) == [], check.__name__
    assert call_graph.problems(objects) == []


def test_what_runs_in_production_is_there_more_than_once() -> None:
    objects = render("overlays/prod")
    several = {each.name for each in lasting(objects) if availability.replicas(objects, each) > 1}
    assert several == {*SERVICES, "triton", "qdrant"}  # Redis and the applications are one


def test_development_takes_one_of_each_and_no_cluster() -> None:
    objects = render("overlays/dev")
    assert {each.name: availability.replicas(objects, each) for each in lasting(objects)} == (
        dict.fromkeys((*ALL, "triton"), 1)
    )
    (retrieval,) = (each for each in lasting(objects) if each.name == "retrieval")
    assert settings_of.read(objects, retrieval).qdrant_url == ""
    state = next(each for each in retrieval.pod["volumes"] if each["name"] == "state")
    assert state == {"name": "state", "persistentVolumeClaim": {"claimName": "index"}}
    assert retrieval.object["spec"]["strategy"] == {"type": "Recreate"}


def test_the_canary_shares_the_service_and_nothing_else(tmp_path: Path) -> None:
    objects = with_components(tmp_path, ("canary",))
    (canary,) = (each for each in lasting(objects) if each.name == "ranking-canary")
    (stable,) = (each for each in lasting(objects) if each.name == "ranking")
    assert named(objects, "Service", "ranking")["spec"]["selector"].items() <= canary.labels.items()
    assert not matches(stable.object["spec"]["selector"], canary.labels)
    assert not matches(canary.object["spec"]["selector"], stable.labels)
    assert _unlike(stable.object, canary.object) == {
        "metadata/name",
        "spec/replicas",
        "spec/selector/matchLabels/wherefore.dev~track",
        "spec/template/metadata/labels/wherefore.dev~track",
        "spec/template/spec/containers/0/envFrom/2",
    }
    levels = [settings_of.read(objects, each).log_level for each in (stable, canary)]
    assert levels == ["info", "debug"]


def _unlike(one: Any, other: Any, path: tuple[str, ...] = ()) -> set[str]:
    """Returns the paths at which two objects differ."""
    if type(one) is type(other) and isinstance(one, dict | list):
        items = one if isinstance(one, dict) else dict(enumerate(one))
        others = other if isinstance(other, dict) else dict(enumerate(other))
        return {
            found
            for key in items.keys() | others.keys()
            for step in [str(key).replace("/", "~")]
            for found in _unlike(items.get(key), others.get(key), (*path, step))
        }
    return set() if one == other else {"/".join(path)}


def test_secrets_that_may_be_missing_are_there_in_production() -> None:
    objects = render("overlays/prod")
    for workload in settings_of.readers(objects):
        if workload.lasting:
            assert "optional" not in str(workload.pod["volumes"]), str(workload)
    for workload in workloads(objects):
        for volume in workload.pod.get("volumes", []):
            sources = [*volume.get("projected", {}).get("sources", []), volume]
            asked = [source["secret"] for source in sources if "secret" in source]
            for secret in asked:
                name = secret.get("name") or secret["secretName"]
                assert name in references.secret_keys(objects), (str(workload), name)


def test_what_has_no_policy_of_its_own_may_call_nobody() -> None:
    closed = [
        each["spec"]
        for each in of_kind(render("overlays/prod"), "NetworkPolicy")
        if each["spec"]["podSelector"] == {}
    ]
    assert closed == [{"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}]


def test_namespaces_are_held_to_the_strictest_standard() -> None:
    for overlay in ("overlays/dev", "overlays/prod"):
        (space,) = of_kind(render(overlay), "Namespace")
        assert space["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def test_a_key_that_kubernetes_does_not_know_is_found() -> None:
    objects = copy.deepcopy(render("base/nlu"))
    named(objects, "Deployment", "nlu")["spec"]["template"]["spec"]["containers"][0]["imagee"] = ""
    assert schemas.problems(objects)
