"""Tables of hashed windows, and the field that fills them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from services.nlu.learnt.tokens import ModelTokenizer
from services.nlu.train.crf_baseline import has_library
from services.nlu.train.evaluate import predict_spans, span_f1
from services.nlu.train.examples import Example, Span, TaskData, TaskKind
from services.nlu.train.model import HeadSpec, ModelSpec, QueryModel
from services.nlu.train.storage import load_model, save_model
from services.nlu.train.vocabulary import build_character_tokenizer, save_tokenizer
from services.nlu.train.window_start import add_field
from services.nlu.train.window_table import TEMPLATES, WindowTable, window_buckets

IDS = torch.tensor([[2, 6, 7, 8, 9, 10, 3]])
PLACES = torch.tensor([[0, 1, 3, 4, 1, 3, 0]])
BUCKETS = 8191


def test_a_window_reaches_two_tokens_to_either_side():
    before = window_buckets(IDS, PLACES, BUCKETS)
    assert before.shape == (1, 7, len(TEMPLATES))
    other = IDS.clone()
    other[0, 3] = 11
    changed = (window_buckets(other, PLACES, BUCKETS) != before).any(2)[0]
    assert changed.tolist() == [False, True, True, True, True, True, False]
    assert (window_buckets(IDS, None, BUCKETS) != before).any()


def test_padding_changes_nothing():
    padded = torch.cat([IDS, torch.zeros(1, 3, dtype=torch.int64)], dim=1)
    places = torch.cat([PLACES, torch.zeros(1, 3, dtype=torch.int64)], dim=1)
    alone, beside = window_buckets(IDS, PLACES, BUCKETS), window_buckets(padded, places, BUCKETS)
    assert torch.equal(alone, beside[:, :7])


def test_templates_are_told_apart():
    buckets = window_buckets(IDS, PLACES, 1_000_003)[0]
    assert all(len(set(token)) == len(TEMPLATES) for token in buckets.tolist())
    assert all(len(set(template)) > 3 for template in buckets.T[:10].tolist())


def test_a_table_begins_as_nothing():
    table = WindowTable(BUCKETS, 3)
    assert not table(IDS, PLACES).any()
    assert not table.weights.weight.requires_grad


TITLES = [
    f"{brand}{kind}{more}"
    for brand in ("索尼", "小米")
    for kind in ("耳机", "音箱", "键盘")
    for more in ("包邮", "新款", "黑色")
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory) -> ModelTokenizer:
    path = save_tokenizer(build_character_tokenizer(TITLES), tmp_path_factory.mktemp("tokenizer"))
    return ModelTokenizer(path, 32, word_places=True)


def _task() -> TaskData:
    examples = [Example(title, spans=(Span(0, 2, "BRAND"),)) for title in TITLES]
    return TaskData("entities", TaskKind.TOKENS, ("BRAND",), examples, examples[:6])


def _model(tokenizer, buckets: int) -> QueryModel:
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=tokenizer.vocabulary_size,
        hidden_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=32,
        type_vocab_size=5,
        pad_token_id=0,
    )
    torch.manual_seed(1)
    head = HeadSpec(
        name="entities", kind=TaskKind.TOKENS, labels=("BRAND",), window_buckets=buckets
    )
    described = {name: value for name, value in config.to_dict().items() if name[0] != "_"}
    spec = ModelSpec(encoder=described, heads=(head,), word_places=True, max_tokens=32)
    return QueryModel(spec, BertModel(config)).eval()


@pytest.mark.skipif(not has_library(), reason="python-crfsuite is not installed")
def test_a_field_teaches_a_tagger_that_knows_nothing(tokenizer, tmp_path):
    task, model = _task(), _model(tokenizer, BUCKETS)
    titles = [example.text for example in task.dev]
    gold = [example.spans for example in task.dev]
    before = span_f1(gold, predict_spans(model, tokenizer, task, titles))
    figures = add_field(model, tokenizer, task)
    assert figures[0.0] == before < 0.5
    assert max(figures.values()) == 1.0
    assert span_f1(gold, predict_spans(model, tokenizer, task, titles)) == 1.0

    save_model(model, tmp_path, tokenizer.path)
    again = load_model(tmp_path)
    assert predict_spans(again, tokenizer, task, titles) == gold


@pytest.mark.skipif(not has_library(), reason="python-crfsuite is not installed")
def test_the_graph_reads_windows_as_torch_does(tokenizer, tmp_path):
    import onnxruntime as ort

    from services.nlu.train.export import write_model

    task, model = _task(), _model(tokenizer, BUCKETS)
    add_field(model, tokenizer, task)
    write_model(model, tmp_path / "model.onnx", "fp32")
    session = ort.InferenceSession(str(tmp_path / "model.onnx"))
    ids, places = IDS.repeat(2, 1), PLACES.repeat(2, 1)
    ids[1, 4:], places[1, 4:] = 0, 0
    given = {"input_ids": ids.numpy().astype(np.int32), "segments": places.numpy().astype(np.int32)}
    (found,) = session.run(["entities"], given)
    with torch.no_grad():
        np.testing.assert_allclose(found, model(ids, places)["entities"].numpy(), atol=1e-4)


def test_a_head_without_a_table_is_refused(tokenizer):
    model = _model(tokenizer, 0)
    with pytest.raises(ValueError, match="no table of windows"):
        add_field(model, tokenizer, replace(_task(), train=()))
