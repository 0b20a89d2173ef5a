from pathlib import Path

import numpy as np
import pytest
import torch

from services.nlu.train.bigram_embedding import BigramEmbedding
from services.nlu.train.examples import TaskKind
from services.nlu.train.export import write_model
from services.nlu.train.model import HeadSpec, ModelSpec, QueryModel, Read, TokenHead
from services.nlu.train.pretrain import PretrainSettings, pretrain
from services.nlu.train.storage import load_model, save_model
from services.nlu.train.tuning import open_encoder

TEXTS = [
    "索尼无线耳机很好用",
    "小米蓝牙音箱质量差",
    "华为机械键盘值得买",
    "联想游戏鼠标不推荐",
] * 12


@pytest.fixture(scope="module")
def encoder(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("bigrams")
    (folder / "texts.txt").write_text("\n".join(TEXTS))
    settings = PretrainSettings(
        texts=str(folder / "texts.txt"),
        layers=1,
        hidden=24,
        heads=2,
        intermediate=32,
        bigram_buckets=256,
        token_budget=256,
        loop={"epochs": 1, "learning_rate": 5e-3, "trackers": (), "mixed_precision": False},
    )
    pretrain(settings, folder, folder / "run")
    return folder / "run" / "encoder"


def test_a_character_is_another_beside_others(encoder):
    table = open_encoder(str(encoder)).eval().get_input_embeddings()
    assert isinstance(table, BigramEmbedding)
    one, two = table(torch.tensor([[6, 7, 8], [6, 7, 9]]))
    torch.testing.assert_close(one[0], two[0])
    assert not torch.allclose(one[1], two[1])
    assert not torch.allclose(one[2], two[2])


def test_a_convolved_head_sees_bigrams_but_no_padding(encoder):
    torch.manual_seed(0)
    opened = open_encoder(str(encoder)).eval()
    spec = HeadSpec(name="entities", kind=TaskKind.TOKENS, labels=("BRAND",), convolved=True)
    head = TokenHead(spec, 24).eval()
    short, padded = torch.tensor([[6, 7, 8]]), torch.tensor([[6, 7, 8, 0, 0]])
    states = torch.randn(1, 5, 24)
    with torch.no_grad():
        alone = head(states[:, :3], Read(short, torch.ones(1, 3, 1), opened))
        beside = head(states, Read(padded, (padded != 0).unsqueeze(-1).float(), opened))
        other = head(states[:, :3], Read(torch.tensor([[6, 7, 9]]), torch.ones(1, 3, 1), opened))
    torch.testing.assert_close(alone, beside[:, :3])
    assert not torch.allclose(alone, other)


def test_the_table_comes_back_with_the_encoder(encoder):
    first = open_encoder(str(encoder)).get_input_embeddings()
    second = open_encoder(str(encoder)).get_input_embeddings()
    for name, value in first.state_dict().items():
        torch.testing.assert_close(value, second.state_dict()[name])
    assert float(first.bigrams.weight.detach().abs().max()) > 0


@pytest.mark.parametrize("convolved", [False, True])
def test_a_model_on_top_of_it_is_kept_and_exported(encoder, tmp_path, convolved):
    import onnxruntime as ort

    torch.manual_seed(0)
    opened = open_encoder(str(encoder))
    spec = ModelSpec(
        encoder={k: v for k, v in opened.config.to_dict().items() if k[0] != "_"},
        heads=(
            HeadSpec(name="entities", kind=TaskKind.TOKENS, labels=("BRAND",), convolved=convolved),
        ),
        word_places=True,
        max_tokens=32,
    )
    model = QueryModel(spec, opened).eval()
    save_model(model, tmp_path, encoder / "tokenizer.json")
    again = load_model(tmp_path)
    save_model(again, tmp_path / "kept", encoder / "tokenizer.json")
    kept = load_model(tmp_path / "kept")
    for name, value in again.state_dict().items():  # what is rounded once is not rounded again
        torch.testing.assert_close(value, kept.state_dict()[name], msg=name)
    ids, places = torch.tensor([[2, 6, 7, 8, 3]]), torch.tensor([[0, 1, 3, 4, 0]])
    with torch.no_grad():
        ours, theirs = model(ids, places), again(ids, places)
    torch.testing.assert_close(ours["entities"], theirs["entities"], atol=0.1, rtol=0.0)

    write_model(again, tmp_path / "model_fp32.onnx", "fp32")
    session = ort.InferenceSession(str(tmp_path / "model_fp32.onnx"))
    given = {"input_ids": ids.numpy().astype(np.int32), "segments": places.numpy().astype(np.int32)}
    (found,) = session.run(["entities"], given)
    np.testing.assert_allclose(found, theirs["entities"].numpy(), atol=1e-3)
