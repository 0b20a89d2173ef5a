"""A streamed search, shown as it comes: the page first, then its reasons clause by clause.

On a terminal the reasons grow in the table of products. Elsewhere, as in a file or behind a pipe,
each clause and each whole reason is a line that names the place of its product.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.table import Table

from shared.cli import answer_view, failures, output, search_view
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse, SearchStreamResponse
from wherefore.reason.v1.reason_pb2 import Reason, ReasonClause

_COMING = " …"
_BETWEEN = " ,;.，；。"
"""Marks around a clause, which a line of its own does not need."""


class _Shown(Protocol):
    """Where reasons of a page are shown."""

    def clause(self, clause: ReasonClause) -> None: ...

    def reason(self, reason: Reason) -> None: ...


async def print_stream(parts: AsyncIterator[SearchStreamResponse], language: str) -> None:
    """Print an answer as its parts come.

    Args:
        parts: Of the stream.
        language: Of titles; the query's own when empty.

    Raises:
        CommandError: The stream ended before its end. What came is printed.
    """
    console = output.console()
    first = await anext(parts, None)
    if first is None or not first.HasField("page"):
        raise _cut_off()
    page = first.page
    search_view.print_head(console, page)
    end = None
    with _shown(console, page, language or page.query.language_code) as shown:
        async for part in parts:
            if part.HasField("clause"):
                shown.clause(part.clause)
            elif part.HasField("reason"):
                shown.reason(part.reason)
            elif part.HasField("end"):
                end = part.end
    if end is None:
        raise _cut_off()
    search_view.print_foot(console, page, end.timings, end.degraded)
    said = [f"Page after {end.page_nanos / 1e6:.0f} ms"]
    if end.HasField("reason_writers"):
        said.append(f"first words after {end.first_text_nanos / 1e6:.0f} ms")
        console.print(output.text(search_view.writers_line(end.reason_writers)))
    console.print(output.text(", ".join(said)))


async def print_messages(parts: AsyncIterator[SearchStreamResponse]) -> None:
    """Print each message as a line of JSON with the contract's own field names.

    Raises:
        CommandError: The stream ended before its end.
    """
    ended = False
    async for part in parts:
        output.print_line(part)
        ended = part.HasField("end")
    if not ended:
        raise _cut_off()


def _cut_off() -> failures.CommandError:
    return failures.CommandError(
        "the answer was cut off: what came of it is shown", code=failures.UNAVAILABLE
    )


def _shown(console: Console, page: SearchResponse, language: str) -> AbstractContextManager[_Shown]:
    if console.is_terminal and page.results:
        return _GrowingTable(console, page, language)
    search_view.print_results(console, page, language)
    return nullcontext(_Lines(console, page))


class _GrowingTable:
    """The table of products, in which reasons grow."""

    def __init__(self, console: Console, page: SearchResponse, language: str) -> None:
        self._by_id = {result.product.id: result for result in page.results}
        self._page, self._language = page, language
        self._live = Live(console=console, get_renderable=self._table)

    def __enter__(self) -> _GrowingTable:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        for result in self._page.results:  # of a stream that broke off
            result.reason.text = result.reason.text.removesuffix(_COMING)
        self._live.stop()

    def clause(self, clause: ReasonClause) -> None:
        """Shows more of a reason."""
        reason = self._by_id[clause.product_id].reason
        reason.text = reason.text.removesuffix(_COMING) + clause.text + _COMING

    def reason(self, reason: Reason) -> None:
        """Shows a reason, whole."""
        self._by_id[reason.product_id].reason.CopyFrom(reason)

    def _table(self) -> Table:
        return answer_view.results_table(self._page.results, self._language)


class _Lines:
    """A line for each clause, and one for each whole reason."""

    def __init__(self, console: Console, page: SearchResponse) -> None:
        self._console = console
        self._ranks = {result.product.id: result.rank for result in page.results}

    def clause(self, clause: ReasonClause) -> None:
        """Prints more of a reason."""
        text = clause.text.strip(_BETWEEN)
        self._console.print(output.text(f"#{self._ranks[clause.product_id]} … {text}", "dim"))

    def reason(self, reason: Reason) -> None:
        """Prints a reason, whole; nothing where nothing can be said."""
        if reason.text:
            line = f"#{self._ranks[reason.product_id]} {reason.text}"
            self._console.print(output.text(line, "green"))
