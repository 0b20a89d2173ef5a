import gzip
import json
import os
from pathlib import Path

import pytest

from services.recommend.graph import store
from services.recommend.graph.build import build_graph
from services.recommend.graph.store import GraphFileError, load_graph, save_graph


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "graph.json.gz"


def test_what_is_stored_is_loaded(graph, path):
    save_graph(graph, path)
    assert load_graph(path) == graph
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_equal_graphs_make_equal_files(graph, shop, links, path):
    save_graph(graph, path)
    first = path.read_bytes()
    save_graph(build_graph(shop[::-1], links=links), path)
    assert path.read_bytes() == first


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_crash_while_writing_leaves_the_old_graph(graph, path, monkeypatch, step):
    save_graph(build_graph([]), path)

    def fail(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(*((os, "fsync") if step == "fsync" else (Path, "replace")), fail)
    with pytest.raises(GraphFileError, match="no space left"):
        save_graph(graph, path)
    monkeypatch.undo()
    assert len(load_graph(path)) == 0
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_file_is_synced_before_it_gets_its_name(graph, path, monkeypatch):
    steps: list[str] = []
    sync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: (steps.append("fsync"), sync(file))[1])
    monkeypatch.setattr(
        Path, "replace", lambda old, new: (steps.append("rename"), replace(old, new))[1]
    )
    save_graph(graph, path)
    assert steps[:2] == ["fsync", "rename"]


def test_a_damaged_file_is_told(graph, path):
    save_graph(graph, path)
    whole = path.read_bytes()
    for damaged in (
        whole[:-20],
        whole[: len(whole) // 2],
        b"",
        b"no gzip",
        whole[:40] + whole[60:],
    ):
        path.write_bytes(damaged)
        with pytest.raises(GraphFileError):
            load_graph(path)


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"format": "other"},
        {"more": 1},
        {"nodes": [["planet", "a", "A"]]},
        {"nodes": [["brand", "a", "A"], ["brand", "a", "A"]]},
        {"nodes": [["product", "a", "A"]], "edges": [["is-in", 0, 1, "stated", 1.0, ""]]},
        {"nodes": [["product", "a", "A"]], "edges": [["is-in", 0, -1, "stated", 1.0, ""]]},
    ],
)
def test_what_is_no_graph_of_this_version_is_refused(path, change):
    document = {"format": "wherefore-knowledge-graph", "version": store.VERSION}
    document |= {"nodes": [], "edges": []} | change
    path.parent.mkdir()
    path.write_bytes(gzip.compress(json.dumps(document).encode()))
    with pytest.raises(GraphFileError, match=path.name):
        load_graph(path)


def test_no_file(path):
    with pytest.raises(FileNotFoundError):
        load_graph(path)
