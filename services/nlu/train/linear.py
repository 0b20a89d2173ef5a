"""Logistic regression behind the shape that every learner of self-training has."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.nlu.train.examples import Example

Shares = NDArray[np.float64]
Predict = Callable[[Sequence[str]], Shares]
"""Texts -> probabilities (texts, classes) in the order of the task's labels."""
Fit = Callable[[Sequence[Example], Sequence[str], int], Predict]
"""Examples, labels and seed -> what predicts. Reads `soft` and `weight` of the examples."""
Features = Callable[[Sequence[str]], Any]
"""Texts -> a matrix, dense or sparse, of a row a text."""


def linear_fit(features: Features, *, strength: float = 1.0) -> Fit:
    """Returns a learner: L2-regularised logistic regression on fixed features.

    Args:
        features: Of texts.
        strength: Inverse of the regularisation, scikit-learn's C.
    """

    def fit(examples: Sequence[Example], labels: Sequence[str], seed: int) -> Predict:
        # A soft example is one example a class, each weighing its share: the same loss.
        rows, classes, weights = soft_rows(examples, labels)
        matrix = features([example.text for example in examples])
        head = LogisticHead(
            matrix[rows], classes, len(labels), strength, weights=weights, seed=seed
        )
        return lambda texts: head.shares(features(texts))

    return fit


def soft_rows(
    examples: Sequence[Example], labels: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Returns hard examples as (position, class, weight), of which a soft one gives several."""
    places = {label: at for at, label in enumerate(labels)}
    rows: list[tuple[int, int, float]] = []
    for at, example in enumerate(examples):
        if example.label:
            rows.append((at, places[example.label], example.weight))
        else:
            rows += [
                (at, place, example.weight * share)
                for place, share in enumerate(example.soft)
                if share > 0
            ]
    positions, classes, weights = zip(*rows, strict=True)
    return np.array(positions), np.array(classes), np.array(weights, dtype=np.float64)


class LogisticHead:
    """One logistic regression; a class that its examples lack gets probability 0.

    Args:
        inputs: (examples, features), dense or sparse.
        classes: (examples,) from 0.
        count: Number of classes.
        strength: Inverse of the regularisation.
        weights: (examples,), of the loss of each; all 1 when None.
        seed: Of the solver.
    """

    def __init__(
        self,
        inputs: Any,
        classes: NDArray[np.int64],
        count: int,
        strength: float,
        *,
        weights: NDArray[np.float64] | None = None,
        seed: int = 0,
    ) -> None:
        from sklearn.linear_model import LogisticRegression

        self._count = count
        self._seen = np.unique(classes)
        self._model: Any = LogisticRegression(C=strength, max_iter=1_000, random_state=seed)
        if len(self._seen) > 1:
            self._model.fit(inputs, classes, sample_weight=weights)

    def shares(self, inputs: Any) -> Shares:
        """Returns the probabilities, (texts, features) -> (texts, classes)."""
        shares = np.zeros((inputs.shape[0], self._count))
        shares[:, self._seen] = self._model.predict_proba(inputs) if len(self._seen) > 1 else 1.0
        return shares


def lookup(texts: Sequence[str], matrix: Any) -> Features:
    """Returns features that were computed before, by text.

    Args:
        texts: All texts that will be asked for, each once.
        matrix: (texts, features), dense or sparse.
    """
    places = {text: at for at, text in enumerate(texts)}
    return lambda asked: matrix[[places[text] for text in asked]]


def standardised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns vectors whose every dimension has mean 0 and spread 1."""
    return (vectors - vectors.mean(axis=0)) / (vectors.std(axis=0) + 1e-6)


def character_tfidf(texts: Sequence[str], weighed_by: Sequence[str]) -> Any:
    """Returns the sparse TF-IDF of character n-grams of 1 to 3.

    Args:
        texts: To turn into rows.
        weighed_by: Texts that n-grams and weights are taken from; they need no labels.
    """
    return _fitted_tfidf(weighed_by).transform(texts)


def _fitted_tfidf(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer: Any = TfidfVectorizer(
        analyzer="char", ngram_range=(1, 3), min_df=3, sublinear_tf=True, max_features=50_000
    )
    return vectorizer.fit(texts)


def latent_vectors(texts: Sequence[str], weighed_by: Sequence[str], *, width: int = 256) -> Any:
    """Returns vectors of latent semantic analysis (Deerwester et al., 1990), (texts, width).

    They need no labels and no encoder: n-grams that come with the same others are near each other.

    Args:
        texts: To turn into rows.
        weighed_by: Texts that n-grams, weights and dimensions are taken from.
        width: Dimensions that are kept, fewer than the texts of `weighed_by`.
    """
    from sklearn.decomposition import TruncatedSVD

    reduction: Any = TruncatedSVD(width, random_state=0)
    vectorizer = _fitted_tfidf(weighed_by)
    reduction.fit(vectorizer.transform(weighed_by))
    vectors = reduction.transform(vectorizer.transform(texts))
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
