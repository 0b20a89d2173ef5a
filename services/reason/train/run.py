"""One training run: corpus, vocabulary, network, and what is measured after each epoch.

A run's folder holds the corpus, tokenizer.json, lexis.json, config.json, weights.pt (of the last
epoch), history.json, samples.txt and the checkpoint that the same command goes on from.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from tqdm import tqdm

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.train import corpus, lora
from services.reason.train.learnt_lexis import lexis_of
from services.reason.train.measure import Held, Written, held_scenes, report
from services.reason.train.model import (
    build_network,
    causal_loss,
    load_network,
    reason_loss,
    save_network,
    take_weights,
)
from services.reason.train.recipe import Recipe
from services.reason.train.torch_engine import TorchEngine
from services.reason.train.trainer import Trainer, perplexity
from services.reason.train.vocabulary import (
    Encoded,
    Vocabulary,
    add_marks,
    texts_of,
    train_tokenizer,
)
from services.reason.wording.grammar import Grammar
from services.reason.wording.guard import Guard, guarded_words
from services.reason.wording.lexis import Lexis
from services.reason.wording.sampling import SamplingSettings

CORPUS, TOKENIZER, LEXIS, SAMPLES = "corpus", "tokenizer.json", "lexis.json", "samples.txt"
PARTS: Final = (corpus.REASONS, *corpus.TEXTS)
_TOKENIZER_ROWS: Final = 40_000
_SHOWN: Final = 6
_TORCH: Any = torch
_JUDGED_TOKENS: Final = 8_192


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run trains and is judged on."""

    vocabulary: Vocabulary
    parts: dict[str, list[Encoded]]
    dev: list[Encoded]
    grammar: Grammar


def train(recipe: Recipe, data: Path, out: Path, start: Path | None = None) -> list[dict[str, Any]]:
    """Trains by a recipe, from where an earlier run in the folder stopped.

    Args:
        recipe: The recipe.
        data: Folder of the data sets.
        out: Folder of the run.
        start: Folder of another run that this one begins from, with its tokens and weights; kinds
            of evidence that it does not know are added. None begins from chance.

    Returns:
        What was measured, a record an epoch.

    Raises:
        ValueError: The network of `start` has another size.
    """
    folder = build_corpus(recipe, data, out)
    _TORCH.manual_seed(recipe.seed)
    if recipe.lora is not None:
        said = texts_of(corpus.read(folder, corpus.REASONS, "train"))
        network, vocabulary = lora.open_model(recipe.lora, out, said)
        loss, keep = causal_loss, lambda: lora.save_model(network, out)
    else:
        vocabulary = own_vocabulary(recipe, folder, out, start)
        network = build_network(recipe.network, vocabulary.size)
        if start is not None:
            take_weights(network, start)
        loss, keep = reason_loss, lambda: save_network(network, recipe.network, out)
    ready = prepare(vocabulary, folder, out, positions_of(network))
    held = held_scenes(recipe.corpus, data, "dev", recipe.judged_scenes)
    judge = _judge(ready, held, out, loss)
    trainer = Trainer(network, recipe, ready.parts, loss=loss, judge=judge, keep=keep, folder=out)
    return trainer.run()


def build_corpus(recipe: Recipe, data: Path, out: Path) -> Path:
    """Returns the folder of the run's corpus, which is written unless it is there."""
    folder = out / CORPUS
    done = folder / "counts.json"
    if not done.is_file():
        counts = corpus.build(recipe.corpus, data, folder)
        done.write_text(json.dumps(counts, indent=1) + "\n", encoding="utf-8")
    return folder


def own_vocabulary(recipe: Recipe, folder: Path, out: Path, start: Path | None) -> Vocabulary:
    """Returns the run's vocabulary, which is taken from `start` or trained unless it is there."""
    path = out / TOKENIZER
    if start is not None and not path.is_file():
        tokenizer = Vocabulary.load(start / TOKENIZER).tokenizer
        add_marks(tokenizer)
        tokenizer.save(str(path))
    elif not path.is_file():
        reasons = list(corpus.read(folder, corpus.REASONS, "train"))[:_TOKENIZER_ROWS]
        rows = [*reasons, *(row for n in corpus.TEXTS for row in corpus.read(folder, n, "train"))]
        train_tokenizer(texts_of(rows), recipe.vocabulary).save(str(path))
    return Vocabulary.load(path)


