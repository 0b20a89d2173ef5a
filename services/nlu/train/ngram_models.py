"""Linear models over n-grams: the baselines of class heads, and cheap teachers for them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shares = NDArray[np.float32]
"""(texts, classes), rows adding up to 1."""

Fit = Callable[[Any, NDArray[np.int64], int], Callable[[Any], Shares]]
"""Matrix, classes from 0 and their number -> matrix to probabilities."""


def character_vectorizer(longest: int = 2) -> Any:
    """Returns TF-IDF of character n-grams of 1 to `longest`, unfitted."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    # Its annotations allow the defaults' types alone.
    vectorizer: Any = TfidfVectorizer
    return vectorizer(
        analyzer="char",
        ngram_range=(1, longest),
        min_df=2,
        sublinear_tf=True,
        dtype=np.float32,
    )


def presence_vectorizer(analyse: Callable[[str], Sequence[str]]) -> Any:
    """Returns whether each term of `analyse` is there, unfitted."""
    from sklearn.feature_extraction.text import CountVectorizer

    vectorizer: Any = CountVectorizer
    return vectorizer(analyzer=analyse, min_df=2, binary=True, dtype=np.float32)


def fit_logistic(strength: float = 4.0) -> Fit:
    """Returns a learner: L2-regularised logistic regression, one against the rest.

    Args:
        strength: Inverse of the regularisation, scikit-learn's C.
    """

    def fit(matrix: Any, classes: NDArray[np.int64], count: int) -> Callable[[Any], Shares]:
        models = [_binary(matrix, classes == at, strength) for at in _modelled(count)]
        return lambda asked: _shares([model.decision_function(asked) for model in models])

    return fit


def fit_nb_logistic(strength: float = 4.0) -> Fit:
    """Returns a learner: logistic regression on naive Bayes' log-count ratios.

    NB-SVM of Wang and Manning (2012) with the logistic loss, whose outputs are probabilities.

    Args:
        strength: Inverse of the regularisation.
    """

    def fit(matrix: Any, classes: NDArray[np.int64], count: int) -> Callable[[Any], Shares]:
        models: list[tuple[NDArray[np.float32], Any]] = []
        for at in _modelled(count):
            ratio = _log_ratio(matrix, classes == at)
            models.append((ratio, _binary(_scaled(matrix, ratio), classes == at, strength)))
        return lambda asked: _shares(
            [model.decision_function(_scaled(asked, ratio)) for ratio, model in models]
        )

    return fit


def cross_fitted(
    fit: Fit, matrix: Any, classes: NDArray[np.int64], count: int, *, folds: int, seed: int
) -> Shares:
    """Returns probabilities of every row from a model that did not see it.

    Args:
        fit: The learner.
        matrix: (rows, features), sparse; equal rows should stand there once.
        classes: (rows,) from 0.
        count: Number of classes.
        folds: Parts that the rows are cut into, each class evenly.
        seed: Of the cut.
    """
    from sklearn.model_selection import StratifiedKFold

    shares = np.zeros((len(classes), count), dtype=np.float32)
    cut: Any = StratifiedKFold(folds, shuffle=True, random_state=seed)
    for kept, held in cut.split(np.zeros(len(classes)), classes):
        shares[held] = fit(matrix[kept], classes[kept], count)(matrix[held])
    return shares


def _modelled(count: int) -> range:
    """The classes that get a model: one model tells two classes apart."""
    return range(count) if count > 2 else range(1)  # noqa: PLR2004


def _binary(matrix: Any, wanted: NDArray[np.bool_], strength: float) -> Any:
    from sklearn.linear_model import LogisticRegression

    model: Any = LogisticRegression(C=strength, solver="liblinear")
    return model.fit(matrix, wanted)


def _log_ratio(matrix: Any, wanted: NDArray[np.bool_]) -> NDArray[np.float32]:
    inside = np.asarray(matrix[wanted].sum(axis=0)).ravel() + 1.0
    outside = np.asarray(matrix[~wanted].sum(axis=0)).ravel() + 1.0
    return np.log((inside / inside.sum()) / (outside / outside.sum())).astype(np.float32)


def _scaled(matrix: Any, ratio: NDArray[np.float32]) -> Any:
    scaled = matrix.copy()
    scaled.data = scaled.data * ratio[scaled.indices]
    return scaled


def _shares(decisions: Sequence[NDArray[np.float64]]) -> Shares:
    """Decisions of a binary model, or of one a class against the rest, as probabilities."""
    likely = 1.0 / (1.0 + np.exp(-np.stack(decisions, axis=1)))
    if likely.shape[1] == 1:
        # The one model tells class 0 from class 1.
        likely = np.concatenate([likely, 1.0 - likely], axis=1)
    return (likely / likely.sum(axis=1, keepdims=True)).astype(np.float32)
