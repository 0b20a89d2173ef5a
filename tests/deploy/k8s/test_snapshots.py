"""Snapshots of all nodes, and back, against servers that speak Qdrant's HTTP."""

import importlib.util
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.k8s.qdrant_nodes import Node
from tests.deploy.k8s.rendering import FOLDER, needs_kubectl, render
from tests.deploy.k8s.workloads import Workload, lasting, named, workloads

pytestmark = pytest.mark.integration
KEY = "of the cluster"


@pytest.fixture(scope="module")
def snapshots() -> Any:
    file = FOLDER / "base" / "qdrant" / "snapshots.py"
    spec = importlib.util.spec_from_file_location("qdrant_snapshots", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Node]]:
    monkeypatch.setenv("QDRANT_API_KEY", KEY)
    with ExitStack() as stack:
        made = []
        for number in range(3):
            shards = {name: f"{name} of {number}".encode() * 1000 for name in ("a", "b")}
            made.append(Node(shards, {"products_live": "a"}, KEY))
            stack.enter_context(made[-1].running())
        yield made


def urls(nodes: list[Node]) -> list[str]:
    return [node.url for node in nodes]


def test_every_node_gets_its_own_back_and_aliases_lead_where_they_led(
    snapshots: Any, nodes: list[Node], tmp_path: Path
) -> None:
    before = [dict(node.shards) for node in nodes]
    made = snapshots.create(urls(nodes), tmp_path)
    assert [node.snapshots for node in nodes] == [{}, {}, {}]  # none is left behind on a disk
    for node in nodes:
        node.shards, node.aliases = {"a": b"broken"}, {"products_live": "b"}
    assert snapshots.restore(urls(nodes), tmp_path) == made
    assert [node.shards for node in nodes] == before
    assert nodes[0].aliases == {"products_live": "a"}


def test_a_damaged_snapshot_replaces_nothing(
    snapshots: Any, nodes: list[Node], tmp_path: Path
) -> None:
    made = snapshots.create(urls(nodes), tmp_path)
    (made / "b-2.snapshot").write_bytes(b"damaged")
    for node in nodes:
        node.shards = {"a": b"as it is now"}
    with pytest.raises(snapshots.SnapshotError, match=r"b-2\.snapshot is damaged"):
        snapshots.restore(urls(nodes), tmp_path)
    assert all(node.shards == {"a": b"as it is now"} for node in nodes)


def test_a_file_that_came_over_broken_makes_no_snapshot(
    snapshots: Any, nodes: list[Node], tmp_path: Path
) -> None:
    nodes[1].checksum_is_wrong = True
    with pytest.raises(snapshots.SnapshotError, match="not what"):
        snapshots.create(urls(nodes), tmp_path)
    with pytest.raises(snapshots.SnapshotError, match="no snapshot"):
        snapshots.restore(urls(nodes), tmp_path)


def test_the_newest_are_kept(snapshots: Any, nodes: list[Node], tmp_path: Path) -> None:
    for old in ("20260101T000000Z", "20260102T000000Z", "20260103T000000Z"):
        (tmp_path / old).mkdir()
        (tmp_path / old / "manifest.json").write_text("{}")
    made = snapshots.create(urls(nodes), tmp_path, 2)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["20260103T000000Z", made.name]


def test_problems_end_the_command_with_a_word(
    snapshots: Any,
    nodes: list[Node],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ["--nodes", ",".join(urls(nodes)), "--folder", str(tmp_path)]
    assert snapshots.main(["create", *options]) == 0
    fewer = ["--nodes", nodes[0].url, "--folder", str(tmp_path)]
    assert snapshots.main(["restore", *fewer]) == 1
    assert "of 3 nodes" in capsys.readouterr().err
    monkeypatch.setenv("QDRANT_API_KEY", "wrong")
    assert snapshots.main(["create", *options]) == 1
    assert "401" in capsys.readouterr().err


@needs_kubectl
def test_the_jobs_ask_every_node_of_the_cluster(snapshots: Any) -> None:
    objects = render("base/qdrant")
    (cluster,) = lasting(objects)
    domain = cluster.object["spec"]["serviceName"]
    wanted = [
        f"http://{cluster.name}-{number}.{domain}:6333"
        for number in range(cluster.object["spec"]["replicas"])
    ]
    for job, command in (("qdrant-snapshots", "create"), ("qdrant-restore", "restore")):
        workload = next(each for each in workloads(objects) if each.name == job)
        arguments = workload.main["args"]
        assert arguments[0] == command
        assert arguments[arguments.index("--nodes") + 1].split(",") == wanted
        assert named(objects, "CronJob", job)["spec"]["suspend"] == (command == "restore")
        assert _script(objects, workload) == Path(snapshots.__file__).read_text("utf-8")


def _script(objects: list[dict[str, Any]], workload: Workload) -> str:
    volume = next(each for each in workload.pod["volumes"] if each["name"] == "script")
    mount = next(m for m in workload.main["volumeMounts"] if m["name"] == "script")
    folder, _, file = workload.main["command"][1].rpartition("/")
    assert mount["mountPath"] == folder
    return named(objects, "ConfigMap", volume["configMap"]["name"])["data"][file]
