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
from services.nlu.train.corpus import chinese_texts
from services.nlu.train.loop import History, LoopSettings, Recipe, train
from services.nlu.train.masking import IGNORED, Masking
from services.nlu.train.ngrams import CONTEXT_DIMENSION
from services.nlu.train.storage import tokenizer_of
from services.nlu.train.tuning import encoder_folder
from services.nlu.train.vocabulary import (
    MASK,
    SPECIAL,
    build_character_tokenizer,
    save_tokenizer,
)

MAX_TOKENS = 128
BIGRAMS = "bigrams.npy"
"""Vectors of hashed bigrams, in the folder of the encoder."""

BIGRAM_BUCKETS = 65_536

INITIAL_SPREAD = 0.05
"""Standard deviation of the vectors of co-occurrence when training begins."""

HELD_TEXTS = 2_000
"""Texts kept out of the training, for the figures of an epoch."""


class PretrainSettings(BaseModel):
    """A recipe of pretraining."""

    backbone: str = ""
    """A package's name, a folder, or any name that transformers resolves: its training goes on,
    with its own tokenizer. "" begins anew, with a character vocabulary and the sizes below."""
    texts: str = ""
    """A file of one text a line; "" is the Chinese texts of the data sets."""
    layers: int = 4
    hidden: int = 312
    heads: int = 12
    intermediate: int = 1248
    bigram_buckets: int = 0
    """Rows of a table of hashed bigrams beside that of the characters; 0 has none."""
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
    tokenizer = _open_tokenizer(settings, texts, folder / "encoder")
    rows = tokenizer.encode(texts)
    order: list[int] = np.random.default_rng(settings.loop.seed).permutation(len(rows)).tolist()
    held_texts = min(HELD_TEXTS, len(rows) // 10)
    held = [rows[at] for at in order[:held_texts]]
    kept = [rows[at] for at in order[held_texts:]]
    model = _new_model(settings, tokenizer.vocabulary_size, kept)
    lengths = [len(row.ids) for row in kept]
    special = [tokenizer.id_of(token) for token in SPECIAL]
    masking = Masking(tokenizer.id_of(MASK), max(special) + 1, tokenizer.vocabulary_size)

    def batches(epoch: int) -> Sequence[Any]:
        return token_batches(lengths, settings.token_budget, seed=settings.loop.seed, epoch=epoch)

    def collate(batch: list[int], step: int) -> Mapping[str, Any]:
        return _collate([kept[at] for at in batch], masking, np.random.default_rng([17, step]))

    def evaluate(model: Any) -> Mapping[str, float]:
        random = np.random.default_rng(0)
        total = right = count = 0.0
        held_lengths = [len(row.ids) for row in held]
        for batch in token_batches(held_lengths, 8192, seed=0, epoch=0, shuffle=False):
            inputs = _collate([held[at] for at in batch], masking, random)
            logits = _predict(model, inputs)
            labels = inputs["labels"]
            total += float(torch.nn.functional.cross_entropy(logits, labels, reduction="sum"))
            right += float((logits.argmax(-1) == labels).sum())
            count += len(labels)
        return {"mlm_loss": total / count, "mlm_accuracy": right / count}

    history = train(
        Recipe(model, batches, collate, _loss, evaluate), settings.loop, folder, title="pretrain"
    )
    model.base_model.save_pretrained(folder / "encoder")
    vectors = bigram_vectors(kept, tokenizer.vocabulary_size, BIGRAM_BUCKETS, CONTEXT_DIMENSION)
    np.save(folder / "encoder" / BIGRAMS, vectors)
    return history


def _texts(settings: PretrainSettings, data: Path) -> list[str]:
    if not settings.texts:
        return chinese_texts(data)
    lines = Path(settings.texts).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.strip()]


def _open_tokenizer(
    settings: PretrainSettings, texts: Sequence[str], folder: Path
) -> ModelTokenizer:
    """The backbone's own, or one of characters; its file is put beside the encoder to come."""
    if settings.backbone:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(tokenizer_of(settings.backbone), folder / "tokenizer.json")
        return ModelTokenizer(folder / "tokenizer.json", MAX_TOKENS, word_places=False)
    path = save_tokenizer(build_character_tokenizer(texts), folder)
    return ModelTokenizer(path, MAX_TOKENS, word_places=True)


def _new_model(settings: PretrainSettings, vocabulary: int, rows: Sequence[TokenRow]) -> Any:
    seed_torch(settings.loop.seed)
    loader: Any = AutoModelForMaskedLM
    if settings.backbone:
        return loader.from_pretrained(encoder_folder(settings.backbone))
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=settings.hidden,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        intermediate_size=settings.intermediate,
        max_position_embeddings=MAX_TOKENS,
        type_vocab_size=5,
        pad_token_id=0,
    )
    if settings.bigram_buckets:
        setattr(config, BUCKETS, settings.bigram_buckets)
    model: Any = BertForMaskedLM(config)
    # Vectors of co-occurrence spare the first thousand steps, in which characters find company.
    vectors = to_tensor(character_vectors(rows, vocabulary, settings.hidden))
    words = model.bert.embeddings.word_embeddings.weight
    with torch.no_grad():
        words.copy_(vectors / vectors.std() * INITIAL_SPREAD)
        words[0].zero_()
    fit_bigrams(model.base_model)
    table = model.get_input_embeddings()
    if isinstance(table, BigramEmbedding):
        table.load(bigram_vectors(rows, vocabulary, table.buckets, CONTEXT_DIMENSION))
    model.tie_weights()
    return model


def _collate(
    rows: Sequence[TokenRow], masking: Masking, random: np.random.Generator
) -> Mapping[str, Any]:
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


def _predict(model: Any, batch: Mapping[str, Any]) -> torch.Tensor:
    ids = batch["input_ids"]
    given = {"input_ids": ids, "attention_mask": (ids != 0).long()}
    if batch["segments"].any():
        given["token_type_ids"] = batch["segments"]
    if not hasattr(model, "cls"):  # not of BERT's kind
        return model(**given).logits[batch["chosen"]]
    states = model.base_model(**given).last_hidden_state
    # The output layer is as wide as the vocabulary: it reads the hidden tokens alone.
    return model.cls(states[batch["chosen"]])


def _loss(model: Any, batch: Mapping[str, Any]) -> Mapping[str, torch.Tensor]:
    logits = _predict(model, batch)
    return {"mlm": torch.nn.functional.cross_entropy(logits.float(), batch["labels"])}
