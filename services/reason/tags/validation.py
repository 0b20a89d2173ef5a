"""The limits of a request for tags."""

from dataclasses import dataclass
from typing import Final

from services.reason.language import LANGUAGES
from services.reason.tags.tagger import DEFAULT_TAGS
from shared.errors import InvalidArgumentError, entry_path
from shared.text.language import primary_language
from wherefore.common.v1.product_pb2 import Product
from wherefore.reason.v1.tag_service_pb2 import GenerateTagsRequest

MAX_PRODUCTS: Final = 100
MAX_TITLE, MAX_DESCRIPTION, MAX_REVIEW = 1_000, 20_000, 10_000
MAX_TEXTS: Final = 10
"""Titles, and descriptions."""
MAX_REVIEWS: Final = 500
MAX_LEVELS, MAX_LEVEL = 10, 200
MAX_TAGS: Final = 200
LEAST_PROPOSAL: Final = 2


@dataclass(frozen=True, slots=True)
class TagsInput:
    """What is asked for.

    Attributes:
        products: To tag.
        language: Of the labels, "zh" or "en".
        least: Confidence; None for the tagger's own threshold.
        most: Tags of a product.
        least_products: That a proposed phrase stands in; 0 for no proposals.
    """

    products: tuple[Product, ...]
    language: str
    least: float | None
    most: int
    least_products: int


def from_request(request: GenerateTagsRequest) -> TagsInput:
    """Checks the limits of the contract and returns what is asked for.

    Raises:
        InvalidArgumentError: Names the field at fault.
    """
    of = InvalidArgumentError.of
    products = tuple(request.products)
    if not 1 <= len(products) <= MAX_PRODUCTS:
        raise of("products", f"must hold 1 to {MAX_PRODUCTS}, holds {len(products)}")
    seen: set[str] = set()
    for at, product in enumerate(products):
        _check_product(product, f"products[{at}]", seen)
    if request.language_code and primary_language(request.language_code) not in LANGUAGES:
        raise of("language_code", 'must be "zh", "en" or empty')
    least = request.min_confidence if request.HasField("min_confidence") else None
    if least is not None and not 0 <= least <= 1:  # NaN is not within either
        raise of("min_confidence", "must be 0 to 1")
    if not 0 <= request.max_tags <= MAX_TAGS:
        raise of("max_tags", f"must be 1 to {MAX_TAGS}, or 0")
    proposing = request.min_proposal_products
    if proposing and not LEAST_PROPOSAL <= proposing <= MAX_PRODUCTS:
        raise of("min_proposal_products", f"must be {LEAST_PROPOSAL} to {MAX_PRODUCTS}, or 0")
    return TagsInput(
        products=products,
        language=primary_language(request.language_code) or "en",
        least=least,
        most=request.max_tags or DEFAULT_TAGS,
        least_products=proposing,
    )


def _check_product(product: Product, where: str, seen: set[str]) -> None:
    of = InvalidArgumentError.of
    if not product.id:
        raise of(f"{where}.id", "must not be empty")
    if product.id in seen:
        raise of(f"{where}.id", "is there twice; send each product once")
    seen.add(product.id)
    for name, texts, longest in (
        ("titles", product.titles, MAX_TITLE),
        ("descriptions", product.descriptions, MAX_DESCRIPTION),
    ):
        if len(texts) > MAX_TEXTS:
            raise of(f"{where}.{name}", f"must hold at most {MAX_TEXTS}")
        for tag, text in texts.items():
            if len(text) > longest:
                raise of(
                    entry_path(f"{where}.{name}", tag), f"must have at most {longest:,} characters"
                )
    if len(product.reviews) > MAX_REVIEWS:
        raise of(f"{where}.reviews", f"must hold at most {MAX_REVIEWS}")
    reviews: set[str] = set()
    for at, review in enumerate(product.reviews):
        field = f"{where}.reviews[{at}]"
        if not review.id or review.id in reviews:
            raise of(f"{field}.id", "must not be empty, and each must be another")
        reviews.add(review.id)
        if len(review.text) > MAX_REVIEW:
            raise of(f"{field}.text", f"must have at most {MAX_REVIEW:,} characters")
    levels = product.category_path
    if len(levels) > MAX_LEVELS or any(len(level) > MAX_LEVEL for level in levels):
        raise of(
            f"{where}.category_path",
            f"must have at most {MAX_LEVELS} levels of at most {MAX_LEVEL} characters",
        )
