"""The limits of a request for categories."""

from collections.abc import Sequence
from typing import Final

from services.reason.classify.tree import Path
from shared.catalogue.validate import validate_product
from shared.errors import FieldViolation, InvalidArgumentError
from wherefore.reason.v1.classification_service_pb2 import ClassifyProductsRequest

MAX_PRODUCTS: Final = 100
MAX_CATEGORIES: Final = 5_000
MAX_ALTERNATIVES, MAX_EVIDENCE = 20, 50
_MAX_LEVELS, _MAX_NAME = 10, 200


def validate(request: ClassifyProductsRequest) -> None:
    """Checks the limits of the contract.

    Raises:
        InvalidArgumentError: Names the fields at fault.
    """
    of = InvalidArgumentError.of
    if not request.products:
        raise of("products", "must hold at least one product")
    if len(request.products) > MAX_PRODUCTS:
        raise of("products", f"must hold at most {MAX_PRODUCTS}, holds {len(request.products)}")
    if not 0 <= request.max_alternatives <= MAX_ALTERNATIVES:
        raise of("max_alternatives", f"must be 0 to {MAX_ALTERNATIVES}")
    if not 0 <= request.max_evidence <= MAX_EVIDENCE:
        raise of("max_evidence", f"must be 0 to {MAX_EVIDENCE}")
    seen: set[str] = set()
    for index, product in enumerate(request.products):
        if violations := validate_product(product):
            raise InvalidArgumentError(
                *(
                    FieldViolation(f"products[{index}].{each.field}", each.description)
                    for each in violations
                )
            )
        if product.id in seen:
            raise of(f"products[{index}].id", "is there twice; send each product once")
        seen.add(product.id)
    _check_taxonomy([tuple(category.path) for category in request.taxonomy])


def _check_taxonomy(paths: Sequence[Path]) -> None:
    of = InvalidArgumentError.of
    if len(paths) > MAX_CATEGORIES:
        raise of("taxonomy", f"must hold at most {MAX_CATEGORIES:,}, holds {len(paths):,}")
    if len(paths) == 1:
        raise of("taxonomy", "must hold at least two categories, or none")
    seen: set[Path] = set()
    for index, path in enumerate(paths):
        field = f"taxonomy[{index}].path"
        if not 1 <= len(path) <= _MAX_LEVELS:
            raise of(field, f"must have 1 to {_MAX_LEVELS} names")
        if not all(name.strip() and len(name) <= _MAX_NAME for name in path):
            raise of(field, f"must have names of 1 to {_MAX_NAME} characters")
        if path in seen:
            raise of(field, "is there twice")
        seen.add(path)
