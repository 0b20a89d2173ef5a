"""Requests for pictures, checked, and their pictures decoded off the event loop."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from services.nlu import validation
from shared.errors import FieldViolation, InvalidArgumentError, UnavailableError
from shared.text.control import CONTROL
from wherefore.nlu.v1 import picture_service_pb2 as pb

if TYPE_CHECKING:
    from shared.pictures.decoding import Pixels

MAX_PICTURES: Final = 64
MAX_FILES: Final = 16
MAX_FRAMES: Final = 128
MAX_TEXT: Final = 1_000
MAX_WEIGHT: Final = 100.0
_ANIMATION_FRAMES: Final = 8
_LARGEST: Final = 1024
"""Pixels a side of what is kept of a picture: encoders read a few hundred, and 16 files of 40
million pixels would take two gigabytes."""


def check_texts(texts: Sequence[str]) -> None:
    """Checks texts to embed.

    Raises:
        InvalidArgumentError: Names every text at fault.
    """
    validation.check_count(len(texts), validation.MAX_TEXTS, "texts")
    validation.check_texts(texts, MAX_TEXT, "texts[{}]")


def check_pictures(pictures: Sequence[pb.Picture]) -> None:
    """Checks how many pictures there are, before any is decoded.

    Raises:
        InvalidArgumentError: Names the field at fault.
    """
    validation.check_count(len(pictures), MAX_PICTURES, "pictures")
    for at, picture in enumerate(pictures):
        check_picture(picture, f"pictures[{at}]")
    frames = sum(len(picture.frames) for picture in pictures)
    if frames > MAX_FRAMES:
        raise InvalidArgumentError.of("pictures", f"have {frames} frames: give at most 128")


def check_picture(picture: pb.Picture, field: str) -> None:
    """Checks one picture before it is decoded.

    Raises:
        InvalidArgumentError: Names the field at fault.
    """
    validation.check_count(len(picture.frames), MAX_FILES, f"{field}.frames")


def check_compose(request: pb.ComposeQueryRequest) -> None:
    """Checks a query of several parts.

    Raises:
        InvalidArgumentError: Names all fields at fault.
    """
    found: list[FieldViolation] = []
    has_picture = request.HasField("picture")
    if has_picture and request.HasField("vector"):
        found.append(FieldViolation("vector", "give a picture or a vector, not both"))
    if not (has_picture or request.HasField("vector") or request.text.strip()):
        found.append(FieldViolation("picture", "give a picture, a vector or a text"))
    if request.edit.strip() and not (has_picture or request.HasField("vector")):
        found.append(FieldViolation("edit", "needs a picture or a vector"))
    for name, text in (("text", request.text), ("edit", request.edit)):
        if len(text) > MAX_TEXT:
            found.append(FieldViolation(name, f"has {len(text)} characters: give at most 1,000"))
        elif control := CONTROL.search(text):
            reason = f"control character at {control.start()}: remove it"
            found.append(FieldViolation(name, reason))
    weights = {"picture_weight": request.picture_weight, "text_weight": request.text_weight}
    for name, weight in weights.items():
        if not (math.isfinite(weight) and 0 <= weight <= MAX_WEIGHT):
            found.append(FieldViolation(name, "must be 0 to 100"))
    if found:
        raise InvalidArgumentError(*found)
    if has_picture:
        check_picture(request.picture, "picture")


async def decoded(picture: pb.Picture, field: str) -> list[Pixels]:
    """Returns the frames of a picture.

    Args:
        picture: As it came; 1 to 16 files.
        field: Of the request.

    Raises:
        InvalidArgumentError: A file is no picture, too large or broken; names it.
        UnavailableError: The library that decodes is not installed.
    """
    try:
        from shared.pictures.decoding import frames
    except ImportError as error:
        raise UnavailableError("pictures need the extra `pictures`") from error

    def read() -> list[Pixels]:
        return [
            _shrunk(pixels)
            for at, data in enumerate(picture.frames)
            for pixels in frames(data, f"{field}.frames[{at}]", most=_ANIMATION_FRAMES)
        ]

    return await asyncio.to_thread(read)


def _shrunk(pixels: Pixels) -> Pixels:
    if max(pixels.shape[:2]) <= _LARGEST:
        return pixels
    from PIL import Image

    picture = Image.fromarray(pixels)
    picture.thumbnail((_LARGEST, _LARGEST))
    return np.asarray(picture, dtype=np.uint8)
