"""Progress of an evaluation, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager

from shared.cli import failures, output

PLAIN_EVERY = 20
"""Queries between lines where standard error is no terminal."""
PLAIN_EVERY_TEXTS = 1_000
PLAIN_EVERY_QUESTIONS = 100


@contextmanager
def query_progress(total: int) -> Generator[Callable[[str], None]]:
    """Show how many queries are done; yields what to call after each."""
    with _progress(total, "Ranking queries", "queries ranked", PLAIN_EVERY) as advance:
        yield lambda _query: advance(1)


@contextmanager
def question_progress(total: int) -> Generator[Callable[[int], None]]:
    """Show how many questions are asked; yields what to call with how many more."""
    with _progress(total, "Asking questions", "questions asked", PLAIN_EVERY_QUESTIONS) as advance:
        yield advance


@contextmanager
def dialogue_progress() -> Generator[Callable[[int], None]]:
    """Show how many dialogues are learnt; yields what to call with how many more."""
    doing, done = "Learning dialogues", "dialogues durable or refused"
    with _progress(None, doing, done, PLAIN_EVERY_TEXTS) as advance:
        yield advance


@contextmanager
def text_progress(total: int) -> Generator[Callable[[int], None]]:
    """Show how many texts are read; yields what to call with how many more."""
    with _progress(total, "Reading texts", "texts read", PLAIN_EVERY_TEXTS) as advance:
        yield advance


@contextmanager
def product_progress(total: int) -> Generator[Callable[[int], None]]:
    """Show how many products are done; yields what to call with how many more."""
    with _progress(total, "Tagging products", "products tagged", PLAIN_EVERY_TEXTS) as advance:
        yield advance


@contextmanager
def category_progress(total: int | None) -> Generator[Callable[[int], None]]:
    """Show how many products are classified, of how many where that is known."""
    doing, done = "Classifying products", "products classified"
    with _progress(total, doing, done, PLAIN_EVERY_TEXTS) as advance:
        yield advance


@contextmanager
def picture_progress(total: int | None) -> Generator[Callable[[int], None]]:
    """Show how many pictures are read, of how many where that is known."""
    with _progress(total, "Reading pictures", "pictures read", PLAIN_EVERY) as advance:
        yield advance


@contextmanager
def check_progress(total: int) -> Generator[Callable[[int], None]]:
    """Show how much of a catalogue is checked, each of several passes through it counted."""
    doing, done = "Checking products", "checks of products done"
    with _progress(total, doing, done, PLAIN_EVERY_TEXTS) as advance:
        yield advance


@contextmanager
def forecast_progress(total: int) -> Generator[Callable[[int], None]]:
    """Show how many products are forecast; yields what to call with how many more."""
    with _progress(total, "Forecasting", "products forecast", PLAIN_EVERY_TEXTS) as advance:
        yield advance


@contextmanager
def _progress(
    total: int | None, doing: str, done: str, every: int
) -> Generator[Callable[[int], None]]:
    console = output.error_console()
    if console.is_terminal:
        from rich.progress import Progress

        with Progress(console=console) as bar:
            task = bar.add_task(doing, total=total)
            yield lambda count: bar.advance(task, count)
        return
    counted = 0

    def count(more: int) -> None:
        nonlocal counted
        before, counted = counted, counted + more
        if before // every != counted // every or counted == total:
            failures.say(f"{counted} of {total} {done}" if total else f"{counted} {done}")

    yield count
