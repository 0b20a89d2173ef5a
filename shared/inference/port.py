"""The ports that everything which needs a forward pass is written against."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[np.int32] | NDArray[np.float32]
"""What a model takes: token ids, or numbers such as features."""


@dataclass(frozen=True, slots=True)
class Forwarded:
    """What a model made of one batch, and where its time went."""

    outputs: Mapping[str, NDArray[np.float32]]
    """By name of the output, the first axis being the rows of the batch."""
    queue_nanos: int
    """Nanoseconds spent waiting: for a batch or a thread, and for the way to a server and back."""
    inference_nanos: int
    """Nanoseconds of the forward pass, of the whole batch where requests were batched together."""


class ServedModel(Protocol):
    """What every model promises, whatever it is asked."""

    @property
    def model(self) -> str:
        """Name and version that answers now, such as "minilm_l6@1"."""
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


class TensorModel(ServedModel, Protocol):
    """One version of a model that takes and gives numbers."""

    @property
    def inputs(self) -> Collection[str]:
        """Names of the inputs that it takes."""
        ...

    @property
    def outputs(self) -> Mapping[str, int]:
        """The outputs that it can give, with the last dimension of each."""
        ...

    async def run(
        self, inputs: Mapping[str, Tensor], outputs: Collection[str], *, urgent: bool
    ) -> Forwarded:
        """Runs one batch. The caller's deadline bounds the call.

        Args:
            inputs: By name, each (rows, tokens) int32 or (rows, features) float32.
            outputs: Those wanted.
            urgent: Whether somebody is waiting; other work lets such requests pass.

        Raises:
            UnavailableError: The model cannot be reached, or has too long a queue.
            DeadlineExceededError: It did not answer in time.
        """
        ...

    async def versions(self) -> list[int]:
        """Returns the versions of this model that can be asked now, in ascending order.

        Raises:
            UnavailableError: The model cannot be reached.
        """
        ...


@dataclass(frozen=True, slots=True)
class Encoded:
    """The vectors of some texts, and where their time went."""

    vectors: NDArray[np.float32]
    """(texts, dimension), each row of unit length, in the order of the texts."""
    queue_nanos: int
    """Nanoseconds spent waiting: for a batch or a thread, and for the way to a server and back."""
    inference_nanos: int
    """Nanoseconds of forward passes, of whole batches where requests were batched together."""


class TextEncoder(ServedModel, Protocol):
    """Turns texts into vectors whose dot product is their likeness in meaning.

    Vectors of different models, or of versions of one, do not compare.
    """

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
