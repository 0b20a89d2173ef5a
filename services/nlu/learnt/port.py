"""The port that the service reads texts through."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.inference import ServedModel

Scored = tuple[tuple[str, float], ...]
"""Labels with their probabilities, best first; empty where a model has no such head."""


@dataclass(frozen=True, slots=True)
class LabelledSpan:
    """A part of a text, half-open in code points, with its label and a confidence from 0 to 1."""

    start: int
    end: int
    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What one version of a model reads in one text.

    Attributes:
        entities: Things named, in order.
        intent: What is wanted: "product_search", ..., "support/track_order".
        sentiment: "negative" and "positive".
        category: Kinds of product.
        reason_tags: Reasons to buy that the text gives, in order.
        vector: (dimension,) of unit length; None where the model has no such head.
        intent_model: Name and version of a head beside the model that gave the intent; "" where the
            model itself did.
    """

    entities: tuple[LabelledSpan, ...] = ()
    intent: Scored = ()
    sentiment: Scored = ()
    category: Scored = ()
    reason_tags: tuple[LabelledSpan, ...] = ()
    vector: NDArray[np.float32] | None = None
    intent_model: str = ""


@dataclass(frozen=True, slots=True)
class Readings:
    """Readings in the order of the texts, by whom, and where their time went."""

    model: str
    readings: Sequence[Reading]
    queue_nanos: int
    inference_nanos: int


class QueryModel(ServedModel, Protocol):
    """Reads texts, all heads in one forward pass."""

    @property
    def heads(self) -> Collection[str]:
        """Names of its heads."""
        ...

    async def read(self, texts: Sequence[str]) -> Readings:
        """Reads texts; what is beyond the model's window is cut. The caller's deadline bounds it.

        Raises:
            UnavailableError: The model cannot be reached, or has too long a queue.
            DeadlineExceededError: It did not answer in time.
        """
        ...
