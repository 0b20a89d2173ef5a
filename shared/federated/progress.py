"""Progress of rounds, on standard error: a bar, or a line now and then where it is no terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

_LINES = 10


@contextmanager
def rounds_bar(total: int) -> Generator[Callable[[], None]]:
    """Yields what to call after each round."""
    console = Console(stderr=True)
    if console.is_terminal:
        with Progress(console=console) as bar:
            task = bar.add_task("Rounds", total=total)
            yield lambda: bar.advance(task)
        return
    every = max(1, total // _LINES)
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if done % every == 0 or done == total:
            sys.stderr.write(f"{done} of {total} rounds\n")

    yield advance
