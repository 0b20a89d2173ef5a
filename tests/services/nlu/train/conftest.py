from collections.abc import Callable
from pathlib import Path

import pytest

SENTENCES = [
    "红色运动鞋 男 42码",
    "屏幕很清楚，电池也耐用",
    "送给妈妈的真丝围巾，质量好",
    "华为手机壳 防摔",
    "酒店的早餐一般，房间干净",
    "苹果很甜，包装完好",
    "热水器安装师傅很热情",
    "这本书值得一读",
] * 3


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Writes a small model of chance weights: a token head and two class heads."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from services.nlu.train.examples import TaskKind
    from services.nlu.train.model import HeadSpec, ModelSpec, QueryModel
    from services.nlu.train.storage import save_model
    from services.nlu.train.vocabulary import build_character_tokenizer, save_tokenizer

    def write(folder: Path, *, layers: int = 2, seed: int = 3) -> Path:
        tokenizer = build_character_tokenizer(SENTENCES)
        path = save_tokenizer(tokenizer, tmp_path_factory.mktemp("tokenizer"))
        config = transformers.BertConfig(
            vocab_size=tokenizer.get_vocab_size(),
            hidden_size=32,
            num_hidden_layers=layers,
            num_attention_heads=4,
            intermediate_size=64,
            max_position_embeddings=64,
            type_vocab_size=5,
            pad_token_id=0,
        )
        torch.manual_seed(seed)
        spec = ModelSpec(
            encoder=config.to_dict(),
            heads=(
                HeadSpec(name="entities", kind=TaskKind.TOKENS, labels=("BRAND", "MODEL")),
                HeadSpec(name="sentiment", kind=TaskKind.CLASSES, labels=("negative", "positive")),
                HeadSpec(
                    name="category",
                    kind=TaskKind.CLASSES,
                    labels=("书籍", "手机", "酒店"),
                    ngram_buckets=256,
                ),
            ),
            word_places=True,
            max_tokens=64,
        )
        model = QueryModel(spec, transformers.BertModel(config)).eval()
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                # Wider than at the start of a training, so that attention and heads say something.
                if parameter.ndim > 1:
                    parameter.normal_(0.0, 0.25 if "encoder.layer" in name else 0.5)
                elif name.endswith("bias"):
                    parameter.normal_(0.0, 0.2)
        save_model(model, folder, path)
        return folder

    return write


@pytest.fixture(scope="session")
def traced_tiny(tiny_folder: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model's folder with its graph in every precision; tracing takes seconds."""
    pytest.importorskip("onnx")
    from services.nlu.learnt.tokens import ModelTokenizer
    from services.nlu.train.export import write_model
    from services.nlu.train.quantise import (
        Precision,
        quantise_as_it_runs,
        quantise_by_calibration,
    )
    from services.nlu.train.storage import load_model

    folder = tiny_folder(tmp_path_factory.mktemp("models") / "tiny" / "1")
    model = load_model(folder)
    write_model(model, folder / "fp32.onnx", Precision.FP32)
    write_model(model, folder / "fp32-fused.onnx", Precision.FP32_FUSED)
    quantise_as_it_runs(folder / "fp32-fused.onnx", folder / "int8.onnx")
    tokens = ModelTokenizer(folder / "tokenizer.json", 64, word_places=True)
    rows = tokens.encode(SENTENCES[:8])
    quantise_by_calibration(folder / "fp32.onnx", folder / "int8-static.onnx", rows)
    return folder
