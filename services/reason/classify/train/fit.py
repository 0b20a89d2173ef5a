"""Weights from examples: tf-idf, choice of features, multinomial logistic regression."""

import importlib
import math
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from services.reason.classify.train.reading import Read, groups_of
from services.reason.classify.tree import CategoryTree
from services.reason.classify.weights import Weights, quantise

_ROUNDS: Final = 100
"""Iterations of L-BFGS at most: an early stop."""


class _Regression(Protocol):
    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]


class Fit:
    """Examples as a matrix, from which weights of any strength are learnt.

    Args:
        found: The examples; every category of the tree occurs.
        tree: The categories.
        least: Products that must have a feature.
        most: Features kept, by chi squared; each costs a byte a category.
    """

    def __init__(self, found: Sequence[Read], tree: CategoryTree, least: int, most: int) -> None:
        columns = {category: column for column, category in enumerate(tree.categories)}
        self._count = len(tree.categories)
        documents, kept = _document_frequency(found, least)
        total = len(groups_of(found))
        self._unknown_idf = math.log(1 + total) + 1.0
        idf = {name: math.log((1 + total) / (1 + documents[name])) + 1.0 for name in kept}

        rows: list[Mapping[str, float]] = []
        self._labels: list[int] = []
        weights: list[float] = []
        sizes = Counter(each.example.group for each in found)
        for each in found:
            rows += [form.counts for form in each.forms]
            self._labels += [columns[each.example.category]] * len(each.forms)
            # Variants say the same again: a product counts by the root of how many it has.
            share = 1.0 / len(each.forms) / math.sqrt(sizes[each.example.group])
            weights += [share] * len(each.forms)
        if len(kept) > most:
            kept = _telling(rows, self._labels, kept, idf, most)
        self._matrix = _matrix(rows, kept, idf)
        # A mean weight of 1 keeps the strength of the penalty what the setting says.
        self._weights = np.array(weights) * len(weights) / sum(weights)
        self._features = {name: row for row, name in enumerate(kept)}
        self._idf = np.array([idf[name] for name in kept], dtype=np.float32)

    def weights(self, strength: float) -> Weights:
        """Returns weights with an L2 penalty of 1 / strength.

        Raises:
            ValueError: A category has no example.
        """
        coefficients, bias = self._by_category(self._regress(strength))
        steps, scales = quantise(coefficients)
        return Weights(
            self._features, self._idf, self._unknown_idf, steps, scales, bias.astype(np.float32)
        )

    def _regress(self, strength: float) -> _Regression:
        # The libraries of the extra have no types; they are imported where they are used.
        linear: Any = importlib.import_module("sklearn.linear_model")
        unconverged: Any = importlib.import_module("sklearn.exceptions").ConvergenceWarning
        regression = linear.LogisticRegression(C=strength, max_iter=_ROUNDS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", unconverged)
            regression.fit(self._matrix, self._labels, sample_weight=self._weights)
        if len(regression.classes_) != self._count:
            raise ValueError("a category has no example in the training part")
        return cast("_Regression", regression)

    def _by_category(
        self, regression: _Regression
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Returns (features, categories), (categories,); of two, scikit-learn keeps one column."""
        coefficients, bias = regression.coef_.T, regression.intercept_
        if self._count == 2:  # noqa: PLR2004
            coefficients = np.hstack([-coefficients, coefficients]) / 2
            bias = np.concatenate([-bias, bias]) / 2
        return coefficients, bias


def _document_frequency(found: Sequence[Read], least: int) -> tuple[Counter[str], list[str]]:
    """Counts products, not variants, and returns the features that enough of them have."""
    groups: dict[str, set[str]] = {}
    for each in found:
        groups.setdefault(each.example.group, set()).update(each.forms[0].counts)
    documents = Counter(name for names in groups.values() for name in names)
    return documents, sorted(name for name, count in documents.items() if count >= least)


def _matrix(
    rows: Iterable[Mapping[str, float]], kept: Sequence[str], idf: Mapping[str, float]
) -> Any:
    """Returns a scipy CSR matrix of unit rows, (rows, kept)."""
    sparse: Any = importlib.import_module("scipy.sparse")
    place = {name: column for column, name in enumerate(kept)}
    data: list[float] = []
    indices: list[int] = []
    starts = [0]
    for counts in rows:
        values = {place[name]: n * idf[name] for name, n in counts.items() if name in place}
        length = math.sqrt(sum(value * value for value in values.values())) or 1.0
        data += [value / length for value in values.values()]
        indices += values
        starts.append(len(indices))
    shape = (len(starts) - 1, len(kept))
    return sparse.csr_matrix((data, indices, starts), shape=shape, dtype=np.float64)


def _telling(
    rows: Sequence[Mapping[str, float]],
    labels: Sequence[int],
    kept: Sequence[str],
    idf: Mapping[str, float],
    most: int,
) -> list[str]:
    selection: Any = importlib.import_module("sklearn.feature_selection")
    scores: NDArray[np.float64] = selection.chi2(_matrix(rows, kept, idf), labels)[0]
    best: list[int] = np.argsort(-np.nan_to_num(scores), kind="stable")[:most].tolist()
    return [kept[at] for at in sorted(best)]
