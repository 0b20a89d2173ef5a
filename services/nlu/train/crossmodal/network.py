"""The dual encoder as it is trained: a small convolutional net, and a projection of text vectors.

The net looks twice at a picture. Convolutions read shapes, down to a grid of features; maps of
attention over that grid say where the article is, and under them pixels are read once more by
layers that see one pixel each, so that colours are told apart where the article is and not where
skin or background are.
"""

from __future__ import annotations

from typing import Any, cast

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import nn
from torch.nn import functional

from services.nlu.pictures.evaluation.baseline import BACKGROUND, STEPS

_COLOUR_PIXELS = 4
"""Pixels a side that are averaged before their colour is read: enough for folds and seams."""


class NetworkSpec(BaseModel):
    """What the two sides are built from."""

    model_config = ConfigDict(frozen=True)

    width: int = Field(default=64, ge=32, multiple_of=16)
    """Of a picture as it is read, in pixels."""
    height: int = Field(default=80, ge=32)
    channels: tuple[int, ...] = (24, 48, 96, 128)
    """Of the stages; each halves the sides."""
    colours: int = Field(default=32, ge=8)
    """Features of a pixel's colour."""
    looks: int = Field(default=4, ge=1)
    """Maps of attention."""
    dimension: int = Field(default=128, ge=8)
    """Of the vectors that compare, as far as they are learnt."""
    shares: int = Field(default=0, ge=0)
    """Numbers that tell shares of colours, behind those."""
    text_dimension: int = Field(default=384, ge=16)
    text_hidden: int = Field(default=256, ge=16)


