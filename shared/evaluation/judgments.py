"""Reader of relevance judgements: CSV with the columns query, docid and rating."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from pathlib import Path

COLUMNS = ("query", "docid", "rating")
MAX_RATING = 20
"""Largest rating taken; gains double with each step, so more is a mistake in the file."""

Judgments = Mapping[str, Mapping[str, int]]
"""Rating by product id, by query, in the order of the file."""


class JudgmentsError(ValueError):
    """A judgements file cannot be used; the message names file, line and what to do."""


def read_judgments(path: Path) -> Judgments:
    """Read judgements from a CSV file in UTF-8, gzipped or not.

    Extra columns are ignored. A pair that is judged twice must be judged alike.

    Raises:
        JudgmentsError: The file is missing or not CSV, lacks a column, or holds a bad row.
    """
    try:
        data = path.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        # A byte order mark would become part of the first column's name.
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise JudgmentsError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise JudgmentsError(f"{path}: not UTF-8 at byte {error.start}; convert it") from error
    reader = csv.DictReader(io.StringIO(text, newline=""))
    missing = [column for column in COLUMNS if column not in (reader.fieldnames or ())]
    if missing:
        raise JudgmentsError(
            f"{path}: no column {', '.join(missing)}; the first line must name {', '.join(COLUMNS)}"
        )
    judgments: dict[str, dict[str, int]] = {}
    try:
        for row in reader:
            where = f"{path}:{reader.line_num}"
            query, product_id, rating = _parse(row, where)
            known = judgments.setdefault(query, {})
            if known.setdefault(product_id, rating) != rating:
                raise JudgmentsError(
                    f"{where}: {product_id!r} was rated {known[product_id]} before, now {rating}"
                )
    except csv.Error as error:
        raise JudgmentsError(f"{path}:{reader.line_num}: {error}") from error
    if not judgments:
        raise JudgmentsError(f"{path}: no judgements")
    return judgments


def _parse(row: Mapping[str, str | None], where: str) -> tuple[str, str, int]:
    """Check one row."""
    query = (row["query"] or "").strip()
    product_id = (row["docid"] or "").strip()
    written = (row["rating"] or "").strip()
    if not query or not product_id:
        raise JudgmentsError(f"{where}: query and docid must not be empty")
    try:
        rating = int(written.removesuffix(".0"))  # spreadsheets write 2 as 2.0
    except ValueError:
        raise JudgmentsError(f"{where}: rating {written!r} is not a whole number") from None
    if not 0 <= rating <= MAX_RATING:
        raise JudgmentsError(f"{where}: rating {rating} is not between 0 and {MAX_RATING}")
    return query, product_id, rating
