"""What a check of a catalogue finds, and what would mend it."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import TypeAdapter, ValidationError

Kind = Literal[
    "duplicate", "variants", "missing_field", "missing_attribute", "title", "price", "category"
]
Severity = Literal["error", "warning", "hint"]
SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "hint")
"""Worst first: shoppers are misled; they find or trust the product less; it could be better."""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One thing worth a look, of one product or of several that belong together."""

    kind: Kind
    severity: Severity
    products: tuple[str, ...]
    """Ids; the first is the one to change, or of a group the one it is named after."""
    field: str
    """Path of the field within the product, such as attributes["colour"]."""
    message: str
    """What is wrong and what to do, for a person."""
    confidence: float
    """How sure the finding is, 0 to 1: 1 where it is read off, else measured on this catalogue."""
    fix: Mapping[str, Any] = dataclasses.field(default_factory=dict[str, Any])
    """What `fixes.apply` does once it is accepted; empty where only a person can know."""
    evidence: str = ""
    """The words or numbers it rests on."""

    @property
    def id(self) -> str:
        """Names the finding: the same in every check that finds it again."""
        return "/".join((self.kind, self.field, *self.products))


_adapter: Final = TypeAdapter(Finding)


def ordered(findings: Iterable[Finding]) -> list[Finding]:
    """Returns the findings worst first, the surest of each severity first."""
    return sorted(
        findings, key=lambda one: (SEVERITIES.index(one.severity), -one.confidence, one.id)
    )


def write_findings(path: Path, findings: Sequence[Finding]) -> None:
    """Writes JSON lines, one a finding, with its id.

    Raises:
        OSError: The file cannot be written.
    """
    with path.open("w", encoding="utf-8") as file:
        for one in findings:
            file.write(
                json.dumps({"id": one.id, **dataclasses.asdict(one)}, ensure_ascii=False) + "\n"
            )


def read_findings(path: Path) -> Iterator[Finding]:
    """Yields the findings of a file.

    Raises:
        OSError: It cannot be read.
        ValueError: A line is no finding; says which.
    """
    with path.open(encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                yield _adapter.validate_json(line)
            except ValidationError as error:
                first = error.errors()[0]
                where = ".".join(map(str, first["loc"]))
                raise ValueError(
                    f"{path}, line {number}: is no finding: {where}: {first['msg']}"
                ) from error