class _Block(nn.Module):
    """Two 3 x 3 convolutions with a way round them (He et al., 2016)."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.norm_first = nn.BatchNorm2d(after)
        self.second = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.norm_second = nn.BatchNorm2d(after)
        self.around = nn.Conv2d(before, after, 1, stride, bias=False)

    def forward(self, grid: torch.Tensor) -> torch.Tensor:
        inner = functional.relu(self.norm_first(self.first(grid)))
        return functional.relu(self.norm_second(self.second(inner)) + self.around(grid))


class ColourShares(nn.Module):
    """The histogram of a picture's colours in few numbers; see `colours`.

    Args:
        count: Of the numbers.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(STEPS**3))
        self.register_buffer("basis", torch.zeros(STEPS**3, count))
        self.register_buffer("steps", torch.arange(STEPS).float(), persistent=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Returns (batch, count) of what `PictureNet` takes."""
        mean, basis = cast("torch.Tensor", self.mean), cast("torch.Tensor", self.basis)
        return (self.histogram(pixels) - mean) @ basis

    def histogram(self, pixels: torch.Tensor) -> torch.Tensor:
        """Returns the baseline's histogram, (batch, 125)."""
        channels = pixels.reshape(pixels.shape[0], 3, -1)
        levels = torch.floor((channels + 1) * 127.5 + 0.5)
        darkest = torch.minimum(torch.minimum(levels[:, 0], levels[:, 1]), levels[:, 2])
        shown = (darkest <= BACKGROUND).float()
        shown = torch.where(shown.sum(1, keepdim=True) > 0, shown, torch.ones_like(shown))
        step = torch.floor(levels * STEPS / 256).clamp(0, STEPS - 1)
        is_step = (step[..., None] == cast("torch.Tensor", self.steps)).float()
        pairs = (is_step[:, 0, :, :, None] * is_step[:, 1, :, None, :]).flatten(2)
        bins = ((pairs * shown[..., None]).transpose(1, 2) @ is_step[:, 2]).flatten(1)
        return (bins / shown.sum(1, keepdim=True)).sqrt()


class PictureNet(nn.Module):
    """Pictures to features and to unit vectors.

    Takes (batch, 3 * height * width), channel by channel, -1 to 1.
    """

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.spec = spec
        first, *others = spec.channels
        self.stem = nn.Conv2d(3, first, 5, 2, 2, bias=False)
        self.norm = nn.BatchNorm2d(first)
        pairs = zip(spec.channels, others, strict=False)
        self.stages = nn.Sequential(*(_Block(before, after, 2) for before, after in pairs))
        last = spec.channels[-1]
        self.looks = nn.Conv2d(last, spec.looks, 1)
        self.colours = nn.Sequential(
            nn.Conv2d(3, spec.colours, 1), nn.ReLU(), nn.Conv2d(spec.colours, spec.colours, 1),
            nn.ReLU(),
        )  # fmt: skip
        self.features = last + spec.looks * (spec.colours + last // 2)
        self.shapes = nn.Conv2d(last, last // 2, 1)
        self.head = nn.Sequential(
            nn.LayerNorm(self.features),
            nn.Dropout(0.2),
            nn.Linear(self.features, 256),
            nn.ReLU(),
            nn.Linear(256, spec.dimension),
        )
        if spec.shares:
            self.shares = ColourShares(spec.shares)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Returns unit vectors, (batch, dimension)."""
        learnt = functional.normalize(self.head(self.describe(pixels)), dim=1)
        if not self.spec.shares:
            return learnt
        return functional.normalize(torch.cat([learnt, self.shares(pixels)], 1), dim=1)

    def describe(self, pixels: torch.Tensor) -> torch.Tensor:
        """Returns the features before the projection, (batch, features)."""
        spec = self.spec
        picture = pixels.reshape(-1, 3, spec.height, spec.width)
        grid = self.stages(functional.relu(self.norm(self.stem(picture))))
        looks = self.looks(grid)
        small = functional.avg_pool2d(picture, _COLOUR_PIXELS)
        finer = functional.interpolate(
            looks, (small.shape[2], small.shape[3]), mode="bilinear", align_corners=False
        )
        colours = _under(finer, self.colours(small))
        shapes = _under(looks, functional.relu(self.shapes(grid)))
        return torch.cat([grid.mean((2, 3)), colours, shapes], 1)


def _under(looks: torch.Tensor, features: torch.Tensor) -> torch.Tensor:
    """Means of features weighted by maps of attention, (batch, looks * features)."""
    where = looks.flatten(2).softmax(2)
    return (features.flatten(2) @ where.transpose(1, 2)).flatten(1)


class TextProjection(nn.Module):
    """Vectors of a text encoder to unit vectors that compare with those of pictures."""

    def __init__(self, spec: NetworkSpec) -> None:
        super().__init__()
        self.hidden = nn.Linear(spec.text_dimension, spec.text_hidden)
        self.drop = nn.Dropout(0.1)
        self.out = nn.Linear(spec.text_hidden, spec.dimension)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """Returns (batch, dimension) of (batch, text_dimension)."""
        hidden = self.drop(functional.relu(self.hidden(vectors)))
        return functional.normalize(self.out(hidden), dim=1)


class DualNetwork(nn.Module):
    """Both sides, with what only training needs: heads that name what a picture shows.

    Args:
        spec: See `NetworkSpec`.
        classes: Head -> how many classes it tells apart.
    """

    def __init__(self, spec: NetworkSpec, classes: dict[str, int]) -> None:
        super().__init__()
        self.spec = spec
        self.picture = PictureNet(spec)
        self.text = TextProjection(spec)
        self.scale = nn.Parameter(torch.tensor(2.7))
        self.heads = nn.ModuleDict(
            {name: nn.Linear(self.picture.features, count) for name, count in classes.items()}
        )

    def forward(self, pixels: torch.Tensor, texts: torch.Tensor) -> dict[str, Any]:
        """Returns vectors of both sides, the scale of likeness, and logits of the heads."""
        features = self.picture.describe(pixels)
        pictures = functional.normalize(self.picture.head(features), dim=1)
        logits = {name: cast("nn.Linear", head)(features) for name, head in self.heads.items()}
        return {
            "pictures": pictures,
            "texts": self.text(texts),
            "scale": self.scale.exp().clamp(max=100.0),
            "logits": logits,
        }
