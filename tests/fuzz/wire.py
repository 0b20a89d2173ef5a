"""Requests changed field by field on the wire: what no stub sends, but anybody can.

The bytes are taken apart by the encoding alone (https://protobuf.dev/programming-guides/encoding/),
so that what comes out is broken in one place and right everywhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from google.protobuf.descriptor import Descriptor, FieldDescriptor

VARINT, FIXED64, DELIMITED, OPEN_GROUP, CLOSE_GROUP, FIXED32 = range(6)
MAX_NUMBER = 2**29 - 1
_DEPTHS = (3, 60, 101, 2_000, 20_000)
"""Levels of nesting; readers of protobuf refuse more than 100."""
_NOT_UTF8 = (b"\xed\xa0\x80", b"\xc0\xaf", b"\x80", b"\xff\xfe", b"caf\xe9")
_TEXTS = (b"", b"\x00", b"fuzz", "杯".encode(), *_NOT_UTF8)

Field = tuple[int, int, bytes]
"""Number, wire type, and what follows the tag; of DELIMITED without its length."""


def varint(value: int, *, padding: int = 0) -> bytes:
    """Encodes an unsigned number, on request in more bytes than it needs."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    if not padding:
        return bytes([*out, value])
    return bytes([*out, value | 0x80, *[0x80] * (padding - 1), 0])


def taken_apart(raw: bytes) -> list[Field]:
    """Returns the fields of a valid message without groups, in their order."""
    fields: list[Field] = []
    at = 0
    while at < len(raw):
        tag, at = _read_varint(raw, at)
        number, kind = tag >> 3, tag & 7
        start = at
        if kind == VARINT:
            _, at = _read_varint(raw, at)
        elif kind == DELIMITED:
            length, start = _read_varint(raw, at)
            at = start + length
        else:
            at += 8 if kind == FIXED64 else 4
        fields.append((number, kind, raw[start:at]))
    return fields


def put_together(fields: Sequence[Field]) -> bytes:
    """Encodes fields as they are."""
    return b"".join(
        varint(number << 3 | kind) + (varint(len(data)) + data if kind == DELIMITED else data)
        for number, kind, data in fields
    )


def mutated_fields(random: Random, raw: bytes, descriptor: Descriptor) -> bytes:
    """Returns a valid message with one thing done to one of its fields, at any depth.

    Args:
        random: Where chance comes from.
        raw: The message.
        descriptor: Its kind.
    """
    fields = taken_apart(raw)
    inner = [at for at, one in enumerate(fields) if _message_of(descriptor, one) is not None]
    if inner and random.random() < 0.6:
        at = random.choice(inner)
        number, kind, data = fields[at]
        below = _message_of(descriptor, fields[at])
        assert below is not None
        return put_together(
            [*fields[:at], (number, kind, mutated_fields(random, data, below)), *fields[at + 1 :]]
        )
    return random.choice(_CHANGES)(random, fields, descriptor)


