"""The port that everything which needs vectors is written against."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Encoded:
    """The vectors of some texts, and where their time went."""

    vectors: NDArray[np.float32]
    """(texts, dimension), each row of unit length, in the order of the texts."""
    queue_nanos: int
    """Nanoseconds spent waiting: for a batch or a thread, and for the way to a server and back."""
    inference_nanos: int
    """Nanoseconds of forward passes, of whole batches where requests were batched together."""


class TextEncoder(Protocol):
    """Turns texts into vectors whose dot product is their likeness in meaning."""

    @property
    def model(self) -> str:
        """Name and version, such as "minilm_l6@1"; vectors of different models do not compare."""
        ...

    @property
    def dimension(self) -> int:
        """Components of a vector."""
        ...

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """Returns one vector a text.

        Texts longer than the model's window are cut. The caller's deadline bounds the call.

        Raises:
            UnavailableError: The model cannot be reached, or has too long a queue.
            DeadlineExceededError: It did not answer in time.
        """
        ...

    async def check_ready(self) -> None:
        """Returns when the model answers.

        Raises:
            UnavailableError: It does not.
        """
        ...

    async def close(self) -> None:
        """Lets go of connections, threads and memory."""
        ...
