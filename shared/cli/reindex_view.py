"""How a change of the index is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from typing import Final

from shared.cli import failures, output
from wherefore.retrieval.v1 import index_admin_service_pb2 as pb

_PLAIN_SECONDS: Final = 5.0
_WORDS: Final = {
    pb.REINDEX_STAGE_COPYING: "Copying products",
    pb.REINDEX_STAGE_BUILDING: "Building the graph",
    pb.REINDEX_STAGE_CATCHING_UP: "Catching up",
    pb.REINDEX_STAGE_CHECKING: "Comparing answers",
    pb.REINDEX_STAGE_KEEPING: "The new index answers; searches end on the old one",
    pb.REINDEX_STAGE_DONE: "Done",
}


class ReindexView:
    """Shows progress on standard error."""

    def __init__(self) -> None:
        self._console = output.error_console()
        self._said = ""
        self._last_line = 0.0
        self._update: Callable[[pb.ReindexResponse], None] = self._say

    @contextmanager
    def running(self) -> Generator[None]:
        """Shows a bar while the block runs, where there is a terminal."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        if not self._console.is_terminal:
            yield
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, console=self._console) as bar:
            task = bar.add_task("", total=None)

            def update(step: pb.ReindexResponse) -> None:
                total = step.total_count or None
                bar.update(
                    task, description=_WORDS[step.stage], completed=step.done_count, total=total
                )

            self._update = update
            yield

    def on_step(self, step: pb.ReindexResponse) -> None:
        """Shows how far it is."""
        self._update(step)

    def _say(self, step: pb.ReindexResponse) -> None:
        words = _WORDS[step.stage]
        if words != self._said:
            self._said, self._last_line = words, time.monotonic()
            failures.say(words)
        elif step.done_count and time.monotonic() - self._last_line > _PLAIN_SECONDS:
            self._last_line = time.monotonic()
            failures.say(f"{words}: {step.done_count} of {step.total_count}")


def summary_lines(last: pb.ReindexResponse) -> Iterator[str]:
    """Returns how it ended."""
    if not last.HasField("agreement"):
        yield "done"
        return
    agreement = last.agreement
    yield (
        f"the new index answers; of the first ten it finds {agreement.exact_share:.1%} by vectors"
        f" compared one by one, {agreement.sparse_share:.1%} by words, {agreement.graph_share:.1%}"
        f" as searches are answered ({agreement.search_count} searches)"
    )
