"""Trains the dual encoder: contrast of pictures and texts, with what a picture shows beside it.

In a batch every text that is true of a picture is a right answer for it, not its own alone: the
targets of the softmax are shared among them, in both directions (Yang et al., UniCL, CVPR 2022).
Heads on the picture's features name kind, colour, audience and pattern besides; they steer the
features and are not kept.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate.utils import set_seed
from pydantic import BaseModel, Field
from torch.nn import functional

from services.nlu.pictures.evaluation.shop import SOLID, Part, ShopPicture
from services.nlu.pictures.preparation import Preparation
from services.nlu.train.arrays import to_tensor
from services.nlu.train.crossmodal.augment import vary
from services.nlu.train.crossmodal.colours import ColourSettings, with_colours
from services.nlu.train.crossmodal.data import Material, gather
from services.nlu.train.crossmodal.network import DualNetwork, NetworkSpec
from services.nlu.train.crossmodal.storage import save
from services.nlu.train.crossmodal.wordings import matches
from services.nlu.train.loop import LoopSettings, Recipe, train
from services.nlu.train.progress import History

_HEADS: Mapping[str, float] = {"kind": 0.5, "colour": 0.5, "audience": 0.2, "pattern": 0.2}
"""Head -> weight of its loss."""
_UNKNOWN = -100
"""Class of what the catalogue does not state; torch leaves it out."""
_EVALUATED = 64


class CrossmodalSettings(BaseModel):
    """A recipe of kind "crossmodal"."""

    text_model: str = "query_en"
    """Entry of the model repository whose vectors the text side starts from."""
    wordings: int = Field(default=40, ge=2)
    """Texts of a variant, at most."""
    batch: int = Field(default=64, ge=8)
    passes: int = Field(default=4, ge=1)
    """Over all pictures, in what the loop calls an epoch."""
    pattern_repeat: int = Field(default=3, ge=1)
    """Times that a picture with a pattern is seen where a plain one is seen once."""
    threads: int = Field(default=1, ge=1)
    """Of a step."""
    network: NetworkSpec = NetworkSpec()
    colours: ColourSettings = ColourSettings()
    loop: LoopSettings = LoopSettings()


def train_crossmodal(settings: CrossmodalSettings, data: Path, folder: Path) -> History:
    """Trains by a recipe, or takes up the run in the folder; writes `model/` at the end.

    Args:
        settings: The recipe.
        data: Folder of the data sets.
        folder: Of the run.

    Returns:
        What was measured on the products for choices; products for tests are not read.
    """
    torch.set_num_threads(settings.threads)
    set_seed(settings.loop.seed)
    spec = settings.network
    preparation = Preparation(width=spec.width, height=spec.height)
    material = gather(
        data / "luma",
        folder / "cache",
        preparation,
        text_model=settings.text_model,
        count=settings.wordings,
        seed=settings.loop.seed,
    )
    names = {head: _names(material.pictures, head) for head in _HEADS}
    model = DualNetwork(spec, {head: len(known) for head, known in names.items()})
    trial = _Trial(settings, material, names)
    history = train(
        Recipe(
            model=model,
            batches=trial.batches,
            collate=trial.collate,
            loss=trial.loss,
            evaluate=trial.evaluate,
            score="mrr",
        ),
        settings.loop,
        folder,
        title="crossmodal",
    )
    net, layers = with_colours(model, material, settings.colours)
    save(net, layers, preparation, settings.text_model, folder / "model")
    return history


class _Trial:
    """Batches, losses and figures of one run."""

    def __init__(
        self, settings: CrossmodalSettings, material: Material, names: Mapping[str, Sequence[str]]
    ) -> None:
        self._settings, self._material, self._names = settings, material, names
        self._train, self._dev = material.where(Part.TRAIN), material.where(Part.DEV)
        self._pixels = to_tensor(material.pixels)
        self._vectors = to_tensor(material.vectors)

    def batches(self, epoch: int) -> list[list[tuple[int, int]]]:
        """Pairs of a picture and a wording of it."""
        rng = random.Random(f"{self._settings.loop.seed}/{epoch}")  # noqa: S311 - order, not secrets
        repeat = self._settings.pattern_repeat
        found: list[list[tuple[int, int]]] = []
        for _ in range(self._settings.passes):
            seen = [
                at
                for at in self._train
                for _ in range(1 if self._material.pictures[at].pattern in ("", SOLID) else repeat)
            ]
            rng.shuffle(seen)
            pairs = [(at, rng.choice(self._material.of[at])) for at in seen]
            size = self._settings.batch
            full = len(pairs) - len(pairs) % size
            found += [pairs[start : start + size] for start in range(0, full, size)]
        return found

    def collate(self, rows: Sequence[tuple[int, int]], step: int) -> dict[str, Any]:
        """Tensors of a batch."""
        rng = torch.Generator().manual_seed(self._settings.loop.seed * 1_000_003 + step)
        pictures = [self._material.pictures[at] for at, _ in rows]
        texts = [self._material.texts[at] for _, at in rows]
        pixels = self._prepared([at for at, _ in rows])
        true = torch.tensor(matches(texts, pictures), dtype=torch.float32)
        return {
            "pixels": vary(pixels, rng).flatten(1),
            "texts": self._vectors[[at for _, at in rows]],
            "true": true,
            "classes": {
                head: torch.tensor([_class(each, head, known) for each in pictures])
                for head, known in self._names.items()
            },
        }

    def loss(self, model: Any, batch: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        """Contrast in both directions, and the heads."""
        made = model(batch["pixels"], batch["texts"])
        likeness = made["scale"] * made["pictures"] @ made["texts"].T
        true = batch["true"]
        by_text = true / true.sum(0, keepdim=True).clamp(min=1)
        by_picture = true / true.sum(1, keepdim=True).clamp(min=1)
        losses = {
            "contrast": (
                functional.cross_entropy(likeness, by_picture)
                + functional.cross_entropy(likeness.T, by_text.T)
            )
            / 2
        }
        for head, weight in _HEADS.items():
            losses[head] = weight * functional.cross_entropy(
                made["logits"][head], batch["classes"][head], ignore_index=_UNKNOWN,
                label_smoothing=0.05,
            )  # fmt: skip
        return losses

    def evaluate(self, model: DualNetwork) -> dict[str, float]:
        """Listings of products for choices among all pictures at hand: recall@10 and MRR."""
        starts = range(0, len(self._pixels), _EVALUATED)
        places = [list(range(at, min(at + _EVALUATED, len(self._pixels)))) for at in starts]
        pictures = torch.cat([model.picture(self._prepared(part).flatten(1)) for part in places])
        variants = [each.variant for each in self._material.pictures]
        listings: dict[str, int] = {variants[at]: self._material.of[at][0] for at in self._dev}
        texts = model.text(self._vectors[list(listings.values())])
        order = (texts @ pictures.T).argsort(1, descending=True).tolist()
        ranks = [
            next(rank for rank, at in enumerate(row, 1) if variants[at] == variant)
            for variant, row in zip(listings, order, strict=True)
        ]
        return {
            "recall_at_10": float(np.mean([rank <= 10 for rank in ranks])),  # noqa: PLR2004
            "mrr": float(np.mean([1 / rank for rank in ranks])),
        }

    def _prepared(self, places: Sequence[int]) -> torch.Tensor:
        """Pictures as the net reads them, (pictures, 3, height, width)."""
        return self._pixels[list(places)].permute(0, 3, 1, 2).float() / 127.5 - 1


def _names(pictures: Sequence[ShopPicture], head: str) -> list[str]:
    return sorted({getattr(each, head) for each in pictures} - {""})


def _class(picture: ShopPicture, head: str, names: Sequence[str]) -> int:
    value = getattr(picture, head)
    return names.index(value) if value else _UNKNOWN
