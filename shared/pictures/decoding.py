"""From the bytes of an upload to pixels, whatever the bytes are.

What a file says of itself is checked before anything is decoded: a picture of 20,000 x 20,000
pixels is a few kilobytes as PNG and 1.2 GB in memory (a decompression bomb). Formats are told by
content, never by a name; only those with a decoder that is small and much fuzzed are taken.
"""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from shared.errors import InvalidArgumentError

FORMATS: Final = ("JPEG", "PNG", "WEBP", "GIF")
_BROKEN: Final = (OSError, SyntaxError, ValueError, struct.error, zlib.error, EOFError, IndexError)
"""What decoders of Pillow raise for files that are cut off or made up."""
_MODES: Final = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr", "I;16"})
_SIXTEEN_BITS: Final = 257
"""From 16 bits to 8: 65,535 / 255."""
Pixels = NDArray[np.uint8]
"""Height x width x 3, red, green and blue, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What a picture may be."""

    most_bytes: int = 10 * 2**20
    """Of the file."""
    most_pixels: int = 40_000_000
    """Width times height: 120 MB in memory."""
    longest_side: int = 12_000
    """Pixels."""
    least_side: int = 8
    """Pixels."""
    most_frames: int = 16
    """Of an animation, that are looked at; spread over its length."""


DEFAULT: Final = Limits()


def decode(data: bytes, field: str, limits: Limits = DEFAULT) -> Pixels:
    """Returns the picture, upright; of an animation the first frame.

    Transparent parts are white, as a shop shows them. CMYK, grey, palettes and 16 bits become RGB.

    Args:
        data: The file.
        field: Of the request, for errors.
        limits: What is taken.

    Raises:
        InvalidArgumentError: It is no picture, of another format, too large, or broken.
    """
    return next(frames(data, field, limits, most=1))


def frames(data: bytes, field: str, limits: Limits = DEFAULT, *, most: int = 0) -> Iterator[Pixels]:
    """Yields frames of an animation, evenly spread; the one frame of a still picture.

    Args:
        data: The file.
        field: Of the request, for errors.
        limits: What is taken.
        most: Frames, at most; as many as the limits allow when 0.

    Raises:
        InvalidArgumentError: As of `decode`; of a later frame as well.
    """
    with _opened(data, field, limits) as picture:
        count = getattr(picture, "n_frames", 1)
        taken = min(count, most or limits.most_frames)
        for place in sorted({round(n * count / taken) for n in range(taken)}):
            try:
                picture.seek(place)
                yield _to_rgb(picture)
            except _BROKEN as error:
                raise InvalidArgumentError.of(
                    field, "is broken or cut off: send the whole file"
                ) from error


def _opened(data: bytes, field: str, limits: Limits) -> Image.Image:
    """Reads the header alone, and checks what it says."""
    if not data:
        raise InvalidArgumentError.of(field, "is empty")
    if len(data) > limits.most_bytes:
        raise InvalidArgumentError.of(
            field,
            f"must have at most {limits.most_bytes >> 20} MiB, has {len(data) / 2**20:.1f}",
        )
    try:
        with warnings.catch_warnings():
            # Its own limit warns only, and is checked below by ours.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=FORMATS)
    except UnidentifiedImageError as error:
        raise InvalidArgumentError.of(
            field, f"is no {', '.join(FORMATS[:-1])} or {FORMATS[-1]}"
        ) from error
    except Image.DecompressionBombError as error:
        raise _too_large(field, limits) from error
    except _BROKEN as error:
        raise InvalidArgumentError.of(field, "is broken: send the whole file") from error
    width, height = picture.size
    if max(width, height) > limits.longest_side or width * height > limits.most_pixels:
        raise _too_large(field, limits)
    if min(width, height) < limits.least_side:
        raise InvalidArgumentError.of(
            field, f"must be {limits.least_side} pixels or more a side, is {width} x {height}"
        )
    if picture.mode not in _MODES:
        raise InvalidArgumentError.of(field, f"has the colour mode {picture.mode}: send RGB")
    return picture


def _too_large(field: str, limits: Limits) -> InvalidArgumentError:
    return InvalidArgumentError.of(
        field,
        f"must have at most {limits.most_pixels:,} pixels and {limits.longest_side:,} a side",
    )


def _to_rgb(picture: Image.Image) -> Pixels:
    upright = ImageOps.exif_transpose(picture)
    if upright.mode == "I;16":
        grey = (np.asarray(upright, dtype=np.uint16) // _SIXTEEN_BITS).astype(np.uint8)
        return np.repeat(grey[:, :, None], 3, axis=2)
    if upright.mode in ("LA", "PA", "RGBA") or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        upright = Image.alpha_composite(white, layer)
    return np.asarray(upright.convert("RGB"), dtype=np.uint8)
