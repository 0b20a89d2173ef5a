"""Pruning and distillation of a small model, and the whole table made of them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("onnx")

import torch

from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train import compress as compressing
from services.nlu.train import smaller_forms
from services.nlu.train.compress import compress
from services.nlu.train.distil import (
    DistilSettings,
    Pupil,
    distil,
    distillation_losses,
    make_student,
    soft_loss,
)
from services.nlu.train.encoded import inputs
from services.nlu.train.examples import Example, Span, TaskData, TaskKind
from services.nlu.train.loop import LoopSettings
from services.nlu.train.model import QueryModel
from services.nlu.train.parity import compare
from services.nlu.train.prune import choose_heads, head_importance, keep_heads, keep_layers
from services.nlu.train.smaller_forms import TRAINED, CompressSettings
from services.nlu.train.storage import load_model, save_model

TEXTS = ["红色运动鞋 男 42码", "屏幕很清楚，电池也耐用", "华为手机壳 防摔", "酒店的房间干净"]
LOOP = LoopSettings(epochs=30, learning_rate=3e-3, warmup_share=0.1, trackers=())


@pytest.fixture
def folder(tiny_folder: Callable[..., Path], tmp_path: Path) -> Path:
    return tiny_folder(tmp_path / "models" / "tiny" / "1", layers=3)


@pytest.fixture
def model(folder: Path) -> QueryModel:
    return load_model(folder)


@pytest.fixture
def rows(folder: Path) -> list[TokenRow]:
    return ModelTokenizer(folder / "tokenizer.json", 64, word_places=True).encode(TEXTS)


def outputs(model: QueryModel, rows: list[TokenRow]) -> dict[str, Any]:
    batch = inputs(rows)
    with torch.no_grad():
        return model(batch["input_ids"], batch["segments"])


def squared(model: QueryModel, batch: Any) -> Any:
    made = model(batch["input_ids"], batch["segments"])
    return (made["sentiment"] ** 2).mean() + (made["entities"] ** 2).mean()


def test_a_head_that_gives_nothing_goes_without_a_trace(
    model: QueryModel, rows: list[TokenRow]
) -> None:
    # Heads 1 and 3 of the first layer are made to say nothing.
    mixed = model.encoder.encoder.layer[0].attention.output.dense.weight
    with torch.no_grad():
        mixed[:, 8:16] = 0
        mixed[:, 24:32] = 0
    importance = head_importance(model, [inputs(rows)], squared)
    assert importance.shape == (3, 4)
    assert importance[0].tolist()[1] == importance[0].tolist()[3] == 0.0
    kept = choose_heads(importance, 2 / 12)
    assert kept == [[0, 2], [0, 1, 2, 3], [0, 1, 2, 3]]
    before, smaller = outputs(model, rows), keep_heads(model, kept)
    after = outputs(smaller, rows)
    for name, value in before.items():
        torch.testing.assert_close(after[name], value, atol=1e-5, rtol=1e-4)
    first = smaller.encoder.encoder.layer[0].attention
    assert first.self.query.weight.shape == (16, 32)
    assert first.output.dense.weight.shape == (32, 16)
    assert model.encoder.encoder.layer[0].attention.self.query.weight.shape == (32, 32)


def test_importance_leaves_the_model_as_it_was(model: QueryModel, rows: list[TokenRow]) -> None:
    before = outputs(model, rows)["sentiment"]
    head_importance(model, [inputs(rows)], squared)
    assert torch.equal(outputs(model, rows)["sentiment"], before)
    assert all(item.requires_grad for item in model.parameters())


def test_every_layer_keeps_its_best_head() -> None:
    importance = torch.tensor([[0.1, 0.2, 0.0], [0.9, 0.8, 0.7]])
    assert choose_heads(importance, 0.5) == [[1], [0, 1]]
    assert choose_heads(importance, 0.99) == [[1], [0]]
    assert choose_heads(importance, 0.0) == [[0, 1, 2], [0, 1, 2]]


def test_impossible_shapes_are_refused(model: QueryModel) -> None:
    with pytest.raises(ValueError, match="heads"):
        keep_heads(model, [[], [0], [0]])
    with pytest.raises(ValueError, match="heads"):
        keep_heads(model, [[4], [0], [0]])
    with pytest.raises(ValueError, match="layers"):
        keep_layers(model, [3])
    with pytest.raises(ValueError, match="layers"):
        make_student(model, [0, 7])


def test_pruned_models_are_saved_and_loaded(
    model: QueryModel, rows: list[TokenRow], folder: Path, tmp_path: Path
) -> None:
    smaller = keep_heads(keep_layers(model, [0, 2]), [[0, 3], [1]])
    save_model(smaller, tmp_path / "saved", folder / "tokenizer.json")
    loaded = load_model(tmp_path / "saved")
    for name, value in outputs(smaller, rows).items():
        torch.testing.assert_close(outputs(loaded, rows)[name], value, atol=2e-2, rtol=1e-2)
    # A pruned model can be pruned again.
    assert keep_layers(loaded, [1]).spec.encoder["heads_by_layer"] == [1]


def test_soft_losses_vanish_where_both_agree() -> None:
    wanted = torch.tensor([[[2.0, -1.0, 0.5], [9.0, 0.0, 0.0]]])
    assert float(soft_loss(wanted + 3.0, wanted, 2.0)) == pytest.approx(0.0, abs=1e-6)
    wrong = torch.tensor([[[2.0, -1.0, 0.5], [0.0, 9.0, 0.0]]])
    assert float(soft_loss(wrong, wanted, 2.0)) > 1.0
    # The token that differs is padding.
    mask = torch.tensor([[1.0, 0.0]])
    assert float(soft_loss(wrong, wanted, 2.0, mask)) == pytest.approx(0.0, abs=1e-6)


def test_a_student_of_all_layers_is_its_teacher(model: QueryModel, rows: list[TokenRow]) -> None:
    student = make_student(model, [0, 1, 2])
    pupil = Pupil(student, [0, 1, 2], 32)
    with torch.no_grad():
        losses = distillation_losses(model, pupil, inputs(rows), DistilSettings())
    assert set(losses) == {"entities", "sentiment", "category", "states", "vector"}
    assert max(float(value) for value in losses.values()) < 1e-5


@pytest.mark.parametrize("width", [0, 16])
def test_a_student_comes_nearer_to_its_teacher(
    model: QueryModel, rows: list[TokenRow], tmp_path: Path, width: int
) -> None:
    pupil = Pupil(make_student(model, [0, 2], width=width), [0, 2], 32)
    settings = DistilSettings(loop=LOOP)

    def distance() -> float:
        with torch.no_grad():
            losses = distillation_losses(model, pupil, inputs(rows), settings)
        return float(losses["entities"] + losses["category"] + losses["states"])

    before = distance()
    history = distil(
        model, pupil, rows, settings, tmp_path / "run", evaluate=lambda student: {"x": 1.0}
    )
    assert len(history.epochs) == 30
    assert distance() < 0.7 * before
    assert ("vector" in distillation_losses(model, pupil, inputs(rows), settings)) is (width == 0)


def test_the_whole_table(
    traced_tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[TokenRow]
) -> None:
    pytest.importorskip("matplotlib")
    spans = [Example(text=text, spans=(Span(0, 2, "BRAND"),)) for text in TEXTS]
    moods = [
        Example(text=text, label=("negative", "positive")[at % 2]) for at, text in enumerate(TEXTS)
    ]
    tasks = {
        "entities_zh": TaskData("entities", TaskKind.TOKENS, ("BRAND", "MODEL"), spans, spans),
        "sentiment_zh": TaskData(
            "sentiment", TaskKind.CLASSES, ("negative", "positive"), moods, moods
        ),
    }
    monkeypatch.setattr(smaller_forms, "load_task", lambda name, data: tasks[name])
    monkeypatch.setattr(compressing, "choose", lambda steps, trained, examples: steps[1])
    _spare_known_graphs(traced_tiny, monkeypatch)
    loop = LoopSettings(epochs=1, trackers=())
    settings = CompressSettings(
        model="tiny/1",
        tasks=("entities_zh", "sentiment_zh"),
        pruned_layers=1,
        pruned_heads=0.25,
        recover=DistilSettings(loop=loop),
    )
    steps, best = compress(settings, traced_tiny, data=tmp_path, out=tmp_path / "out")
    assert [step.name for step in steps] == [
        TRAINED,
        "fp32",
        "fp32-fused",
        "int8",
        "int8-static",
        "pruned",
        "pruned, int8",
    ]
    assert best.name == "fp32"
    by_name = {step.name: step for step in steps}
    assert by_name["fp32"].quality == pytest.approx(by_name[TRAINED].quality)
    assert by_name["pruned"].megabytes < by_name["fp32"].megabytes
    (run,) = (tmp_path / "out").iterdir()
    table = json.loads((run / "frontier.json").read_text())
    assert table["chosen"] == "fp32"
    assert table["dev_examples"] == {"entities": 4, "sentiment": 4}
    # What was pruned is exported as it is, and at 8 bits near to it.
    pruned = load_model(run / "pruned")
    assert max(compare(pruned, run / "pruned.onnx", rows).difference.values()) < 1e-3
    assert min(compare(pruned, run / "pruned-int8.onnx", rows).cosine.values()) > 0.95
    # Taken up again, nothing is made anew.
    monkeypatch.setattr(smaller_forms, "write_model", None)
    monkeypatch.setattr(smaller_forms, "distil", None)
    monkeypatch.setattr(smaller_forms, "measure_quality", None)
    again, _ = compress(settings, traced_tiny, data=tmp_path, out=tmp_path / "out")
    assert [step.name for step in again] == list(by_name)


def _spare_known_graphs(traced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was pruned is traced; of the model itself there are graphs already."""
    trace = smaller_forms.write_model

    def write(model: QueryModel, path: Path, precision: str) -> None:
        if len(model.encoder.encoder.layer) == 2:
            shutil.copyfile(traced / f"{precision}.onnx", path)
        else:
            trace(model, path, precision)

    def calibrate(source: Path, target: Path, rows: list[TokenRow]) -> None:
        assert rows
        shutil.copyfile(traced / "int8-static.onnx", target)

    monkeypatch.setattr(smaller_forms, "write_model", write)
    monkeypatch.setattr(smaller_forms, "quantise_by_calibration", calibrate)
