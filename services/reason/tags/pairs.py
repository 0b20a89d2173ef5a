"""Fits the confidence: to pairs of a product and a term, each product left out of what is said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from random import Random
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.reason.tags.examples import Example
from services.reason.tags.model import CategoryCounts
from services.reason.tags.signals import (
    Logistic,
    Matrix,
    Said,
    mention_columns,
    model_signals,
    word_signals,
)
from services.reason.tags.trust import MentionTrust
from services.reason.tags.vocabulary import Path, Vocabulary

_SEED: Final = 17


class TooFewProductsError(ValueError):
    """The catalogue states too little to learn from."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Products read for training.

    Attributes:
        examples: The products.
        vocabulary: All terms.
        known: Those that are learnt, positions in the vocabulary.
        stated: Whether each product states each of `known`, (products, known).
        said: What the texts of each product say of each term.
    """

    examples: Sequence[Example]
    vocabulary: Vocabulary
    known: Sequence[int]
    stated: Matrix
    said: Sequence[Mapping[int, Said]]

    def standing(self, of: NDArray[np.int64]) -> "Standing":
        """Counts the products at the places `of`."""
        stated = self.stated[of]
        mentioned = np.stack([self.mentions(int(at))[:, :2].max(axis=1) for at in of])
        ids = [self.vocabulary.terms[term].id for term in self.known]
        return Standing(
            stated.mean(axis=0),
            CategoryCounts.count([self.examples[int(at)].path for at in of], stated),
            MentionTrust.count(ids, mentioned, stated),
        )

    def mentions(self, at: int) -> Matrix:
        """Returns `mention_columns` of a product, (known, 3)."""
        return mention_columns(self.said[at], self.known)


@dataclass(frozen=True, slots=True)
class Standing:
    """How usual terms are, and how far mentions of them can be trusted.

    Attributes:
        means: Share of products that state each, (terms,).
        counts: By category.
        trust: In mentions.
    """

    means: Matrix
    counts: CategoryCounts
    trust: MentionTrust

    @property
    def stating(self) -> Matrix:
        """Products that state each, (terms,)."""
        return self.counts.stating[self.counts.places[()]]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Products and the terms that apply to them.

    Attributes:
        signals: `SIGNALS` of each pair, (pairs, 11).
        words: `WORD_SIGNALS` of each pair, (pairs, 4).
        stated: Whether the product states the term, (pairs,).
        mentioned: Whether its texts do, (pairs,).
        rarity: One over the mentions of the term, so that terms weigh the same, (pairs,).
    """

    signals: Matrix
    words: Matrix
    stated: Matrix
    mentioned: Matrix
    rarity: Matrix


def collect_pairs(
    corpus: Corpus, scores: Matrix, folds: NDArray[np.int64], *, most: int, least: int
) -> Pairs:
    """Returns the pairs of at most `most` products.

    Args:
        corpus: The products.
        scores: Of each product by a model of the other folds, (products, known).
        folds: Of each product, (products,).
        most: Products, chosen by chance.
        least: Products of the other folds that must state a term.

    Raises:
        TooFewProductsError: There is no such term.
    """
    examples, stated = corpus.examples, corpus.stated
    chosen = list(range(len(examples)))
    if len(chosen) > most:
        chosen = sorted(Random(_SEED).sample(chosen, most))  # noqa: S311 - no secret
    others = {int(f): corpus.standing(np.flatnonzero(folds != f)) for f in np.unique(folds)}
    applying: dict[Path, NDArray[np.int64]] = {}
    signals: list[Matrix] = []
    words: list[Matrix] = []
    truths: list[Matrix] = []
    terms: list[NDArray[np.int64]] = []
    for at in chosen:
        path = examples[at].path
        if path not in applying:
            applying[path] = _applying(corpus, path)
        standing = others[int(folds[at])]
        # Terms that the other folds hardly state would not be known to who has these alone: kept,
        # they would count as likelier than they are.
        columns = applying[path][standing.stating[applying[path]] >= least]
        if not len(columns):
            continue
        there = corpus.mentions(at)[columns]
        signals.append(
            model_signals(
                there,
                scores=scores[at][columns],
                prior=standing.counts.share(path)[columns],
                share=standing.means[columns],
                trust=standing.trust.rates()[columns],
            )
        )
        words.append(word_signals(there))
        truths.append(stated[at][columns])
        terms.append(columns)
    if not words:
        raise TooFewProductsError(f"no term is stated by {least} products that are unlike")
    joined = np.concatenate(words)
    mentioned = (joined.max(axis=1) > 0).astype(np.float64)
    of = np.concatenate(terms)
    many = np.maximum(np.bincount(of, mentioned), 1.0)[of]
    return Pairs(np.concatenate(signals), joined, np.concatenate(truths), mentioned, 1 / many)


def best_threshold(confidence: Matrix, stated: Matrix) -> tuple[float, float]:
    """Returns the confidence from which F1 over all pairs is best, and that F1."""
    order = np.argsort(-confidence, kind="stable")
    right = np.cumsum(stated[order])
    f1 = 2 * right / (np.arange(1, len(order) + 1) + max(float(stated.sum()), 1.0))
    best = int(f1.argmax())
    # Half way to the next one down: where the two are far apart, neither side is at the edge.
    below = order[min(best + 1, len(order) - 1)]
    return float(confidence[order[best]] + confidence[below]) / 2, float(f1[best])


def fit_logistic(signals: Matrix, stated: Matrix, weight: Matrix | None = None) -> Logistic:
    """Fits a logistic regression on standardised signals, and returns it for raw ones.

    Args:
        signals: (pairs, signals).
        stated: What is to be told, 0 or 1, (pairs,).
        weight: Of each pair; all the same when None.
    """
    if stated.min() == stated.max():  # nothing to tell apart
        share = (float(stated.sum()) + 1) / (len(stated) + 2)
        width: int = signals.shape[1]
        return Logistic(np.zeros(width), float(np.log(share / (1 - share))))
    middle: Matrix = signals.mean(axis=0)
    spread: Matrix = np.maximum(signals.std(axis=0), 1e-9)
    linear: Any = import_module("sklearn.linear_model")  # of the extra that training needs
    fitted = linear.LogisticRegression(max_iter=500)
    fitted.fit((signals - middle) / spread, stated, sample_weight=weight)
    coefficients: Sequence[float] = fitted.coef_[0].tolist()
    weights = np.array(coefficients, dtype=np.float64) / spread
    return Logistic(weights, float(fitted.intercept_[0]) - float(weights @ middle))


def _applying(corpus: Corpus, path: Path) -> NDArray[np.int64]:
    terms = corpus.vocabulary.terms
    return np.array(
        [at for at, term in enumerate(corpus.known) if terms[term].applies(path)], dtype=np.int64
    )
