"""The exported model says what the network says: in ONNX Runtime, and in Triton."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tritonclient import grpc as triton_grpc

from services.recommend.export import (
    COUNT,
    ExportError,
    NextItems,
    compare,
    export,
    rows_of,
)
from services.recommend.sequences import Items, SequenceData
from services.recommend.sequential import SequentialSettings
from services.recommend.train import train
from services.recommend.transformer import NetworkSettings, SequenceNetwork
from tests.triton_server import running_triton

ITEMS = 300


def network() -> SequenceNetwork:
    torch.manual_seed(0)
    made = SequenceNetwork(ITEMS, NetworkSettings(length=20)).eval()
    with torch.no_grad():  # scores apart from each other, so that their order is certain
        made.vectors.own.weight.mul_(40)
    return made


def histories(count: int = 60) -> list[Items]:
    rng = np.random.default_rng(1)
    return [
        rng.integers(0, ITEMS, int(length)).astype(np.int32)
        for length in rng.integers(1, 40, count)  # shorter and longer than what is read
    ]


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    parity = export(network(), [f"i{n}" for n in range(ITEMS)], histories(), folder / "next_item")
    assert parity.histories == 60
    assert parity.largest_difference < 1e-3
    assert parity.same_first == 1.0
    return folder


def test_a_history_gets_the_same_items_alone_and_beside_longer_ones(repository: Path) -> None:
    import onnxruntime

    runtime: Any = onnxruntime
    session = runtime.InferenceSession(str(repository / "next_item/1/model.onnx"))
    rows = rows_of(histories(), 20)
    together, scores = session.run(None, {"items": rows})
    assert together.shape == (60, COUNT)
    assert (np.diff(scores, axis=1) <= 0).all()
    for row in range(0, 60, 7):
        own = rows[row : row + 1, : np.count_nonzero(rows[row])]
        alone, alone_scores = session.run(None, {"items": own})
        assert (alone[0, :20] == together[row, :20]).all()
        np.testing.assert_allclose(alone_scores[0], scores[row], atol=1e-3)


def test_what_is_written(repository: Path) -> None:
    folder = repository / "next_item"
    assert json.loads((folder / "1/items.json").read_text())[:2] == ["i0", "i1"]
    assert 'name: "next_item"' in (folder / "config.pbtxt").read_text()
    assert "class TritonPythonModel" in (folder / "1/model.py").read_text()


def test_an_export_that_strays_is_told(repository: Path) -> None:
    other = network()
    with torch.no_grad():
        other.last.weight.mul_(1.5)
    graph = repository / "next_item/1/model.onnx"
    assert compare(NextItems(other, COUNT), graph, histories()).largest_difference > 0.1


def test_an_export_that_strays_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.recommend import export as module

    monkeypatch.setattr(module, "TOLERANCE", -1.0)
    with pytest.raises(ExportError):
        export(network(), ["i"] * ITEMS, histories(3), tmp_path / "next_item")
    assert not (tmp_path / "next_item").exists()


def test_triton_answers_as_the_network_does(repository: Path, tmp_path: Path) -> None:
    with running_triton(repository, ("next_item",), tmp_path) as triton:
        _compare(triton.target)


def _compare(target: str) -> None:
    module = NextItems(network(), COUNT)
    client: Any = triton_grpc.InferenceServerClient(target)
    for history in histories(12):
        rows = rows_of([history], 20)
        given: Any = triton_grpc.InferInput("items", list(rows.shape), "INT32")
        given.set_data_from_numpy(rows)
        answer = client.infer("next_item", [given], client_timeout=30)
        with torch.inference_mode():
            items, scores = (each.numpy() for each in module(torch.as_tensor(rows)))
        assert (answer.as_numpy("next_items")[:, :20] == items[:, :20]).all()
        np.testing.assert_allclose(answer.as_numpy("scores"), scores, atol=1e-3)
    client.close()


def test_training_writes_the_model_that_it_measured(
    ring_data: SequenceData, quick: SequentialSettings, tmp_path: Path
) -> None:
    trained = train(ring_data, None, tmp_path, quick)
    assert trained.test_hits > 0.9  # what comes next in a ring is certain
    assert trained.parity.largest_difference < 1e-3
    figures = json.loads((tmp_path / "next_item/figures.json").read_text())
    assert figures == trained.as_json()
    import onnxruntime

    runtime: Any = onnxruntime
    session = runtime.InferenceSession(str(tmp_path / "next_item/1/model.onnx"))
    names = json.loads((tmp_path / "next_item/1/items.json").read_text())
    ids = {name: number for number, name in enumerate(names, start=1)}
    row = np.array([[ids["i3"], ids["i4"], ids["i5"]]], dtype=np.int32)
    items, _ = session.run(None, {"items": row})
    new = [names[item - 1] for item in items[0] if item not in row]
    assert new[0] == "i6"
