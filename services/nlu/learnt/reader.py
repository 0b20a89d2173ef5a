"""A query model over Triton or ONNX Runtime: tokens there, logits back, readings out."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.nlu.learnt.decode import read_classes, read_spans
from services.nlu.learnt.labels import ClassHead, Head, TokenHead, read_labels
from services.nlu.learnt.port import Reading, Readings
from services.nlu.learnt.tokens import ModelTokenizer, TokenRow
from shared.inference import InferenceSettings, TensorModel
from shared.inference.encoder import QUERY_ROWS, VECTORS
from shared.inference.tokens import INLINE_CHARACTERS, batches, pad

SEGMENTS: Final = "segments"
_SPAN_HEADS: Final = ("entities", "reason_tags")
_CLASS_HEADS: Final = ("intent", "sentiment", "category")
_INLINE_WORDS: Final = 200
"""As INLINE_CHARACTERS, where words are cut too, which takes about ten times as long."""
_INLINE_TOKENS: Final = 256
"""Up to so many tokens a batch is decoded (well under 1 ms) without leaving the event loop."""


class TransformerReader:
    """A `QueryModel` over a `TensorModel`, which it closes with itself.

    Args:
        model: The model.
        settings: Where its tokenizer and labels lie, and its limits.

    Raises:
        UnavailableError: A file is missing.
        ValueError: The labels do not hold together.
    """

    def __init__(self, model: TensorModel, settings: InferenceSettings) -> None:
        self._model = model
        self._settings = settings
        folder = settings.version_dir
        self._segmented = SEGMENTS in model.inputs
        self._tokenizer = ModelTokenizer(
            folder / "tokenizer.json", settings.max_tokens, word_places=self._segmented
        )
        self._heads = {
            name: head
            for name, head in read_labels(folder / "labels.json").items()
            if name in model.outputs
        }
        self._inline = _INLINE_WORDS if self._segmented else INLINE_CHARACTERS
        self.model = model.model
        self.heads = tuple(self._heads)

    async def read(self, texts: Sequence[str]) -> Readings:
        """See `QueryModel.read`."""
        readings: list[Reading] = [Reading()] * len(texts)
        queue = inference = 0
        if texts:
            rows = await self._tokenize(texts)
            urgent = len(texts) <= QUERY_ROWS
            # One batch after the other: a queue full of ours would hold up everybody else's.
            for positions in batches([len(row.ids) for row in rows], self._settings.batch_size):
                chosen = [rows[at] for at in positions]
                forwarded = await self._model.run(self._inputs(chosen), self.heads, urgent=urgent)
                queue += forwarded.queue_nanos
                inference += forwarded.inference_nanos
                made = await self._decode(forwarded.outputs, chosen)
                for at, reading in zip(positions, made, strict=True):
                    readings[at] = reading
        return Readings(self.model, readings, queue, inference)

    async def check_ready(self) -> None:
        """See `QueryModel.check_ready`."""
        await self._model.check_ready()

    async def versions(self) -> list[int]:
        """Returns the versions that can be asked now; see `TensorModel.versions`."""
        return await self._model.versions()

    async def close(self) -> None:
        """See `QueryModel.close`."""
        await self._model.close()

    async def _tokenize(self, texts: Sequence[str]) -> list[TokenRow]:
        if sum(map(len, texts)) < self._inline:
            return self._tokenizer.encode(texts)
        return await asyncio.to_thread(self._tokenizer.encode, texts)

    def _inputs(self, rows: Sequence[TokenRow]) -> dict[str, NDArray[np.int32]]:
        inputs = {"input_ids": pad([row.ids for row in rows], self._settings.pad_to)}
        if self._segmented:
            inputs[SEGMENTS] = pad([row.segments for row in rows], self._settings.pad_to)
        return inputs

    async def _decode(
        self, outputs: Mapping[str, NDArray[np.float32]], rows: Sequence[TokenRow]
    ) -> list[Reading]:
        if sum(len(row.ids) for row in rows) <= _INLINE_TOKENS:
            return decode(outputs, rows, self._heads)
        return await asyncio.to_thread(decode, outputs, rows, self._heads)


def decode(
    outputs: Mapping[str, NDArray[np.float32]],
    rows: Sequence[TokenRow],
    heads: Mapping[str, Head],
) -> list[Reading]:
    """Returns the readings of one batch.

    Args:
        outputs: By head, the first axis being that of `rows`.
        rows: The tokens of each text.
        heads: What the numbers stand for.
    """
    parts: list[dict[str, Any]] = [{} for _ in rows]
    for name in _SPAN_HEADS:
        if isinstance(head := heads.get(name), TokenHead):
            for part, spans in zip(parts, read_spans(outputs[name], rows, head), strict=True):
                part[name] = spans
    for name in _CLASS_HEADS:
        if isinstance(head := heads.get(name), ClassHead):
            for part, scored in zip(parts, read_classes(outputs[name], head), strict=True):
                part[name] = scored
    if VECTORS in heads:
        for part, vector in zip(parts, outputs[VECTORS], strict=True):
            # A copy, or each vector would keep its whole batch alive in a cache.
            part["vector"] = vector.copy()
    return [replace(Reading(), **part) for part in parts]
