"""Ways to tag the held-out products of a fold, ours and baselines, on the same vocabulary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from services.reason.tags.examples import Example, folds_of
from services.reason.tags.features import Features, Reading
from services.reason.tags.learn import learn, sparse_rows
from services.reason.tags.model import CategoryCounts
from services.reason.tags.pairs import best_threshold
from services.reason.tags.tagger import DEFAULT_THRESHOLD, Tagger
from services.reason.tags.vocabulary import Vocabulary
from shared.text.lexicon.matcher import PhraseMatcher, phrase_key

Shares = NDArray[np.float64]
_INNER = 3
_LEAST = 4
_INVERSE_PENALTY = 10.0


@dataclass(frozen=True, slots=True)
class Fold:
    """Products to learn from and products to tag."""

    train: Sequence[Example]
    test: Sequence[Example]
    vocabulary: Vocabulary


@dataclass(frozen=True, slots=True)
class Told:
    """Confidence in each term for each held-out product, (products, terms), and where to cut."""

    shares: Shares
    threshold: float


def ours(fold: Fold) -> Told:
    """The service: vocabulary, mentions and the model."""
    model = learn(fold.train, fold.vocabulary)
    return Told(_told(fold, Tagger(fold.vocabulary, model)), model.threshold)


def words_alone(fold: Fold) -> Told:
    """The service without a model: mentions within the categories of the vocabulary."""
    return Told(_told(fold, Tagger(fold.vocabulary)), DEFAULT_THRESHOLD)


def _told(fold: Fold, tagger: Tagger) -> Shares:
    shares = np.zeros((len(fold.test), len(fold.vocabulary.terms)))
    for row, example in enumerate(fold.test):
        found, _ = tagger.probabilities(Reading(example.passages, example.path))
        for term, share in found.items():
            shares[row, term] = share
    return shares


def exact_match(fold: Fold) -> Told:
    """The value as the shop writes it stands in title or description."""
    places: dict[str, list[int]] = {}
    for at, term in enumerate(fold.vocabulary.terms):
        places.setdefault(phrase_key(term.value), []).append(at)
    matcher = PhraseMatcher((form, tuple(at), "") for form, at in places.items())
    shares = np.zeros((len(fold.test), len(fold.vocabulary.terms)))
    for row, example in enumerate(fold.test):
        for passage in example.passages:
            if not passage.is_review:
                for match in matcher.find(passage.body):
                    shares[row, list(match.value)] = 1.0
    return Told(shares, 0.5)


def most_frequent(fold: Fold) -> Told:
    """What most products of the category state; the cut is chosen on inner folds."""
    stated = stated_matrix(fold.train, fold.vocabulary)
    paths = [example.path for example in fold.train]
    part = folds_of(fold.train, _INNER, 0)
    inner = np.zeros(stated.shape)
    for at in range(_INNER):
        seen = np.flatnonzero(part != at)
        counts = CategoryCounts.count([paths[row] for row in seen], stated[seen])
        for row in np.flatnonzero(part == at):
            inner[row] = counts.share(paths[row])
    threshold, _ = best_threshold(inner.ravel(), stated.ravel())
    counts = CategoryCounts.count(paths, stated)
    return Told(np.stack([counts.share(example.path) for example in fold.test]), threshold)


def logistic(fold: Fold) -> Told:
    """A logistic regression a term (scikit-learn), on the features of ours."""
    stated = stated_matrix(fold.train, fold.vocabulary)
    train = [Reading(example.passages, example.path) for example in fold.train]
    features = Features.learn(train, least=2, most=30_000)
    test = [Reading(example.passages, example.path) for example in fold.test]
    rows = sparse_rows([features.row(reading) for reading in [*train, *test]], len(features.names))
    seen, unseen = rows[: len(train)], rows[len(train) :]
    part = folds_of(fold.train, _INNER, 0)
    inner = np.zeros(stated.shape)
    shares = np.zeros((len(test), stated.shape[1]))
    for term in np.flatnonzero(stated.sum(axis=0) >= _LEAST):
        truth = stated[:, term]
        for at in range(_INNER):
            inner[part == at, term] = _fit(seen[part != at], truth[part != at], seen[part == at])
        shares[:, term] = _fit(seen, truth, unseen)
    threshold, _ = best_threshold(inner.ravel(), stated.ravel())
    return Told(shares, threshold)


def _fit(train: object, truth: Shares, test: object) -> Shares:
    if truth.min() == truth.max():
        return np.full(test.shape[0], truth[0])  # type: ignore[attr-defined]
    model = LogisticRegression(C=_INVERSE_PENALTY, solver="liblinear")
    return model.fit(train, truth).predict_proba(test)[:, 1]


def stated_matrix(examples: Sequence[Example], vocabulary: Vocabulary) -> Shares:
    """Whether each product states each term, (products, terms)."""
    return np.array(
        [[float(term.id in example.stated) for term in vocabulary.terms] for example in examples]
    )


METHODS = {
    "ours": ours,
    "ours, words alone": words_alone,
    "TF-IDF + logistic regression": logistic,
    "most frequent of the category": most_frequent,
    "exact match": exact_match,
}
