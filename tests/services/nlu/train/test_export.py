"""Exports of a small model against torch."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import onnx

from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train import export as exporting
from services.nlu.train.export import FILES, Target, export, main, targets
from services.nlu.train.model import QueryModel
from services.nlu.train.parity import GraphRunner, compare, torch_outputs
from services.nlu.train.quantise import (
    Precision,
    encoder_nodes,
)
from services.nlu.train.storage import load_model

TEXTS = ["红色运动鞋", "屏幕很清楚，电池也耐用，质量好", "华为手机壳 防摔 42码", "书"]
OUTPUTS = ["entities", "sentiment", "category", "sentence_embedding"]


@pytest.fixture
def made(traced_tiny: Path) -> Path:
    return traced_tiny


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A repository's only version, not exported yet."""
    folder = tmp_path / "models" / "tiny" / "1"
    shutil.copytree(made, folder, ignore=shutil.ignore_patterns("*.onnx"))
    return folder


@pytest.fixture
def traced(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Spares tests of what happens round an export the export itself."""

    def copy(model: QueryModel, path: Path, precision: str, **_: object) -> None:
        shutil.copyfile(made / f"{precision}.onnx", path)

    monkeypatch.setattr(exporting, "write_model", copy)


@pytest.fixture
def model(made: Path) -> QueryModel:
    return load_model(made)


@pytest.fixture
def rows(made: Path) -> list[TokenRow]:
    return ModelTokenizer(made / "tokenizer.json", 64, word_places=True).encode(TEXTS)


@pytest.mark.parametrize("precision", [Precision.FP32, Precision.FP32_FUSED])
def test_full_precision_equals_torch(
    precision: Precision, model: QueryModel, rows: list[TokenRow], made: Path
) -> None:
    for batch in (1, 4):  # alone, and padded
        parity = compare(model, made / f"{precision}.onnx", rows, batch=batch)
        assert list(parity.difference) == OUTPUTS
        assert max(parity.difference.values()) < 1e-4, parity
        assert set(parity.agreement.values()) == {1.0}


def test_portable_graphs_use_standard_operators_alone(made: Path) -> None:
    graph = onnx.load(made / "fp32.onnx").graph
    assert {node.domain for node in graph.node} == {""}
    assert [(item.name, item.type.tensor_type.elem_type) for item in graph.input] == [
        ("input_ids", onnx.TensorProto.INT32),
        ("segments", onnx.TensorProto.INT32),
    ]
    assert [item.name for item in graph.output] == OUTPUTS
    # The last dimension is fixed: clients learn from it how many labels there are.
    widths = [item.type.tensor_type.shape.dim[-1].dim_value for item in graph.output]
    assert widths == [5, 2, 3, 32]


def test_eight_bits_are_near_and_heads_stay_exact(
    model: QueryModel, rows: list[TokenRow], made: Path
) -> None:
    parity = compare(model, made / "int8.onnx", rows)
    assert min(parity.cosine.values()) > 0.97, parity
    # Something was rounded, else this test would prove nothing.
    assert max(parity.difference.values()) > 1e-4
    graph = onnx.load(made / "int8.onnx").graph
    kinds = [node.op_type for node in graph.node]
    # Two layers: query, key and value at once, then three more products each.
    assert kinds.count("QAttention") == 2
    assert kinds.count("MatMulInteger") == 6
    whole = {
        item.name
        for item in graph.initializer
        if item.data_type == onnx.TensorProto.FLOAT and len(item.dims) > 1
    }
    assert any("sentiment" in name or "heads" in name for name in whole), whole
    assert not any("encoder_" in name or "word_embeddings" in name for name in whole), whole


def test_calibrated_ranges_are_in_the_graph(
    model: QueryModel, rows: list[TokenRow], made: Path
) -> None:
    path = made / "int8-static.onnx"
    parity = compare(model, path, rows)
    assert min(parity.cosine.values()) > 0.95, parity
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    # One range an activation that is multiplied: four a layer; nothing is measured as it runs.
    assert kinds.count("QuantizeLinear") == 8
    assert "DynamicQuantizeLinear" not in kinds


def test_padding_changes_nothing(rows: list[TokenRow], made: Path) -> None:
    runner = GraphRunner(made / "fp32-fused.onnx")
    alone = runner.run(runner.feed(rows[:1]))
    together = runner.run(runner.feed(rows))
    for name in ("sentiment", "category", "sentence_embedding"):
        np.testing.assert_allclose(together[name][0], alone[name][0], atol=1e-5)
    length = len(rows[0].ids)
    np.testing.assert_allclose(together["entities"][0, :length], alone["entities"][0], atol=1e-5)


def test_parity_sees_a_model_that_changed(
    model: QueryModel, rows: list[TokenRow], made: Path
) -> None:
    before = torch_outputs(model, rows)["sentiment"]
    model.heads["sentiment"].linear.weight.data.neg_()
    model.heads["sentiment"].linear.bias.data.neg_()
    np.testing.assert_allclose(torch_outputs(model, rows)["sentiment"], -before, rtol=1e-4)
    parity = compare(model, made / "fp32.onnx", rows)
    assert parity.agreement["sentiment"] == 0.0
    assert parity.cosine["sentiment"] < -0.99
    assert parity.agreement["entities"] == 1.0


def test_graphs_without_an_encoder_are_refused(tmp_path: Path) -> None:
    empty = onnx.helper.make_graph([], "empty", [], [])
    with pytest.raises(ValueError, match="no encoder"):
        encoder_nodes(onnx.helper.make_model(empty))


@pytest.mark.usefixtures("traced")
def test_every_version_is_exported_once(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = tmp_path / "models"
    (repository / "other" / "1").mkdir(parents=True)  # exported elsewhere: no weights here
    assert main(["--repository", str(repository)]) == 0
    assert "tiny/1 int8: exported" in capsys.readouterr().err
    written = (folder / "model.onnx").stat()
    assert main(["--repository", str(repository)]) == 0
    assert "up to date" in capsys.readouterr().err
    assert (folder / "model.onnx").stat().st_mtime_ns == written.st_mtime_ns
    assert not (folder / "model_fp32.onnx").exists()
    assert not list(folder.glob("*.part"))


@pytest.mark.usefixtures("traced")
def test_other_weights_make_an_export_stale(
    folder: Path, tiny_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Target(folder, "fp32")
    export(target)
    assert target.is_current()
    monkeypatch.setattr(exporting, "RECIPE", 2)
    assert not target.is_current()
    monkeypatch.undo()
    tiny_folder(folder, seed=4)
    assert not target.is_current()
    assert (folder / FILES["fp32"]).is_file()


def test_processors_that_overflow_get_seven_bits(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "multiplies_bytes", lambda: True)
    assert json.loads(Target(folder, "int8").stamp())["bits"] == 8
    monkeypatch.setattr(exporting, "multiplies_bytes", lambda: False)
    assert json.loads(Target(folder, "int8").stamp())["bits"] == 7


@pytest.mark.usefixtures("traced")
def test_an_export_that_strays_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    (folder / "model.onnx").write_bytes(b"what was served")
    monkeypatch.setattr(exporting, "MIN_COSINE", 1.1)
    assert main(["tiny", "--repository", str(tmp_path / "models")]) == 1
    assert "cosine" in capsys.readouterr().err
    assert (folder / "model.onnx").read_bytes() == b"what was served"


def test_targets_go_by_name_and_number(tmp_path: Path) -> None:
    for name in ("b/10", "b/9", "a/1", "a/draft"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "weights.safetensors").touch()
    (tmp_path / "c" / "1").mkdir(parents=True)
    found = [target.folder.relative_to(tmp_path) for target in targets(tmp_path, [], "int8")]
    assert [str(path) for path in found] == ["a/1", "b/9", "b/10"]
    assert len(targets(tmp_path, ["a"], "int8")) == 1


def test_unknown_names_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nowhere", "--repository", str(tmp_path)]) == 2
    assert "nowhere" in capsys.readouterr().err
