"""PictureService over gRPC: translates, and says what is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import grpc.aio
import numpy as np
from numpy.typing import NDArray

from services.nlu.config import NluSettings
from services.nlu.messages import to_vector
from services.nlu.pictures import requests
from shared.errors import FailedPreconditionError, InvalidArgumentError, UnavailableError
from shared.inference import TextEncoder
from shared.timing import StageTimer
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1 import picture_service_pb2 as pb
from wherefore.nlu.v1.picture_service_pb2_grpc import (
    PictureServiceServicer,
    add_PictureServiceServicer_to_server,
)

if TYPE_CHECKING:
    from services.nlu.pictures.editing import PictureEditor
    from services.nlu.pictures.port import DualEncoder

DECODING_STAGE: Final = "pictures.decoding"
PICTURE_STAGE: Final = "pictures.embedding"
TEXT_STAGE: Final = "pictures.text"
_UNIT: Final = 0.01
_EDIT_STRENGTH: Final = 0.5
"""Chosen by `wherefore eval crossmodal` on products for choices: more hides the thing itself."""
_DECODED_AT_ONCE: Final = 2
"""Pictures: each may take 120 MB."""

_Context = grpc.aio.ServicerContext[Any, Any]
_Array = NDArray[np.float32]


class PictureServer(PictureServiceServicer):
    """Serves `PictureService`; without an encoder every call is UNAVAILABLE, and says why.

    Args:
        settings: Of the NLU service.
        gloss: Returns the English text that stands for one in another language.
        lender: A server whose encoder this one uses, and does not close.
    """

    def __init__(
        self,
        settings: NluSettings,
        gloss: Callable[[str], str],
        lender: PictureServer | None = None,
    ) -> None:
        self._settings, self._gloss, self._lender = settings, gloss, lender
        self._encoder: DualEncoder | None = None
        self._editor: PictureEditor | None = None
        self._problem = "the service is starting"
        self._decoding = asyncio.Semaphore(_DECODED_AT_ONCE)

    def register(self, server: grpc.aio.Server) -> None:
        """Adds the servicer to a server."""
        add_PictureServiceServicer_to_server(self, server)

    async def start(self, texts: TextEncoder) -> None:
        """Opens the encoder; one that cannot be opened is lost, not an error.

        Args:
            texts: The service's own text encoder, which may be the one that the model needs.
        """
        name = self._settings.picture_model
        if self._lender is not None:
            self._encoder, self._problem = self._lender._encoder, self._lender._problem
        elif not name:
            self._problem = "no picture model is set"
        else:
            try:
                from services.nlu.pictures.opening import open_dual_encoder

                self._encoder = await asyncio.to_thread(
                    open_dual_encoder, name, self._settings.inference, texts
                )
            except ImportError as error:
                self._problem = f"pictures need the extra `pictures`: {error}"
            except UnavailableError as error:
                self._problem = error.message
        if self._encoder is not None:
            from services.nlu.pictures.editing import PictureEditor

            self._editor = PictureEditor(self._encoder)

    async def close(self) -> None:
        """Closes the encoder, where it is its own."""
        if self._encoder is not None and self._lender is None:
            await self._encoder.close()
        self._encoder = self._editor = None

    async def EmbedPictures(  # noqa: N802 # the contract's name
        self, request: pb.EmbedPicturesRequest, context: _Context
    ) -> pb.EmbedPicturesResponse:
        """See the contract."""
        requests.check_pictures(request.pictures)
        encoder, _ = self._opened()
        timer = StageTimer()
        vectors = [
            await self._read(picture, f"pictures[{at}]", timer)
            for at, picture in enumerate(request.pictures)
        ]
        return pb.EmbedPicturesResponse(
            vectors=[to_vector(each, encoder.model) for each in vectors], timings=timer.timings()
        )

    async def EmbedTexts(  # noqa: N802 # the contract's name
        self, request: pb.EmbedTextsRequest, context: _Context
    ) -> pb.EmbedTextsResponse:
        """See the contract."""
        requests.check_texts(request.texts)
        encoder, _ = self._opened()
        timer = StageTimer()
        vectors = await self._say(list(request.texts), timer)
        return pb.EmbedTextsResponse(
            vectors=[to_vector(each, encoder.model) for each in vectors], timings=timer.timings()
        )

    async def ComposeQuery(  # noqa: N802 # the contract's name
        self, request: pb.ComposeQueryRequest, context: _Context
    ) -> pb.ComposeQueryResponse:
        """See the contract."""
        requests.check_compose(request)
        encoder, editor = self._opened()
        from services.nlu.pictures.editing import weighted

        timer = StageTimer()
        even = not (request.picture_weight or request.text_weight)
        parts: list[tuple[_Array, float]] = []
        picture: _Array | None = None
        said: _Array | None = None
        if request.HasField("picture"):
            picture = await self._read(request.picture, "picture", timer)
        elif request.HasField("vector"):
            picture = _checked(request.vector, encoder)
        if picture is not None:
            if request.edit.strip():
                with timer.stage(TEXT_STAGE):
                    picture = await editor.edit(
                        picture, self._readable(request.edit), _EDIT_STRENGTH
                    )
            parts.append((picture, 1.0 if even else request.picture_weight))
        if request.text.strip():
            [words] = await self._say([request.text], timer)
            said = words
            parts.append((words, 1.0 if even else request.text_weight))
        vector = weighted(parts) if len(parts) > 1 else parts[0][0]
        response = pb.ComposeQueryResponse(
            vector=to_vector(vector, encoder.model), timings=timer.timings()
        )
        if picture is not None:
            response.picture_vector.CopyFrom(to_vector(picture, encoder.model))
        if said is not None:
            response.text_vector.CopyFrom(to_vector(said, encoder.model))
        return response

    async def _read(self, picture: pb.Picture, field: str, timer: StageTimer) -> _Array:
        """Returns the vector of a picture, its frames pooled."""
        from services.nlu.pictures.editing import pooled

        encoder, _ = self._opened()
        with timer.stage(DECODING_STAGE):
            async with self._decoding:
                frames = await requests.decoded(picture, field)
        with timer.stage(PICTURE_STAGE) as stage:
            encoded = await encoder.encode_pictures(frames)
            stage.queue_nanos, stage.inference_nanos = encoded.queue_nanos, encoded.inference_nanos
        return pooled(encoded.vectors)

    async def _say(self, texts: Sequence[str], timer: StageTimer) -> _Array:
        encoder, _ = self._opened()
        with timer.stage(TEXT_STAGE) as stage:
            encoded = await encoder.encode_texts([self._readable(each) for each in texts])
            stage.queue_nanos, stage.inference_nanos = encoded.queue_nanos, encoded.inference_nanos
        return encoded.vectors

    def _readable(self, text: str) -> str:
        """The text, or its gloss where the encoder reads English alone."""
        if text.isascii() or "*" in self._settings.picture_languages:
            return text
        return self._gloss(text)

    def _opened(self) -> tuple[DualEncoder, PictureEditor]:
        if self._encoder is None or self._editor is None:
            raise UnavailableError(f"no pictures are read: {self._problem}")
        return self._encoder, self._editor


def _checked(vector: Vector, encoder: DualEncoder) -> _Array:
    """Returns the components of a vector of this encoder.

    Raises:
        FailedPreconditionError: It is of another model.
        InvalidArgumentError: It is no unit vector of its size.
    """
    if vector.model != encoder.model:
        raise FailedPreconditionError(
            f"the vector is of model {vector.model[:100]!r}, not {encoder.model!r}"
        )
    values = np.asarray(vector.values, dtype=np.float32)
    if len(values) != encoder.dimension or not abs(np.linalg.norm(values) - 1.0) <= _UNIT:
        raise InvalidArgumentError.of(
            "vector.values", f"must be {encoder.dimension} finite numbers of unit length"
        )
    return values
