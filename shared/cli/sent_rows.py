"""Rows of a file that go to a service as a stream: which line each was, and what is no row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, MutableSequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from wherefore.common.v1.diagnostics_pb2 import RowError

_Item = TypeVar("_Item")


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

    def batches(
        self, rows: Iterable[tuple[int, _Item | None, str]], size: int
    ) -> Iterator[list[_Item]]:
        """Yields what can be sent, so many at once, and notes the rest.

        Args:
            rows: Line of the file, what it holds, and where it holds nothing, why.
            size: Of a batch.
        """
        batch: list[_Item] = []
        for line, item, error in rows:
            if item is None:
                self.unreadable.append(RowError(row=line, reason=error))
                continue
            self.lines.append(line)
            batch.append(item)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def tell_by_lines(self, response: ImportResponse) -> None:
        """Has a response speak of the file: services count rows, people count lines."""
        for error in response.errors:
            if 0 < error.row <= len(self.lines):
                error.row = self.lines[error.row - 1]
        response.errors.extend(self.unreadable)
        response.failed_count += len(self.unreadable)
