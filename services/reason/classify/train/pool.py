"""Whether vectors are worth a call of the encoder, and how much they count beside words.

The mean vector of each category, and a share for words and vectors, chosen by the same folds as the
settings of the weights. Only small shops are asked: with many products words tell as much.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from services.reason.classify.meaning import nearness
from services.reason.classify.train.calibrate import (
    Matrix,
    Scores,
    choose,
    fit_temperature,
    log_loss,
)
from services.reason.classify.train.choose import Choice, Fold
from services.reason.classify.train.reading import Read, once
from services.reason.classify.tree import CategoryTree
from services.reason.classify.weights import Calibration, Meaning, quantise

GAIN: Final = 0.01
"""Accuracy on folds that vectors must add: each product then costs a call of the encoder."""
_SHARES: Final = (0.75, 0.5, 0.25)
"""Of the words; without any, no word could be shown that spoke for an answer."""


@dataclass(frozen=True, slots=True)
class Encoder:
    """What makes vectors.

    Attributes:
        name: With its version, as the service that serves it gives it.
        encode: Texts to unit rows, (texts, dimensions).
    """

    name: str
    encode: Callable[[Sequence[str]], Matrix]


def vectors_of(encoder: Encoder, found: Sequence[Read]) -> dict[str, Matrix]:
    """Returns English text -> its vector, for all forms of the first variants."""
    texts = sorted({form.english for each in once(found) for form in each.forms} - {""})
    return dict(zip(texts, encoder.encode(texts), strict=True)) if texts else {}


def with_vectors(scores: Scores, meaning: Meaning, rows: Matrix) -> Scores:
    """Returns scores of words to which those of vectors are added."""
    added = np.array([nearness(meaning, row) for row in rows]).reshape(scores.scores.shape)
    return Scores(meaning.words * scores.scores + added, scores.known, scores.labels)


def pool(
    choice: Choice,
    learnt: Sequence[Read],
    tree: CategoryTree,
    encoder: Encoder,
    precision: float,
) -> Meaning | None:
    """Returns what vectors add, or None where that is less than GAIN.

    Args:
        choice: Of the weights, by folds.
        learnt: Examples that the weights which are kept were learnt from.
        tree: The categories.
        encoder: Makes the vectors.
        precision: Share of right answers to promise.
    """
    if 1 - choice.scores.accuracy < GAIN:
        return None
    vectors = vectors_of(encoder, learnt)
    means = _means(learnt, tree, vectors)
    near_by_fold = [_near(fold, tree, vectors) for fold in choice.folds]
    found_near = [near for near in near_by_fold if near is not None]
    if means is None or len(found_near) < len(near_by_fold):
        return None
    has = np.array(
        [bool(form.english) for fold in choice.folds for each in fold.held for form in each.forms]
    )
    words = choice.scores.only(has)
    near = Scores(np.concatenate(found_near), words.known, words.labels)
    by_words, by_vectors = fit_temperature(words), fit_temperature(near)

    def pooled(share: float) -> Scores:
        total = share / by_words * words.scores + (1 - share) / by_vectors * near.scores
        return Scores(total, words.known, words.labels)

    def loss(share: float) -> float:
        return log_loss(pooled(share), fit_temperature(pooled(share)))

    share = min(_SHARES, key=loss)
    found = pooled(share)
    if found.accuracy < words.accuracy + GAIN:
        return None
    calibration = choose(found, tree, fit_temperature(found), precision)
    return _meaning(encoder.name, means * ((1 - share) / by_vectors), share / by_words, calibration)


def relearnt(
    meaning: Meaning, learnt: Sequence[Read], tree: CategoryTree, vectors: Mapping[str, Matrix]
) -> Meaning | None:
    """Returns the same with the mean vectors of other examples."""
    means = _means(learnt, tree, vectors)
    if means is None:
        return None
    weight = float(np.linalg.norm(meaning.steps * meaning.scales, axis=0).mean())
    return _meaning(meaning.encoder, means * weight, meaning.words, meaning.calibration)


def _near(fold: Fold, tree: CategoryTree, vectors: Mapping[str, Matrix]) -> Matrix | None:
    """Cosines of what a fit was without with the means of what it learnt from."""
    means = _means(fold.learnt, tree, vectors)
    if means is None:
        return None
    meaning = _meaning("", means, 1.0, Calibration())
    rows = [vectors[form.english] for each in fold.held for form in each.forms if form.english]
    return np.array([nearness(meaning, row) for row in rows]).reshape(-1, len(tree.categories))


def _means(
    learnt: Sequence[Read], tree: CategoryTree, vectors: Mapping[str, Matrix]
) -> Matrix | None:
    """Unit means, (dimensions, categories); None where a category has no English text."""
    held: list[list[Matrix]] = [[] for _ in tree.categories]
    for each in once(learnt):
        if each.forms[0].english:
            held[tree.column(each.example.category)].append(vectors[each.forms[0].english])
    if not all(held):
        return None
    means = np.array([np.mean(rows, axis=0) for rows in held])
    return (means / np.linalg.norm(means, axis=1, keepdims=True)).T


def _meaning(name: str, means: Matrix, words: float, calibration: Calibration) -> Meaning:
    steps, scales = quantise(means)
    return Meaning(name, words, steps, scales, calibration)
