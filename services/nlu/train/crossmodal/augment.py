"""Pictures of a batch as they might have been taken: nearer, turned, mirrored, in other light.

Hues stay as they are, for colours are what texts name.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional

_TURN = math.radians(9)
_NEAREST, _FARTHEST = 1.6, 0.85
_SHIFT = 0.15
_LIGHT, _CONTRAST = 0.12, 0.15
_COVERED = 0.3
"""Share of the pictures of which a part is covered."""


def vary(pictures: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
    """Returns varied pictures, (batch, 3, height, width) as they came, -1 to 1.

    Args:
        pictures: As prepared.
        rng: Draws; the same state gives the same pictures.
    """
    rows, _, height, width = pictures.shape
    turned = (_uniform(rows, rng) * 2 - 1) * _TURN
    zoom = torch.exp(math.log(_FARTHEST) + _uniform(rows, rng) * math.log(_NEAREST / _FARTHEST))
    mirrored = torch.where(_uniform(rows, rng) < 0.5, -1.0, 1.0)  # noqa: PLR2004 - half of them
    ratio = height / width
    cos, sin = torch.cos(turned) / zoom, torch.sin(turned) / zoom
    shifts = (torch.rand(2, rows, generator=rng) * 2 - 1) * _SHIFT
    ways = torch.stack(
        [
            torch.stack([cos * mirrored, -sin * ratio, shifts[0]], 1),
            torch.stack([sin * mirrored / ratio, cos, shifts[1]], 1),
        ],
        1,
    )
    grid = functional.affine_grid(ways, list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures, grid, padding_mode="border", align_corners=False)
    contrast = 1 + (_uniform(rows, rng) * 2 - 1)[:, None, None, None] * _CONTRAST
    light = (_uniform(rows, rng) * 2 - 1)[:, None, None, None] * _LIGHT
    lit = (moved * contrast + light).clamp(-1, 1)
    covered = _uniform(rows, rng) < _COVERED
    for row in (at for at in range(rows) if covered[at]):
        tall, wide = (
            int(side * (0.15 + 0.2 * float(_uniform(1, rng)))) for side in (height, width)
        )
        top = int(float(_uniform(1, rng)) * (height - tall))
        left = int(float(_uniform(1, rng)) * (width - wide))
        lit[row, :, top : top + tall, left : left + wide] = 1.0
    return lit


def _uniform(count: int, rng: torch.Generator) -> torch.Tensor:
    return torch.rand(count, generator=rng)
