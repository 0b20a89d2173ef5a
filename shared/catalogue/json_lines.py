"""Reads one JSON object a line, which three formats build on."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from shared.catalogue.files import read_lines
from shared.catalogue.rows import Row, RowValueError, accept, refuse
from wherefore.common.v1 import product_pb2

JsonObject = dict[str, Any]


def read_json_lines(
    path: Path, to_product: Callable[[JsonObject], product_pb2.Product]
) -> Iterator[Row]:
    """Yield a row for each line that is not blank; a bad line is a refused row."""
    for number, line in read_lines(path):
        if line.strip():
            yield _read(number, line, to_product)


def _read(number: int, line: bytes, to_product: Callable[[JsonObject], product_pb2.Product]) -> Row:
    try:
        value = json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except (ValueError, RecursionError) as error:
        return refuse(number, "", f"not JSON in UTF-8: {error}")
    if not isinstance(value, dict):
        return refuse(number, "", "must be a JSON object")
    try:
        return accept(number, to_product(cast("JsonObject", value)))
    except RowValueError as error:
        return refuse(number, error.field, error.reason)
    except (TypeError, ValueError, RecursionError) as error:
        # The protobuf runtime refuses lone surrogates and numbers out of range this way.
        return refuse(number, "", str(error))


def text_of(row: JsonObject, key: str, *, required: bool = False) -> str:
    """Return the text at `key`, trimmed; numbers are taken as text.

    Raises:
        RowValueError: It is missing and required, or is not text.
    """
    value = row.get(key)
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value)
    if value is None:
        value = ""
    if not isinstance(value, str):
        raise RowValueError(key, "must be text")
    value = value.strip()
    if required and not value:
        raise RowValueError(key, "is missing")
    return value


def texts_of(row: JsonObject, key: str) -> list[str]:
    """Return the list of texts at `key`; one text stands for a list of one."""
    value = row.get(key)
    if value is None:
        return []
    values: list[object] = cast("list[object]", value) if isinstance(value, list) else [value]
    return [text_of({key: item}, key) for item in values if item not in (None, "")]