def _message_of(descriptor: Descriptor, field: Field) -> Descriptor | None:
    found = descriptor.fields_by_number.get(field[0])
    return found.message_type if found is not None and field[1] == DELIMITED else None


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = raw[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _value(random: Random, kind: int) -> bytes:
    if kind == VARINT:
        return varint(random.choice((0, 1, 2**31, 2**32, 2**63, 2**64 - 1)))
    if kind == DELIMITED:
        return random.choice((*_TEXTS, random.randbytes(random.randint(0, 20))))
    return random.choice((bytes(8), b"\xff" * 8, random.randbytes(8)))[
        : 8 if kind == FIXED64 else 4
    ]


def _add(random: Random, fields: list[Field], field: Field) -> bytes:
    at = random.randint(0, len(fields))
    return put_together([*fields[:at], field, *fields[at:]])


def _unknown(random: Random, fields: list[Field], descriptor: Descriptor) -> bytes:
    """A field that the contract does not have: callers of a newer one send such, and may."""
    number = random.choice((MAX_NUMBER, 19_000, 1_000, len(descriptor.fields) + 1))
    kind = random.choice((VARINT, FIXED64, DELIMITED, FIXED32))
    return _add(random, fields, (number, kind, _value(random, kind)))


def _other_type(random: Random, fields: list[Field], descriptor: Descriptor) -> bytes:
    """A field of the contract with the wire type of another."""
    number = random.choice([*descriptor.fields_by_number, 1])
    kind = random.choice((VARINT, FIXED64, DELIMITED, FIXED32))
    return _add(random, fields, (number, kind, _value(random, kind)))


def _twice(random: Random, fields: list[Field], descriptor: Descriptor) -> bytes:
    """A field again, with its value or another: of a single one the last counts, of a map's key."""
    if not fields:
        return _unknown(random, fields, descriptor)
    number, kind, data = random.choice(fields)
    if random.random() < 0.5 and kind != DELIMITED:
        data = _value(random, kind)
    copies = random.choice((1, 1, 2, 500))
    return put_together([*fields, *[(number, kind, data)] * copies])


def _shuffled(random: Random, fields: list[Field], _: Descriptor) -> bytes:
    return put_together(random.sample(fields, len(fields)))


def _not_utf8(random: Random, fields: list[Field], descriptor: Descriptor) -> bytes:
    texts = [f.number for f in descriptor.fields if f.type == FieldDescriptor.TYPE_STRING]
    number = random.choice(texts or [1])
    return _add(random, fields, (number, DELIMITED, random.choice(_NOT_UTF8)))


def _packed(random: Random, fields: list[Field], descriptor: Descriptor) -> bytes:
    """Many numbers in one field, whether the contract has many there or not."""
    number = random.choice([*descriptor.fields_by_number, 1])
    one = random.choice((varint(1), varint(2**64 - 1), bytes(8), b"\x80"))
    return _add(random, fields, (number, DELIMITED, one * random.choice((1, 7, 5_000))))


def _nested(random: Random, fields: list[Field], descriptor: Descriptor) -> bytes:
    """One in another in another: groups that nobody knows, or a field in itself."""
    depth = random.choice(_DEPTHS)
    number = random.choice([*descriptor.fields_by_number, MAX_NUMBER])
    if random.random() < 0.5:
        ends = depth if random.random() < 0.8 else depth - 1
        groups = varint(number << 3 | OPEN_GROUP) * depth + varint(number << 3 | CLOSE_GROUP) * ends
        return put_together(fields) + groups
    data = b""
    for _ in range(min(depth, 2_000)):
        data = put_together([(number, DELIMITED, data)])
    return put_together(fields) + data


def _long_winded(random: Random, fields: list[Field], _: Descriptor) -> bytes:
    """A tag or a number in more bytes than it needs, or in more than it may have."""
    padding = random.choice((1, 3, 5, 9, 12))
    extra = varint(random.choice((1, 8, MAX_NUMBER << 3)), padding=padding) + varint(1, padding=2)
    return put_together(fields) + extra


def _number_of_nothing(random: Random, fields: list[Field], _: Descriptor) -> bytes:
    """Numbers that no field may have, wire types that do not exist, ends of what did not begin."""
    tags = (0, VARINT, DELIMITED, 1 << 3 | 6, 1 << 3 | 7, 1 << 3 | CLOSE_GROUP, 2**35 | 1 << 3)
    return put_together(fields) + varint(random.choice(tags)) + b"\x01a"


def _too_long(random: Random, fields: list[Field], descriptor: Descriptor) -> bytes:
    """A length that goes past the end, up to what an integer holds."""
    number = random.choice([*descriptor.fields_by_number, MAX_NUMBER])
    length = random.choice((2, 2**31 - 1, 2**31, 2**32, 2**63, 2**64 - 1))
    return put_together(fields) + varint(number << 3 | DELIMITED) + varint(length) + b"a"


_CHANGES: Sequence[Callable[[Random, list[Field], Descriptor], bytes]] = (
    *(_unknown, _unknown, _other_type, _other_type, _twice, _twice, _shuffled, _not_utf8),
    *(_packed, _nested, _long_winded, _number_of_nothing, _too_long),
)
