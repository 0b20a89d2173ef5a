"""What a reader yields: one row of a catalogue, read or refused."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from shared.catalogue.inline_pictures import InlinePictureError, take_out_pictures
from shared.catalogue.validate import validate_product
from shared.errors import FieldViolation, entry_path
from wherefore.common.v1 import product_pb2

_MAX_COUNT = 2**63


class RowValueError(ValueError):
    """A value of a row cannot be read; names the field."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}" if field else reason)
        self.field = field
        self.reason = reason


class CatalogueError(ValueError):
    """The file as a whole cannot be read as a catalogue."""


@dataclass(frozen=True, slots=True)
class RowError:
    """Why a row was refused."""

    line: int
    """Line of the file, from 1 (an XML feed: number of the item)."""
    field: str
    """Path of the field at fault; empty for the whole row."""
    reason: str

    def __str__(self) -> str:
        where = f"line {self.line}"
        return f"{where}, {self.field}: {self.reason}" if self.field else f"{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: either `product` or `error` is set."""

    number: int
    """Line or row in the file, from 1."""
    product: product_pb2.Product | None = None
    error: RowError | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """That the row held itself, by the uris of the product's images."""


def accept(number: int, product: product_pb2.Product) -> Row:
    """Return the row of `product`, refused when the product breaks the contract."""
    try:
        pictures = take_out_pictures(product)
    except InlinePictureError as error:
        return refuse(number, error.field, error.reason)
    violations: Sequence[FieldViolation] = validate_product(product)
    if violations:
        return refuse(number, violations[0].field, violations[0].description)
    return Row(number, product, pictures=pictures)


def refuse(number: int, field: str, reason: str) -> Row:
    """Return a row that could not be read."""
    return Row(number, error=RowError(number, field, reason))


def parse_number(field: str, value: object) -> float:
    """Read a finite number.

    Raises:
        RowValueError: It is not a number, or is NaN or infinite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise RowValueError(field, "must be a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        raise RowValueError(field, f"must be a number, is {str(value)[:40]!r}") from None
    if not math.isfinite(number):
        raise RowValueError(field, "must be a finite number")
    return number


def parse_count(field: str, value: object) -> int:
    """Read a count; a fraction is cut off.

    Raises:
        RowValueError: It is not a number, is negative, or does not fit into 64 bits.
    """
    count = int(parse_number(field, value))
    if not 0 <= count < _MAX_COUNT:
        raise RowValueError(field, "must be a count, at least 0")
    return count


def set_attribute(product: product_pb2.Product, key: str, value: object) -> None:
    """Set one attribute from a plain Python value; empty text and None are left out."""
    field = entry_path("attributes", key)
    if value is None or value in ("", []):
        return
    if isinstance(value, bool):
        product.attributes[key].boolean = value
    elif isinstance(value, int | float):
        product.attributes[key].numbers.append(parse_number(field, value))
    elif isinstance(value, str):
        product.attributes[key].texts.append(value)
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType] - JSON, checked below
            if isinstance(item, str):
                product.attributes[key].texts.append(item)
            else:
                number = parse_number(field, item)  # pyright: ignore[reportUnknownArgumentType]
                product.attributes[key].numbers.append(number)
    else:
        raise RowValueError(field, "must be text, a number, true or false, or a list")
