import json
from pathlib import Path

import pytest
import torch

from services.nlu.learnt.tokens import ModelTokenizer
from services.nlu.train.encoded import encode_task, inputs, token_tags
from services.nlu.train.evaluate import predict_spans, span_f1, span_report
from services.nlu.train.examples import Example, Span, TaskData, TaskKind
from services.nlu.train.losses import class_losses, distance_moved
from services.nlu.train.model import ModelSpec, QueryModel
from services.nlu.train.multitask import MultitaskSettings, TaskSettings, train_multitask
from services.nlu.train.storage import load_model, save_model
from services.nlu.train.tuning import Tuning
from services.nlu.train.vocabulary import build_character_tokenizer, save_tokenizer

BRANDS, GOODS = ["索尼", "小米", "华为", "联想"], ["耳机", "鼠标", "手机", "键盘"]


def titles() -> list[Example]:
    return [
        Example(f"{brand}无线{good}", (Span(0, 2, "BRAND"), Span(4, 6, "PRODUCT_TYPE")))
        for brand in BRANDS
        for good in GOODS
    ]


def moods() -> list[Example]:
    words = [
        ("很好用", "positive"),
        ("太差了", "negative"),
        ("喜欢", "positive"),
        ("坏了", "negative"),
    ]
    return [Example(f"{good}{word}", label=label) for good in GOODS for word, label in words]


def kinds() -> list[Example]:
    return [Example(item.text, label=item.text[:2]) for item in moods()]


def pairs() -> list[Example]:
    return [Example(f"{brand}{good}", other=f"{good}{brand}") for brand in BRANDS for good in GOODS]


TASKS = {
    "entities_zh": TaskData(
        "entities", TaskKind.TOKENS, ("BRAND", "PRODUCT_TYPE"), titles(), titles()
    ),
    "sentiment_zh": TaskData(
        "sentiment", TaskKind.CLASSES, ("negative", "positive"), moods(), moods()
    ),
    "category_zh": TaskData("category", TaskKind.CLASSES, tuple(GOODS), kinds(), kinds()),
    "matching_zh": TaskData("sentence_embedding", TaskKind.PAIRS, (), pairs(), pairs()),
}


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    from transformers import BertConfig, BertModel

    folder = tmp_path_factory.mktemp("runs") / "tiny" / "encoder"
    texts = [item.text for task in TASKS.values() for item in task.train]
    tokenizer = build_character_tokenizer(texts, min_count=1)
    save_tokenizer(tokenizer, folder)
    torch.manual_seed(0)
    BertModel(
        BertConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=32,
            type_vocab_size=5,
        )
    ).save_pretrained(folder)
    return folder


def settings(encoder: Path, **changed) -> MultitaskSettings:
    given = {
        "encoder": str(encoder),
        "tasks": {
            "entities_zh": TaskSettings(repeat=2),
            "sentiment_zh": TaskSettings(ngram_buckets=512),
            "category_zh": TaskSettings(beside="sentiment_zh"),
            "matching_zh": TaskSettings(),
        },
        "word_places": True,
        "max_tokens": 32,
        "token_budget": 128,
        "loop": {"epochs": 16, "learning_rate": 3e-3, "trackers": (), "mixed_precision": False},
    }
    return MultitaskSettings.model_validate(given | changed)


@pytest.fixture(scope="module")
def trained(encoder):
    folder = encoder.parent.parent / "run"
    return train_multitask(settings(encoder), Path("none"), folder, loaded=TASKS)


def test_every_head_learns_what_it_is_taught(trained):
    assert trained.figures["entities.f1"] > 0.9
    assert trained.figures["sentiment.accuracy"] > 0.9
    assert trained.figures["category.accuracy"] > 0.9
    assert trained.figures["matching.mrr"] > 0.5


def test_every_epoch_is_reported_on_by_type_and_class(trained, encoder):
    report = (encoder.parent.parent / "run" / "report.txt").read_text()
    assert report.count("PRODUCT_TYPE") >= 16
    assert "macro avg" in report
    assert "negative" in report


