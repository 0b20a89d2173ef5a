import gzip
import json

import pytest
import torch

from services.nlu.train.bigram_embedding import BigramEmbedding
from services.nlu.train.masking import IGNORED
from services.nlu.train.model import ModelSpec, QueryModel
from services.nlu.train.pretrain import PretrainSettings, pretrain
from services.nlu.train.pretrain_model import continued, pretraining_losses
from services.nlu.train.storage import save_model
from services.nlu.train.tuning import open_encoder

LOOP = {"epochs": 2, "learning_rate": 5e-3, "trackers": (), "mixed_precision": False}
TEXTS = [
    f"{brand}{kind}{mood}"
    for brand in ("索尼", "小米", "华为", "联想")
    for kind in ("无线耳机", "蓝牙音箱", "机械键盘", "游戏鼠标")
    for mood in ("很好用", "质量差", "值得买", "不推荐")
] * 4


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("\n".join(TEXTS) + "\n\n")
    return path


def small(texts, **changed) -> PretrainSettings:
    given = {
        "texts": str(texts),
        "layers": 1,
        "hidden": 24,
        "heads": 2,
        "intermediate": 32,
        "token_budget": 256,
        "loop": LOOP,
    }
    return PretrainSettings.model_validate(given | changed)


def test_an_encoder_learns_from_texts_alone_and_others_go_on_from_it(texts, tmp_path):
    history = pretrain(small(texts), tmp_path, tmp_path / "first")
    assert history.epochs[-1]["mlm_accuracy"] > 0.2
    encoder = open_encoder(str(tmp_path / "first" / "encoder"))
    assert encoder.config.hidden_size == 24

    again = small(texts, backbone=str(tmp_path / "first" / "encoder"), loop={**LOOP, "epochs": 1})
    pretrain(again, tmp_path, tmp_path / "second")
    first, second = (
        (tmp_path / run / "encoder" / "tokenizer.json").read_bytes() for run in ("first", "second")
    )
    assert first == second
    assert open_encoder(str(tmp_path / "second" / "encoder")).config.hidden_size == 24


def spec_of(encoder) -> ModelSpec:
    described = {name: item for name, item in encoder.config.to_dict().items() if name[0] != "_"}
    return ModelSpec(encoder=described, word_places=True)


def test_a_model_s_encoder_goes_on_with_more_places_and_bigrams(texts, tmp_path):
    pretrain(small(texts), tmp_path, tmp_path / "first")
    encoder = open_encoder(str(tmp_path / "first" / "encoder")).eval()
    masked = continued(encoder, max_tokens=300, buckets=64).eval()
    ids = torch.tensor([[2, 6, 7, 8, 3]])
    with torch.no_grad():
        before = encoder(input_ids=ids, attention_mask=ids.ne(0)).last_hidden_state
        after = masked.base_model(input_ids=ids, attention_mask=ids.ne(0)).last_hidden_state
        far = masked.base_model(input_ids=torch.full((1, 300), 6)).last_hidden_state
    torch.testing.assert_close(before, after)
    assert far.isfinite().all()

    save_model(
        QueryModel(spec_of(encoder), encoder),
        tmp_path / "taught" / "model",
        tmp_path / "first" / "encoder" / "tokenizer.json",
    )
    settings = small(texts, start="run:taught", bigram_buckets=64, max_tokens=160, dropout=False)
    pretrain(settings, tmp_path, tmp_path / "second")
    opened = open_encoder(str(tmp_path / "second" / "encoder"))
    assert isinstance(opened.get_input_embeddings(), BigramEmbedding)
    assert opened.config.max_position_embeddings == 160
    assert opened.config.hidden_dropout_prob > 0


def test_labels_of_texts_are_learnt_beside_their_hidden_words(texts, tmp_path):
    (tmp_path / "reviews_zh").mkdir()
    for half, chosen in (("train", TEXTS[:64]), ("dev", TEXTS[64:70])):
        with gzip.open(tmp_path / "reviews_zh" / f"{half}.jsonl.gz", "wt") as file:
            for text in chosen:
                label = int("很好用" in text or "值得买" in text)
                row = {"review": text, "label": label, "cat": "手机"}
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
    settings = small(texts, tasks=("sentiment_zh",), loop={**LOOP, "epochs": 4})
    history = pretrain(settings, tmp_path, tmp_path / "run")
    assert history.epochs[-1]["sentiment_accuracy"] > 0.8


def test_a_text_without_a_label_has_no_loss_of_its_class():
    class Given(torch.nn.Module):
        def forward(self, batch):
            return {"mlm": torch.zeros(1, 3), "sentiment": torch.tensor([[9.0, 0.0], [0.0, 9.0]])}

    def loss(*classes):
        batch = {"labels": torch.tensor([1]), "classes": {"sentiment": torch.tensor(classes)}}
        return float(pretraining_losses(Given(), batch)["sentiment"])

    assert loss(IGNORED, IGNORED) == 0.0
    assert loss(0, IGNORED) == pytest.approx(loss(0, 1), abs=1e-6)
    assert loss(1, IGNORED) > 8
