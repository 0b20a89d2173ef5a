"""Reads a taxonomy: the categories of a shop, as paths from the root."""

import json
import re
from pathlib import Path
from typing import Any, cast

from shared.catalogue.files import text_lines
from shared.catalogue.rows import CatalogueError

_SEPARATOR = re.compile(r"\s*>\s*")
_NUMBER = re.compile(r"\d+ - ")

CategoryPath = tuple[str, ...]


def read_taxonomy(path: Path) -> list[CategoryPath]:
    """Returns the distinct categories of a file, in its order.

    Two forms are read: one category a line, such as "Kitchen > Kettles" (with a number before it as
    in Google's product taxonomy, or without; "#" starts a comment), and a JSON list of objects with
    a "path" of names or of objects with a "name" (as of Best Buy's open data).

    Raises:
        CatalogueError: It cannot be read, or holds no category.
    """
    lines = list(text_lines(path))
    text = "".join(lines)
    if text.lstrip().startswith("["):
        found = _of_json(path, text)
    else:
        found = [
            tuple(filter(None, _SEPARATOR.split(_NUMBER.sub("", line.strip(), count=1))))
            for line in lines
            if not line.startswith("#")
        ]
    categories = list(dict.fromkeys(category for category in found if category))
    if not categories:
        raise CatalogueError(f"{path} holds no category")
    return categories


def _of_json(path: Path, text: str) -> list[CategoryPath]:
    try:
        rows = cast("list[dict[str, Any]]", json.loads(text))
        paths = [tuple(_name(each) for each in row["path"]) for row in rows]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CatalogueError(
            f"{path} is no taxonomy: a JSON list of objects with a path is expected ({error})"
        ) from error
    return [path for path in paths if all(path)]  # a category under one without a name is lost


def _name(value: Any) -> str:
    """Numbers stand for their digits; what is empty is the empty text."""
    name: object = cast("dict[str, object]", value)["name"] if isinstance(value, dict) else value
    return "" if name is None else str(name).strip()
