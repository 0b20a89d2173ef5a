"""Files of texts that wait for labels: plain lines, JSON lines or CSV, gzipped or not."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TextIO, cast

from services.nlu.labelling.task import LabellingError
from shared.text_file import open_text

FIELDS: Final = ("text", "review", "sentence", "query", "utterance", "title", "tokens")
"""Where a text is looked for in an object or a row, the first that is there."""
MAX_CHARACTERS: Final = 10_000
"""As many as `Analyse` takes of a text."""


def read_texts(path: Path, field: str = "") -> list[str]:
    """Returns the texts of a file in order, each once.

    Names that end in .jsonl or .json (and .gz) are JSON objects, one a line; .csv has a header;
    anything else is one text a line. Blank texts are left out and long ones cut.

    Args:
        path: The file.
        field: Name of the text's field or column; one of FIELDS when empty.

    Raises:
        LabellingError: The file cannot be read, or a line has no text.
    """
    try:
        with open_text(path, encoding="utf-8-sig", newline="") as stream:
            texts = [
                cut
                for text in _texts(stream, path, field)
                if (cut := " ".join(text.split())[:MAX_CHARACTERS].strip())
            ]
    except (OSError, EOFError) as error:
        raise LabellingError(f"cannot read {path}: {error}") from error
    except UnicodeDecodeError as error:
        raise LabellingError(f"{path} is not UTF-8: {error}") from error
    if not texts:
        raise LabellingError(f"{path} holds no texts")
    return list(dict.fromkeys(texts))


def _texts(stream: TextIO, path: Path, field: str) -> Iterator[str]:
    suffixes = {suffix.lower() for suffix in path.suffixes}
    if ".csv" in suffixes:
        reader = csv.DictReader(stream)
        for row in reader:
            yield _text_of(row, field, f"{path}, line {reader.line_num}")
    elif suffixes & {".jsonl", ".json"}:
        for number, line in enumerate(stream, start=1):
            where = f"{path}, line {number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:
                raise LabellingError(f"{where}: no JSON: {error}") from error
            if not isinstance(row, dict):
                raise LabellingError(f"{where}: no JSON object")
            yield _text_of(cast("dict[str, Any]", row), field, where)
    else:
        yield from stream


def _text_of(row: dict[str, Any], field: str, where: str) -> str:
    wanted = (field,) if field else FIELDS
    value = next((row[name] for name in wanted if row.get(name)), None)
    if isinstance(value, list):  # characters of a text, as tagged sets have them
        value = "".join(map(str, cast("list[Any]", value)))
    if not isinstance(value, str):
        raise LabellingError(f"{where}: no text in {' or '.join(wanted)}")
    return value
