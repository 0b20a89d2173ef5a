"""Every folder renders and stands up to the schemas; what is applied as a whole, to all checks."""

import copy

import pytest

from tests.deploy.k8s import (
    availability,
    call_graph,
    pods,
    ports,
    probes,
    schemas,
    settings_of,
)
from tests.deploy.k8s.rendering import needs_kubectl, render, renderable
from tests.deploy.k8s.workloads import named

OVERLAYS = ("base",)
CHECKS = (availability, pods, ports, probes, settings_of)


@needs_kubectl
@pytest.mark.parametrize("folder", renderable())
def test_it_renders_and_is_what_kubernetes_knows(folder: str) -> None:
    objects = render(folder)
    assert objects
    for version in (schemas.OLDEST, schemas.NEWEST):
        assert schemas.problems(objects, version) == []


@needs_kubectl
@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__.rpartition(".")[2])
def test_no_problem(overlay: str, check) -> None:
    assert check.problems(render(overlay)) == []


@needs_kubectl
def test_policies_allow_the_call_graph_and_no_more() -> None:
    assert call_graph.problems(render("base")) == []


@needs_kubectl
def test_a_key_that_kubernetes_does_not_know_is_found() -> None:
    objects = copy.deepcopy(render("base/nlu"))
    named(objects, "Deployment", "nlu")["spec"]["template"]["spec"]["containers"][0]["imagee"] = ""
    assert schemas.problems(objects)
