"""Products as they are kept in the payload: whole, and as the summary that ranking needs."""

import base64
import zlib
from collections.abc import Sequence
from typing import Any, Final

from google.protobuf.field_mask_pb2 import FieldMask

from shared.errors import InvalidArgumentError
from wherefore.common.v1.product_pb2 import AttributeValue, Product

WHOLE: Final = "product"
SUMMARY: Final = "summary"

_NOT_IN_SUMMARY: Final = ("descriptions", "reviews", "images", "gtins")
# Attributes of a summary: these, which queries name, first, then the others by key while there is
# room. Each costs time twice, as a hundred summaries travel to the orchestrator and on to ranking.
_FIRST_ATTRIBUTES: Final = (
    "product_type",
    "colour",
    "size",
    "material",
    "audience",
    "display_diagonal",
    "internal_memory",
    "total_storage_capacity",
)
_SUMMARY_ATTRIBUTES: Final = 12
_SUMMARY_TEXT: Final = 80
_CUT_IN_SUMMARY: Final = frozenset({*_NOT_IN_SUMMARY, "attributes"})


def encode_whole(product: Product) -> str:
    """Returns the whole product, compressed: it is large and seldom read."""
    return base64.b85encode(zlib.compress(product.SerializeToString(), 3)).decode()


def encode_summary(product: Product) -> str:
    """Returns the summary of a product, uncompressed: a hundred are read per request."""
    return base64.b64encode(summarise(product).SerializeToString()).decode()


def decode_whole(text: str) -> Product:
    """Returns what `encode_whole` was given."""
    return Product.FromString(zlib.decompress(base64.b85decode(text)))


def decode_summary(text: str) -> Product:
    """Returns the summary of what `encode_summary` was given."""
    return Product.FromString(base64.b64decode(text))


def summarise(product: Product) -> Product:
    """Returns a copy without descriptions, reviews, images and GTINs, and with short attributes."""
    summary = Product()
    summary.CopyFrom(product)
    for name in _NOT_IN_SUMMARY:
        summary.ClearField(name)
    summary.ClearField("attributes")
    ordered = [key for key in _FIRST_ATTRIBUTES if key in product.attributes]
    ordered += sorted(key for key in product.attributes if key not in _FIRST_ATTRIBUTES)
    for key in ordered:
        if len(summary.attributes) == _SUMMARY_ATTRIBUTES:
            break
        value = product.attributes[key]
        # What a product lacks ("boolean: false") is rarely a reason; what is long is prose.
        if _is_short(value) and not (value.HasField("boolean") and not value.boolean):
            summary.attributes[key].CopyFrom(value)
    return summary


def check_mask(mask: FieldMask, field: str = "read_mask") -> Sequence[str]:
    """Returns the paths of a mask over Product.

    Raises:
        InvalidArgumentError: For a path that Product does not have.
    """
    known = [field.name for field in Product.DESCRIPTOR.fields]
    for path in mask.paths:
        # Looked up by name, protobuf takes "id\0" for "id", and fails when it copies it.
        if path != "*" and not (
            "\0" not in path
            and path.split(".", 1)[0] in known
            and FieldMask(paths=[path]).IsValidForDescriptor(Product.DESCRIPTOR)
        ):
            raise InvalidArgumentError.of(field, f"Product has no field {path[:100]!r}")
    return tuple(mask.paths)


def blob_for(paths: Sequence[str], *, default: str) -> str:
    """Returns which blob holds the fields of a mask; `default` for an empty one."""
    if not paths:
        return default
    cut = any(path == "*" or path.split(".", 1)[0] in _CUT_IN_SUMMARY for path in paths)
    return WHOLE if cut else SUMMARY


def decode(blob: str, text: str, paths: Sequence[str]) -> Product:
    """Returns the product of a blob under a mask; the id is always there."""
    product = decode_whole(text) if blob == WHOLE else decode_summary(text)
    if not paths or "*" in paths:
        return product
    if not any("." in path for path in paths):
        # Less than half of the time, and lists of a hundred are read so.
        cleared: Any = product  # its type wants names that are known beforehand
        for field, _ in product.ListFields():
            if field.name != "id" and field.name not in paths:
                cleared.ClearField(field.name)
        return product
    masked = Product()
    FieldMask(paths=list(paths)).MergeMessage(product, masked)
    masked.id = product.id
    return masked


def _is_short(value: AttributeValue) -> bool:
    return sum(len(text) for text in value.texts) <= _SUMMARY_TEXT
