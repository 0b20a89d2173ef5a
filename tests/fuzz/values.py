"""Values of single fields, by kind and by name."""

from __future__ import annotations

from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor as F

from tests.fuzz import texts

_BITS = {F.CPPTYPE_INT32: 32, F.CPPTYPE_UINT32: 32, F.CPPTYPE_INT64: 64, F.CPPTYPE_UINT64: 64}
_UNSIGNED = (F.CPPTYPE_UINT32, F.CPPTYPE_UINT64)
_FLOATS = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1e-9, 299.0, 4.65),
    *(float("nan"), float("inf"), float("-inf"), 1.7976931348623157e308, 5e-324, 1e16, -1e300),
)
_FLOAT32_MAX = 3.4028234663852886e38
PRODUCT_IDS = tuple(f"fuzz-{number}" for number in range(8))
"""Products that fuzzed requests may make, change and delete."""


class Known:
    """What the running suite knows, so that requests get past the first check.

    Args:
        product_ids: Of products that exist.
        tokens: Page tokens and attribution tokens of other requests.
    """

    def __init__(self, product_ids: tuple[str, ...] = (), tokens: tuple[str, ...] = ()) -> None:
        self.product_ids = product_ids
        self.tokens = tokens


def scalar(random: Random, field: F, known: Known, owner: str) -> Any:
    """Returns a value for a field that holds no message.

    Args:
        random: Where chance comes from.
        field: The field, or the key or value field of a map.
        known: What the suite knows.
        owner: Name of the field as the caller sees it; that of the map for its keys and values.
    """
    if field.cpp_type in _BITS:
        return integer(random, field)
    match field.cpp_type:
        case F.CPPTYPE_DOUBLE | F.CPPTYPE_FLOAT:
            return number(random, field)
        case F.CPPTYPE_BOOL:
            return random.random() < 0.5
        case F.CPPTYPE_ENUM:
            known_numbers = [value.number for value in field.enum_type.values]
            return random.choice([*known_numbers, *known_numbers, 99, -1, 2**31 - 1, -(2**31)])
        case _ if field.type == F.TYPE_BYTES:
            return random.randbytes(random.choice((0, 1, 16, 300)))
        case _:
            return string(random, known, owner)


def string(random: Random, known: Known, owner: str) -> str:
    """Returns a text for a field of that name."""
    ids = (*PRODUCT_IDS, *known.product_ids)
    if (owner == "id" or owner.endswith(("_id", "_ids"))) and random.random() < 0.7:
        return random.choice(ids)
    if "token" in owner and known.tokens and random.random() < 0.4:
        return random.choice(known.tokens)
    return texts.text(random, owner)


def integer(random: Random, field: F) -> int:
    """Returns an integer, the edges of its range among them."""
    bits = _BITS[field.cpp_type]
    unsigned = field.cpp_type in _UNSIGNED
    low, high = (0, 2**bits - 1) if unsigned else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    value = random.choice(
        (0, 1, -1, 2, 5, 20, 100, 1000, 10**6, low, high, random.randint(-50, 500))
    )
    return min(high, max(low, value))


def number(random: Random, field: F) -> float:
    """Returns a float or double, NaN and infinities among them."""
    value = random.choice((*_FLOATS, random.uniform(-10, 1000)))
    if field.cpp_type == F.CPPTYPE_FLOAT and abs(value) > _FLOAT32_MAX and value - value == 0:
        return _FLOAT32_MAX
    return value
