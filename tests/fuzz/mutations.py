"""Valid requests with something done to them, as messages and as bytes."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from tests.fuzz import texts
from tests.fuzz.messages import add_element, fill_field, is_map, put_entry
from tests.fuzz.values import Known, scalar

Place = tuple[Message, FieldDescriptor]
_MAX_PLACES = 400
_MOST_COPIES = 300


def mutated(random: Random, seed: Message, known: Known) -> Message:
    """Returns a copy of `seed` with one to three changes."""
    message = type(seed)()
    message.CopyFrom(seed)
    for _ in range(random.choice((1, 1, 2, 3))):
        places = [place for place, _ in zip(_places(message), range(_MAX_PLACES), strict=False)]
        if places:
            # By message first, so that a list of a hundred products does not drown its neighbours.
            _change(random, *random.choice(places), known)
    return message


def mutated_bytes(random: Random, raw: bytes) -> bytes:
    """Returns `raw` cut, spliced or overwritten: mostly no message any more."""
    data = bytearray(raw)
    for _ in range(random.randint(1, 4)):
        at = random.randrange(len(data) + 1)
        match random.randrange(6):
            case 0:
                del data[at:]
            case 1:
                data[at:at] = random.randbytes(random.randint(1, 8))
            case 2 if at < len(data):
                data[at] ^= 1 << random.randrange(8)
            case 3:
                data[at:at] = bytes(data[: random.randint(0, 64)])
            case 4:
                # Half a surrogate pair, an overlong form, and a lone continuation byte.
                data[at:at] = random.choice((b"\xed\xa0\x80", b"\xc0\xaf", b"\x80", b"\xff\xfe"))
            case _:
                data[at:at] = random.choice((b"\xff" * 10, b"\x0b", b"\x0c", b"\x0a\xff\xff\x03"))
    return bytes(data)


def _places(message: Message) -> Iterator[Place]:
    """Yields every field that could be changed, set or not, level by level."""
    level = [message]
    while level:
        below: list[Message] = []
        for one in level:
            for field in one.DESCRIPTOR.fields:
                yield one, field
            for field, value in one.ListFields():
                if field.message_type is None:
                    continue
                if is_map(field):
                    if field.message_type.fields_by_name["value"].message_type is not None:
                        below += list(value.values())[:3]
                elif field.is_repeated:
                    below += list(value)[:3]
                else:
                    below.append(value)
        level = below


def _change(random: Random, message: Message, field: FieldDescriptor, known: Known) -> None:
    if random.random() < 0.12:
        message.ClearField(field.name)
    elif is_map(field):
        if random.random() < 0.5:
            message.ClearField(field.name)
        put_entry(random, message, field, known)
    elif field.is_repeated:
        _change_list(random, message, field, known)
    elif field.message_type is None and field.type == FieldDescriptor.TYPE_STRING:
        old = getattr(message, field.name)
        new = texts.changed(random, old, field.name)
        if random.random() < 0.4:
            new = scalar(random, field, known, field.name)
        setattr(message, field.name, new)
    else:
        fill_field(random, message, field, known)


def _change_list(random: Random, message: Message, field: FieldDescriptor, known: Known) -> None:
    elements: Any = getattr(message, field.name)
    choice = random.randrange(6)
    if choice == 0 and elements:
        del elements[random.randrange(len(elements))]
    elif choice == 1 and elements:
        elements.append(elements[random.randrange(len(elements))])
    elif choice == 2 and elements:
        copies = random.choice((2, 20, _MOST_COPIES))
        elements.extend([elements[random.randrange(len(elements))]] * copies)
    elif choice == 3 and elements and field.message_type is None:
        elements[random.randrange(len(elements))] = scalar(random, field, known, field.name)
    elif choice == 4 and elements:
        reverse = list(elements)[::-1]
        message.ClearField(field.name)
        getattr(message, field.name).extend(reverse)
    else:
        add_element(random, elements, field, known)
