"""Classification by a model that was trained on a shop's own products.

tf-idf of words and characters, multinomial logistic regression, in small shops also the vectors of
English texts; a temperature, and back-off from a category to its parents.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.reason.classify.evidence import word_evidence
from services.reason.classify.features import frequency, occurrences, texts_of
from services.reason.classify.meaning import nearness
from services.reason.classify.result import Result, alternatives, decide, judge
from services.reason.classify.weights import ClassifierModel, Weights, mark
from wherefore.common.v1.product_pb2 import Product


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores of the categories by words, before the temperature, centred on 0.

    Attributes:
        values: Feature the model knows -> its tf-idf weight; their squares add up to 1.
        scores: (categories,).
        known: Share of the words that are known, by their weights.
    """

    values: Mapping[str, float]
    scores: NDArray[np.float64]
    known: float


def score(weights: Weights, counts: Mapping[str, float]) -> Scored:
    """Scores every category.

    Args:
        weights: Of the words.
        counts: Feature of a product's texts -> its damped frequency.
    """
    raw = {
        feature: count * float(weights.idf[weights.features[feature]])
        for feature, count in counts.items()
        if feature in weights.features
    }
    length = float(np.sqrt(sum(value * value for value in raw.values())))
    values = {feature: value / length for feature, value in raw.items()}
    scores = weights.bias.astype(np.float64)
    if values:
        rows = weights.steps[[weights.features[feature] for feature in values]]
        scores = scores + (np.fromiter(values.values(), float) @ rows) * weights.scales
    return Scored(values, scores - scores.mean(), _known_share(weights, counts, raw))


def softmax(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Returns probabilities that add up to 1."""
    exponents = np.exp(scores - scores.max())
    return exponents / exponents.sum()


def contributions(weights: Weights, scored: Scored, column: int) -> dict[str, float]:
    """Returns what each feature adds to a category's centred score."""
    if not scored.values:
        return {}
    rows = weights.steps[[weights.features[feature] for feature in scored.values]] * weights.scales
    centred = rows[:, column] - rows.mean(axis=1)
    added = np.fromiter(scored.values.values(), float) * centred
    return dict(zip(scored.values, added.tolist(), strict=True))


class TrainedClassifier:
    """Classifies products by a trained model; knows no gRPC and keeps nothing."""

    def __init__(self, model: ClassifierModel) -> None:
        self.model = model

    def classify(
        self,
        products: Sequence[Product],
        most: int = 3,
        most_evidence: int = 5,
        vectors: Sequence[NDArray[np.float64] | None] = (),
    ) -> list[Result]:
        """Returns what is said of each product.

        Args:
            products: With their texts; stated categories are judged, not read.
            most: Alternatives of each.
            most_evidence: Words of each.
            vectors: Of `text_of` each product, unit length, by the encoder that the model names;
                None for a product without one, empty for words alone.
        """
        given = vectors or [None] * len(products)
        return [
            self._classify(product, most, most_evidence, vector)
            for product, vector in zip(products, given, strict=True)
        ]

    def _classify(
        self, product: Product, most: int, most_evidence: int, vector: NDArray[np.float64] | None
    ) -> Result:
        model = self.model
        texts = texts_of(product)
        found = occurrences(texts)
        counts = {feature: frequency(places) for feature, places in found.items()}
        scored = score(model.weights, counts)
        scores, calibration, share = scored.scores, model.calibration, 1.0
        if vector is not None and model.meaning is not None:
            calibration, share = model.meaning.calibration, model.meaning.words
            scores = share * scores + nearness(model.meaning, vector)
        probabilities = softmax(scores / calibration.temperature)
        best = int(np.argmax(probabilities))
        of_taxonomy = (
            bool(scored.values)
            and scored.known >= calibration.least_known
            and float(scores[best]) >= calibration.least_peak
        )
        answer = decide(model.tree, probabilities, calibration, of_taxonomy=of_taxonomy)
        unit = share / calibration.temperature
        contributed = contributions(model.weights, scored, best)
        added = {feature: value * unit for feature, value in contributed.items()}
        evidence = word_evidence(texts, found, added, most_evidence)
        total = float(scores[best]) / calibration.temperature
        bias = total - sum(added.values())
        stated = tuple(product.category_path)
        learnt = mark(product.variant_group_id or product.id) in model.learnt
        verdict, stated_probability = judge(
            model.tree, probabilities, answer, stated, learnt=learnt
        )
        return Result(
            product_id=product.id,
            answer=answer,
            alternatives=alternatives(model.tree, probabilities, calibration, most),
            evidence=evidence,
            bias=bias,
            other=total - bias - sum(each.contribution for each in evidence),
            score=total,
            known_share=scored.known,
            verdict=verdict,
            stated_probability=stated_probability,
        )


def _known_share(weights: Weights, counts: Mapping[str, float], raw: Mapping[str, float]) -> float:
    """Pairs and characters are left out: they are many, and new ones say little."""
    words = [feature for feature in counts if not feature.startswith("#") and " " not in feature]
    known = sum(raw.get(word, 0.0) for word in words)
    unknown = sum(counts[word] * weights.unknown_idf for word in words if word not in raw)
    return known / (known + unknown) if known else 0.0
