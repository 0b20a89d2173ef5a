"""Second opinions on the categories of a whole catalogue.

A model agrees with what it was taught: of 50 wrong categories that were put into a catalogue, one
that had learnt from them doubted 21. So each product is judged by a fit that was without it and
its variants, and what no fit has learnt from by the classifier itself.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from services.reason.classify.features import texts_of
from services.reason.classify.meaning import text_of
from services.reason.classify.result import Result
from services.reason.classify.train.choose import fits_without
from services.reason.classify.train.pool import Encoder, relearnt, vectors_of
from services.reason.classify.train.reading import groups_of
from services.reason.classify.train.run import Trained
from services.reason.classify.trained import TrainedClassifier
from services.reason.classify.weights import ClassifierModel, marks
from wherefore.common.v1.product_pb2 import Product

Rows = Sequence[tuple[int, Product]]
"""Products with their rows in the catalogue."""


def review(
    trained: Trained, products: Rows, encoder: Encoder | None = None
) -> Iterator[tuple[int, Product, Result]]:
    """Yields what is said of each product by a model that has not learnt from it.

    Nothing is said of the only product of a category: without it there is no such category.

    Args:
        trained: The classifier, trained on these products or some of them.
        products: The catalogue.
        encoder: As at the training.
    """
    by_group: dict[str, list[tuple[int, Product]]] = {}
    for row, product in products:
        by_group.setdefault(_group(product), []).append((row, product))
    learnt = groups_of(trained.learnt)
    strangers = [group for group in by_group if group not in learnt]
    for model, groups in [(trained.model, strangers), *_others(trained, encoder)]:
        rows = [each for group in groups for each in by_group.get(group, [])]
        yield from _said(model, rows, encoder)


def _others(
    trained: Trained, encoder: Encoder | None
) -> Iterator[tuple[ClassifierModel, Sequence[str]]]:
    """Yields models, each with the groups that it was without."""
    model = trained.model
    found = trained.choice.folds
    ours = groups_of(trained.learnt)
    if not ours & groups_of(each for fold in found for each in fold.held):
        found = fits_without(
            trained.learnt, model.tree, trained.most_features, trained.seed, trained.choice.settings
        )
    vectors = vectors_of(encoder, trained.learnt) if model.meaning and encoder else {}
    for fold in found:
        meaning = model.meaning and relearnt(model.meaning, fold.learnt, model.tree, vectors)
        known = marks(groups_of(fold.learnt))
        fit = replace(model, weights=fold.weights, meaning=meaning, learnt=known)
        yield fit, sorted(groups_of(fold.held))


def _said(
    model: ClassifierModel, rows: Rows, encoder: Encoder | None
) -> Iterator[tuple[int, Product, Result]]:
    classifier = TrainedClassifier(model)
    texts = [text_of(texts_of(product)) for _, product in rows]
    vectors = []
    if model.meaning is not None and encoder is not None and any(texts):
        made = iter(encoder.encode([text for text in texts if text]))
        vectors = [next(made) if text else None for text in texts]
    results = classifier.classify([product for _, product in rows], vectors=vectors)
    for (row, product), result in zip(rows, results, strict=True):
        yield row, product, result


def _group(product: Product) -> str:
    return product.variant_group_id or product.id
