"""The dual encoder of the model repository: a picture net, and a projection of text vectors."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from services.nlu.pictures.preparation import Preparation
from shared.errors import DeadlineExceededError, UnavailableError
from shared.inference import Encoded, TensorModel, TextEncoder
from shared.pictures.decoding import Pixels

DESCRIPTION: Final = "encoder.json"
PROJECTION: Final = "text.npz"
PIXELS: Final = "pixels"
VECTORS: Final = "picture_embedding"
_BATCH: Final = 16
"""Pictures sent at once: 1 MB at 64 x 80 pixels."""
_URGENT: Final = 2
"""Up to so many pictures somebody is waiting; more of them is an import that lets others pass."""


class EncoderFile(BaseModel):
    """What `encoder.json` says."""

    model_config = ConfigDict(frozen=True)

    preparation: Preparation
    text_model: str
    """Entry of the model repository whose vectors the text side takes."""

    @classmethod
    def read(cls, folder: Path) -> EncoderFile:
        """Returns what a version's folder says.

        Raises:
            UnavailableError: There is no such file.
        """
        try:
            return cls.model_validate_json((folder / DESCRIPTION).read_text(encoding="utf-8"))
        except OSError as error:
            raise UnavailableError(f"{folder} holds no dual encoder") from error


class ProjectedDualEncoder:
    """A `DualEncoder` over a picture net and a text encoder; it closes the net with itself.

    Args:
        pictures: Gives `picture_embedding` of `pixels`.
        texts: Gives what the projection reads.
        folder: Of the version, with `encoder.json` and `text.npz`.
        owned: The text encoder, where it is to be closed as well.

    Raises:
        UnavailableError: The folder lacks a file.
    """

    def __init__(
        self,
        pictures: TensorModel,
        texts: TextEncoder,
        folder: Path,
        owned: TextEncoder | None = None,
    ) -> None:
        self._pictures, self._texts, self._owned = pictures, texts, owned
        self._preparation = EncoderFile.read(folder).preparation
        self._projection = _Projection.read(folder / PROJECTION)
        self.model = pictures.model
        self.dimension = pictures.outputs[VECTORS]

    async def encode_pictures(self, pictures: Sequence[Pixels]) -> Encoded:
        """See `DualEncoder.encode_pictures`."""
        vectors = np.empty((len(pictures), self.dimension), dtype=np.float32)
        queue = inference = 0
        for start in range(0, len(pictures), _BATCH):
            part = pictures[start : start + _BATCH]
            rows = await asyncio.to_thread(self._preparation.rows, part)
            urgent = len(pictures) <= _URGENT
            forwarded = await self._pictures.run({PIXELS: rows}, (VECTORS,), urgent=urgent)
            vectors[start : start + len(part)] = forwarded.outputs[VECTORS]
            queue += forwarded.queue_nanos
            inference += forwarded.inference_nanos
        return Encoded(vectors, queue, inference)

    async def encode_texts(self, texts: Sequence[str]) -> Encoded:
        """See `DualEncoder.encode_texts`."""
        encoded = await self._texts.encode(texts)
        vectors = self._projection.of(encoded.vectors)
        return Encoded(vectors, encoded.queue_nanos, encoded.inference_nanos)

    async def check_ready(self) -> None:
        """See `DualEncoder.check_ready`; reads one white picture, which also warms the model."""
        await self._pictures.check_ready()
        try:
            await self.encode_pictures([np.full((8, 8, 3), 255, dtype=np.uint8)])
        except DeadlineExceededError as error:
            raise UnavailableError(f"{self.model} does not answer") from error

    async def close(self) -> None:
        """See `DualEncoder.close`."""
        await self._pictures.close()
        if self._owned is not None:
            await self._owned.close()


class _Projection:
    """Two layers over text vectors, and beside what they say the colours expected of a text.

    As `services.nlu.train.crossmodal` makes them; a model may do without the colours.
    """

    def __init__(self, arrays: dict[str, NDArray[np.float32]]) -> None:
        self._arrays = arrays

    @classmethod
    def read(cls, path: Path) -> _Projection:
        try:
            with np.load(path) as file:
                return cls({name: file[name].astype(np.float32) for name in file.files})
        except OSError as error:
            raise UnavailableError(f"{path} is missing") from error

    def of(self, vectors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Returns unit vectors, (texts, dimension)."""
        layers = self._arrays
        hidden = np.maximum(vectors @ layers["hidden_weight"].T + layers["hidden_bias"], 0)
        out = _units(hidden @ layers["out_weight"].T + layers["out_bias"])
        if "colour_weight" not in layers:
            return out
        colours = _units(vectors @ layers["colour_weight"].T + layers["colour_bias"])
        return _units(np.concatenate([out, layers["colour_length"] * colours], axis=1))


def _units(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
