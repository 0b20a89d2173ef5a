"""Federated training: the server's component, the head's, and a shop's overlay."""

import copy
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from services.nlu.learnt.intent_head import load_head
from shared.cli.app import build_app
from shared.federated import environment
from shared.federated.flower import __main__ as operator_program
from shared.federated.models import Task
from shared.federated.result import write_result
from shared.federated.rows import Rows
from shared.federated.settings import RunSettings
from tests.deploy import dockerfile
from tests.deploy.k8s import (
    availability,
    call_graph,
    mutations,
    pods,
    ports,
    probes,
    references,
    schemas,
    settings_of,
)
from tests.deploy.k8s.mutations import Change, Check, workload
from tests.deploy.k8s.rendering import FOLDER, Objects, kubectl, needs_kubectl, render
from tests.deploy.k8s.test_custom_resources import SHAPES
from tests.deploy.k8s.test_images import said
from tests.deploy.k8s.test_overlays import with_components
from tests.deploy.k8s.workloads import lasting, named, of_kind, workloads

pytestmark = needs_kubectl
CHECKS = (availability, call_graph, pods, ports, probes, references, schemas, settings_of)
COMPONENT = FOLDER / "components" / "federated"
DOCUMENTED = FOLDER.parents[1] / "docs" / "federated.md"
JOBS = ("federated-register", "federated-run")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """Production with both components."""
    folder = tmp_path_factory.mktemp("server")
    return with_components(folder, ("federated", "federated-head"))


@pytest.fixture(scope="module")
def shop() -> Objects:
    return render("overlays/shop")


@pytest.mark.parametrize("side", ["server", "shop"])
def test_each_side_has_no_problem(side: str, request: pytest.FixtureRequest) -> None:
    objects = request.getfixturevalue(side)
    for check in CHECKS:
        assert check.problems(objects) == [], check.__name__


def test_custom_resources_have_the_keys_of_their_kind(server: Objects) -> None:
    for item in schemas.of_others(server):
        shape, spec = SHAPES[item["kind"]], set(item["spec"])
        assert shape.required <= spec <= shape.required | shape.optional, item["metadata"]["name"]
    spec = named(server, "Certificate", "superlink")["spec"]
    assert "server auth" in spec["usages"]
    assert spec["issuerRef"]["name"] in {i["metadata"]["name"] for i in of_kind(server, "Issuer")}


def _of_server() -> list[mutations.Case]:
    found = [*mutations.of_app("superlink", several=False, drains=False)]
    for job in JOBS:
        found += mutations.of_job(job)
        found.append((f"{job} part", pods.problems, _first_container_may_write(job)))
    found.append(("policy", call_graph.problems, mutations.without("NetworkPolicy", JOBS[1])))
    found.append(("account", references.problems, mutations.without("ServiceAccount", JOBS[1])))
    found.append(
        ("certificate", references.problems, mutations.without("Certificate", "superlink"))
    )
    claim = mutations.without("PersistentVolumeClaim", "shop-intents")
    found.append(("head", references.problems, claim))
    return found


def _first_container_may_write(job: str) -> Change:
    def change(objects: Objects) -> None:
        del workload(objects, job).containers[0]["securityContext"]["readOnlyRootFilesystem"]

    return change


def _of_shop() -> list[mutations.Case]:
    found = [*mutations.of_app("supernode", several=False, drains=False, served=False)]
    found += mutations.of_job("shop-prepare")
    found.append(
        ("policy", call_graph.problems, mutations.without("NetworkPolicy", "shop-prepare"))
    )
    found.append(("link", references.problems, mutations.without("ExternalSecret", "shop-link")))
    return found


@pytest.mark.parametrize(
    ("side", "check", "change"),
    [
        *(pytest.param("server", c, m, id=name) for name, c, m in _of_server()),
        *(pytest.param("shop", c, m, id=f"shop {name}") for name, c, m in _of_shop()),
    ],
)
def test_what_is_taken_out_is_missed(
    side: str, check: Check, change: Change, request: pytest.FixtureRequest
) -> None:
    mutated = copy.deepcopy(request.getfixturevalue(side))
    change(mutated)
    assert check(mutated)


def test_no_part_of_either_side_is_left_out(server: Objects, shop: Objects) -> None:
    new = {each.name for each in workloads(server)} - {
        each.name for each in workloads(render("overlays/prod"))
    }
    assert new == {"superlink", *JOBS}
    assert {each.name for each in workloads(shop)} == {"supernode", "shop-prepare"}


def test_every_port_and_every_rule_of_a_shop_is_missed(shop: Objects) -> None:
    assert mutations.unmissed_container_ports(shop) == []
    assert mutations.unmissed_rules(shop) == []


def test_every_port_and_every_rule_of_the_server_is_missed(server: Objects) -> None:
    own = [
        each
        for each in server
        if each["metadata"]["name"] in ("superlink", *JOBS, "superlink-fleet", "shop-intents")
    ]
    assert mutations.unmissed_container_ports(own) == []
    assert mutations.unmissed_service_ports(own) == []
    assert mutations.unmissed_rules(own) == []


