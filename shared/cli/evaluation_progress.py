"""Progress over the queries of an evaluation, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from shared.cli import failures, output

PLAIN_EVERY = 20
"""Queries between lines where standard error is no terminal."""


@contextmanager
def query_progress(total: int) -> Generator[Callable[[str], None]]:
    """Show how many queries are done; yields what to call after each."""
    console = output.error_console()
    if console.is_terminal:
        from rich.progress import Progress

        with Progress(console=console) as bar:
            task = bar.add_task("Ranking queries", total=total)
            yield lambda _query: bar.advance(task)
        return
    done = 0

    def count(_query: str) -> None:
        nonlocal done
        done += 1
        if done % PLAIN_EVERY == 0 or done == total:
            failures.say(f"{done} of {total} queries ranked")

    yield count
