"""How near the vector of a product's English text is to the mean vector of each category.

The encoder was trained on far more text than a small shop has: where examples are few, this tells
more than words. Both are weighed in a logarithmic opinion pool (Genest and Zidek, "Combining
probability distributions", Statistical Science 1986), so that their scores add up.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.reason.classify.features import Text
from services.reason.classify.weights import Meaning
from shared.text.document import ENCODER_LANGUAGE

_DESCRIPTION: Final = 150
"""Characters of a description that are read: the window is short, and what stands first counts."""


def text_of(texts: Sequence[Text]) -> str:
    """Returns what a product's vector is made of; empty without an English text."""
    return ". ".join(
        text.body[:_DESCRIPTION] for text in texts if text.language == ENCODER_LANGUAGE
    )


def nearness(meaning: Meaning, vector: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns what a vector adds to the score of each category, (categories,), centred on 0."""
    added = (vector @ meaning.steps) * meaning.scales
    return added - added.mean()
