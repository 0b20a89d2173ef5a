"""The queue of a review: findings as CSV, for a spreadsheet, and what people decided there."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from shared.catalogue.quality.findings import Finding

_COLUMNS: Final = (
    "accept", "confidence", "severity", "kind", "products", "field", "message", "fix", "evidence",
    "id",
)  # fmt: skip
_YES: Final = frozenset({"yes", "y", "1", "true", "是"})
_NO: Final = frozenset({"no", "n", "0", "false", "否"})
_FORMULA: Final = ("=", "+", "-", "@")
"""With which a cell begins that a spreadsheet would compute (OWASP, "CSV Injection")."""


def write_queue(path: Path, findings: Iterable[Finding]) -> int:
    """Writes the findings that have a fix, `accept` being empty; returns how many.

    Raises:
        OSError: The file cannot be written.
    """
    count = 0
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for one in findings:
            if one.fix:
                fix = json.dumps(dict(one.fix), ensure_ascii=False)
                row = (one.severity, one.kind, " ".join(one.products), one.field, one.message, fix)
                writer.writerow(["", one.confidence, *map(_plain, (*row, one.evidence)), one.id])
                count += 1
    return count


def read_decisions(path: Path) -> dict[str, bool]:
    """Returns what was decided, by id of the finding; what is undecided is left out.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is no such file, or a decision is neither yes nor no.
    """
    decisions: dict[str, bool] = {}
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        if not {"accept", "id"} <= set(reader.fieldnames or ()):
            raise ValueError(f"{path}: has no columns accept and id")
        for row in reader:
            said = (row["accept"] or "").strip().casefold()
            if said in _YES or said in _NO:
                decisions[row["id"]] = said in _YES
            elif said:
                raise ValueError(f'{path}, line {reader.line_num}: accept is "{said}": yes or no')
    return decisions


def accepted(
    findings: Iterable[Finding], decisions: Mapping[str, bool], above: float | None
) -> Iterator[Finding]:
    """Yields the findings to apply.

    Args:
        findings: All of them.
        decisions: Of people, which hold whatever the confidence.
        above: Confidence from which undecided ones are accepted; None for none.
    """
    for one in findings:
        sure = above is not None and one.confidence >= above
        if one.fix and decisions.get(one.id, sure):
            yield one


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
