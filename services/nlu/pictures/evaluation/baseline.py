"""The baseline: a colour histogram and a category, both learnt from pictures for training.

A picture is its histogram. From it a logistic regression reads which category the picture is of. A
text is told apart by the facts that it names, given to the baseline as they are: the mean histogram
of its colour word, and its category. A picture fits as its histogram is near and its category
likely; how much the category weighs is chosen on the products for choices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray

from services.nlu.pictures.evaluation.shop import SOLID, ShopPicture
from shared.pictures.decoding import Pixels

STEPS: Final = 5
"""Of red, green and blue, each: 125 colours."""
BACKGROUND: Final = 243
"""Pixels all of whose channels are above are the white that the shop's pictures stand on."""
_INVERSE_PENALTY: Final = 10.0

Matrix = NDArray[np.float64]


def histogram(pixels: Pixels) -> NDArray[np.float64]:
    """Returns the square roots of the shares of 125 colours, background left out: unit length.

    Args:
        pixels: (height, width, 3).
    """
    flat = pixels.reshape(-1, 3)
    shown = flat[(flat <= BACKGROUND).any(axis=1)]
    steps = (shown if len(shown) else flat).astype(np.int64) * STEPS // 256
    bins = np.bincount(steps @ np.array([STEPS * STEPS, STEPS, 1]), minlength=STEPS**3)
    return np.sqrt(bins / bins.sum())


class HistogramBaseline:
    """See the module.

    Args:
        histograms: (pictures, colours), of all pictures.
        pictures: What is known of them.
        learnt: Positions of those that it may learn from.
    """

    def __init__(
        self, histograms: Matrix, pictures: Sequence[ShopPicture], learnt: Sequence[int]
    ) -> None:
        self._histograms = histograms
        chosen = [pictures[at] for at in learnt]
        known = histograms[list(learnt)]
        self._anything = _unit(known.mean(axis=0))
        self._of_colour = {
            colour: _unit(known[[each.colour == colour for each in chosen]].mean(axis=0))
            for colour in {each.colour for each in chosen} - {""}
        }
        labels = [_category(each) for each in chosen]
        self._categories, self._likely = _regression(known, labels, histograms)
        patterned = [at for at, each in enumerate(chosen) if each.pattern]
        kinds = [str(chosen[at].pattern != SOLID) for at in patterned]
        self._patterns, self._patterned = _regression(known[patterned], kinds, histograms)

    def by_text(self, queries: Sequence[ShopPicture], category_weight: float) -> Matrix:
        """Returns how well pictures fit texts, (texts, pictures).

        Args:
            queries: What the texts name: colour, audience and kind.
            category_weight: Of the log probability of the category, beside the cosine.
        """
        wanted = np.stack([self._colour(each.colour) for each in queries])
        places = [self._place(each) for each in queries]
        return wanted @ self._histograms.T + category_weight * np.log(self._likely[:, places].T)

    def by_picture(self, positions: Sequence[int]) -> Matrix:
        """Returns how like pictures are to some of them, (positions, pictures)."""
        return self._histograms[list(positions)] @ self._histograms.T

    def by_colour(self, colours: Sequence[str]) -> Matrix:
        """Returns how well pictures fit colour words alone, (words, pictures)."""
        return np.stack([self._colour(each) for each in colours]) @ self._histograms.T

    def patterned(self) -> NDArray[np.float64]:
        """Returns how likely each picture has a pattern, (pictures,)."""
        return self._patterned[:, self._patterns[str(True)]]

    def _colour(self, word: str) -> NDArray[np.float64]:
        return self._of_colour.get(word, self._anything)

    def _place(self, query: ShopPicture) -> int:
        return self._categories[_category(query)]


def _category(picture: ShopPicture) -> str:
    return f"{picture.audience}/{picture.kind}"


def _regression(
    known: Matrix, labels: Sequence[str], every: Matrix
) -> tuple[Mapping[str, int], Matrix]:
    """Returns place by label, and probabilities of all pictures, (pictures, labels)."""
    from sklearn.linear_model import LogisticRegression

    model = cast("Any", LogisticRegression(C=_INVERSE_PENALTY, max_iter=2000))
    model.fit(known, list(labels))
    places = {str(label): at for at, label in enumerate(model.classes_)}
    return places, np.clip(model.predict_proba(every), 1e-6, 1.0)


def _unit(vector: NDArray[np.float64]) -> NDArray[np.float64]:
    return vector / np.linalg.norm(vector)
