"""The encoder that the NLU serves, in this process: training needs no service."""

import asyncio
from collections.abc import Sequence

import numpy as np

from services.reason.classify.train.calibrate import Matrix
from services.reason.classify.train.pool import Encoder
from shared.inference import InferenceSettings, open_text_encoder


def local_encoder() -> Encoder:
    """Returns the encoder.

    Raises:
        UnavailableError: Its files were not made yet.
    """
    settings = InferenceSettings(backend="onnx")
    name = open_text_encoder(settings).model

    async def encode(texts: Sequence[str]) -> Matrix:
        encoder = open_text_encoder(settings)  # it belongs to the event loop that opens it
        try:
            found = (await encoder.encode(list(texts))).vectors.astype(np.float64)
        finally:
            await encoder.close()
        return found / np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)

    return Encoder(name, lambda texts: asyncio.run(encode(texts)))
