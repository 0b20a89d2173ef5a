"""Selling points: features that the bundled catalogue states, found in its texts."""

from __future__ import annotations

from benchmarks import report
from services.reason.tags.builder import default_vocabulary
from services.reason.tags.tagger import Tagger
from services.reason.tags.vocabulary import SELLING_POINT
from shared.catalogue import bundled_catalogue_path, read_catalogue
from wherefore.common.v1.product_pb2 import Product

LANGUAGES = ("en", "zh")


def feature_rows() -> list[list[str]]:
    """Precision and recall of features that products state, from texts of one language alone."""
    products = [row.product for row in read_catalogue(bundled_catalogue_path()) if row.product]
    vocabulary = default_vocabulary()
    flags = {
        key
        for product in products
        for key, value in product.attributes.items()
        if value.HasField("boolean") and (SELLING_POINT, key.replace("_", " ")) in vocabulary.places
    }
    tagger = Tagger(vocabulary)
    rows: list[list[str]] = []
    for language in LANGUAGES:
        right = wrong = missed = 0
        seen: set[str] = set()
        for product in products:
            group = product.variant_group_id or product.id
            if group in seen:
                continue
            seen.add(group)
            texts = Product(id=product.id)
            for source, kept in (
                (product.titles, texts.titles),
                (product.descriptions, texts.descriptions),
            ):
                if language in source:
                    kept[language] = source[language]
            found = {tag.term.value.replace(" ", "_") for tag in tagger.tag(texts)} & flags
            stated = {
                key for key in flags & set(product.attributes) if product.attributes[key].boolean
            }
            right += len(found & stated)
            wrong += len(found - stated)
            missed += len(stated - found)
        rows.append(
            [
                language,
                str(right + missed),
                f"{right / max(right + wrong, 1):.3f}",
                f"{right / max(right + missed, 1):.3f}",
            ]
        )
    return rows


def points_section() -> str:
    """The figures as Markdown."""
    heads = ("texts", "features stated", "precision", "recall")
    said = (
        "**Selling points.** Features that the bundled catalogue states to be true, found in its\n"
        "generated texts of one language by the lexicons alone:"
    )
    return f"{said}\n\n{report.table(heads, feature_rows())}"