def test_a_model_comes_back_from_its_folder(trained, tmp_path):
    save_model(trained.model, tmp_path, trained.tokenizer.path)
    again = load_model(tmp_path)
    ids, segments = torch.tensor([[2, 5, 6, 7, 3, 0]]), torch.tensor([[0, 1, 3, 4, 0, 0]])
    with torch.no_grad():
        ours, theirs = trained.model(ids, segments), again(ids, segments)
    assert set(ours) == {"entities", "sentiment", "category", "sentence_embedding"}
    for name, value in ours.items():
        torch.testing.assert_close(value, theirs[name], atol=0.02, rtol=0.02)  # kept as float16
    labels = json.loads((tmp_path / "labels.json").read_text())
    assert labels["entities"]["labels"][:3] == ["O", "B-BRAND", "I-BRAND"]
    assert len(labels["entities"]["transitions"]) == 5
    assert labels["sentiment"] == {
        "kind": "classes",
        "labels": ["negative", "positive"],
        "temperature": 1.0,
    }
    assert labels["sentence_embedding"] == {"kind": "vector", "dimension": 32}


def test_padding_changes_nothing(trained):
    ids, segments = torch.tensor([[2, 5, 6, 7, 3]]), torch.tensor([[0, 1, 3, 4, 0]])
    padded = torch.nn.functional.pad(ids, (0, 6)), torch.nn.functional.pad(segments, (0, 6))
    with torch.no_grad():
        short, long = trained.model(ids, segments), trained.model(*padded)
    for name, value in short.items():
        found = long[name][:, :5] if name == "entities" else long[name]
        torch.testing.assert_close(value, found, atol=1e-4, rtol=1e-3)


def test_weights_that_do_not_fit_are_refused(trained, tmp_path):
    save_model(trained.model, tmp_path, trained.tokenizer.path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["heads"][0]["name"] = "renamed"
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match="do not fit"):
        load_model(tmp_path)


def test_tasks_beside_one_another_must_share_their_texts(encoder, tmp_path):
    other = TaskData("category", TaskKind.CLASSES, tuple(GOODS), kinds()[::-1], kinds())
    with pytest.raises(ValueError, match="not over the texts"):
        train_multitask(
            settings(encoder), Path("none"), tmp_path, loaded={**TASKS, "category_zh": other}
        )


# peft 0.21 hands a prefix to the encoder under the former name of its argument.
@pytest.mark.filterwarnings("ignore:`past_key_values` is deprecated:FutureWarning")
@pytest.mark.parametrize("tuning", [Tuning.LORA, Tuning.ADALORA, Tuning.PREFIX, Tuning.FROZEN])
def test_one_switch_tunes_less_than_all(encoder, tmp_path, tuning):
    loop = {"epochs": 2, "learning_rate": 3e-3, "trackers": (), "mixed_precision": False}
    tasks = {"sentiment_zh": TaskSettings()}
    # peft takes no places in words beside a prefix.
    places = tuning is not Tuning.PREFIX
    run = settings(encoder, tuning=tuning, rank=2, tasks=tasks, loop=loop, word_places=places)
    before = {name: value.clone() for name, value in load_encoder(encoder).named_parameters()}
    trained = train_multitask(run, Path("none"), tmp_path, loaded=TASKS)
    changed = sum(item.numel() for item in trained.model.encoder.parameters() if item.requires_grad)
    assert changed < sum(value.numel() for value in before.values()) / 2
    base = dict(load_base(trained.model.encoder).named_parameters())
    for name, value in before.items():
        kept = base.get(
            name,
            base.get(
                name.replace(".weight", ".base_layer.weight").replace(".bias", ".base_layer.bias")
            ),
        )
        torch.testing.assert_close(kept.detach(), value)
    assert 0.0 <= trained.figures["sentiment.accuracy"] <= 1.0


def load_encoder(folder: Path):
    from transformers import AutoModel

    return AutoModel.from_pretrained(folder)


def load_base(encoder):
    return encoder.get_base_model() if hasattr(encoder, "get_base_model") else encoder


