import numpy as np
import pytest

from services.nlu.train.pretrain import BIGRAMS, PretrainSettings, pretrain
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
    vectors = np.load(tmp_path / "first" / "encoder" / BIGRAMS)
    assert np.isfinite(vectors).all()

    again = small(texts, backbone=str(tmp_path / "first" / "encoder"), loop={**LOOP, "epochs": 1})
    pretrain(again, tmp_path, tmp_path / "second")
    first, second = (
        (tmp_path / run / "encoder" / "tokenizer.json").read_bytes() for run in ("first", "second")
    )
    assert first == second
    assert open_encoder(str(tmp_path / "second" / "encoder")).config.hidden_size == 24
