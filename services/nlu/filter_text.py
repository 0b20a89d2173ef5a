"""The hard constraints as a filter of SearchRequest.filter's grammar."""

from collections.abc import Iterable
from typing import Final

from services.nlu.domain import Bounds, Constraint
from shared.filter_syntax import join_and, quote

# Fields that the grammar names plainly; everything else is an attribute of the catalogue.
_PLAIN: Final = frozenset(
    (
        "audience",
        "brand",
        "colour",
        "in_stock",
        "material",
        "price",
        "product_type",
        "rating",
        "size",
        "text",
    )
)
# Fields whose values are booleans, which the grammar writes bare.
_BOOLEAN = frozenset({"in_stock"})


def to_filter(constraints: Iterable[Constraint]) -> str:
    """Returns the filter, empty when no constraint is hard."""
    return join_and(*(_one(item) for item in constraints if item.hard))


def _one(constraint: Constraint) -> str:
    field = constraint.field if constraint.field in _PLAIN else f"attributes.{constraint.field}"
    if constraint.bounds:
        # Plainly named, a size is a word ("XL"); its numbers are found as the attribute's.
        field = "attributes.size" if field == "size" else field
        return " AND ".join(_range(field, constraint.bounds))
    values = constraint.any_of or constraint.none_of
    if field in _BOOLEAN:
        return f"{field} = {values[0]}"
    written = " OR ".join(map(quote, values))
    restriction = f"{field}: ({written})" if len(values) > 1 else f"{field}: {written}"
    return f"NOT {restriction}" if constraint.none_of else restriction


def _range(field: str, bounds: Bounds) -> Iterable[str]:
    if bounds.minimum is not None:
        yield f"{field} >= {_number(bounds.minimum)}"
    if bounds.maximum is not None:
        yield f"{field} <= {_number(bounds.maximum)}"
    # Amounts are never compared across currencies; a sign that several share names none of them.
    if field == "price" and bounds.unit.isalpha():
        yield f"currency: {quote(bounds.unit)}"


def _number(value: float) -> str:
    """Plain decimals: the grammar has no exponents."""
    return str(int(value)) if value == int(value) else f"{value:.6f}".rstrip("0")
