"""A tiny run, from corpus to graph."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="the extra `train` is not installed")
pytest.importorskip("transformers", reason="the extra `train` is not installed")
pytest.importorskip("peft", reason="the extra `train` is not installed")
pytest.importorskip("onnxscript", reason="the extra `models` is not installed")

import torch

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.train.batches import batches
from services.reason.train.corpus import CorpusSettings
from services.reason.train.export import gap_to_torch
from services.reason.train.marks import marks
from services.reason.train.measure import distinct, held_scenes, verdicts, write_all
from services.reason.train.model import (
    NetworkSettings,
    build_network,
    causal_loss,
    reason_loss,
    save_network,
)
from services.reason.train.package import make_graphs, open_package, package
from services.reason.train.recipe import Recipe, RecipeError, Stage, read_recipe
from services.reason.train.run import evaluate, open_run, train
from services.reason.train.served import FULL_GRAPH, kept_ids
from services.reason.train.torch_engine import TorchEngine
from services.reason.train.vocabulary import Encoded
from services.reason.wording.decode import decode
from services.reason.wording.onnx_engine import OnnxEngine
from services.reason.wording.sampling import SamplingSettings
from services.reason.wording.served import GRAPH, read_grammar

CORPUS = CorpusSettings(scenes=150, catalogues={"bundled": 1.0})
TINY = Recipe(
    corpus=CORPUS,
    vocabulary=1_200,
    network=NetworkSettings(layers=2, width=32, heads=2, positions=160, dropout=0.0),
    stages=[Stage(parts={"reasons": 1.0}, epochs=4, learning_rate=5e-3)],
    batch_tokens=512,
    judged_scenes=40,
)


BY_WORDS = ("comparative", "negation")
"""Causes that are no matter of values: the words of the kind lack what they must say."""


def by_words(causes: Iterable[str]) -> bool:
    """Whether all are; a network this small also swaps part and whole of praise."""
    return all(cause.endswith(BY_WORDS) or cause.startswith("praised_") for cause in causes)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run")
    train(TINY, tmp_path_factory.mktemp("data"), out)
    return out


def test_training_lowers_the_perplexity(run: Path) -> None:
    history = json.loads((run / "history.json").read_text())
    assert [record["epoch"] for record in history] == [1, 2, 3, 4]
    assert history[1]["perplexity"] < history[0]["perplexity"] < 500
    # So little training writes no sentences, but what is copied is right from the first epoch on.
    for record in history:
        assert record["claims"] > 0
        assert by_words(record["causes"]), record["causes"]
    assert (run / "samples.txt").read_text().count("\n") == 40


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    few = CorpusSettings(scenes=20, catalogues={"bundled": 1.0})
    first = TINY.model_copy(update={"checkpoint_seconds": 1e-6, "corpus": few})
    train(first.model_copy(update={"max_steps": 4}), tmp_path, tmp_path)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert state["place"]["stage"] == 1
    # A run that has ended has nothing left to do.
    history = train(first, tmp_path, tmp_path)
    assert history == json.loads((tmp_path / "history.json").read_text())


def test_a_run_begins_from_another_with_the_kinds_that_it_lacks(run: Path, tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    network, vocabulary, _ = open_run(run)
    # As if the run had not known its last token, a kind of evidence.
    missing = marks()[-1]
    content = json.loads(vocabulary.tokenizer.to_str())
    content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] != missing]
    del content["model"]["vocab"][missing]
    content["model"]["vocab"]["<nothing>"] = vocabulary.tokenizer.token_to_id(missing)
    (before / "tokenizer.json").write_text(json.dumps(content))
    save_network(network, TINY.network, before)
    out = tmp_path / "after"
    recipe = TINY.model_copy(update={"stages": [Stage(parts={"reasons": 1.0})], "max_steps": 1})
    history = train(recipe, tmp_path, out, start=before)
    added = json.loads((out / "tokenizer.json").read_text())["added_tokens"]
    assert missing in {token["content"] for token in added}
    assert json.loads((out / "config.json").read_text())["vocabulary"] == vocabulary.size + 1
    last = json.loads((run / "history.json").read_text())[-1]["perplexity"]
    assert history[0]["perplexity"] < 2 * last


def test_the_loss_counts_the_reason_alone() -> None:
    network = build_network(NetworkSettings(layers=1, width=16, heads=2, positions=16), 50).eval()
    batch = next(batches([Encoded([3, 4, 5, 6, 7], 3)], 64, None))
    ids, targets = torch.from_numpy(batch.ids), torch.from_numpy(batch.targets)
    assert targets.tolist() == [[False, False, False, True, True]]
    with torch.no_grad():
        logits = network(input_ids=ids).logits.log_softmax(-1)
        by_hand = -(logits[0, 2, 6] + logits[0, 3, 7]) / 2
        assert float(reason_loss(network, ids, targets)) == pytest.approx(float(by_hand), abs=1e-4)
        assert float(causal_loss(network, ids, targets)) == pytest.approx(float(by_hand), abs=1e-4)


def test_padding_changes_nothing() -> None:
    network = build_network(NetworkSettings(layers=2, width=16, heads=2, positions=16), 50).eval()
    alone = TorchEngine(network).start(np.array([[5, 6, 7]]))
    padded = TorchEngine(network).start(np.array([[0, 0, 5, 6, 7], [4, 3, 2, 8, 9]]))
    assert np.allclose(alone[0], padded[0], atol=1e-5)


def test_graphs_agree_with_torch_and_write_the_same(run: Path, tmp_path: Path) -> None:
    package(run, tmp_path)
    gaps = make_graphs(tmp_path)
    assert gaps["fp32"] < 1e-3
    assert make_graphs(tmp_path) == {}
    network, _, grammar = open_run(run)
    served = read_grammar(tmp_path, DEFAULT_BANNED_WORDS)
    assert gap_to_torch(open_package(tmp_path), tmp_path / FULL_GRAPH) < 1e-3
    # Half precision and fewer tokens change next to nothing of what the run's network says.
    kept = kept_ids(grammar)
    prefix = [1, 2, 3]
    whole = TorchEngine(network).start(np.array([[kept[i] for i in prefix]]))[:, kept]
    small = OnnxEngine(tmp_path / FULL_GRAPH).start(np.array([prefix]))
    assert np.abs(whole - small).max() < 0.05
    held = held_scenes(CORPUS, tmp_path, "test", 60)
    how = SamplingSettings(max_tokens=60)
    for name in (FULL_GRAPH, GRAPH):
        written = write_all(held, served, OnnxEngine(tmp_path / name), how)
        assert any(one.reason is not None for one in written)
        assert by_words(verdicts(written)["causes"])


def test_a_page_is_the_same_alone_and_together(run: Path) -> None:
    network, _, grammar = open_run(run)
    held = held_scenes(CORPUS, run, "test", 12)
    how = SamplingSettings(temperature=0, max_tokens=60)
    # A corpus this small says not every kind in both languages.
    wanted = [
        one.wanted for one in held if grammar.knows_all(one.wanted.evidence, one.wanted.language)
    ][:4]
    assert len(wanted) > 2
    together = decode(wanted, grammar, TorchEngine(network), how)
    alone = [decode([one], grammar, TorchEngine(network), how)[0] for one in wanted]
    assert together == alone


def test_held_out_products_are_measured(run: Path, tmp_path: Path) -> None:
    figures, written = evaluate(TINY, tmp_path, run, "test", 10)
    assert figures["reasons"] == len(written) == 10
    assert 1 < figures["perplexity"] < 500
    assert 0 <= figures["obedience"] <= 1


def test_recipes_that_come_along_are_read() -> None:
    assert read_recipe("reason_small").lora is None
    assert read_recipe("reason_lora").lora is not None


def test_a_recipe_that_is_wrong_says_where(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="no recipe 'nowhere'"):
        read_recipe("nowhere")
    path = tmp_path / "wrong.toml"
    path.write_text("stages = []\nwidth = 3\n")
    with pytest.raises(RecipeError, match="width"):
        read_recipe(str(path))


def test_distinct_counts_runs_of_words() -> None:
    assert distinct(["a b", "a b"], 1) == 0.5
    assert distinct(["红色", "红色"], 2) == 0.5
    assert distinct([], 1) == 0.0
