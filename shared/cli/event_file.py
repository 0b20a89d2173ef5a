"""Reader of event files: JSON lines or CSV, gzipped or not."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from google.protobuf.json_format import Parse, ParseDict, ParseError

from shared.text_file import open_text
from wherefore.common.v1.user_event_pb2 import UserEvent, UserEventType

_PREFIX = "USER_EVENT_TYPE_"
TYPES = tuple(
    name.removeprefix(_PREFIX).lower()
    for name, number in UserEventType.items()
    if number != UserEventType.USER_EVENT_TYPE_UNSPECIFIED
)
"""Kinds of event as people write them: "view", "purchase" and so on."""


@dataclass(frozen=True, slots=True)
class EventRow:
    """One line of the file: an event, or what is wrong with it."""

    line: int
    event: UserEvent | None
    error: str = ""


def event_type(word: str) -> UserEventType.ValueType:
    """The kind of event that a word names.

    Raises:
        ValueError: There is no such kind.
    """
    if word.lower() not in TYPES:
        raise ValueError(f"no event type {word!r}; there are {', '.join(TYPES)}")
    return UserEventType.Value(_PREFIX + word.upper())


def read_events(path: Path) -> Iterator[EventRow]:
    """Read events one by one.

    A name that ends in .csv or .csv.gz is CSV with a header: `type` and `user_id` or `session_id`
    are needed; `product_id`, `quantity`, `position`, `event_time`, `query`, `rating`, `text`, `id`
    and `attribution_token` may be there. Anything else is one UserEvent a line in protobuf's JSON.

    Raises:
        OSError: The file cannot be read.
    """
    with open_text(path, encoding="utf-8-sig", newline="") as stream:
        yield from _read_csv(stream) if ".csv" in path.suffixes else _read_json_lines(stream)


def _read_json_lines(stream: io.TextIOBase | TextIO) -> Iterator[EventRow]:
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            yield EventRow(number, Parse(line, UserEvent()))
        except ParseError as error:
            yield EventRow(number, None, str(error))


def _read_csv(stream: TextIO) -> Iterator[EventRow]:
    reader = csv.DictReader(stream)
    for row in reader:
        try:
            yield EventRow(reader.line_num, _from_columns(row))
        except (ParseError, ValueError) as error:
            yield EventRow(reader.line_num, None, str(error))


def _from_columns(row: dict[str, str]) -> UserEvent:
    # Keys without a header and cells that are missing come as None.
    fields: dict[str, object] = {key: value for key, value in row.items() if key and value}
    product = {
        key: fields.pop(key) for key in ("product_id", "quantity", "position") if key in fields
    }
    if product:
        fields["products"] = [product]
    fields["type"] = event_type(str(fields.get("type", "")))
    return ParseDict(fields, UserEvent())
