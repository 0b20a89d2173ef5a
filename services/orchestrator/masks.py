"""Field masks over Product (https://google.aip.dev/134, https://google.aip.dev/157).

Paths are "price", "price.amount" (a field of a message) and "titles.en" (an entry of a map, whose
key is the rest of the path). Paths into lists are not allowed.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeAlias

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from shared.errors import InvalidArgumentError
from wherefore.common.v1.product_pb2 import Product

# The runtime's own descriptors and protobuf's pure ones have the same members.
_Field: TypeAlias = Any

EVERYTHING: Final = "*"
OUTPUT_ONLY: Final = ("etag", "update_time")
_DEFAULT_READ: Final = tuple(
    name for name in Product.DESCRIPTOR.fields_by_name if name != "reviews"
)


def check_paths(paths: Iterable[str], field: str) -> tuple[str, ...]:
    """Returns the paths of a mask without repeats.

    Raises:
        InvalidArgumentError: For a path that Product does not have.
    """
    checked = tuple(dict.fromkeys(paths))
    for path in checked:
        if path != EVERYTHING and not _known(path, Product.DESCRIPTOR):
            raise InvalidArgumentError.of(field, f"Product has no field {path[:100]!r}")
    return checked


def top_level(paths: Sequence[str]) -> list[str]:
    """Returns the fields of Product that a read mask needs; none for everything."""
    if not paths or EVERYTHING in paths:
        return []
    return list(dict.fromkeys(path.split(".", 1)[0] for path in paths))


def trim(product: Product, paths: Sequence[str]) -> Product:
    """Returns what a read mask leaves of a product; the id always. Everything for "*"."""
    if not paths or EVERYTHING in paths:
        return product
    trimmed = Product(id=product.id)
    for path in paths:
        copy_path(product, trimmed, path)
    return trimmed


def trim_for_search(product: Product, paths: Sequence[str]) -> Product:
    """As `trim`, with everything but the reviews for an empty mask."""
    if paths:
        return trim(product, paths)
    product.ClearField("reviews")
    return product


def default_read_fields() -> list[str]:
    """Returns the fields that an empty read mask of a search stands for."""
    return list(_DEFAULT_READ)


def copy_path(source: Message, target: Message, path: str) -> None:
    """Makes the field at `path` of `target` that of `source`; cleared where it is not set."""
    name, _, rest = path.partition(".")
    field: _Field = source.DESCRIPTOR.fields_by_name[name]
    if not rest:
        _copy_field(field, source, target)
    elif _is_map(field):
        _copy_entry(field, source, target, rest.strip("`"))
    elif source.HasField(name):
        copy_path(getattr(source, name), getattr(target, name), rest)
        # Setting a part to its default still makes the message there.
        getattr(target, name).SetInParent()
    elif target.HasField(name):
        copy_path(type(getattr(target, name))(), getattr(target, name), rest)


def _copy_field(field: _Field, source: Message, target: Message) -> None:
    target.ClearField(field.name)
    value: Any = getattr(source, field.name)
    if field.is_repeated or field.message_type is not None:
        if field.is_repeated or source.HasField(field.name):
            getattr(target, field.name).MergeFrom(value)
            if not field.is_repeated:
                getattr(target, field.name).SetInParent()
    elif not field.has_presence or source.HasField(field.name):
        setattr(target, field.name, value)


def _copy_entry(field: _Field, source: Message, target: Message, key: str) -> None:
    entries: Any = getattr(target, field.name)
    values: Any = getattr(source, field.name)
    if key not in values:
        if key in entries:
            del entries[key]
    elif isinstance(values[key], Message):
        entries[key].CopyFrom(values[key])
    else:
        entries[key] = values[key]


def _known(path: str, descriptor: Descriptor) -> bool:
    name, dot, rest = path.partition(".")
    field = descriptor.fields_by_name.get(name)
    # Looked up by name, protobuf takes "id\0" for "id".
    if field is None or field.name != name or (dot and not rest):
        return False
    if not rest:
        return True
    if _is_map(field):
        return bool(rest.strip("`"))
    if field.is_repeated or field.message_type is None:
        return False
    return _known(rest, field.message_type)


def _is_map(field: _Field) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
