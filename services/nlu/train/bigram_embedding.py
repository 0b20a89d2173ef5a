"""Characters that know their neighbours before the first layer.

A small encoder spends its first layers on finding out which characters make a word. Vectors of
hashed bigrams, made of co-occurrence before the training, are added to those of the characters (as
beside a tagger: Zhang and Yang, 2018), so that attention begins with words.
"""

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from safetensors import torch as safetensors

from services.nlu.train.arrays import to_tensor
from services.nlu.train.ngrams import CONTEXT_DIMENSION, bigram_buckets

BUCKETS = "bigram_buckets"
"""Of an encoder's configuration: rows of its table of bigrams; absent where it has none."""

NEIGHBOURS = 2 * CONTEXT_DIMENSION
"""Width of what the bigrams on both sides say."""

_PREFIX = "embeddings.word_embeddings."


class BigramEmbedding(torch.nn.Embedding):
    """A table of characters that adds what the bigrams on both sides say.

    It stands where an encoder has its plain table, so that neither the encoder nor the export of
    its graph needs to know.

    Args:
        plain: The table of characters, whose weights become this one's.
        buckets: Rows of the table of bigrams.
    """

    def __init__(self, plain: torch.nn.Embedding, buckets: int) -> None:
        super().__init__(  # pyright: ignore[reportUnknownMemberType] # torch leaves it open
            plain.num_embeddings, plain.embedding_dim, padding_idx=plain.padding_idx
        )
        self.weight = plain.weight
        self.buckets = buckets
        self.bigrams = torch.nn.Embedding(buckets, CONTEXT_DIMENSION)
        self.project = torch.nn.Linear(NEIGHBOURS, plain.embedding_dim, bias=False)
        torch.nn.init.normal_(self.bigrams.weight, std=0.1)
        torch.nn.init.normal_(self.project.weight, std=0.05)
        self.dropout = torch.nn.Dropout(0.1)

    def load(self, vectors: Any) -> None:
        """Takes vectors of bigrams, (buckets, CONTEXT_DIMENSION) float32."""
        with torch.no_grad():
            self.bigrams.weight.copy_(to_tensor(np.asarray(vectors)))

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 # torch's own name
        """(batch, tokens) -> (batch, tokens, width)."""
        return super().forward(input) + self.project(self.dropout(self.neighbours(input)))

    def neighbours(self, ids: torch.Tensor) -> torch.Tensor:
        """(batch, tokens) -> (batch, tokens, NEIGHBOURS): the bigrams before and after a token."""
        right = self.bigrams(bigram_buckets(ids, self.buckets))
        left = torch.cat([torch.zeros_like(right[:, :1]), right[:, :-1]], dim=1)
        return torch.cat([left, right], dim=-1)


def fit_bigrams(encoder: Any) -> Any:
    """Returns the encoder, with a table of bigrams if its configuration names one."""
    buckets = int(getattr(encoder.config, BUCKETS, 0))
    plain = encoder.get_input_embeddings()
    if buckets and not isinstance(plain, BigramEmbedding):
        encoder.set_input_embeddings(BigramEmbedding(plain, buckets))
    return encoder


def load_bigrams(encoder: Any, folder: Path) -> None:
    """Takes the table of bigrams that stands beside an encoder's other weights in a folder."""
    table = encoder.get_input_embeddings()
    if not isinstance(table, BigramEmbedding):
        return
    # safetensors leaves its types open.
    weights: dict[str, torch.Tensor] = cast("Any", safetensors).load_file(
        str(folder / "model.safetensors")
    )
    table.load_state_dict(
        {name.split(_PREFIX)[1]: item for name, item in weights.items() if _PREFIX in name}
    )
