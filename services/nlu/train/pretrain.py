"""Pretraining of the Chinese encoder by masked language modelling on shopping texts."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from transformers import AutoModelForMaskedLM, BertConfig, BertForMaskedLM

from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train.arrays import seed_torch, to_tensor
from services.nlu.train.batching import token_batches
from services.nlu.train.bigram_embedding import BUCKETS, BigramEmbedding, fit_bigrams
from services.nlu.train.character_vectors import bigram_vectors, character_vectors
from services.nlu.train.corpus import chinese_texts, pieces
from services.nlu.train.loop import LoopSettings, Recipe, train
from services.nlu.train.masking import IGNORED, Masking
from services.nlu.train.model import HeadSpec
from services.nlu.train.ngrams import CONTEXT_DIMENSION
from services.nlu.train.pretrain_model import (
    Pretraining,
    continued,
    pretraining_losses,
    without_dropout,
)
from services.nlu.train.progress import History, is_begun
from services.nlu.train.storage import is_model, load_model, tokenizer_of
from services.nlu.train.tasks import load_task
from services.nlu.train.tuning import encoder_folder, open_encoder
from services.nlu.train.vocabulary import (
    MASK,
    SPECIAL,
    build_character_tokenizer,
    save_tokenizer,
)

INITIAL_SPREAD = 0.05
"""Standard deviation of the vectors of co-occurrence when training begins."""

HELD_TEXTS = 2_000
"""Texts kept out of the training, for the figures of an epoch."""

HEAD_RATE = 3.0
"""Factor on the learning rate of the heads of classes, which start from chance."""


class PretrainSettings(BaseModel):
    """A recipe of pretraining."""

    backbone: str = ""
    """A package's name, a folder, or any name that transformers resolves: its training goes on,
    with its own tokenizer. "" begins anew, with a character vocabulary and the sizes below."""
    start: str = ""
    """"run:NAME" goes on from the encoder that another run made, pretraining or multi-task, with
    its tokenizer; or a folder of such an encoder or model."""
    texts: str = ""
    """A file of one text a line; "" is the Chinese texts of the data sets."""
    tasks: tuple[str, ...] = ()
    """Tasks of classes whose training labels are learnt beside, by the names of `tasks.TASKS`."""
    layers: int = 4
    hidden: int = 312
    heads: int = 12
    intermediate: int = 1248
    max_tokens: int = 128
    bigram_buckets: int = 0
    """Rows of a table of hashed bigrams beside that of the characters; 0 has none."""
    dropout: bool = True
    """False spares its time, for a training of few passes."""
    token_budget: int = 4096
    loop: LoopSettings = LoopSettings()


def pretrain(settings: PretrainSettings, data: Path, folder: Path) -> History:
    """Trains an encoder, writing it with its tokenizer to `folder`/encoder.

    Args:
        settings: The recipe.
        data: Folder of the data sets.
        folder: Of the run; a run that stopped is taken up.
    """
    texts = _texts(settings, data)
    start = _found(settings.start, folder.parent)
    tokenizer = _open_tokenizer(settings, start, texts, folder / "encoder")
    rows = tokenizer.encode(texts)
    heads, classes = _classes(settings, data, texts)
    order: list[int] = np.random.default_rng(settings.loop.seed).permutation(len(rows)).tolist()
    held_texts = min(HELD_TEXTS, len(rows) // 10)
    held, kept = order[:held_texts], order[held_texts:]
    # A run that is taken up has its vectors already.
    counted = [] if is_begun(folder) else [rows[at] for at in kept]
    masked = _new_model(settings, start, tokenizer.vocabulary_size, counted)
    model = Pretraining(masked, heads)
    if not settings.dropout:
        without_dropout(model)
    special = [tokenizer.id_of(token) for token in SPECIAL]
    masking = Masking(tokenizer.id_of(MASK), max(special) + 1, tokenizer.vocabulary_size)

    def batches(epoch: int) -> Sequence[Any]:
        lengths = [len(rows[at].ids) for at in kept]
        return token_batches(lengths, settings.token_budget, seed=settings.loop.seed, epoch=epoch)

    def collate(texts_at: Sequence[int], random: np.random.Generator) -> Mapping[str, Any]:
        of_classes = {
            name: torch.tensor([known[at] for at in texts_at]) for name, known in classes.items()
        }
        return {**_hidden([rows[at] for at in texts_at], masking, random), "classes": of_classes}

    def collate_kept(batch: list[int], step: int) -> Mapping[str, Any]:
        return collate([kept[at] for at in batch], np.random.default_rng([17, step]))

    def evaluate(model: Any) -> Mapping[str, float]:
        random = np.random.default_rng(0)
        lengths = [len(rows[at].ids) for at in held]
        total = 0.0
        right = dict.fromkeys(("mlm", *classes), 0.0)
        count = dict.fromkeys(right, 1e-9)
        for batch in token_batches(lengths, 8192, seed=0, epoch=0, shuffle=False):
            inputs = collate([held[at] for at in batch], random)
            outputs = model(inputs)
            gold: Mapping[str, torch.Tensor] = {"mlm": inputs["labels"], **inputs["classes"]}
            total += float(
                torch.nn.functional.cross_entropy(outputs["mlm"], gold["mlm"], reduction="sum")
            )
            for name, labels in gold.items():
                right[name] += float((outputs[name].argmax(-1) == labels).sum())
                count[name] += float((labels != IGNORED).sum())
        shares = {f"{name}_accuracy": right[name] / count[name] for name in right}
        return {"mlm_loss": total / count["mlm"], **shares}

    history = train(
        Recipe(
            model,
            batches,
            collate_kept,
            pretraining_losses,
            evaluate,
            rates={"heads": HEAD_RATE},
        ),
        settings.loop,
        folder,
        title=folder.name,
    )
    model.encoder.save_pretrained(folder / "encoder")
    return history


def _texts(settings: PretrainSettings, data: Path) -> list[str]:
    if not settings.texts:
        return chinese_texts(data, window=settings.max_tokens - 2)
    lines = Path(settings.texts).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip()]


def _classes(
    settings: PretrainSettings, data: Path, texts: Sequence[str]
) -> tuple[list[HeadSpec], dict[str, list[int]]]:
    """The heads of the recipe's tasks, and per head the class of each text."""
    heads: list[HeadSpec] = []
    classes: dict[str, list[int]] = {}
    for name in settings.tasks:
        task = load_task(name, data)
        heads.append(HeadSpec(name=task.head, kind=task.kind, labels=task.labels))
        at = {label: number for number, label in enumerate(task.labels)}
        known = {
            piece: at[example.label]
            for example in task.train
            for piece in pieces(example.text, settings.max_tokens - 2)
        }
        classes[task.head] = [known.get(text, IGNORED) for text in texts]
    return heads, classes


