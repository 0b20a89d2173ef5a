"""Shares of colours beside what the net has learnt, in the same vector.

Some hundred pictures teach a net colours only in part, while the histogram that the baseline is
made of tells them as they are. So a share of a picture's vector is its histogram, in fewer numbers
(principal components of the pictures for training); and a text gets the histogram that is expected
of it, by ridge regression from the vectors of texts to the histograms of the pictures that they are
true of. What the net has learnt is turned into fewer numbers in return, so that a vector stays as
long as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from services.nlu.pictures.evaluation.shop import Part
from services.nlu.train.arrays import to_tensor
from services.nlu.train.crossmodal.data import Material
from services.nlu.train.crossmodal.network import ColourShares, DualNetwork, PictureNet

_CHUNK = 64
Matrix = NDArray[np.float64]


class ColourSettings(BaseModel):
    """How much of a vector are shares of colours."""

    model_config = ConfigDict(frozen=True)

    dimension: int = Field(default=0, ge=0)
    """Numbers of a vector; 0 for none."""
    weight: float = Field(default=0.4, gt=0)
    """Length beside that of what was learnt, which is 1."""
    penalty: float = Field(default=3.0, gt=0)
    """Of the regression from texts."""


def with_colours(
    model: DualNetwork, material: Material, settings: ColourSettings
) -> tuple[PictureNet, Mapping[str, Any]]:
    """Returns the picture side, and layers of the text side by name as they are served.

    Args:
        model: As it was trained.
        material: Of which the pictures for training are used.
        settings: See `ColourSettings`.
    """
    net, text = model.picture.eval(), model.text
    layers = {
        "hidden_weight": text.hidden.weight, "hidden_bias": text.hidden.bias,
        "out_weight": text.out.weight, "out_bias": text.out.bias,
    }  # fmt: skip
    arrays = {name: layer.detach().numpy().astype(np.float64) for name, layer in layers.items()}
    if not settings.dimension:
        return net, arrays
    learnt = material.where(Part.TRAIN)
    said = [at for each in learnt for at in material.of[each]]
    with torch.no_grad():
        pictures = _rows(net, material, learnt)
        texts = text.eval()(to_tensor(material.vectors[said])).numpy().astype(np.float64)
        histograms = _rows(ColourShares(0).histogram, material, learnt)
    turned = _principal([pictures, texts], model.spec.dimension - settings.dimension)
    mean = histograms.mean(axis=0)
    basis = _principal([histograms - mean], settings.dimension)
    found = (histograms - mean) @ basis
    wanted = np.repeat(found, [len(material.of[each]) for each in learnt], axis=0)
    expected = _regression(material.vectors[said].astype(np.float64), wanted, settings.penalty)
    length = float(np.linalg.norm(found, axis=1).mean())
    spec = net.spec.model_copy(update={"dimension": turned.shape[1], "shares": settings.dimension})
    made = PictureNet(spec)
    state = net.state_dict()
    turn = to_tensor(turned.astype(np.float32)).T
    last = len(net.head) - 1
    state[f"head.{last}.weight"] = turn @ state[f"head.{last}.weight"]
    state[f"head.{last}.bias"] = turn @ state[f"head.{last}.bias"]
    state["shares.mean"] = to_tensor(mean.astype(np.float32))
    state["shares.basis"] = to_tensor((basis * settings.weight / length).astype(np.float32))
    made.load_state_dict(state)
    arrays["out_weight"] = turned.T @ arrays["out_weight"]
    arrays["out_bias"] = turned.T @ arrays["out_bias"]
    return made.eval(), {**arrays, **expected, "colour_length": np.array(settings.weight)}


def _rows(
    side: Callable[[torch.Tensor], torch.Tensor], material: Material, places: Sequence[int]
) -> Matrix:
    """What a module makes of pictures, (pictures, numbers)."""
    starts = range(0, len(places), _CHUNK)
    chunks = [material.pixels[list(places[at : at + _CHUNK])] for at in starts]
    pixels = [to_tensor(each).permute(0, 3, 1, 2).float().flatten(1) for each in chunks]
    return torch.cat([side(each / 127.5 - 1) for each in pixels]).numpy().astype(np.float64)


def _principal(parts: Sequence[Matrix], count: int) -> Matrix:
    """Directions in which several sets of rows, alike in weight, are largest, (numbers, count)."""
    spread = sum((part.T @ part / len(part) for part in parts), np.zeros(1))
    values, vectors = np.linalg.eigh(spread)
    return vectors[:, np.argsort(-values)[:count]]


def _regression(texts: Matrix, wanted: Matrix, penalty: float) -> Mapping[str, Any]:
    """Ridge regression through the mean of the texts: what is expected is 0 there."""
    mean = texts.mean(axis=0)
    away = texts - mean
    gram = away.T @ away + penalty * np.eye(texts.shape[1])
    weight = cast("Matrix", np.linalg.solve(gram, away.T @ wanted)).T
    return {"colour_weight": weight, "colour_bias": -weight @ mean}
