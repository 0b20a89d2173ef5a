"""Custom resources have the keys that their documentation names.

There are no schemas of them to validate against offline; what is held to is written down here from
the references of cert-manager 1.x, External Secrets 1.x, the Prometheus operator and Kubeflow.
"""

from dataclasses import dataclass

import pytest

from tests.deploy.k8s import schemas
from tests.deploy.k8s.rendering import needs_kubectl, render, renderable

pytestmark = needs_kubectl


@dataclass(frozen=True)
class Shape:
    """What the spec of a kind must have, and what it may have."""

    version: str
    required: frozenset[str]
    optional: frozenset[str] = frozenset()


SHAPES = {
    "Issuer": Shape("cert-manager.io/v1", frozenset(), frozenset({"ca", "selfSigned"})),
    "Certificate": Shape(
        "cert-manager.io/v1",
        frozenset({"secretName", "issuerRef"}),
        frozenset(
            {
                *("commonName", "dnsNames", "duration", "isCA", "privateKey", "renewBefore"),
                *("uris", "usages"),
            }
        ),
    ),
    "ExternalSecret": Shape(
        "external-secrets.io/v1",
        frozenset({"secretStoreRef", "target", "data"}),
        frozenset({"refreshInterval"}),
    ),
    "ServiceMonitor": Shape(
        "monitoring.coreos.com/v1", frozenset({"selector", "endpoints"}), frozenset({"jobLabel"})
    ),
    "PrometheusRule": Shape("monitoring.coreos.com/v1", frozenset({"groups"})),
    "PyTorchJob": Shape(
        "kubeflow.org/v1",
        frozenset({"pytorchReplicaSpecs"}),
        frozenset({"nprocPerNode", "runPolicy"}),
    ),
}


@pytest.mark.parametrize("folder", [each for each in renderable() if "/" in each])
def test_custom_resources_have_the_keys_of_their_kind(folder: str) -> None:
    for item in schemas.of_others(render(folder)):
        shape, spec = SHAPES[item["kind"]], set(item["spec"])
        assert item["apiVersion"] == shape.version
        assert shape.required <= spec <= shape.required | shape.optional, item["metadata"]["name"]


def test_a_certificate_outlasts_its_renewal() -> None:
    for item in schemas.of_others(render("overlays/prod")):
        if item["kind"] == "Certificate":
            hours = [int(item["spec"][key].rstrip("h")) for key in ("duration", "renewBefore")]
            assert hours[0] >= 3 * hours[1]
            # cert-manager refuses one without any name.
            assert item["spec"].keys() & {"dnsNames", "uris", "commonName"}
