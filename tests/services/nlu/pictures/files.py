"""Pictures as bytes, and a dual encoder that needs no model: means of colours as vectors."""

import io
import re
from collections.abc import Sequence

import numpy as np
from PIL import Image

from shared.errors import UnavailableError
from shared.inference import Encoded
from shared.pictures.decoding import Pixels

COLOURS = {
    "black": (20, 20, 20), "blue": (30, 50, 200), "brown": (120, 70, 30), "gray": (128, 128, 128),
    "green": (30, 150, 60), "orange": (240, 140, 20), "pink": (250, 150, 190),
    "purple": (110, 40, 160), "red": (210, 20, 30), "white": (250, 250, 250),
    "yellow": (240, 220, 40), "beige": (220, 205, 170),
}  # fmt: skip


def encoded(picture: Image.Image, format_: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format_, **options)
    return buffer.getvalue()


def plain(colour: str, size: tuple[int, int] = (24, 32)) -> Image.Image:
    return Image.new("RGB", size, COLOURS[colour])


def png(colour: str) -> bytes:
    return encoded(plain(colour))


def animation(*colours: str) -> bytes:
    first, *others = map(plain, colours)
    return encoded(first, "GIF", save_all=True, append_images=others)


class ColourEncoder:
    """A `DualEncoder` of eight numbers: mean colour, and how tall; texts by their colour words."""

    model = "colours@1"
    dimension = 8

    def __init__(self) -> None:
        self.lost = False
        self.texts: list[str] = []
        self.closed = 0

    async def encode_pictures(self, pictures: Sequence[Pixels]) -> Encoded:
        self._check()
        rows = [
            [*(pixels.reshape(-1, 3).mean(axis=0) / 128 - 1), pixels.shape[0] / pixels.shape[1]]
            for pixels in pictures
        ]
        return self._unit(rows)

    async def encode_texts(self, texts: Sequence[str]) -> Encoded:
        self._check()
        self.texts += texts
        rows: list[list[float]] = []
        for text in texts:
            named = [COLOURS[w] for w in re.findall("[a-z]+", text.lower()) if w in COLOURS]
            rows.append([*(np.array(named or [(128, 128, 128)]).mean(axis=0) / 128 - 1), 0.1])
        return self._unit(rows)

    async def check_ready(self) -> None:
        self._check()

    async def close(self) -> None:
        self.closed += 1

    def _check(self) -> None:
        if self.lost:
            raise UnavailableError("colours@1 cannot be reached")

    def _unit(self, rows: list[list[float]]) -> Encoded:
        vectors = np.zeros((len(rows), self.dimension), dtype=np.float32)
        vectors[:, :4] = rows
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return Encoded((vectors / np.maximum(lengths, 1e-6)).astype(np.float32), 3, 5)
