"""A model that was never trained, saved and read back."""

import json
import sys

import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("accelerate", reason="the extra `train` is not installed")

from transformers import AutoConfig, AutoModel

from services.nlu.learnt.port import LabelledSpan as ReadSpan
from services.nlu.learnt.port import Reading
from services.nlu.train import evaluate_folder
from services.nlu.train.examples import TaskKind
from services.nlu.train.model import HeadSpec, ModelSpec, QueryModel
from services.nlu.train.storage import save_model
from services.nlu.train.vocabulary import build_character_tokenizer, save_tokenizer
from shared.evaluation.labelled_texts import LabelledSpan
from shared.evaluation.text_tasks import TASKS

TEXTS = ["质量很好", "太差了", "手机不错", "小米手机壳"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    tokenizer = build_character_tokenizer(TEXTS, min_count=1)
    path = save_tokenizer(tokenizer, folder / "source")
    encoder = {
        "model_type": "bert",
        "vocab_size": tokenizer.get_vocab_size(),
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 32,
        "type_vocab_size": 5,
    }
    spec = ModelSpec(
        encoder=encoder,
        heads=(
            HeadSpec(name="entities", kind=TaskKind.TOKENS, labels=("BRAND", "PRODUCT_TYPE")),
            HeadSpec(name="sentiment", kind=TaskKind.CLASSES, labels=("negative", "positive")),
        ),
        word_places=True,
        max_tokens=32,
    )
    model = QueryModel(spec, AutoModel.from_config(AutoConfig.for_model(**encoder)))
    save_model(model, folder, path)
    return folder


def test_every_text_is_read_in_its_place(folder, monkeypatch):
    monkeypatch.setattr(evaluate_folder, "CHUNK", 3)
    together = evaluate_folder.read_folder(folder, TEXTS)
    alone = [evaluate_folder.read_folder(folder, [text])[0] for text in TEXTS]
    assert [item.entities for item in together] == [
        tuple(
            ReadSpan(span.start, span.end, span.label, pytest.approx(span.confidence, abs=1e-4))
            for span in item.entities
        )
        for item in alone
    ]
    for one, other in zip(together, alone, strict=True):
        assert one.sentiment[0][0] == other.sentiment[0][0]
        assert one.sentiment[0][1] == pytest.approx(other.sentiment[0][1], abs=1e-4)


def test_the_figure_is_that_of_what_was_read(folder, tmp_path, monkeypatch, capsys):
    said = [item.sentiment[0][0] for item in evaluate_folder.read_folder(folder, TEXTS)]
    labels = [int(label == "positive") for label in said]
    labels[0] = 1 - labels[0]
    data = tmp_path / "reviews.jsonl"
    data.write_text(
        "".join(
            json.dumps({"review": text, "label": label}) + "\n"
            for text, label in zip(TEXTS, labels, strict=True)
        )
    )
    command = ["x", "--model", str(folder), "--task", "sentiment_zh", "--data", str(data)]
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", [*command, "--json"])
    assert evaluate_folder.main() == 0
    assert json.loads(capsys.readouterr().out) == {
        "task": "sentiment_zh",
        "metric": "accuracy",
        "value": 0.75,
        "n": 4,
    }
    monkeypatch.setattr(sys, "argv", command)
    assert evaluate_folder.main() == 0
    assert "sentiment_zh: accuracy 0.7500 over 4 texts" in capsys.readouterr().out


def test_bad_files_and_folders_are_usage_errors(folder, tmp_path, monkeypatch, capsys):
    reviews = tmp_path / "reviews.jsonl"
    reviews.write_text('{"review": "好", "label": 1}\n')
    for model, data in ((folder, tmp_path / "none.jsonl"), (tmp_path, reviews)):
        arguments = ["--model", str(model), "--task", "sentiment_zh", "--data", str(data)]
        monkeypatch.setattr(sys, "argv", ["x", *arguments])
        assert evaluate_folder.main() == 2
        assert "error: " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("task", "label"),
    [
        ("sentiment_zh", "positive"),
        ("category_zh", "手机"),
        ("intents_en", "track_order"),
    ],
)
def test_classes_of_a_reading(task, label):
    reading = Reading(
        sentiment=(("positive", 0.9), ("negative", 0.1)),
        category=(("手机", 0.6), ("平板", 0.4)),
        intent=(("support/track_order", 0.8), ("product_search", 0.2)),
    )
    assert evaluate_folder.understand(TASKS[task], reading).label == label
    assert evaluate_folder.understand(TASKS[task], Reading()).label == ""


def test_spans_of_a_reading():
    reading = Reading(
        entities=(ReadSpan(0, 2, "BRAND", 0.9),), reason_tags=(ReadSpan(1, 3, "质量好", 0.7),)
    )
    for task in ("entities_zh", "entities_en"):
        spans = evaluate_folder.understand(TASKS[task], reading).spans
        assert spans == {LabelledSpan(0, 2, "BRAND")}
    spans = evaluate_folder.understand(TASKS["reason_tags_zh"], reading).spans
    assert spans == {LabelledSpan(1, 3, "质量好")}