def prepare(vocabulary: Vocabulary, folder: Path, out: Path, positions: int) -> Prepared:
    """Reads the corpus to ids, and writes its lexis."""
    rows = corpus.read(folder, corpus.REASONS, "train")
    lexis = lexis_of(rows, vocabulary, vocabulary.table().texts)
    (out / LEXIS).write_text(json.dumps(lexis.content()) + "\n", encoding="utf-8")
    parts = {
        name: [
            vocabulary.encode(row)
            for row in tqdm(corpus.read(folder, name, "train"), desc=f"tokens, {name}", unit="row")
        ]
        for name in PARTS
    }
    dev = [vocabulary.encode(row) for row in corpus.read(folder, corpus.REASONS, "dev")]
    return Prepared(vocabulary, parts, dev, make_grammar(vocabulary, lexis, positions))


def make_grammar(vocabulary: Vocabulary, lexis: Lexis, positions: int) -> Grammar:
    """Returns the constraint's grammar with the words that the service bans by default."""
    guard = Guard(guarded_words(DEFAULT_BANNED_WORDS))
    return Grammar(vocabulary.table(), lexis, guard, positions)


def positions_of(network: Any) -> int:
    """Returns how many tokens a causal model of transformers reads at most."""
    return int(network.config.max_position_embeddings)


def open_run(out: Path) -> tuple[Any, Vocabulary, Grammar]:
    """Returns the network of a run's last epoch, its vocabulary and its grammar.

    Raises:
        FileNotFoundError: No epoch of such a run has ended.
    """
    if not (out / LEXIS).is_file():
        raise FileNotFoundError(f"{out} holds no run whose first epoch has ended")
    if lora.is_adapted(out):
        network, vocabulary = lora.load_model(out)
    else:
        network, vocabulary = load_network(out), Vocabulary.load(out / TOKENIZER)
    lexis = Lexis.of(json.loads((out / LEXIS).read_text(encoding="utf-8")))
    return network, vocabulary, make_grammar(vocabulary, lexis, positions_of(network))


def evaluate(
    recipe: Recipe, data: Path, out: Path, split: str, scenes: int
) -> tuple[dict[str, Any], list[Written]]:
    """Measures a run's last epoch on held-out products.

    Args:
        recipe: Of the run.
        data: Folder of the data sets.
        out: Folder of the run.
        split: "dev" or "test".
        scenes: How many are written on.

    Returns:
        The figures, and what was written.
    """
    network, vocabulary, grammar = open_run(out)
    held = held_scenes(recipe.corpus, data, split, scenes)
    figures, written = report(held, grammar, TorchEngine(network), SamplingSettings())
    rows = [vocabulary.encode(row) for row in corpus.read(out / CORPUS, corpus.REASONS, split)]
    loss = causal_loss if recipe.lora is not None else reason_loss
    return {"perplexity": perplexity(network, rows, loss, _JUDGED_TOKENS), **figures}, written


def _judge(
    ready: Prepared, held: Sequence[Held], out: Path, loss: Any
) -> Callable[[Any], dict[str, Any]]:
    def judge(network: Any) -> dict[str, Any]:
        value = perplexity(network, ready.dev, loss, _JUDGED_TOKENS)
        figures, written = report(held, ready.grammar, TorchEngine(network), SamplingSettings())
        texts = [one.reason.text if one.reason is not None else "(none)" for one in written]
        (out / SAMPLES).write_text("\n".join(texts) + "\n", encoding="utf-8")
        step = max(1, len(texts) // _SHOWN)
        for line in (f"perplexity {value:.3f}, {json.dumps(figures)}", *texts[::step]):
            tqdm.write(line)
        return {"perplexity": value, **figures}

    return judge
