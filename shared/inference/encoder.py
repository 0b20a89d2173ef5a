"""Texts to vectors by any model that has an output `sentence_embedding`."""

from collections.abc import Sequence

import numpy as np

from shared.errors import DeadlineExceededError, UnavailableError
from shared.inference.port import Encoded, TensorModel
from shared.inference.settings import InferenceSettings
from shared.inference.tokens import TextTokenizer, batches, pad

VECTORS = "sentence_embedding"

QUERY_ROWS = 4
"""Up to so many texts somebody is waiting; more of them is bulk work that lets others pass."""


class ModelTextEncoder:
    """A `TextEncoder` over a `TensorModel`, which it closes with itself.

    Args:
        model: The model.
        settings: Its tokenizer and limits.

    Raises:
        UnavailableError: The model's tokenizer was not made yet.
    """

    def __init__(self, model: TensorModel, settings: InferenceSettings) -> None:
        self._model = model
        self._settings = settings
        self._tokenizer = TextTokenizer(
            settings.version_dir / "tokenizer.json", settings.max_tokens
        )
        self.model = model.model
        self.dimension = model.outputs[VECTORS]

    async def encode(self, texts: Sequence[str]) -> Encoded:
        """See `TextEncoder.encode`."""
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        queue = inference = 0
        if not texts:
            return Encoded(vectors, queue, inference)
        rows = await self._tokenizer.encode(texts)
        urgent = len(texts) <= QUERY_ROWS
        # One batch after the other: a queue full of ours would hold up everybody else's queries.
        for positions in batches([len(row) for row in rows], self._settings.batch_size):
            ids = pad([rows[position] for position in positions], self._settings.pad_to)
            forwarded = await self._model.run({"input_ids": ids}, (VECTORS,), urgent=urgent)
            vectors[positions] = forwarded.outputs[VECTORS]
            queue += forwarded.queue_nanos
            inference += forwarded.inference_nanos
        return Encoded(vectors, queue, inference)

    async def check_ready(self) -> None:
        """See `TextEncoder.check_ready`; encodes one text, which also warms the model."""
        await self._model.check_ready()
        try:
            await self.encode(["ready"])
        except DeadlineExceededError as error:
            raise UnavailableError(f"{self.model} does not answer") from error

    async def close(self) -> None:
        """See `TextEncoder.close`."""
        await self._model.close()
