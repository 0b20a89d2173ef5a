"""Weights from the training part: tf-idf, choice of features, multinomial logistic regression."""

import importlib
import math
import warnings
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from services.reason.classify.features import Text, frequency, occurrences
from services.reason.classify.train.examples import Example, variants
from services.reason.classify.tree import CategoryTree
from services.reason.classify.weights import Weights, quantise


@dataclass(frozen=True, slots=True)
class FitSettings:
    """How weights are learnt.

    Attributes:
        most_features: Features kept, by chi squared; each costs a byte a category.
        least_groups: Products that must have a feature.
        strength: Inverse of the L2 penalty.
        rounds: Iterations of L-BFGS at most.
    """

    most_features: int = 100_000
    least_groups: int = 2
    strength: float = 10.0
    rounds: int = 100


class _Regression(Protocol):
    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]


def fit(examples: Sequence[Example], tree: CategoryTree, settings: FitSettings) -> Weights:
    """Returns weights for the categories of a tree.

    Args:
        examples: The training part; every category of the tree occurs.
        tree: The categories.
        settings: How.
    """
    columns = {category: column for column, category in enumerate(tree.categories)}
    whole = [_counts(example.texts) for example in examples]
    documents, kept = _document_frequency(examples, whole, settings.least_groups)
    total = len({example.group for example in examples})
    idf = {name: math.log((1 + total) / (1 + documents[name])) + 1.0 for name in kept}

    rows: list[Mapping[str, float]] = []
    labels: list[int] = []
    weights: list[float] = []
    sizes = Counter(example.group for example in examples)
    for example, counts in zip(examples, whole, strict=True):
        forms = [counts, *(_counts(form) for form in variants(example.texts)[1:])]
        rows += forms
        labels += [columns[example.category]] * len(forms)
        # Variants say the same again: a product counts by the root of how many it has.
        share = 1.0 / len(forms) / math.sqrt(sizes[example.group])
        weights += [share] * len(forms)
    if len(kept) > settings.most_features:
        kept = _telling(rows, labels, kept, idf, settings.most_features)
    regression = _regress(_matrix(rows, kept, idf), labels, weights, len(tree.categories), settings)
    coefficients, bias = _by_category(regression, len(tree.categories))
    steps, scales = quantise(coefficients)
    return Weights(
        {name: row for row, name in enumerate(kept)},
        np.array([idf[name] for name in kept], dtype=np.float32),
        math.log(1 + total) + 1.0,
        steps,
        scales,
        bias.astype(np.float32),
    )


def _counts(texts: Sequence[Text]) -> dict[str, float]:
    return {name: frequency(places) for name, places in occurrences(texts).items()}


def _document_frequency(
    examples: Sequence[Example], whole: Sequence[Mapping[str, float]], least: int
) -> tuple[Counter[str], list[str]]:
    """Counts products, not variants, and returns the features that enough of them have."""
    groups: dict[str, set[str]] = {}
    for example, counts in zip(examples, whole, strict=True):
        groups.setdefault(example.group, set()).update(counts)
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


def _regress(
    matrix: Any, labels: Sequence[int], weights: Sequence[float], count: int, settings: FitSettings
) -> _Regression:
    # The libraries of the extra have no types; they are imported where they are used.
    linear: Any = importlib.import_module("sklearn.linear_model")
    unconverged: Any = importlib.import_module("sklearn.exceptions").ConvergenceWarning
    regression = linear.LogisticRegression(C=settings.strength, max_iter=settings.rounds)
    # A mean weight of 1 keeps the strength of the penalty what the setting says.
    scaled = np.array(weights) * len(weights) / sum(weights)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", unconverged)  # the rounds are the early stop
        regression.fit(matrix, labels, sample_weight=scaled)
    if len(regression.classes_) != count:
        raise ValueError("a category has no example in the training part")
    return cast("_Regression", regression)


def _by_category(
    regression: _Regression, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Returns (features, categories) and (categories,); of two, scikit-learn keeps one column."""
    coefficients, bias = regression.coef_.T, regression.intercept_
    if count == 2:  # noqa: PLR2004
        coefficients = np.hstack([-coefficients, coefficients]) / 2
        bias = np.concatenate([-bias, bias]) / 2
    return coefficients, bias
