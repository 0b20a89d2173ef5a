"""Progress, refused rows and the summary of an import, for people and machines."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from shared.cli import failures, output

if TYPE_CHECKING:
    from shared.cli.product_import import ImportProgress
    from wherefore.common.v1.diagnostics_pb2 import RowError

SHOWN_ERRORS = 20
KEPT_ERRORS = 1_000
PLAIN_SECONDS = 5.0
"""Seconds between lines of progress where standard error is no terminal."""


class ImportView:
    """Shows an import on standard error and keeps what its summary needs."""

    def __init__(self, total: int | None, errors_file: Path | None) -> None:
        """Prepare a view.

        Args:
            total: Rows of the file, where they could be counted.
            errors_file: CSV file for every refused row; none when absent.
        """
        self.errors: list[RowError] = []
        self._total = total
        self._errors_file = errors_file
        self._errors_stream: TextIO | None = None
        self._refused = 0
        self._last_line = time.monotonic()
        self._console = output.error_console()
        self._update_bar: Callable[[int], None] = lambda _settled: None

    @contextmanager
    def running(self) -> Generator[ImportView]:
        """Show progress while the block runs."""
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            SpinnerColumn,
            TaskProgressColumn,
            TextColumn,
            TimeRemainingColumn,
        )

        try:
            if not self._console.is_terminal:
                yield self
                return
            columns = (
                SpinnerColumn(),
                TextColumn("Importing"),
                BarColumn(),
                MofNCompleteColumn(),
                TaskProgressColumn(show_speed=True),
                TimeRemainingColumn(),
            )
            with Progress(*columns, console=self._console) as bar:
                task = bar.add_task("import", total=self._total)
                self._update_bar = lambda settled: bar.update(task, completed=settled)
                yield self
        finally:
            if self._errors_stream is not None:
                self._errors_stream.close()

    def on_progress(self, progress: ImportProgress) -> None:
        """Show how far it is."""
        self._update_bar(progress.settled)
        if self._console.is_terminal or time.monotonic() - self._last_line < PLAIN_SECONDS:
            return
        self._last_line = time.monotonic()
        total = f" of {self._total}" if self._total else ""
        went_in = progress.imported + progress.unchanged + progress.failed
        rate = went_in / max(progress.seconds, 1e-9)
        left = (
            f", {(self._total - progress.settled) / rate:.0f} s left"
            if self._total and rate
            else ""
        )
        failures.say(f"{progress.settled}{total} rows, {rate:.0f} rows/s{left}")

    def on_error(self, error: RowError) -> None:
        """Show one of the first refused rows, and write each to the file."""
        self._refused += 1
        if self._refused <= SHOWN_ERRORS:
            self._console.print(output.text(describe_row_error(error), "red"), soft_wrap=True)
        elif self._refused == SHOWN_ERRORS + 1:
            where = f"all are in {self._errors_file}" if self._errors_file else "--errors keeps all"
            self._console.print(output.text(f"more rows were refused; {where}", "red"))
        if len(self.errors) < KEPT_ERRORS:
            self.errors.append(error)
        if self._errors_file is None:
            return
        if self._errors_stream is None:
            self._errors_stream = self._errors_file.open("w", encoding="utf-8", newline="")
            csv.writer(self._errors_stream).writerow(["row", "id", "field", "reason"])
        csv.writer(self._errors_stream).writerow([error.row, error.id, error.field, error.reason])

    def on_retry(self, reason: str) -> None:
        """Say that the stream broke."""
        self._console.print(output.text(f"the stream broke ({reason}); going on", "yellow"))


def describe_row_error(error: RowError) -> str:
    """A refused row in one line: "row 17 (p-3) price.amount: not a number"."""
    name = f" ({error.id})" if error.id else ""
    field = f" {error.field}" if error.field else ""
    return f"row {error.row}{name}{field}: {error.reason}"


def summary(progress: ImportProgress, errors: list[RowError]) -> dict[str, object]:
    """The outcome for machines."""
    rows = progress.imported + progress.unchanged + progress.failed
    return {
        "rows": rows,
        "imported": progress.imported,
        "unchanged": progress.unchanged,
        "failed": progress.failed,
        "seconds": round(progress.seconds, 3),
        "rows_per_second": round(rows / max(progress.seconds, 1e-9), 1),
        "broken_streams": progress.retries,
        "degraded": [
            {"stage": item.stage, "fallback": item.fallback, "detail": item.detail}
            for item in progress.degraded.values()
        ],
        "errors": [
            {"row": item.row, "id": item.id, "field": item.field, "reason": item.reason}
            for item in errors
        ],
    }


def summary_lines(progress: ImportProgress) -> Iterator[str]:
    """The outcome for people."""
    rows = progress.imported + progress.unchanged + progress.failed
    yield (
        f"{progress.imported} imported, {progress.unchanged} unchanged, {progress.failed} refused "
        f"in {progress.seconds:.1f} s ({rows / max(progress.seconds, 1e-9):.0f} rows/s)"
    )
    for item in progress.degraded.values():
        instead = f"; instead: {item.fallback}" if item.fallback else ""
        yield f"Note: {item.stage} was skipped{instead}. Import again later to fill it in."
