"""Learns the model from a shop's own tagged products.

The scores are ridge regressions on 0 and 1, one a term, all solved at once (Rifkin and Klautau, "In
defense of one-vs-all classification", JMLR 2004). The confidence is fitted by stacking (Wolpert,
"Stacked generalization", Neural Networks 1992): every signal that it weighs comes from folds that
the product is not in. To leave out one product at a time would not do: the share of the others that
state a term is lower by a hair for those that state it, which gives the answer away.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.reason.tags.examples import Example, folds_of
from services.reason.tags.features import Features, Reading, Row
from services.reason.tags.mentions import MentionFinder
from services.reason.tags.model import TagModel
from services.reason.tags.pairs import (
    Corpus,
    TooFewProductsError,
    best_threshold,
    collect_pairs,
    fit_logistic,
)
from services.reason.tags.signals import BY_WORDS, Matrix, Said, gather
from services.reason.tags.vocabulary import Vocabulary

RIDGES: Final = (0.1, 0.3, 1.0, 3.0)
FOLDS: Final = 5
_SEED: Final = 17
_LEAST_MENTIONED: Final = 50
"""Mentions that the confidence of words is fitted to; with fewer the one that comes along stays."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """What training takes.

    Attributes:
        least: Products that must state a term for the model to learn it.
        products: Most products, chosen by chance: their square is held in memory, 8 bytes each.
        columns: Most words and pairs of words.
        rare: Least products that must hold a word.
        judged: Most pairs of a product and a term that the confidence is fitted to.
    """

    least: int = 2
    products: int = 6_000
    columns: int = 20_000
    rare: int = 2
    judged: int = 1_000_000


def learn(
    examples: Sequence[Example],
    vocabulary: Vocabulary,
    recipe: Recipe | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> TagModel:
    """Returns the model of a shop.

    Args:
        examples: Its products, variants joined, with what they state.
        vocabulary: Terms that may be given.
        recipe: What training takes; defaults when None.
        tell: Called with each step in words.

    Raises:
        TooFewProductsError: No term is stated by enough products, or their texts are too alike.
    """
    recipe = recipe or Recipe()
    chosen = list(examples)
    if len(chosen) > recipe.products:
        chosen = Random(_SEED).sample(chosen, recipe.products)  # noqa: S311 - no secret
    folds = folds_of(chosen, FOLDS, _SEED)
    if len(np.unique(folds)) < FOLDS:
        raise TooFewProductsError(f"fewer than {FOLDS} products have a description of their own")
    known = _known_terms(chosen, vocabulary, recipe.least)
    if not known:
        raise TooFewProductsError(
            f"no term of the vocabulary is stated by {recipe.least} products or more"
        )
    ids = [vocabulary.terms[term].id for term in known]
    stated = np.array([[term in example.stated for term in ids] for example in chosen], dtype=float)
    tell(f"{len(chosen)} products, {len(ids)} terms")
    rows, features, said = _read(chosen, vocabulary, recipe, known)
    corpus = Corpus(chosen, vocabulary, known, stated, said)
    matrix = sparse_rows(rows, len(features.columns))
    ridge, scores = _left_out((matrix @ matrix.T).toarray(), stated, folds, tell)
    judged = max(recipe.judged // len(known), 1)
    pairs = collect_pairs(corpus, scores, folds, most=judged, least=recipe.least)
    confidence = fit_logistic(pairs.signals, pairs.stated)
    told = confidence.probability(pairs.signals)
    by_words = BY_WORDS
    if pairs.mentioned.sum() >= _LEAST_MENTIONED:
        there = pairs.mentioned > 0
        by_words = fit_logistic(pairs.words[there], pairs.stated[there], pairs.rarity[there])
    threshold, f1 = best_threshold(told, pairs.stated)
    tell(f"confidence {threshold:.2f} has the best F1 on products left out, {f1:.3f}")
    dual = _solve((matrix @ matrix.T).toarray(), stated - stated.mean(axis=0), ridge)
    everything = corpus.standing(np.arange(len(chosen)))
    return TagModel(
        terms=tuple(ids),
        features=features,
        weights=np.asarray(matrix.T @ dual, dtype=np.float32),
        means=everything.means,
        counts=everything.counts,
        trust=everything.trust,
        confidence=confidence,
        by_words=by_words,
        threshold=threshold,
    )


def _known_terms(examples: Sequence[Example], vocabulary: Vocabulary, least: int) -> list[int]:
    counts = np.zeros(len(vocabulary.terms), dtype=int)
    for example in examples:
        for term in example.stated:
            if (at := vocabulary.places.get(term)) is not None:
                counts[at] += 1
    # Stated by all says nothing of where it fails to hold, but is what the category's share tells.
    return [int(at) for at in np.flatnonzero(counts >= least)]


def _read(
    examples: Sequence[Example], vocabulary: Vocabulary, recipe: Recipe, known: Sequence[int]
) -> tuple[list[Row], Features, list[dict[int, Said]]]:
    finder, among = MentionFinder(vocabulary), frozenset(known)
    readings = [Reading(e.passages, e.path) for e in examples]
    features = Features.learn(readings, recipe.rare, recipe.columns)
    rows = [features.row(reading) for reading in readings]
    said = [gather(finder.find(e.passages, among), e.passages) for e in examples]
    return rows, features, said


def _left_out(
    kernel: Matrix, stated: Matrix, folds: NDArray[np.int64], tell: Callable[[str], None]
) -> tuple[float, Matrix]:
    """Returns the ridge that errs least, and the scores of products left out, (products, terms)."""
    best: tuple[float, float, Matrix] | None = None
    for ridge in RIDGES:
        scores = np.zeros_like(stated)
        for fold in range(FOLDS):
            seen, unseen = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            means: Matrix = stated[seen].mean(axis=0)
            dual = _solve(kernel[np.ix_(seen, seen)], stated[seen] - means, ridge)
            scores[unseen] = means + kernel[np.ix_(unseen, seen)] @ dual
        error = float(((scores - stated) ** 2).mean())
        tell(f"ridge {ridge}: mean squared error of products left out {error:.5f}")
        if best is None or error < best[0]:
            best = error, ridge, scores
    assert best is not None  # noqa: S101 - there are ridges
    return best[1], best[2]


def _solve(kernel: Matrix, centred: Matrix, ridge: float) -> Matrix:
    dual = np.linalg.solve(kernel + ridge * np.eye(len(kernel)), centred)
    return dual.astype(np.float64, copy=False)


def sparse_rows(rows: Sequence[Row], width: int) -> Any:
    """Returns a matrix of SciPy, (rows, width)."""
    sparse: Any = import_module("scipy.sparse")  # of the extra that training needs
    columns = np.concatenate([columns for columns, _ in rows])
    values = np.concatenate([values for _, values in rows])
    ends = np.cumsum([0, *(len(columns) for columns, _ in rows)])
    return sparse.csr_matrix((values, columns, ends), shape=(len(rows), width))
