"""From categorised products to a classifier with its figures."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.reason.classify.train.calibrate import Scores, choose, fit_temperature, score_all
from services.reason.classify.train.choose import Choice, by_folds, by_part
from services.reason.classify.train.examples import Example, TooFewProductsError, split
from services.reason.classify.train.fit import Fit
from services.reason.classify.train.measure import Figures, measure
from services.reason.classify.train.pool import Encoder, pool, vectors_of, with_vectors
from services.reason.classify.train.reading import Read, groups_of, once, read
from services.reason.classify.tree import CategoryTree
from services.reason.classify.weights import Calibration, ClassifierModel, Meaning, marks

SMALL: Final = 3_000
"""Products up to which folds take the place of parts: each is then learnt from and checked."""
MOST_FEATURES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Trained:
    """A classifier, its figures on the test part, and what these were counted from.

    Attributes:
        model: The classifier.
        figures: On the test part.
        test: Scores of the test part.
        test_calibration: What they are read by.
        test_examples: The test part, one of the variants of each product.
        learnt: What the weights were learnt from.
        choice: The settings, and the fits that left each product of `learnt` out; in a large shop
            there is one fit, and it left out others.
        most_features: Words and characters kept at most.
        seed: Of the parts.
    """

    model: ClassifierModel
    figures: Figures
    test: Scores
    test_calibration: Calibration
    test_examples: Sequence[Example]
    learnt: Sequence[Read]
    choice: Choice
    most_features: int
    seed: int


def train(
    examples: Sequence[Example],
    name: str,
    *,
    precision: float = 0.95,
    seed: int = 0,
    most_features: int = MOST_FEATURES,
    encoder: Encoder | None = None,
    tell: Callable[[str], None] = lambda _: None,
    parts: dict[str, list[Example]] | None = None,
) -> Trained:
    """Trains, chooses settings, temperature and thresholds, and measures on products kept apart.

    Args:
        examples: Categorised products.
        name: Name and version that answers will give.
        precision: Share of right answers to promise.
        seed: Of the parts.
        most_features: Words and characters kept at most.
        encoder: Makes vectors, where these are worth it; None for words alone.
        tell: Called with each step in words.
        parts: Parts made by others; those of `split` when None.

    Raises:
        TooFewProductsError: Fewer than two categories are in the training part.
    """
    found = {part: read(each) for part, each in (parts or split(examples, seed)).items()}
    ours = [*found["train"], *found["calibration"], *found["selection"]]
    small = len(groups_of(ours)) <= SMALL
    learnt = ours if small else found["train"]
    tree = CategoryTree(sorted({each.example.category for each in learnt}))
    if len(tree.categories) < 2:  # noqa: PLR2004
        raise TooFewProductsError("the training part holds fewer than two categories")
    sizes = ", ".join(f"{len(each):,} {part}" for part, each in found.items())
    tell(f"{len(tree.categories):,} categories; products: {sizes}")
    meaning: Meaning | None = None
    if small:
        choice = by_folds(learnt, tree, most_features, seed, tell)
        temperature = fit_temperature(choice.scores)
        calibration = choose(choice.scores, tree, temperature, precision)
        weights = Fit(learnt, tree, choice.settings.least, most_features).weights(
            choice.settings.strength
        )
        if encoder is not None:
            meaning = pool(choice, learnt, tree, encoder, precision)
    else:
        choice = by_part(learnt, found["calibration"], tree, most_features, tell)
        weights = choice.folds[0].weights
        temperature = fit_temperature(choice.scores)
        selection = score_all(weights, tree, once(found["selection"]), forms=True)
        calibration = choose(selection, tree, temperature, precision)
    tell(
        f"{len(weights.features):,} features, each of {choice.settings.least} products or more; "
        f"penalty 1/{choice.settings.strength:g}; {'words and vectors' if meaning else 'words'}"
    )
    model = ClassifierModel(name, tree, weights, calibration, meaning, marks(groups_of(learnt)))
    held = once(each for each in found["test"] if each.example.category in tree.columns)
    test = score_all(weights, tree, held)
    read_by = calibration
    if meaning is not None and encoder is not None and all(each.forms[0].english for each in held):
        vectors = vectors_of(encoder, held)
        rows = np.array([vectors[each.forms[0].english] for each in held])
        test, read_by = with_vectors(test, meaning, rows), meaning.calibration
    return Trained(
        model,
        measure(test, tree, read_by),
        test,
        read_by,
        [each.example for each in held],
        learnt,
        choice,
        most_features,
        seed,
    )
