"""The multi-task model: one encoder, a head a task, one forward pass a text."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from pydantic import BaseModel

from services.nlu.train.bigram_embedding import NEIGHBOURS
from services.nlu.train.crf import Crf
from services.nlu.train.examples import TaskKind, bio_labels
from services.nlu.train.ngrams import NgramTable
from services.nlu.train.pair_head import PairHead
from services.nlu.train.window_table import WindowTable

EMBEDDING = "sentence_embedding"
"""Name of the output of unit vectors."""


class HeadSpec(BaseModel):
    """A head: its name, what it answers with, and its labels (types or classes)."""

    name: str
    kind: TaskKind
    labels: tuple[str, ...]
    ngram_buckets: int = 0
    """Of CLASSES: rows of a table of hashed character n-grams, whose sums are added to the logits
    (wide and deep: Cheng et al., 2016); 0 has no such table."""
    convolved: bool = False
    """Of TOKENS, over an encoder with a table of bigrams: whether the head reads the bigrams too,
    beside the states, by a convolution that sees a token's neighbours."""
    window_buckets: int = 0
    """Of TOKENS: rows of a table of hashed windows, whose sums are added to the logits; 0 has no
    such table."""
    divider: int = 0
    """Of a head that reads pairs: id of the token between the two texts of a row. 0 reads texts."""


class ModelSpec(BaseModel):
    """All that a model is built from, beside its weights."""

    base: str = ""
    """Encoder that the weights come on top of: a package's name, or a folder; "" when `encoder`
    and the weights say it all."""
    encoder: dict[str, Any] = {}
    """The encoder's own configuration, when its weights are the model's."""
    heads: tuple[HeadSpec, ...] = ()
    tuning: str = "full"
    """How the encoder is tuned; see `tuning.py`."""
    rank: int = 16
    """Of low-rank tuning."""
    word_places: bool = False
    """Whether it reads the places of characters in words."""
    max_tokens: int = 128


@dataclass(frozen=True)
class Read:
    """What a head may read beside the states of the last layer.

    Attributes:
        ids: (batch, tokens).
        mask: (batch, tokens, 1), 1 where a token is and 0 where padding is.
        encoder: What made the states.
        places: (batch, tokens), of characters in words; None where they are not read.
    """

    ids: torch.Tensor
    mask: torch.Tensor
    encoder: Any
    places: torch.Tensor | None = None

    @cached_property
    def bigrams(self) -> torch.Tensor:
        """(batch, tokens, NEIGHBOURS) of an encoder that has a table of bigrams."""
        return self.encoder.get_input_embeddings().neighbours(self.ids)


class TokenHead(torch.nn.Module):
    """Logits of BIO tags, from states and windows of characters, with the field that reads them."""

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__()
        tags = bio_labels(spec.labels)
        self.dropout = torch.nn.Dropout(0.1)
        self.linear = torch.nn.Linear(width, len(tags))
        self.crf = Crf(tags)
        self.convolution: torch.nn.Conv1d | None = None
        if spec.convolved:
            self.convolution = torch.nn.Conv1d(width + NEIGHBOURS, width, 3, padding=1)
            self.bigram_dropout = torch.nn.Dropout(0.3)
        self.windows: WindowTable | None = None
        if spec.window_buckets:
            self.windows = WindowTable(spec.window_buckets, len(tags))

    def forward(self, states: torch.Tensor, read: Read) -> torch.Tensor:
        """(batch, tokens, width) -> (batch, tokens, tags)."""
        if self.convolution is not None:
            beside = self.bigram_dropout(read.bigrams).to(states.dtype)
            # Padding is made nothing, or the convolution would read it at a text's end.
            joined = (torch.cat([states, beside], dim=-1) * read.mask).transpose(1, 2)
            local = torch.nn.functional.gelu(self.convolution(joined))
            states = states + local.transpose(1, 2)
        logits = self.linear(self.dropout(states))
        return logits if self.windows is None else logits + self.windows(read.ids, read.places)


class ClassHead(torch.nn.Module):
    """Logits of classes from the mean, the maximum and the first state, and from n-grams."""

    def __init__(self, spec: HeadSpec, width: int) -> None:
        super().__init__()
        self.dropout = torch.nn.Dropout(0.1)
        self.hidden = torch.nn.Linear(3 * width, width)
        self.linear = torch.nn.Linear(width, len(spec.labels))
        self.ngrams: NgramTable | None = None
        if spec.ngram_buckets:
            self.ngrams = NgramTable(spec.ngram_buckets, len(spec.labels))

    def forward(self, states: torch.Tensor, read: Read) -> torch.Tensor:
        """(batch, tokens, width) -> (batch, classes)."""
        mask, ids = read.mask, read.ids
        mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1.0)
        highest = (states + (mask - 1.0) * 1e4).max(1).values
        pooled = torch.cat([mean, highest, states[:, 0]], dim=-1)
        logits = self.linear(self.dropout(torch.tanh(self.hidden(self.dropout(pooled)))))
        return logits if self.ngrams is None else logits + self.ngrams(ids, mask)


class QueryModel(torch.nn.Module):
    """An encoder with heads.

    Args:
        spec: What it is built from.
        encoder: A transformers encoder whose states are of width `encoder.config.hidden_size`.
    """

    def __init__(self, spec: ModelSpec, encoder: Any) -> None:
        super().__init__()
        self.spec = spec
        self.encoder = encoder
        width = int(encoder.config.hidden_size)
        self.heads = torch.nn.ModuleDict({head.name: _new_head(head, width) for head in spec.heads})

    def forward(
        self,
        input_ids: torch.Tensor,
        segments: torch.Tensor | None = None,
        only: Sequence[str] = (),
    ) -> dict[str, torch.Tensor]:
        """Reads texts.

        Args:
            input_ids: (batch, tokens), 0 being padding.
            segments: (batch, tokens), for models of `word_places`.
            only: Heads to run; all of them, and the embedding, when empty.

        Returns:
            Per token head (batch, tokens, tags), per class head (batch, classes), and
            "sentence_embedding" (batch, width) of unit length.
        """
        states, mask = self.states(input_ids, segments)
        places = segments if self.spec.word_places else None
        read = Read(input_ids, mask, self.encoder, places)
        outputs: dict[str, torch.Tensor] = {}
        for name, head in self.heads.items():
            if only and name not in only:
                continue
            outputs[name] = head(states, read)
        if not only or EMBEDDING in only:
            mean = (states * mask).sum(1) / mask.sum(1).clamp(min=1e-9)
            outputs[EMBEDDING] = torch.nn.functional.normalize(mean, p=2.0, dim=1)
        return outputs

    def states(
        self, input_ids: torch.Tensor, segments: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns the states (batch, tokens, width) and the mask (batch, tokens, 1)."""
        mask = (input_ids != 0).to(torch.int64)
        given: dict[str, torch.Tensor] = {"input_ids": input_ids, "attention_mask": mask}
        if self.spec.word_places and segments is not None:
            given["token_type_ids"] = segments
        states = self.encoder(**given).last_hidden_state
        return states, mask.unsqueeze(-1).to(states.dtype)


def _new_head(spec: HeadSpec, width: int) -> torch.nn.Module:
    if spec.kind is TaskKind.TOKENS:
        return TokenHead(spec, width)
    return PairHead(spec.divider, width) if spec.divider else ClassHead(spec, width)
