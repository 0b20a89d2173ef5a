"""Reader of files of dialogues: JSON lines or CSV, gzipped or not."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO, cast

from shared.text_file import open_text
from wherefore.assistant.v1.assistant_service_pb2 import Dialogue

_FIELDS = ("question", "answer", "language_code")


@dataclass(frozen=True, slots=True)
class DialogueRow:
    """One line of the file: a dialogue, or what is wrong with it."""

    line: int
    dialogue: Dialogue | None
    error: str = ""


def read_dialogues(path: Path) -> Iterator[DialogueRow]:
    """Read dialogues one by one.

    A name that ends in .csv or .csv.gz is CSV with the columns question and answer, and
    language_code where it is known. Anything else is a JSON object a line with these keys.

    Raises:
        OSError: The file cannot be read.
        UnicodeDecodeError: It is not UTF-8.
    """
    with open_text(path, encoding="utf-8-sig", newline="") as stream:
        yield from _read_csv(stream) if ".csv" in path.suffixes else _read_json_lines(stream)


def _read_csv(stream: TextIO) -> Iterator[DialogueRow]:
    reader = csv.DictReader(stream)
    for row in reader:
        yield _row(reader.line_num, row)


def _read_json_lines(stream: TextIO) -> Iterator[DialogueRow]:
    for number, line in enumerate(stream, start=1):
        if not line.strip():
            continue
        try:
            loaded: object = json.loads(line)
        except ValueError as error:
            yield DialogueRow(number, None, str(error))
            continue
        if isinstance(loaded, dict):
            yield _row(number, cast("dict[str, object]", loaded))
        else:
            yield DialogueRow(number, None, "is no JSON object")


def _row(line: int, row: Mapping[str, object]) -> DialogueRow:
    values = {name: row.get(name) or "" for name in _FIELDS}
    for name, value in values.items():
        if not isinstance(value, str):
            return DialogueRow(line, None, f"{name} is no text")
    if not values["question"] or not values["answer"]:
        return DialogueRow(line, None, "question and answer are needed")
    return DialogueRow(line, Dialogue(**cast("dict[str, str]", values)))
