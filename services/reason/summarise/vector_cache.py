"""Vectors of sentences that were encoded before: reviews are summed up again with each new one."""

import hashlib
import time
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from services.reason.summarise.centrality import Matrix
from shared.metrics import count_lookup

CONFIRM_SECONDS: Final = 60.0


class Encoder(Protocol):
    """Texts to unit rows and the model's name; raises WhereforeError."""

    async def encode(self, texts: Sequence[str]) -> tuple[Matrix, str]:
        """Returns unit rows, (texts, dimensions), and the model's name."""
        ...


class VectorCache:
    """An encoder that asks another one for what it has not seen, and forgets what is used least.

    All vectors are of one version of the model: when the encoder names another one, all are
    forgotten. Where no text is new, one is encoded again after CONFIRM_SECONDS to learn of that.

    Args:
        encoder: Gives vectors.
        size: Vectors kept, at 4 bytes a dimension.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, encoder: Encoder, size: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._encoder = encoder
        self._clock = clock
        self._kept: LRUCache[bytes, NDArray[np.float32]] = LRUCache(size)
        self._model = ""
        self._confirmed = 0.0

    async def encode(self, texts: Sequence[str]) -> tuple[Matrix, str]:
        """See `Encoder.encode`."""
        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        found = {key: row for key in keys if (row := self._kept.get(key)) is not None}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        for key in keys:
            count_lookup("summary.sentence", hit=key in found)
        if not missing and self._clock() - self._confirmed >= CONFIRM_SECONDS:
            missing = {keys[0]: texts[0]}
        if missing:
            model = await self._ask(missing, found)
            if len(found) < len(set(keys)):  # the model changed, so what was found is void
                found.clear()
                model = await self._ask(dict(zip(keys, texts, strict=True)), found)
        else:
            model = self._model
        return np.array([found[key] for key in keys], dtype=np.float64), model

    async def _ask(self, texts: dict[bytes, str], found: dict[bytes, NDArray[np.float32]]) -> str:
        rows, model = await self._encoder.encode(list(texts.values()))
        if model != self._model:
            self._kept.clear()
            found.clear()
            self._model = model
        self._confirmed = self._clock()
        for key, row in zip(texts, rows.astype(np.float32), strict=True):
            found[key] = row
            if self._kept.maxsize >= 1:
                self._kept[key] = row
        return model
