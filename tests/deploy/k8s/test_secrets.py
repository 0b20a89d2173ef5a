"""Certificates and secrets of the production overlay are what the code reads."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from services.orchestrator.config import OrchestratorSettings
from services.retrieval.config import RetrievalSettings
from shared.security.authority import issue, open_authority
from shared.security.certificates import TRUST_DOMAIN
from shared.security.identity import OPERATOR, load_identity
from shared.security.policy import SERVICES as SERVICE_ROLES
from shared.security.policy import Role
from shared.security.settings import SecuritySettings
from shared.suite.ports import ALL, SERVICES
from tests.deploy.k8s import references, settings_of
from tests.deploy.k8s.rendering import FOLDER, Objects, needs_kubectl, render
from tests.deploy.k8s.workloads import Workload, lasting, named, of_kind, workloads

pytestmark = needs_kubectl


@pytest.fixture(scope="module")
def prod() -> Objects:
    return render("overlays/prod")


def certificate(objects: Objects, name: str) -> dict[str, Any]:
    return next(c for c in of_kind(objects, "Certificate") if c["metadata"]["name"] == name)["spec"]


def test_every_role_has_its_certificate(prod: Objects) -> None:
    for role in (*SERVICE_ROLES, Role.OPERATOR):
        spec = certificate(prod, role.removeprefix("service."))
        assert spec["uris"] == [f"{TRUST_DOMAIN}{role}"]
        assert "client auth" in spec["usages"]
        assert spec["issuerRef"]["name"] in {i["metadata"]["name"] for i in of_kind(prod, "Issuer")}


def test_certificates_are_good_for_the_names_that_callers_use(prod: Objects) -> None:
    hosts = {
        value.removeprefix("dns:///").partition(":")[0]
        for workload in settings_of.readers(prod)
        for key, value in settings_of.environment(prod, workload.main).items()
        if key.endswith("_TARGET") and value.startswith("dns:///")
    } & set(SERVICES)
    assert hosts == set(SERVICES)
    space = of_kind(prod, "Namespace")[0]["metadata"]["name"]
    for host in hosts:
        spec = certificate(prod, host)
        assert {host, f"{host}.{space}.svc"} <= set(spec["dnsNames"])
        assert "server auth" in spec["usages"]


def test_services_read_the_files_that_their_pods_mount(prod: Objects, tmp_path: Path) -> None:
    authority = open_authority(tmp_path / "authority")
    for workload in [*(w for w in lasting(prod) if w.app in ALL), _job(prod, "import")]:
        name = workload.app if workload.app in ALL else OPERATOR
        folder = tmp_path / workload.name
        keys = _mounted(prod, workload, "security")
        # As cert-manager would: the certificate, its key and the authority, under these names.
        issue(authority, folder, "tls", certificate(prod, name)["uris"][0][len(TRUST_DOMAIN) :])
        (folder / "ca.crt").write_bytes((tmp_path / "authority" / "ca.crt").read_bytes())
        assert {file.name for file in folder.iterdir()} <= keys
        variables = settings_of.environment(prod, workload.main)
        assert variables["WHEREFORE_SECURITY_DIR"] == _path(workload, "security")
        security = SecuritySettings(
            enabled=True, dir=folder, certificate=variables["WHEREFORE_SECURITY_CERTIFICATE"]
        )
        load_identity(security, name)
        wanted = (
            {security.api_keys_file, security.audit_key_file}
            if workload.app in ALL
            else {security.operator_token_file}
        )
        assert {file.name for file in wanted} <= keys


def test_a_folder_of_secrets_sets_what_it_is_named_after(
    prod: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHEREFORE_SECRETS_DIR", str(tmp_path))
    for name, value in _data(prod, "orchestrator-secrets").items():
        (tmp_path / name).write_text(value)
    (tmp_path / "wherefore_qdrant_api_key").write_text("of Qdrant")
    assert "wherefore_qdrant_api_key" in references.secret_keys(prod)["retrieval-secrets"]
    assert RetrievalSettings().qdrant_api_key.get_secret_value() == "of Qdrant"
    orchestrator = OrchestratorSettings()
    assert orchestrator.events.redis_url.get_secret_value() == "redis://:secret@redis:6379/0"
    assert orchestrator.token_key.get_secret_value() == "secret"
    workload = next(each for each in lasting(prod) if each.name == "orchestrator")
    key_file = settings_of.read(prod, workload).privacy.key_file
    assert key_file.parent == Path(_path(workload, "secrets"))
    assert key_file.name in references.secret_keys(prod)["orchestrator-secrets"]
    variables = settings_of.environment(prod, workload.main)
    assert variables["WHEREFORE_SECRETS_DIR"] == _path(workload, "secrets")


def test_secrets_are_templates_of_what_they_fetch() -> None:
    file = FOLDER / "components" / "external-secrets" / "external-secrets.yaml"
    for item in yaml.safe_load_all(file.read_text("utf-8")):
        fetched = {each["secretKey"] for each in item["spec"]["data"]}
        for value in item["spec"]["target"].get("template", {}).get("data", {}).values():
            for part in value.split("{{ .")[1:]:
                assert part.partition(" }}")[0] in fetched


def _job(objects: Objects, name: str) -> Workload:
    return next(each for each in workloads(objects) if each.name == name)


def _path(workload: Workload, volume: str) -> str:
    mounts = workload.main["volumeMounts"]
    return next(mount["mountPath"] for mount in mounts if mount["name"] == volume)


def _mounted(objects: Objects, workload: Workload, volume: str) -> set[str]:
    """Returns the files that a volume of secrets holds."""
    spec = next(each for each in workload.pod["volumes"] if each["name"] == volume)
    names = [source["secret"]["name"] for source in spec["projected"]["sources"]]
    return {key for name in names for key in references.secret_keys(objects)[name]}


def _data(objects: Objects, name: str) -> dict[str, str]:
    """Returns the files of an ExternalSecret, with "secret" for each value that it fetches."""
    found = named(objects, "ExternalSecret", name)
    assert found
    values = {each["secretKey"] for each in found["spec"]["data"]}
    data = found["spec"]["target"]["template"]["data"]
    for value in values:
        data = {key: text.replace(f"{{{{ .{value} }}}}", "secret") for key, text in data.items()}
    return data
