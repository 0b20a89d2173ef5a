"""Rows of a file that go to a service as a stream: which line each was, and what is no row."""

from __future__ import annotations

from collections.abc import MutableSequence
from dataclasses import dataclass, field
from typing import Protocol

from wherefore.common.v1.diagnostics_pb2 import RowError


class ImportResponse(Protocol):
    """What services say of an import."""

    failed_count: int

    @property
    def errors(self) -> MutableSequence[RowError]:
        """Rows that were refused."""
        ...


@dataclass(slots=True)
class SentRows:
    """What was sent of a file so far."""

    lines: list[int] = field(default_factory=list[int])
    """Of the file, by row of the stream."""
    unreadable: list[RowError] = field(default_factory=list[RowError])

    def tell_by_lines(self, response: ImportResponse) -> None:
        """Has a response speak of the file: services count rows, people count lines."""
        for error in response.errors:
            if 0 < error.row <= len(self.lines):
                error.row = self.lines[error.row - 1]
        response.errors.extend(self.unreadable)
        response.failed_count += len(self.unreadable)