def _open_tokenizer(
    settings: PretrainSettings, start: str, texts: Sequence[str], folder: Path
) -> ModelTokenizer:
    """The backbone's own, or one of characters; its file is put beside the encoder to come."""
    path = folder / "tokenizer.json"
    if settings.backbone or start:
        folder.mkdir(parents=True, exist_ok=True)
        known = Path(start) / "tokenizer.json" if start else tokenizer_of(settings.backbone)
        shutil.copyfile(known, path)
    else:
        path = save_tokenizer(build_character_tokenizer(texts), folder)
    return ModelTokenizer(path, settings.max_tokens, word_places=not settings.backbone)


def _found(start: str, runs: Path) -> str:
    """The folder that a recipe goes on from: what "run:NAME" left, or the folder itself."""
    if not start.startswith("run:"):
        return start
    run = runs / start.removeprefix("run:")
    return str(run / "model" if is_model(run / "model") else run / "encoder")


def _encoder_in(folder: Path) -> Any:
    return load_model(folder).encoder if is_model(folder) else open_encoder(str(folder))


def _new_model(
    settings: PretrainSettings, start: str, vocabulary: int, rows: Sequence[TokenRow]
) -> Any:
    seed_torch(settings.loop.seed)
    loader: Any = AutoModelForMaskedLM
    if settings.backbone:
        return loader.from_pretrained(encoder_folder(settings.backbone))
    carried = False
    if start:
        encoder = _encoder_in(Path(start))
        carried = isinstance(encoder.get_input_embeddings(), BigramEmbedding)
        model = continued(encoder, max_tokens=settings.max_tokens, buckets=settings.bigram_buckets)
    else:
        model = _from_chance(settings, vocabulary, rows)
    table = model.get_input_embeddings()
    if rows and not carried and isinstance(table, BigramEmbedding):
        table.load(bigram_vectors(rows, vocabulary, table.buckets, CONTEXT_DIMENSION))
    return model


def _from_chance(settings: PretrainSettings, vocabulary: int, rows: Sequence[TokenRow]) -> Any:
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=settings.hidden,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=settings.intermediate,
        max_position_embeddings=settings.max_tokens,
        type_vocab_size=5,
        pad_token_id=0,
    )
    if settings.bigram_buckets:
        setattr(config, BUCKETS, settings.bigram_buckets)
    model: Any = BertForMaskedLM(config)
    if rows:
        # Vectors of co-occurrence spare the first thousand steps, in which characters find company.
        vectors = to_tensor(character_vectors(rows, vocabulary, settings.hidden))
        words = model.bert.embeddings.word_embeddings.weight
        with torch.no_grad():
            words.copy_(vectors / vectors.std() * INITIAL_SPREAD)
            words[0].zero_()
    fit_bigrams(model.base_model)
    model.tie_weights()
    return model


def _hidden(
    rows: Sequence[TokenRow], masking: Masking, random: np.random.Generator
) -> dict[str, Any]:
    """A batch with words hidden; see `Pretraining.forward`."""
    longest = max(len(row.ids) for row in rows)
    ids = np.zeros((len(rows), longest), dtype=np.int64)
    segments, labels = np.zeros_like(ids), np.full_like(ids, IGNORED)
    for at, row in enumerate(rows):
        length = len(row.ids)
        ids[at, :length], labels[at, :length] = masking.apply(row.ids, row.segments, random)
        segments[at, :length] = row.segments
    chosen = labels != IGNORED
    return {
        "input_ids": to_tensor(ids),
        "segments": to_tensor(segments),
        "chosen": to_tensor(chosen),
        "labels": to_tensor(labels[chosen]),
    }
