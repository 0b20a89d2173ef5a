"""What speaks for a tag, in numbers, and the logistic regressions that weigh them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.reason.tags.mentions import Mention
from services.reason.tags.passages import Passage

Matrix = NDArray[np.float64]
SIGNALS: Final = (
    "score",
    "score_logit",
    "in_title",
    "in_description",
    "in_reviews",
    "prior",
    "share",
    "in_title * prior",
    "in_description * prior",
    "score * prior",
    "mentioned * trust",
)
"""Of the model; prior and share are log odds: of the category, of the whole catalogue."""
WORD_SIGNALS: Final = ("in_title", "in_description", "in_reviews", "both")
"""Of mentions alone."""
_LEAST: Final = 1e-4


@dataclass(slots=True)
class Said:
    """What the texts say of one term.

    Attributes:
        titles: Mentions in titles.
        descriptions: Mentions in descriptions.
        reviews: Of each review that says so, one mention.
        denying: Ids of reviews that deny it.
        denied: Whether title or description deny it.
    """

    titles: list[Mention] = field(default_factory=list[Mention])
    descriptions: list[Mention] = field(default_factory=list[Mention])
    reviews: dict[str, Mention] = field(default_factory=dict[str, Mention])
    denying: set[str] = field(default_factory=set[str])
    denied: bool = False

    @property
    def mentions(self) -> list[Mention]:
        """All that affirm it: title, description, reviews."""
        return [*self.titles, *self.descriptions, *self.reviews.values()]

    @property
    def refused(self) -> bool:
        """Whether the shop's own words deny it, or more reviewers do than say so."""
        if self.titles or self.descriptions:
            return False
        return self.denied or len(self.denying) > len(self.reviews)


def gather(mentions: Sequence[Mention], passages: Sequence[Passage]) -> dict[int, Said]:
    """Returns what is said of each term."""
    said: dict[int, Said] = defaultdict(Said)
    for mention in mentions:
        passage, of = passages[mention.passage], said[mention.term]
        if passage.is_review:
            if mention.denied:
                of.denying.add(passage.review_id)
            else:
                of.reviews.setdefault(passage.review_id, mention)
        elif mention.denied:
            of.denied = True
        else:
            (of.titles if passage.is_title else of.descriptions).append(mention)
    for of in said.values():  # who says both is on neither side
        for review in of.denying & of.reviews.keys():
            del of.reviews[review]
    return dict(said)


def mention_columns(said: Mapping[int, Said], terms: Sequence[int]) -> Matrix:
    """Returns in_title, in_description and in_reviews of terms, (terms, 3)."""
    columns = np.zeros((len(terms), 3))
    for row, term in enumerate(terms):
        if of := said.get(term):
            columns[row] = bool(of.titles), bool(of.descriptions), np.log1p(len(of.reviews))
    return columns


def word_signals(columns: Matrix) -> Matrix:
    """Returns WORD_SIGNALS of `mention_columns`, (terms, 4)."""
    return np.column_stack([columns, columns[:, 0] * columns[:, 1]])


def model_signals(
    columns: Matrix, *, scores: Matrix, prior: Matrix, share: Matrix, trust: Matrix
) -> Matrix:
    """Returns SIGNALS of terms, (terms, 11).

    Args:
        columns: Of `mention_columns`, (terms, 3).
        scores: Of the linear model, about 0 to 1, (terms,).
        prior: Share of the category's products that state the term, (terms,).
        share: Share of all products, (terms,).
        trust: Share of the term's mentions that are right, (terms,).
    """
    of_prior = log_odds(prior)
    return np.column_stack(
        [
            scores,
            log_odds(scores),
            columns,
            of_prior,
            log_odds(share),
            columns[:, 0] * of_prior,
            columns[:, 1] * of_prior,
            scores * of_prior,
            columns[:, :2].max(axis=1) * log_odds(trust),
        ]
    )


def log_odds(shares: Matrix) -> Matrix:
    """Returns the log odds of shares, held within 0.0001 to 0.9999."""
    kept = np.clip(shares, _LEAST, 1 - _LEAST)
    return np.log(kept / (1 - kept))


@dataclass(frozen=True, slots=True)
class Logistic:
    """A logistic regression: probability = 1 / (1 + exp(-(signals @ weights + bias)))."""

    weights: Matrix
    bias: float

    def probability(self, signals: Matrix) -> Matrix:
        """Returns the probabilities of rows of signals, (rows,)."""
        return 1 / (1 + np.exp(-np.clip(signals @ self.weights + self.bias, -30, 30)))


BY_WORDS: Final = Logistic(np.array([4.5, 2.7, 1.45, -3.2]), -1.6)
"""Confidence of mentions where no model has learnt a shop's own ways: 0.95 in a title, 0.75 in a
description, 0.35 in one review, 0.5 in two. About the middle of what `benchmarks/tags.py` counts in
three tables, which lie far apart: only a model makes it a probability of the shop at hand."""
