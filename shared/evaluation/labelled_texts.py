"""Reader of labelled texts: JSON lines or CSV as the public sets have them, or marked text.

Each may be gzipped. Content that begins with "{" is JSON lines, a name that ends in .txt is marked
text (see `marked_text`), anything else is CSV.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from shared.evaluation.marked_text import MarkError, is_comment, parse_marked

_OUTSIDE = "O"

Row = tuple[str, Mapping[str, Any]]
"""Where it stands, as FILE:LINE, and its fields."""


class LabelledTextsError(ValueError):
    """A file of labelled texts cannot be used; the message names file, line and field."""


@dataclass(frozen=True, slots=True, order=True)
class LabelledSpan:
    """A labelled part of a text: half-open [start, end) in code points."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class LabelledText:
    """One text with what a person says of it: a class, or spans."""

    text: str
    label: str = ""
    spans: frozenset[LabelledSpan] = frozenset()


@dataclass(frozen=True, slots=True)
class ClassFields:
    """Where a file of classes keeps what.

    Attributes:
        text: Names that the text's field may have; the first that a row has is read.
        label: Name of the field of the class.
        classes: Label by what stands in the field, in lower case; empty takes labels as they are.
    """

    text: Sequence[str]
    label: str
    classes: Mapping[str, str]


def read_classes(path: Path, fields: ClassFields) -> list[LabelledText]:
    """Read texts with one class each.

    Raises:
        LabelledTextsError: The file is missing, empty or has a bad row.
    """
    return _all(path, (_class_of(row, fields, where) for where, row in _rows(path)))


def read_spans(path: Path, types: Mapping[str, str]) -> list[LabelledText]:
    """Read texts with labelled spans.

    A row holds `tokens`, which joined make the text, and as many BIO `tags`; or `text` and
    `spans`, a list of [start, end, type].

    Args:
        path: The file.
        types: Label by the type that stands in the file.

    Raises:
        LabelledTextsError: The file is missing, empty or has a bad row.
    """
    return _all(
        path,
        (
            (_tagged if "tokens" in row else _spanned)(row, types, where)
            for where, row in _rows(path)
        ),
    )


def _class_of(row: Mapping[str, Any], fields: ClassFields, where: str) -> LabelledText:
    named = next((name for name in fields.text if name in row), None)
    if named is None:
        raise LabelledTextsError(f"{where}: no field {' or '.join(fields.text)}")
    text = _string(row, named, where)
    label: object = row.get(fields.label)
    if not isinstance(label, (str, int)) or not str(label).strip():
        raise LabelledTextsError(f"{where}: {fields.label}: is missing, or neither text nor number")
    label = str(label).strip()
    if fields.classes:
        known = fields.classes.get(label.lower())
        if known is None:
            choices = ", ".join(fields.classes)
            raise LabelledTextsError(f"{where}: {fields.label}: {label!r} is none of {choices}")
        label = known
    return LabelledText(text, label)


def _tagged(row: Mapping[str, Any], types: Mapping[str, str], where: str) -> LabelledText:
    tokens = _strings(row, "tokens", where)
    tags = _strings(row, "tags", where)
    if len(tokens) != len(tags):
        raise LabelledTextsError(f"{where}: tags: {len(tags)} tags for {len(tokens)} tokens")
    spans: list[LabelledSpan] = []
    at = 0
    before = ""
    """Type of the span that the token before belongs to."""
    for token, tag in zip(tokens, tags, strict=True):
        prefix, _, written = tag.partition("-")
        if tag != _OUTSIDE and (prefix not in ("B", "I") or written not in types):
            raise LabelledTextsError(
                f"{where}: tags: {tag!r} is neither O nor B- or I- with one of {', '.join(types)}"
            )
        end = at + len(token)
        if prefix == "I" and before == written:
            spans[-1] = LabelledSpan(spans[-1].start, end, types[written])
        elif written:
            # An I without a beginning begins a span, as the scorer of CoNLL 2000 reads it.
            spans.append(LabelledSpan(at, end, types[written]))
        at, before = end, written
    return LabelledText("".join(tokens), spans=frozenset(spans))


def _spanned(row: Mapping[str, Any], types: Mapping[str, str], where: str) -> LabelledText:
    text = _string(row, "text", where)
    spans: set[LabelledSpan] = set()
    for number, span in enumerate(_list(row, "spans", where)):
        field = f"{where}: spans[{number}]"
        match span:
            case [int(start), int(end), str(written)] if 0 <= start < end <= len(text):
                if written not in types:
                    raise LabelledTextsError(f"{field}: {written!r} is none of {', '.join(types)}")
                spans.add(LabelledSpan(start, end, types[written]))
            case _:
                raise LabelledTextsError(f"{field}: must be [start, end, type] within the text")
    return LabelledText(text, spans=frozenset(spans))


def _string(row: Mapping[str, Any], field: str, where: str) -> str:
    value: object = row.get(field)
    if not isinstance(value, str):
        raise LabelledTextsError(f"{where}: {field}: is missing or no text")
    return value


def _strings(row: Mapping[str, Any], field: str, where: str) -> list[str]:
    items = _list(row, field, where)
    if not all(isinstance(item, str) for item in items):
        raise LabelledTextsError(f"{where}: {field}: must hold texts alone")
    return cast(list[str], items)


def _list(row: Mapping[str, Any], field: str, where: str) -> list[object]:
    value: object = row.get(field)
    if not isinstance(value, list):
        raise LabelledTextsError(f"{where}: {field}: is missing or no list")
    return cast(list[object], value)


def _rows(path: Path) -> Iterator[Row]:
    content = _content(path)
    if content.lstrip().startswith("{"):
        return _json_rows(content, path)
    marked = path.name.removesuffix(".gz").endswith(".txt")
    return (_marked_rows if marked else _csv_rows)(content, path)


def _json_rows(content: str, path: Path) -> Iterator[Row]:
    # Not splitlines: JSON may hold U+2028 and its like as they are.
    for number, line in enumerate(content.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise LabelledTextsError(f"{where}: not JSON: {error.msg}") from error
        if not isinstance(row, dict):
            raise LabelledTextsError(f"{where}: not a JSON object")
        yield where, cast(Mapping[str, Any], row)


def _marked_rows(content: str, path: Path) -> Iterator[Row]:
    for number, line in enumerate(content.splitlines(), 1):
        if is_comment(line):
            continue
        where = f"{path}:{number}"
        try:
            text, spans, label = parse_marked(line)
        except MarkError as error:
            raise LabelledTextsError(f"{where}: {error}") from error
        yield where, {"text": text, "spans": [list(span) for span in spans], "intent": label}


def _csv_rows(content: str, path: Path) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(content, newline=""))
    try:
        for row in reader:
            yield f"{path}:{reader.line_num}", row
    except csv.Error as error:
        raise LabelledTextsError(f"{path}:{reader.line_num}: not CSV: {error}") from error


def _all(path: Path, texts: Iterator[LabelledText]) -> list[LabelledText]:
    read = list(texts)
    if not read:
        raise LabelledTextsError(f"{path}: no labelled text")
    return read


def _content(path: Path) -> str:
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")  # a byte order mark is no part of the first field
    except (OSError, EOFError) as error:
        raise LabelledTextsError(f"{path}: {getattr(error, 'strerror', '') or error}") from error
    except UnicodeDecodeError as error:
        raise LabelledTextsError(f"{path}: not UTF-8 at byte {error.start}; convert it") from error
