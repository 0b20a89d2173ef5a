"""Refuses what no service can use: bytes that are no message, and numbers that are none."""

import math
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeAlias

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.empty_pb2 import Empty
from google.protobuf.message import DecodeError, Message
from google.protobuf.unknown_fields import UnknownFieldSet

from shared.errors import FieldViolation, InvalidArgumentError, entry_path
from shared.interceptors.pipeline import Call, Decode, Layer

MAX_VIOLATIONS = 16
_FLOATS = frozenset({FieldDescriptor.CPPTYPE_FLOAT, FieldDescriptor.CPPTYPE_DOUBLE})
_LENGTH_DELIMITED = 2
_Look: TypeAlias = Callable[[Message, str, str], Iterator[str]]
"""Yields the paths of what is not finite in a field of a message, given its name and path."""
_SUSPECT = re.compile(rb"[\x80-\xff][\x7f\xff]")
_SUSPECT_DOUBLE = re.compile(rb"[\xf0-\xff][\x7f\xff]")
"""Last two bytes of every float and double that is no finite number (all ones in the exponent), as
they stand on the wire; now and then of others."""


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Stands in for a request whose bytes could not be parsed."""

    violation: FieldViolation


class ValidationLayer(Layer):
    """Checks every request message before the handler sees it.

    gRPC answers bytes that it cannot parse with an INTERNAL that names nothing. They are the
    caller's fault, so here they become INVALID_ARGUMENT, with the field where it can be told.

    Args:
        lenient_methods: Full method names ("/package.Service/Method") that report bad rows
            themselves, so that one NaN does not end a stream.
    """

    def __init__(self, lenient_methods: Collection[str] = frozenset()) -> None:
        self._lenient = frozenset(lenient_methods)

    def decoder(self, call: Call, decode: Decode) -> Decode:
        """See `Layer.decoder`."""

        def tolerant(raw: bytes) -> Any:
            try:
                return decode(raw)
            except DecodeError:
                return Undecodable(_parse_violation(raw, decode, call))

        return tolerant

    def received(self, call: Call, message: Any) -> None:
        """See `Layer.received`."""
        if isinstance(message, Undecodable):
            raise InvalidArgumentError(message.violation)
        if call.method in self._lenient or not isinstance(message, Message):
            return
        violations = non_finite_fields(message)
        if violations:
            raise InvalidArgumentError(*violations)


def non_finite_fields(message: Message) -> list[FieldViolation]:
    """Returns the fields of `message` that hold NaN or infinity, at any depth, at most 16."""
    violations: list[FieldViolation] = []
    for path in _non_finite(message, ""):
        violations.append(FieldViolation(path, "must be a finite number"))
        if len(violations) == MAX_VIOLATIONS:
            break
    return violations


def _non_finite(message: Message, prefix: str) -> Iterator[str]:
    for name, look in _fields_with_floats(message.DESCRIPTOR):
        yield from look(message, name, prefix + name)


def _in_number(message: Message, name: str, path: str) -> Iterator[str]:
    if not math.isfinite(getattr(message, name)):
        yield path


def _in_message(message: Message, name: str, path: str) -> Iterator[str]:
    if message.HasField(name):
        yield from _non_finite(getattr(message, name), f"{path}.")


def _in_map(message: Message, name: str, path: str) -> Iterator[str]:
    entries = getattr(message, name)
    for key in entries:
        value = entries[key]
        at = f"{path}[{key!r}]" if isinstance(key, int | bool) else entry_path(path, key)
        if isinstance(value, Message):
            yield from _non_finite(value, f"{at}.")
        elif not math.isfinite(value):
            yield at


def _in_vector(message: Message, name: str, path: str) -> Iterator[str]:
    values = getattr(message, name)
    # The sum of a vector is finite unless a component is not (or doubles overflow): one pass
    # in C for nearly all requests, and the search for the culprit only for bad ones.
    if math.isfinite(sum(values)):
        return
    for index, value in enumerate(values):
        if not math.isfinite(value):
            yield f"{path}[{index}]"


def _in_list(message: Message, name: str, path: str) -> Iterator[str]:
    for index, value in enumerate(getattr(message, name)):
        # A list may be long, and the walk through messages is slow: most are let off at once.
        if _is_suspect(value.SerializePartialToString(), _suspect_of(value.DESCRIPTOR)):
            yield from _non_finite(value, f"{path}[{index}].")


def _is_suspect(raw: bytes, pattern: re.Pattern[bytes]) -> bool:
    # Text holds neither byte, and finding one is a tenth of the pattern's cost.
    return (b"\x7f" in raw or b"\xff" in raw) and pattern.search(raw) is not None


@lru_cache(maxsize=1024)
def _suspect_of(descriptor: Descriptor) -> re.Pattern[bytes]:
    """Returns what to look for: where all numbers are doubles, what few of them hold by chance."""
    short = frozenset({FieldDescriptor.CPPTYPE_FLOAT})
    floats = any(_leads_to(short, field, frozenset()) for field in descriptor.fields)
    return _SUSPECT if floats else _SUSPECT_DOUBLE


@lru_cache(maxsize=1024)
def _fields_with_floats(descriptor: Descriptor) -> tuple[tuple[str, _Look], ...]:
    """Names of the fields that may hold a float, and how each is looked through."""
    fields = (field for field in descriptor.fields if _leads_to(_FLOATS, field, frozenset()))
    return tuple((field.name, _look_of(field)) for field in fields)


def _look_of(field: FieldDescriptor) -> _Look:
    if _is_map(field):
        return _in_map
    if field.cpp_type in _FLOATS:
        return _in_vector if field.is_repeated else _in_number
    return _in_list if field.is_repeated else _in_message


def _leads_to(types: frozenset[int], field: FieldDescriptor, seen: frozenset[str]) -> bool:
    """Whether a field holds one of the types, or a message that does, at any depth."""
    if field.cpp_type in types:
        return True
    nested: Descriptor | None = field.message_type
    if nested is None or nested.full_name in seen:
        return False
    return any(_leads_to(types, f, seen | {nested.full_name}) for f in nested.fields)


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry


def _parse_violation(raw: bytes, decode: Decode, call: Call) -> FieldViolation:
    """Returns what is wrong with `raw`: the text field that is not UTF-8, or the whole message."""
    descriptor = _request_descriptor(decode)
    name = descriptor.name if descriptor is not None else "request"
    where = f" (message {call.request_messages} of the stream)" if call.request_streaming else ""
    path = next(_invalid_texts(raw, descriptor, ""), None) if descriptor is not None else None
    if path is not None:
        return FieldViolation(path, f"must be valid UTF-8{where}")
    return FieldViolation("", f"the bytes are not a valid {name}{where}")


def _request_descriptor(decode: Callable[[bytes], Any]) -> Descriptor | None:
    """Returns the descriptor of the message whose `FromString` this is."""
    try:
        return decode(b"").DESCRIPTOR
    except (DecodeError, AttributeError):
        return None


def _invalid_texts(raw: bytes, descriptor: Descriptor, prefix: str) -> Iterator[str]:
    """Yields the paths of text fields that are not UTF-8, in the order of the bytes."""
    try:
        # A message without fields keeps all that it is given as unknown ones, unparsed.
        holder = Empty.FromString(raw)
    except DecodeError:
        return
    counts: dict[int, int] = {}
    for unknown in UnknownFieldSet(holder):
        field = descriptor.fields_by_number.get(unknown.field_number)
        if field is None or unknown.wire_type != _LENGTH_DELIMITED:
            continue
        index = counts.get(field.number, 0)
        counts[field.number] = index + 1
        data: bytes = unknown.data
        path = prefix + field.name
        if field.is_repeated and not _is_map(field):
            path += f"[{index}]"
        if field.message_type is not None:
            yield from _invalid_texts(data, field.message_type, f"{path}.")
        elif field.type == FieldDescriptor.TYPE_STRING and not _is_utf8(data):
            yield path


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