@pytest.mark.parametrize(("side", "app"), [("server", "superlink"), ("shop", "supernode")])
def test_a_rule_for_everybody_is_noticed(
    side: str, app: str, request: pytest.FixtureRequest
) -> None:
    for direction in ("ingress", "egress"):
        mutated = copy.deepcopy(request.getfixturevalue(side))
        spec = named(mutated, "NetworkPolicy", app)["spec"]
        spec[direction] = [*spec[direction], {}]
        assert call_graph.problems(mutated), direction


def test_shops_reach_their_door_alone(server: Objects) -> None:
    for service in of_kind(server, "Service"):
        if service["spec"].get("type", "ClusterIP") != "ClusterIP":
            assert [each["port"] for each in service["spec"]["ports"]] == [9092]
            assert service["spec"]["selector"] == {"app.kubernetes.io/name": "superlink"}


def test_both_sides_name_the_same_door_and_the_certificate_is_for_it(
    server: Objects, shop: Objects
) -> None:
    names = named(server, "Certificate", "superlink")["spec"]["dnsNames"]
    asked = _argument(shop, "supernode", "--superlink")
    host, _, port = asked.partition(":")
    assert host in names
    assert int(port) == 9092
    for job in JOBS:
        link = _argument(server, job, "--link")
        assert link == "superlink:9093"
        assert link.partition(":")[0] in names


def test_files_that_programs_are_given_are_mounted(server: Objects, shop: Objects) -> None:
    for objects in (server, shop):
        for each in workloads(objects):
            if each.app not in ("superlink", "supernode", "federated-run", "shop-prepare"):
                continue
            for container in each.containers:
                folders = [mount["mountPath"] for mount in container["volumeMounts"]]
                for argument in container["args"]:
                    for word in argument.replace('"', " ").replace("=", " ").split():
                        if word.startswith("/"):
                            assert any(word.startswith(folder) for folder in folders), word


def test_the_key_of_the_superlink_is_its_own(server: Objects) -> None:
    for job in JOBS:
        secrets = [
            volume["secret"]
            for volume in workload(server, job).pod["volumes"]
            if "secret" in volume
        ]
        assert [item["key"] for each in secrets for item in each["items"]] == ["ca.crt"]


