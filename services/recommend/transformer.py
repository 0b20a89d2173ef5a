"""The network of the sequential model: causal self-attention over the items of a history.

Sources: Kang and McAuley, "Self-attentive sequential recommendation", ICDM 2018 (SASRec), for the
network with tied item vectors; Zhou et al., "S3-Rec", CIKM 2020, for attributes of items in it;
Xiong et al., "On layer normalization in the transformer architecture", ICML 2020, for where it
normalises.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from services.recommend.sequences import Attributes


@dataclass(frozen=True, slots=True)
class NetworkSettings:
    """Shape of the network.

    Attributes:
        width: Length of the vectors.
        layers: Of attention and feed-forward.
        heads: Of attention; divides the width.
        length: Newest items of a history that are read.
        dropout: Within the layers, 0 to 1.
        input_dropout: Of the vectors that enter, 0 to 1.
    """

    width: int = 64
    layers: int = 2
    heads: int = 2
    length: int = 50
    dropout: float = 0.3
    input_dropout: float = 0.5


class ItemVectors(torch.nn.Module):
    """A vector of each item: its own and, with attributes, the mean of theirs.

    Args:
        items: How many there are.
        width: Length of the vectors.
        attributes: Of the items.
    """

    bag_items: torch.Tensor
    bag_starts: torch.Tensor

    def __init__(self, items: int, width: int, attributes: Attributes | None) -> None:
        super().__init__()
        self.own = torch.nn.Embedding(items, width)
        torch.nn.init.normal_(self.own.weight, std=0.02)
        self.of_attributes: torch.nn.EmbeddingBag | None = None
        if attributes is not None:
            self.of_attributes = torch.nn.EmbeddingBag(len(attributes.names), width, mode="mean")
            torch.nn.init.normal_(self.of_attributes.weight, std=0.02)
            pairs = torch.as_tensor(attributes.attributes, dtype=torch.long)
            counts = torch.as_tensor(
                np.bincount(attributes.items, minlength=items), dtype=torch.long
            )
            self.register_buffer("bag_items", pairs, persistent=False)
            self.register_buffer("bag_starts", counts.cumsum(0) - counts, persistent=False)

    def begin_at(self, vectors: torch.Tensor) -> None:
        """Set the items' own vectors, [items, width]."""
        with torch.no_grad():
            self.own.weight.copy_(vectors)

    def forward(self) -> torch.Tensor:
        """Vectors of all items, [items, width]."""
        if self.of_attributes is None:
            return self.own.weight
        return self.own.weight + self.of_attributes(self.bag_items, self.bag_starts)


class Layer(torch.nn.Module):
    """Attention to what came before, then feed-forward, each added to what entered."""

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        width = settings.width
        self.heads, self.dropout = settings.heads, settings.dropout
        self.before_attention = torch.nn.LayerNorm(width)
        self.projections = torch.nn.Linear(width, 3 * width)
        self.joined = torch.nn.Linear(width, width)
        self.before_forward = torch.nn.LayerNorm(width)
        self.wide = torch.nn.Linear(width, 4 * width)
        self.narrow = torch.nn.Linear(4 * width, width)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """[batch, length, width] to the same."""
        batch, length, width = states.shape
        projected = self.projections(self.before_attention(states))
        query, key, value = projected.view(
            batch, length, 3, self.heads, width // self.heads
        ).permute(2, 0, 3, 1, 4)
        # Histories are filled up behind, so being causal hides what fills them as well.
        attended = functional.scaled_dot_product_attention(
            query, key, value, is_causal=True, dropout_p=self.dropout if self.training else 0.0
        )
        merged = self.joined(attended.transpose(1, 2).reshape(batch, length, width))
        states = states + self._dropped(merged)
        forward = self.narrow(
            self._dropped(functional.gelu(self.wide(self.before_forward(states))))
        )
        return states + self._dropped(forward)

    def _dropped(self, states: torch.Tensor) -> torch.Tensor:
        return functional.dropout(states, self.dropout, self.training)


class SequenceNetwork(torch.nn.Module):
    """Reads histories; the product of a state and an item's vector is that item's logit.

    Args:
        items: How many there are.
        settings: Shape of the network.
        attributes: Of the items, added to their vectors where given.
    """

    def __init__(
        self, items: int, settings: NetworkSettings, attributes: Attributes | None = None
    ) -> None:
        super().__init__()
        self.settings = settings
        self.vectors = ItemVectors(items, settings.width, attributes)
        self.places = torch.nn.Embedding(settings.length, settings.width)
        torch.nn.init.normal_(self.places.weight, std=0.02)
        self.layers = torch.nn.ModuleList(Layer(settings) for _ in range(settings.layers))
        self.last = torch.nn.LayerNorm(settings.width)

    def forward(self, items: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        """States after each item.

        Args:
            items: Numbers, the oldest first, filled up behind with any number, [batch, length].
            vectors: What `self.vectors()` returns, [items, width].

        Returns:
            [batch, length, width].
        """
        states = functional.embedding(items, vectors) * self.settings.width**0.5
        states = states + self.places.weight[: items.shape[1]]
        states = functional.dropout(states, self.settings.input_dropout, self.training)
        for layer in self.layers:
            states = layer(states)
        return self.last(states)
