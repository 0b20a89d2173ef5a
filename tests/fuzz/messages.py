"""Whole messages at random from their descriptors: all kinds of fields, at any depth."""

from __future__ import annotations

from random import Random
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from tests.fuzz.values import Known, scalar

_MAX_DEPTH = 6
_MANY = (60, 300, 1100)
_MANY_BYTES = 2**20
_FIELD_CHANCE = 0.55
_MASKS = ("*", "", ".", "a..b", "id,titles", "ID", "no_such_field", "id\x00")


def is_map(field: FieldDescriptor) -> bool:
    """Whether the field is a map."""
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def fill(random: Random, message: Message, known: Known, depth: int = 0) -> None:
    """Sets fields of `message` at random."""
    special = _WELL_KNOWN.get(message.DESCRIPTOR.full_name)
    if special is not None:
        special(random, message)
        return
    # Deep fields come less often, so that the size of a recursive message stays finite.
    chance = _FIELD_CHANCE / (1 + depth * 0.35)
    for field in message.DESCRIPTOR.fields:
        if random.random() < chance:
            fill_field(random, message, field, known, depth)


def fill_field(
    random: Random, message: Message, field: FieldDescriptor, known: Known, depth: int = 0
) -> None:
    """Gives one field a random value, or random elements."""
    if field.message_type is not None and depth >= _MAX_DEPTH:
        return
    if is_map(field):
        for _ in range(random.randint(0, 3)):
            put_entry(random, message, field, known, depth)
    elif field.is_repeated:
        _fill_list(random, getattr(message, field.name), field, known, depth)
    elif field.message_type is not None:
        inner = getattr(message, field.name)
        inner.SetInParent()
        fill(random, inner, known, depth + 1)
    else:
        setattr(message, field.name, scalar(random, field, known, field.name))


def put_entry(
    random: Random, message: Message, field: FieldDescriptor, known: Known, depth: int = 0
) -> None:
    """Puts one random entry into a map."""
    key_field, value_field = (field.message_type.fields_by_name[name] for name in ("key", "value"))
    key = scalar(random, key_field, known, "language" if field.name in _BY_LANGUAGE else "key")
    entries: Any = getattr(message, field.name)
    if value_field.message_type is not None:
        fill(random, entries[key], known, depth + 1)
    else:
        entries[key] = scalar(random, value_field, known, field.name)


_BY_LANGUAGE = ("titles", "descriptions")


def add_element(
    random: Random, elements: Any, field: FieldDescriptor, known: Known, depth: int = 0
) -> None:
    """Appends one random element to a list."""
    if field.message_type is not None:
        fill(random, elements.add(), known, depth + 1)
    else:
        elements.append(scalar(random, field, known, field.name))


def _fill_list(
    random: Random, elements: Any, field: FieldDescriptor, known: Known, depth: int
) -> None:
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        add_element(random, elements, field, known, depth)
    if depth < 2 and elements and random.random() < 0.03:
        # The same one over and over: it is the count that is at stake, and it costs little to make.
        last = elements[-1]
        size = last.ByteSize() if field.message_type is not None else len(str(last))
        elements.extend([last] * min(random.choice(_MANY), _MANY_BYTES // max(1, size)))


def _fill_time(random: Random, message: Any) -> None:
    message.seconds = random.choice(_SECONDS)
    message.nanos = random.choice((0, 0, 1, 999_999_999, 1_000_000_000, -1, -(2**31), 2**31 - 1))


def _fill_mask(random: Random, message: Any) -> None:
    for _ in range(random.randint(0, 3)):
        message.paths.append(random.choice((*_MASKS, *_FIELDS)))


def _fill_any(random: Random, message: Any) -> None:
    message.type_url = random.choice(("", "nope", "type.googleapis.com/google.protobuf.Empty"))
    message.value = random.randbytes(random.randint(0, 8))


_SECONDS = (
    *(0, 1, -1, 1_700_000_000, 4_102_444_800, 253402300799, 253402300800),
    *(-62135596801, 2**63 - 1, -(2**63), 315576000001),
)
"""Now, then, the edges of what the well-known types allow, and beyond."""
_FIELDS = ("id", "titles", "titles.en", "price", "price.amount", "results.product.id", "brand")
_WELL_KNOWN = {
    "google.protobuf.Timestamp": _fill_time,
    "google.protobuf.Duration": _fill_time,
    "google.protobuf.FieldMask": _fill_mask,
    "google.protobuf.Any": _fill_any,
}


def random_message(random: Random, kind: type[Message], known: Known) -> Message:
    """Returns a message of that class with random content."""
    message = kind()
    fill(random, message, known)
    return message


def nested(descriptor: Descriptor) -> set[str]:
    """Returns the full names of all messages that can be part of one, itself included."""
    found: set[str] = set()
    waiting = [descriptor]
    while waiting:
        one = waiting.pop()
        if one.full_name in found:
            continue
        found.add(one.full_name)
        waiting += [field.message_type for field in one.fields if field.message_type is not None]
    return found
