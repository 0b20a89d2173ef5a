"""Lines of JSON, as most of the data sets are stored."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shared.text_file import open_text


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the objects of a file of one JSON object a line, gzipped when it is named `*.gz`.

    Args:
        path: The file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: A line holds no JSON object; the text names the line.
    """
    with open_text(path) as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {number}: {error}") from error
            if not isinstance(row, dict):
                raise ValueError(f"{path}, line {number}: no object")  # noqa: TRY004 # of the file
            yield row
