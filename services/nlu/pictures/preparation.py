"""From pixels to what a picture encoder reads: a size, a fit, and a range of numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from shared.pictures.decoding import Pixels

_WHITE = 255


class Preparation(BaseModel):
    """How a picture is brought into the form that an encoder was trained on."""

    model_config = ConfigDict(frozen=True)

    width: int = Field(ge=8, le=1024)
    height: int = Field(ge=8, le=1024)
    """Of what the encoder reads, in pixels."""
    fit: Literal["pad", "crop"] = "pad"
    """The whole picture on white, or its middle with nothing left free (as CLIP does)."""
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """Of red, green and blue, 0 to 1; taken away."""
    deviation: tuple[float, float, float] = (0.5, 0.5, 0.5)
    """What is then divided by."""

    @property
    def numbers(self) -> int:
        """Numbers of a row."""
        return 3 * self.width * self.height

    def rows(self, pictures: Sequence[Pixels]) -> NDArray[np.float32]:
        """Returns what the encoder reads, (pictures, numbers): channel by channel, row by row.

        Args:
            pictures: Each (height, width, 3).
        """
        made = np.empty((len(pictures), self.numbers), dtype=np.float32)
        mean = np.array(self.mean, dtype=np.float32)
        deviation = np.array(self.deviation, dtype=np.float32)
        for row, pixels in zip(made, pictures, strict=True):
            scaled = (self.fitted(pixels).astype(np.float32) / _WHITE - mean) / deviation
            row[:] = scaled.transpose(2, 0, 1).reshape(-1)
        return made

    def fitted(self, pixels: Pixels) -> Pixels:
        """Returns one picture as (height, width, 3) of these sizes."""
        high, wide = pixels.shape[:2]
        choose = min if self.fit == "pad" else max
        scale = choose(self.width / wide, self.height / high)
        size = (max(1, round(wide * scale)), max(1, round(high * scale)))
        picture = Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC)
        canvas = Image.new("RGB", (self.width, self.height), "white")
        canvas.paste(picture, ((self.width - size[0]) // 2, (self.height - size[1]) // 2))
        return np.asarray(canvas, dtype=np.uint8)