def test_jobs_run_by_hand_and_programs_know_their_arguments(
    server: Objects, shop: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    for objects, names in ((server, JOBS), (shop, ("shop-prepare",))):
        for name in names:
            assert named(objects, "CronJob", name)["spec"]["suspend"] is True
    asked: list[Any] = []
    monkeypatch.setattr(operator_program, "Link", lambda *given: given)
    monkeypatch.setattr(operator_program, "register_all", lambda *given: asked.append(given))
    monkeypatch.setattr(operator_program, "run_to_its_end", lambda *given: asked.append(given))
    run = copy.copy(workload(server, "federated-run").containers[0]["args"])
    run[1] = str(COMPONENT / "run.toml")
    assert operator_program.main(run) == 0
    assert operator_program.main(workload(server, "federated-register").main["args"]) == 0
    assert len(asked) == 2
    app = build_app()
    for objects, name in ((server, "federated-run"), (shop, "shop-prepare")):
        main = workload(objects, name).main
        assert main["command"] == ["python", "-m", "shared.cli"]
        command, _, _ = app.parse_args(main["args"], print_error=False, exit_on_error=False)
        assert command.__name__ in ("publish", "prepare")


@pytest.mark.parametrize(
    ("side", "app", "program"),
    [("server", "superlink", "flower-superlink"), ("shop", "supernode", "flower-supernode")],
)
def test_programs_of_flower_know_their_arguments(
    side: str, app: str, program: str, request: pytest.FixtureRequest
) -> None:
    if (told := environment.problem()) is not None:
        pytest.skip(told)
    main = workload(request.getfixturevalue(side), app).main
    done = subprocess.run(
        [environment.program(program), "--help"],
        env=environment.variables(),
        capture_output=True,
        text=True,
        check=True,
    )
    known = set(re.findall(r"--[a-z][a-z-]+", done.stdout))
    assert {each.partition("=")[0] for each in main["args"]} <= known
    # What a node of ours adds to Flower's is that it ends.
    own = ["python", "-m", "shared.federated.flower.node"]
    assert main["command"] == ([program] if app == "superlink" else own)


def test_the_run_configuration_is_one() -> None:
    own = {"task", "least-shops", "wait-seconds"}
    given = tomllib.loads((COMPONENT / "run.toml").read_text("utf-8"))
    assert own < set(given)
    known = tomllib.loads((FOLDER.parents[1] / "shared/federated/app/pyproject.toml").read_text())
    assert set(given) <= set(known["tool"]["flwr"]["app"]["config"])
    RunSettings.model_validate(
        {key.replace("-", "_"): value for key, value in given.items() if key not in own}
    )


def test_an_overlay_over_production_names_the_task_and_the_shops(tmp_path: Path) -> None:
    (tmp_path / "prod").mkdir()
    with_components(tmp_path / "prod", ("federated",))
    (tmp_path / "task.json").write_text("{}")
    (tmp_path / "a.pub").write_text("key of a")
    (block,) = re.findall(r"```yaml\n(.*?)```", DOCUMENTED.read_text("utf-8"), re.DOTALL)
    text = block.replace("../prod", "prod").replace("NAME.pub", "a.pub")
    (tmp_path / "kustomization.yaml").write_text(text)
    done = subprocess.run(
        [kubectl() or "", "kustomize", str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    objects = list(yaml.safe_load_all(done.stdout))
    task, shops = (
        named(objects, "ConfigMap", volume["configMap"]["name"])["data"]
        for name in ("superlink", "federated-register")
        for volume in workload(objects, name).pod["volumes"]
        if "configMap" in volume
    )
    assert task == {"task.json": "{}"}
    assert shops == {"a.pub": "key of a"}


def test_a_shop_prepares_and_the_server_publishes_by_the_files_of_their_image(
    server: Objects, shop: Objects, tmp_path: Path
) -> None:
    home, data = tmp_path / "app", tmp_path / "data"
    dockerfile.lay_out("nlu", home)
    data.mkdir()
    task = Task.load(COMPONENT / "task.json")
    lines = [f"about {name.replace('_', ' ')},{name}" for name in task.names]
    (data / "asked.csv").write_text("\n".join(["utterance,intent", *lines]) + "\n")
    places = {"/data": str(data), "/etc/wherefore/federated": str(FOLDER / "overlays" / "shop")}
    _command(workload(shop, "shop-prepare").main, home, places)
    assert len(Rows.load(data / "shop.npz")) == len(task.names)
    # Shops agree with the server: a task that differs in anything trains nothing.
    assert Task.load(data / "task.json") == task
    weights = [np.ones_like(each) for each in task.model().initial()]
    write_result(data / "runs" / "first", task, weights, RunSettings(), 3)
    _command(workload(server, "federated-run").main, home, places | {"$(RUN)": "first"})
    name = _argument(server, "federated-run", "--name")
    head = load_head(home / "models", name, 1)
    assert set(head.classes.labels) == {f"support/{each}" for each in task.names}


def test_nlu_serves_the_head_that_the_job_publishes(server: Objects) -> None:
    name = _argument(server, "federated-run", "--name")
    (nlu,) = (each for each in lasting(server) if each.name == "nlu")
    assert settings_of.read(server, nlu).intent_heads == (name,)
    published = _mount(workload(server, "federated-run").main, "head")
    served = _mount(nlu.main, "shop-intents")
    assert published["mountPath"] == served["mountPath"] == f"/app/models/{name}"
    assert served["readOnly"] is True
    volume = next(each for each in nlu.pod["volumes"] if each["name"] == "shop-intents")
    claim = volume["persistentVolumeClaim"]["claimName"]
    # Pods of nlu are on several machines.
    assert named(server, "PersistentVolumeClaim", claim)["spec"]["accessModes"] == ["ReadWriteMany"]


def test_the_run_is_where_the_volume_of_its_superlink_is(server: Objects) -> None:
    job = workload(server, "federated-run")
    (term,) = job.pod["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert term["topologyKey"] == "kubernetes.io/hostname"
    labels = workload(server, "superlink").labels
    assert term["labelSelector"]["matchLabels"].items() <= labels.items()


def test_images_are_targets_and_run_as_their_user(server: Objects, shop: Objects) -> None:
    for objects, name in (
        (server, "superlink"),
        *((server, job) for job in JOBS),
        (shop, "supernode"),
        (shop, "shop-prepare"),
    ):
        each = workload(objects, name)
        security = each.pod["securityContext"]
        for container in each.containers:
            image = container["image"].removeprefix("wherefore/").partition(":")[0]
            assert said(image, "USER") == f"{security['runAsUser']}:{security['runAsGroup']}"
            mounted = {mount["mountPath"] for mount in container["volumeMounts"]}
            assert "/tmp" in mounted  # noqa: S108 - the home of its user


def _command(container: dict[str, Any], home: Path, places: dict[str, str]) -> None:
    """Runs what a container runs, with the files of its image alone, its volumes elsewhere."""
    arguments = container["args"]
    for place, here in places.items():
        arguments = [each.replace(place, here) for each in arguments]
    done = subprocess.run(
        [sys.executable, *container["command"][1:], *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=home,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _argument(objects: Objects, name: str, option: str) -> str:
    given = [a for each in workload(objects, name).containers for a in each["args"]]
    (found,) = (each for each in given if each.startswith(f"{option}="))
    return found.partition("=")[2]


def _mount(container: dict[str, Any], volume: str) -> dict[str, Any]:
    return next(each for each in container["volumeMounts"] if each["name"] == volume)
