"""The whole evaluation: what is asked, of which products, and how answers are ranked.

Queries are of products for tests alone. Ranked are single pictures, all of the shop but that of the
query: those of the other products, which training has seen, stand among them as distractors. A
picture is right when it shows the product in the colour asked for, whatever the view.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.nlu.pictures.editing import PictureEditor
from services.nlu.pictures.evaluation.baseline import HistogramBaseline, histogram
from services.nlu.pictures.evaluation.measure import (
    Ranks,
    area_by_product,
    by_product,
    first_right,
)
from services.nlu.pictures.evaluation.outcome import (
    BASELINE,
    HISTOGRAM,
    MODEL,
    CrossmodalEvaluation,
)
from services.nlu.pictures.evaluation.shop import (
    COLOURS,
    SOLID,
    Part,
    ShopPicture,
    read_pictures,
)
from services.nlu.pictures.port import DualEncoder
from shared.evaluation.significance import Interval
from shared.pictures.decoding import Pixels, decode

_WEIGHTS: Final = (0.02, 0.05, 0.1, 0.2, 0.5)
"""Of the baseline's category, from which the products for choices choose."""
_SHARES: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
"""Of the text beside a picture, likewise."""
_STRENGTHS: Final = (0.4, 0.5, 0.6, 0.8, 1.0, 1.5, 2.0)
"""Of an edit, likewise."""
_BOTH: Final = "both"
_EDIT: Final = "edit"
_EDIT_AND_TEXT: Final = "edit and text"
_VIEWS: Final = "other views"
_SYSTEM: Final = {_VIEWS: _BOTH}
"""What is chosen -> the system that it is chosen by, where they are not called alike."""
_CHUNK: Final = 32

Scores = NDArray[np.float64]


async def evaluate_crossmodal(
    folder: Path, encoder: DualEncoder, on_pictures: Callable[[int], None] = lambda _: None
) -> CrossmodalEvaluation:
    """Measures an encoder and the baseline on the `luma` shop.

    Args:
        folder: Of the `luma` set.
        encoder: What is measured.
        on_pictures: Called with how many more pictures were read.

    Raises:
        CatalogueError: The folder holds no such shop.
        UnavailableError: The encoder does not answer.
    """
    pictures = await asyncio.to_thread(read_pictures, folder)
    vectors: list[NDArray[np.float32]] = []
    histograms: list[NDArray[np.float64]] = []
    for start in range(0, len(pictures), _CHUNK):
        part = pictures[start : start + _CHUNK]
        pixels = await asyncio.to_thread(_decoded, part)
        vectors.append((await encoder.encode_pictures(pixels)).vectors)
        histograms += map(histogram, pixels)
        on_pictures(len(part))
    learnt = [at for at, each in enumerate(pictures) if each.product and each.part == Part.TRAIN]
    baseline = HistogramBaseline(np.stack(histograms), pictures, learnt)
    return await _Trial(pictures, np.concatenate(vectors), encoder, baseline).run()


def _decoded(pictures: Sequence[ShopPicture]) -> list[Pixels]:
    return [decode(each.path.read_bytes(), each.path.name) for each in pictures]


