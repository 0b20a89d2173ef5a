"""Fits the two parts of the model of opinions, and measures them by folds of what they learn."""

import csv
import gzip
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol, cast

import numpy as np
from numpy.typing import NDArray

from services.insight.features import Features, character_features, word_features
from services.insight.opinion_model import CHARACTER_BITS, STEPS, WORD_BITS, LinearPart
from shared.durable_file import write_durably
from shared.text.normalise import fold
from shared.text.polarity import Polarity, shop_weights

_C_HAN: Final = 5.0
_C_WORDS: Final = 10.0
"""Inverse penalties, chosen by folds of the training parts."""
_FOLDS: Final = 5
_MIDDLE: Final = 3


class _Estimator(Protocol):
    coef_: NDArray[np.float64]
    intercept_: NDArray[np.float64]

    def fit(self, features: object, labels: object) -> object: ...


def train_model(data: Path, out: Path) -> dict[str, object]:
    """Fits both parts, writes the file and returns figures.

    Args:
        data: Folder of the data sets.
        out: The file.

    Raises:
        OSError: A data set is not there, or the file cannot be written.
    """
    texts, praise = _chinese(data)
    han = _fit_han(texts, praise)
    folds = np.arange(len(texts)) % _FOLDS
    rest = folds != 0
    held = _fit_han([t for t, r in zip(texts, rest, strict=True) if r], praise[rest])
    left = [t for t, r in zip(texts, rest, strict=True) if not r]
    zeros = np.zeros(len(left))
    right = (held.logits(character_features(left, CHARACTER_BITS), zeros) > 0) == praise[~rest]
    words, figures = _english(data)
    arrays: dict[str, Any] = {}
    for name, part in (("han", han), ("words", words)):
        arrays[f"{name}_steps"] = part.steps
        arrays[f"{name}_numbers"] = np.array([part.scale, part.bias, part.polarity])
    held_file = io.BytesIO()
    np.savez_compressed(held_file, **arrays)
    write_durably(out, held_file.getvalue())
    return {"reviews_zh": {"texts": len(texts), "accuracy": float(right.mean())}, "luma": figures}


def _fit_han(texts: Sequence[str], praise: NDArray[np.bool_]) -> LinearPart:
    features = _matrix(character_features(texts, CHARACTER_BITS), CHARACTER_BITS)
    return _quantised(_logistic(_C_HAN, "liblinear"), features, praise, lexicon=False)


def _english(data: Path) -> tuple[LinearPart, dict[str, object]]:
    """Fits words; rated 4 and 5 praise, 1 and 2 blame, folds keep the reviews of a product."""
    path = data / "luma" / "ReviewSampleData_products_reviews.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["rating_value"]) != _MIDDLE]
    texts = [fold(f"{row['title']}. {row['review']}") for row in rows]
    praise = np.array([int(row["rating_value"]) > _MIDDLE for row in rows])
    products = sorted({row["sku"] for row in rows})
    fold_of = np.array([products.index(row["sku"]) % _FOLDS for row in rows])
    logits = np.zeros(len(texts))
    lexicon = _polarities(texts)
    for each in range(_FOLDS):
        inside, left = fold_of != each, np.flatnonzero(fold_of == each)
        part = _fit_words([t for t, i in zip(texts, inside, strict=True) if i], praise[inside])
        found = word_features([texts[at] for at in left], WORD_BITS)
        logits[left] = part.logits(found, lexicon[left])
    figures: dict[str, object] = {
        "texts": len(texts),
        "auc": _area(logits, praise),
        "auc_lexicon": _area(lexicon, praise),
        "accuracy": float(((logits > 0) == praise).mean()),
    }
    return _fit_words(texts, praise), figures


def _fit_words(texts: Sequence[str], praise: NDArray[np.bool_]) -> LinearPart:
    import scipy.sparse

    sparse = cast("Any", scipy.sparse)
    features = _matrix(word_features(texts, WORD_BITS), WORD_BITS)
    both = sparse.hstack([features, sparse.csr_matrix(_polarities(texts)[:, None])], format="csr")
    return _quantised(_logistic(_C_WORDS, "liblinear", balanced=True), both, praise, lexicon=True)


def _polarities(texts: Sequence[str]) -> NDArray[np.float64]:
    lexicon = Polarity(shop_weights())
    return np.array([lexicon.total(text) for text in texts])


def _logistic(penalty: float, solver: str, *, balanced: bool = False) -> _Estimator:
    from sklearn.linear_model import LogisticRegression

    weight = "balanced" if balanced else None
    made = LogisticRegression(
        C=penalty, solver=solver, max_iter=300, class_weight=weight, random_state=0
    )
    return cast("_Estimator", made)


def _quantised(
    model: _Estimator, features: object, praise: NDArray[np.bool_], *, lexicon: bool
) -> LinearPart:
    model.fit(features, praise)
    weights: NDArray[np.float64] = model.coef_[0]
    polarity = float(weights[-1]) if lexicon else 0.0
    weights = weights[:-1] if lexicon else weights
    scale = float(np.abs(weights).max()) / STEPS
    steps: NDArray[np.int8] = np.round(weights / scale).astype(np.int8)
    return LinearPart(steps, scale, float(model.intercept_[0]), polarity)


def _matrix(features: Features, bits: int) -> object:
    from scipy.sparse import csr_matrix

    values = 1 / np.sqrt(features.lengths[features.rows])
    places = (features.rows, features.columns)
    return csr_matrix((values, places), shape=(len(features.lengths), 2**bits))


def _area(scores: NDArray[np.float64], praise: NDArray[np.bool_]) -> float:
    import sklearn.metrics

    return float(cast("Any", sklearn.metrics).roc_auc_score(praise, scores))


def _chinese(data: Path) -> tuple[list[str], NDArray[np.bool_]]:
    with gzip.open(data / "reviews_zh" / "train.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [cast("dict[str, Any]", json.loads(line)) for line in file]
    return [fold(row["review"]) for row in rows], np.array([row["label"] == 1 for row in rows])