def test_low_rank_weights_come_back_merged(encoder, tmp_path):
    loop = {"epochs": 2, "learning_rate": 3e-3, "trackers": (), "mixed_precision": False}
    run = settings(
        encoder, tuning=Tuning.LORA, rank=2, tasks={"entities_zh": TaskSettings()}, loop=loop
    )
    trained = train_multitask(run, Path("none"), tmp_path / "run", loaded=TASKS)
    save_model(trained.model, tmp_path / "model", trained.tokenizer.path)
    again = load_model(tmp_path / "model")
    ids, segments = torch.tensor([[2, 5, 6, 3]]), torch.tensor([[0, 1, 3, 0]])
    with torch.no_grad():
        ours, theirs = trained.model(ids, segments), again(ids, segments)
    torch.testing.assert_close(ours["entities"], theirs["entities"], atol=0.02, rtol=0.02)
    assert not hasattr(again.encoder, "peft_config")
    assert (tmp_path / "model" / "weights.safetensors").stat().st_size < 40_000


def test_tokens_bear_the_tags_of_their_spans(encoder):
    tokenizer = ModelTokenizer(encoder / "tokenizer.json", 32, word_places=True)
    (row,) = tokenizer.encode(["索尼 无线耳机"])
    spans = (Span(0, 2, "BRAND"), Span(5, 7, "PRODUCT_TYPE"))
    tags = ["B-BRAND", "I-BRAND", "O", "O", "B-PRODUCT_TYPE", "I-PRODUCT_TYPE"]
    assert token_tags(row, spans) == ["O", *tags, "O"]


def test_only_exact_spans_and_types_count():
    gold = [(Span(0, 2, "BRAND"), Span(4, 6, "MODEL"))]
    found = [(Span(0, 2, "BRAND"), Span(4, 5, "MODEL"), Span(4, 6, "BRAND"))]
    assert span_f1(gold, found) == pytest.approx(2 * 1 / 5)
    assert "BRAND" in span_report(["索尼无线耳机"], gold, found[:1])


def test_spans_are_found_in_texts_longer_than_the_window(trained):
    found = predict_spans(
        trained.model, trained.tokenizer, TASKS["entities_zh"], ["索尼无线耳机" * 20]
    )
    assert found[0]
    assert all(span.end <= 32 for span in found[0])


@pytest.mark.parametrize("weight", [0.0, 100.0])
def test_vectors_stay_where_they_were_if_they_are_to(encoder, tmp_path, weight):
    from transformers import BertModel

    tasks = {"entities_zh": TaskSettings()}
    if weight:
        tasks["matching_zh"] = TaskSettings(kept=True)
    chosen = settings(encoder, tasks=tasks, keep_vector=weight)
    made = train_multitask(chosen, tmp_path, tmp_path / "run", loaded=TASKS)
    rows = made.tokenizer.encode([item.other for item in pairs()])
    batch = inputs(rows)
    before = QueryModel(
        ModelSpec(word_places=chosen.word_places), BertModel.from_pretrained(encoder)
    )
    moved = distance_moved(read_vectors(made.model, batch), before.eval(), batch)
    assert (moved < 0.02) == bool(weight), moved


def test_what_is_kept_must_be_pairs_and_weigh(encoder, tmp_path):
    for tasks, weight, complaint in (
        ({"sentiment_zh": TaskSettings(kept=True)}, 1.0, "sentiment_zh: only pairs"),
        ({"matching_zh": TaskSettings(kept=True)}, 0.0, "keep_vector"),
    ):
        chosen = settings(encoder, tasks=tasks, keep_vector=weight)
        with pytest.raises(ValueError, match=complaint):
            train_multitask(chosen, tmp_path, tmp_path / "run", loaded=TASKS)


def read_vectors(model, batch):
    with torch.no_grad():
        return model.eval()(batch["input_ids"], batch["segments"])["sentence_embedding"]


def test_a_teacher_stands_in_for_a_label():
    logits = torch.tensor([[2.0, 0.0], [2.0, 0.0], [2.0, 0.0]])
    labels = torch.tensor([0, -100, 0])
    soft = torch.tensor([[0.0, 0.0], [0.2, 0.8], [0.9, 0.1]])
    losses = class_losses(logits, labels, soft)
    assert losses.isfinite().all()
    assert losses[1] > losses[0]
    hard = class_losses(logits, labels, None)
    torch.testing.assert_close(losses[0], hard[0])


def test_rows_are_encoded_up_to_the_limit(encoder):
    tokenizer = ModelTokenizer(encoder / "tokenizer.json", 32, word_places=True)
    assert len(encode_task(TASKS["entities_zh"], tokenizer, limit=3).rows) == 3