class _Trial:
    def __init__(
        self,
        pictures: Sequence[ShopPicture],
        vectors: NDArray[np.float32],
        encoder: DualEncoder,
        baseline: HistogramBaseline,
    ) -> None:
        self._pictures, self._vectors = pictures, vectors
        self._encoder, self._baseline = encoder, baseline
        self._editor = PictureEditor(encoder)
        self._variants = np.array([each.variant for each in pictures])
        self._chosen: dict[str, float] = {}

    async def run(self) -> CrossmodalEvaluation:
        await self._choose()
        counts = {
            part.value: {
                "products": len({each.product for each in self._of(part)}),
                "pictures": len(self._of(part)),
            }
            for part in Part
        }
        return CrossmodalEvaluation(
            await self._text_to_picture(Part.TEST),
            await self._picture_to_text(),
            await self._other_views(Part.TEST),
            await self._like_this_but(Part.TEST),
            await self._colours(),
            await self._patterns(),
            self._chosen,
            counts,
        )

    async def _choose(self) -> None:
        """Chooses weights on the products for choices."""
        found: dict[float, float] = {}
        for weight in _WEIGHTS:
            self._chosen["category"] = weight
            ranks = await self._text_to_picture(Part.DEV)
            found[weight] = _reciprocal(ranks[BASELINE])
        self._chosen["category"] = max(found, key=found.__getitem__)
        self._chosen |= {_VIEWS: _SHARES[0], _BOTH: _SHARES[0], _EDIT_AND_TEXT: _SHARES[0]}
        self._chosen[_EDIT] = _STRENGTHS[0]
        for name, values, task in (
            (_VIEWS, _SHARES, self._other_views),
            (_BOTH, _SHARES, self._like_this_but),
            (_EDIT, _STRENGTHS, self._like_this_but),
            (_EDIT_AND_TEXT, _SHARES, self._like_this_but),
        ):
            figures: dict[float, float] = {}
            for value in values:
                self._chosen[name] = value
                figures[value] = _reciprocal((await task(Part.DEV))[_SYSTEM.get(name, name)])
            self._chosen[name] = max(figures, key=figures.__getitem__)

    async def _text_to_picture(self, part: Part) -> dict[str, Ranks]:
        queries = self._listed(self._of(part))
        right = np.array([self._variants == each.variant for each in queries])
        products = [each.product for each in queries]
        scores = {
            MODEL: await self._fit([each.listing for each in queries]),
            BASELINE: self._baseline.by_text(queries, self._chosen["category"]),
            HISTOGRAM: self._baseline.by_text(queries, 0.0),
        }
        return {name: first_right(each, right, products) for name, each in scores.items()}

    async def _picture_to_text(self) -> dict[str, Ranks]:
        listed = self._listed([each for each in self._pictures if each.product])
        asked = [at for at, each in enumerate(self._pictures) if each.part == Part.TEST]
        variants = np.array([each.variant for each in listed])
        right = np.array([variants == self._pictures[at].variant for at in asked])
        products = [self._pictures[at].product for at in asked]
        scores = {
            MODEL: await self._fit([each.listing for each in listed]),
            BASELINE: self._baseline.by_text(listed, self._chosen["category"]),
        }
        return {n: first_right(each.T[asked], right, products) for n, each in scores.items()}

    async def _other_views(self, part: Part) -> dict[str, Ranks]:
        count = Counter(each.variant for each in self._pictures)
        own = [
            at
            for at, each in enumerate(self._pictures)
            if each.part == part and each.product and count[each.variant] > 1
        ]
        shown = [self._pictures[at] for at in own]
        right = np.array([self._variants == each.variant for each in shown])
        by_text = await self._fit([each.listing for each in shown])
        by_picture = (self._vectors[own] @ self._vectors.T).astype(np.float64)
        share = self._chosen[_VIEWS]
        scores = {
            "picture alone": by_picture,
            "text alone": by_text,
            _BOTH: share * by_text + (1 - share) * by_picture,
        }
        products = [each.product for each in shown]
        return {n: first_right(each, right, products, own) for n, each in scores.items()}

    async def _like_this_but(self, part: Part) -> dict[str, Ranks]:
        share, strength = self._chosen[_BOTH], self._chosen[_EDIT]
        edited_share = self._chosen[_EDIT_AND_TEXT]
        pairs = self._pairs(part)
        own = [at for at, _ in pairs]
        wanted = [each for _, each in pairs]
        right = np.array([self._variants == each.variant for each in wanted])
        products = [each.product for each in wanted]
        texts = [f"{each.colour}. {each.audience}, {each.kind}" for each in wanted]
        by_text = await self._fit(texts)
        by_picture = (self._vectors[own] @ self._vectors.T).astype(np.float64)
        edited = np.stack(
            [
                await self._editor.edit(self._vectors[at], each.colour, strength)
                for at, each in pairs
            ]
        )
        by_edit = (edited @ self._vectors.T).astype(np.float64)
        category = self._chosen["category"]
        theirs = self._baseline.by_text(wanted, category) + self._baseline.by_picture(own)
        scores = {
            "picture alone": by_picture,
            "text alone": by_text,
            _BOTH: share * by_text + (1 - share) * by_picture,
            _EDIT: by_edit,
            _EDIT_AND_TEXT: edited_share * by_text + (1 - edited_share) * by_edit,
            f"both, by {BASELINE}": theirs,
        }
        return {n: first_right(each, right, products, own) for n, each in scores.items()}

    async def _colours(self) -> dict[str, Interval]:
        asked = [at for at, each in enumerate(self._pictures) if each.part == Part.TEST]
        asked = [at for at in asked if self._pictures[at].colour]
        words = [each for each in COLOURS if any(p.colour == each for p in self._of(Part.TRAIN))]
        products = [self._pictures[at].product for at in asked]
        theirs = self._baseline.by_colour(words).T[asked]
        kinds = [(self._pictures[at].audience, self._pictures[at].kind) for at in asked]
        ours = np.empty((len(asked), len(words)))
        for audience, kind in sorted(set(kinds)):
            rows = [row for row, each in enumerate(kinds) if each == (audience, kind)]
            scores = await self._fit([f"{word}. {audience}, {kind}" for word in words])
            ours[rows] = scores.T[[asked[row] for row in rows]]
        found: dict[str, Interval] = {}
        for name, scores in ((MODEL, ours), (BASELINE, theirs)):
            told = [words[int(np.argmax(row))] for row in scores]
            right = [
                word == self._pictures[at].colour for word, at in zip(told, asked, strict=True)
            ]
            found[name] = by_product(np.array(right, dtype=np.float64), products)
        return found

    async def _patterns(self) -> dict[str, Interval]:
        asked = [at for at, each in enumerate(self._pictures) if each.part == Part.TEST]
        asked = [at for at in asked if self._pictures[at].pattern]
        positive = np.array([self._pictures[at].pattern != SOLID for at in asked])
        products = [self._pictures[at].product for at in asked]
        words = ("striped", "color-blocked", "checked", "graphic print")
        named, plain = await self._fit(words), await self._fit(["solid"])
        ours = (named.max(axis=0) - plain[0])[asked]
        return {
            MODEL: area_by_product(ours, positive, products),
            BASELINE: area_by_product(self._baseline.patterned()[asked], positive, products),
        }

    def _of(self, part: Part) -> list[ShopPicture]:
        return [each for each in self._pictures if each.product and each.part == part]

    def _listed(self, pictures: Sequence[ShopPicture]) -> list[ShopPicture]:
        """One picture of each variant."""
        return list({each.variant: each for each in pictures}.values())

    def _pairs(self, part: Part) -> list[tuple[int, ShopPicture]]:
        """Main pictures, each with every other colour of its product."""
        main = [
            at
            for at, each in enumerate(self._pictures)
            if each.part == part and each.view == "main" and each.colour
        ]
        return [
            (at, self._pictures[other])
            for at in main
            for other in main
            if self._pictures[at].product == self._pictures[other].product
            and self._pictures[at].colour != self._pictures[other].colour
        ]

    async def _fit(self, texts: Sequence[str]) -> Scores:
        encoded = await self._encoder.encode_texts(texts)
        return (encoded.vectors @ self._vectors.T).astype(np.float64)


def _reciprocal(ranks: Ranks) -> float:
    return float((1 / ranks.places).mean())
