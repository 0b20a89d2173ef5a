"""Embedding: vectors of long lists of texts."""

from collections.abc import Awaitable, Callable, Sequence

import numpy as np

from services.nlu.learnt.models import Models
from shared.errors import UnavailableError
from shared.inference import Encoded, TextEncoder
from shared.text.language import primary_language

_CHUNK = 128


async def encode_all(encoder: TextEncoder, texts: Sequence[str]) -> Encoded:
    """Encodes a long list in chunks, one after another: concurrent ones would hold up queries.

    Raises:
        UnavailableError: The encoder does not answer.
        DeadlineExceededError: Not within the caller's deadline.
    """
    return await _in_chunks(texts, encoder.encode)


async def encode_in(
    models: Models, texts: Sequence[str], language_code: str
) -> tuple[Encoded, str]:
    """Encodes a long list by the reader of a language, likewise.

    Args:
        models: Those of the service.
        texts: At least one.
        language_code: BCP-47.

    Returns:
        The vectors, and the name and version of the model.

    Raises:
        UnavailableError: No model gives vectors in this language, or it does not answer.
        DeadlineExceededError: Not within the caller's deadline.
    """
    reader = models.vectors_in(primary_language(language_code))
    if reader is None:
        raise UnavailableError(f"no model gives vectors of texts in {language_code!r}")

    async def encode(chunk: Sequence[str]) -> Encoded:
        made = await reader.read(chunk)
        vectors = [each.vector for each in made.readings if each.vector is not None]
        return Encoded(np.stack(vectors), made.queue_nanos, made.inference_nanos)

    return await _in_chunks(texts, encode), reader.model


async def _in_chunks(
    texts: Sequence[str], encode: Callable[[Sequence[str]], Awaitable[Encoded]]
) -> Encoded:
    parts = [await encode(texts[at : at + _CHUNK]) for at in range(0, len(texts), _CHUNK)]
    return Encoded(
        np.concatenate([part.vectors for part in parts]),
        sum(part.queue_nanos for part in parts),
        sum(part.inference_nanos for part in parts),
    )
