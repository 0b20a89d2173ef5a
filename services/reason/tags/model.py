"""The model of a shop's own tagged products, as it is kept and served: numpy alone.

A linear score of words and categories for each term, then one logistic regression for all terms
that weighs the score, the mentions and how usual the term is in the category.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from io import BytesIO
from pathlib import Path as FilePath
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from services.reason.tags.features import Features, Row
from services.reason.tags.signals import (
    SIGNALS,
    WORD_SIGNALS,
    Logistic,
    Matrix,
    model_signals,
    word_signals,
)
from services.reason.tags.trust import MentionTrust, key_numbers
from services.reason.tags.vocabulary import Path, TermId
from shared.durable_file import write_durably

FORMAT: Final = 1
PRIOR_WEIGHT: Final = 2.0
"""Products that the level above a category counts as."""
_SEPARATOR: Final = "\x1f"


class ModelError(ValueError):
    """A file is no model of tags."""


@dataclass(frozen=True, slots=True)
class CategoryCounts:
    """How often products of each category state each term.

    Attributes:
        places: Path -> row, for every level of every path; () are all products.
        products: Of each row, (rows,).
        stating: Of each row those that state each term, (rows, terms).
    """

    places: Mapping[Path, int]
    products: Matrix
    stating: Matrix

    @classmethod
    def count(cls, paths: Sequence[Path], stated: Matrix) -> "CategoryCounts":
        """Counts products, of which `stated` says what they state, (products, terms)."""
        levels = sorted({path[:n] for path in paths for n in range(len(path) + 1)} | {()})
        places = {level: at for at, level in enumerate(levels)}
        products = np.zeros(len(levels))
        stating = np.zeros((len(levels), stated.shape[1]))
        for row, path in enumerate(paths):
            for n in range(len(path) + 1):
                products[places[path[:n]]] += 1
                stating[places[path[:n]]] += stated[row]
        return cls(places, products, stating)

    def share(self, path: Path) -> Matrix:
        """Returns the share of a category's products that state each term, (terms,).

        Each level leans on the one above by PRIOR_WEIGHT products; levels that are not known are
        left out.
        """
        found = np.zeros(self.stating.shape[1])
        for n in range(len(path) + 1):
            row = self.places.get(path[:n])
            if row is None:
                break
            weight = PRIOR_WEIGHT if n else 0.0
            many = float(self.products[row]) + weight
            found = (self.stating[row] + weight * found) / max(many, 1.0)
        return found


@dataclass(frozen=True)
class TagModel:
    """What was learnt.

    Attributes:
        terms: That it knows.
        features: What it reads.
        weights: Of each feature for each term, (features, terms).
        means: Share of the products that state each term, (terms,).
        counts: By category.
        trust: In mentions.
        confidence: Over SIGNALS.
        by_words: Over WORD_SIGNALS, for terms that it does not know.
        threshold: Confidence at which F1 is best on products left out.
        version: Hash of its file.
    """

    terms: tuple[TermId, ...]
    features: Features
    weights: NDArray[np.float32]
    means: Matrix
    counts: CategoryCounts
    trust: MentionTrust
    confidence: Logistic
    by_words: Logistic
    threshold: float
    version: str = ""

    @cached_property
    def places(self) -> dict[TermId, int]:
        """Column of each term."""
        return {term: at for at, term in enumerate(self.terms)}

    @cached_property
    def _rates(self) -> Matrix:
        return self.trust.rates()

    def scores(self, row: Row) -> Matrix:
        """Returns the linear score of every term, (terms,)."""
        columns, values = row
        return self.means + values @ self.weights[columns].astype(np.float64)

    def parts(self, row: Row, term: int) -> Matrix:
        """Returns what each feature of the row adds to the score of a term, (columns,)."""
        columns, values = row
        return values * self.weights[columns, term]

    def probabilities(self, terms: Sequence[int], columns: Matrix, row: Row, path: Path) -> Matrix:
        """Returns the confidence in terms, (terms,).

        Args:
            terms: Columns of the model.
            columns: Of `signals.mention_columns`, (terms, 3).
            row: Features of the product.
            path: Its category.
        """
        at = np.array(terms, dtype=np.int64)
        signals = model_signals(
            columns,
            scores=self.scores(row)[at],
            prior=self.counts.share(path)[at],
            share=self.means[at],
            trust=self._rates[at],
        )
        return self.confidence.probability(signals)

    def probabilities_of_words(self, columns: Matrix) -> Matrix:
        """Returns the confidence in mentioned terms that the model does not know, (terms,)."""
        return self.by_words.probability(word_signals(columns))


def write_model(path: FilePath, model: TagModel) -> None:
    """Writes a model, whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    buffer = BytesIO()
    levels = sorted(model.counts.places, key=lambda level: model.counts.places[level])
    np.savez_compressed(
        buffer,
        format=np.array(FORMAT),
        signals=np.array([*SIGNALS, *WORD_SIGNALS]),
        terms=np.array([_SEPARATOR.join(term) for term in model.terms]),
        names=np.array(model.features.names),
        idf=model.features.idf,
        weights=model.weights,
        means=model.means,
        paths=np.array([_SEPARATOR.join(level) for level in levels]),
        products=model.counts.products,
        stating=model.counts.stating,
        mentioning=model.trust.mentioning,
        right=model.trust.right,
        confidence=np.array([*model.confidence.weights, model.confidence.bias]),
        by_words=np.array([*model.by_words.weights, model.by_words.bias]),
        threshold=np.array(model.threshold),
    )
    write_durably(path, buffer.getvalue())


def read_model(path: FilePath) -> TagModel:
    """Reads a model.

    Raises:
        ModelError: It cannot be read, or is no model of this format.
    """
    try:
        data = path.read_bytes()
        with np.load(BytesIO(data), allow_pickle=False) as arrays:
            return _model({name: arrays[name] for name in arrays.files}, data)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from error
    except (ValueError, KeyError, BadZipFile, EOFError) as error:
        raise ModelError(f"{path}: is no model of tags: {error}") from error


def _model(arrays: Mapping[str, NDArray[Any]], data: bytes) -> TagModel:
    signals = [str(name) for name in arrays["signals"]]
    if int(arrays["format"]) != FORMAT or signals != [*SIGNALS, *WORD_SIGNALS]:
        raise ValueError("it is of another version; train it anew")
    terms: list[TermId] = []
    for joined in arrays["terms"]:
        key, _, value = str(joined).partition(_SEPARATOR)
        terms.append((key, value))
    levels = [tuple(filter(None, str(p).split(_SEPARATOR))) for p in arrays["paths"]]
    columns = {str(name): at for at, name in enumerate(arrays["names"])}
    shapes = arrays["weights"].shape, arrays["stating"].shape
    if shapes != ((len(columns), len(terms)), (len(levels), len(terms))):
        raise ValueError("its parts do not fit together")
    return TagModel(
        terms=tuple(terms),
        features=Features(columns, arrays["idf"]),
        weights=arrays["weights"],
        means=arrays["means"],
        counts=CategoryCounts(
            {level: at for at, level in enumerate(levels)}, arrays["products"], arrays["stating"]
        ),
        trust=MentionTrust(key_numbers(terms), arrays["mentioning"], arrays["right"]),
        confidence=Logistic(arrays["confidence"][:-1], float(arrays["confidence"][-1])),
        by_words=Logistic(arrays["by_words"][:-1], float(arrays["by_words"][-1])),
        threshold=float(arrays["threshold"]),
        version=sha256(data).hexdigest()[:12],
    )
