"""Embedding: vectors of long lists of texts."""

from collections.abc import Sequence

import numpy as np

from shared.inference import Encoded, TextEncoder

_CHUNK = 128


async def encode_all(encoder: TextEncoder, texts: Sequence[str]) -> Encoded:
    """Encodes a long list in chunks, one after another: concurrent ones would hold up queries.

    Raises:
        UnavailableError: The encoder does not answer.
        DeadlineExceededError: Not within the caller's deadline.
    """
    parts = [
        await encoder.encode(texts[start : start + _CHUNK])
        for start in range(0, len(texts), _CHUNK)
    ]
    return Encoded(
        np.concatenate([part.vectors for part in parts]),
        sum(part.queue_nanos for part in parts),
        sum(part.inference_nanos for part in parts),
    )
