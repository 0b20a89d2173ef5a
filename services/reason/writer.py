"""What words evidence: the port that the model is written against, and what its writers share."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, Protocol

from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.wording.served import read_grammar

VERSION_FOLDER: Final = "1"
GRACE: Final = 0.02
"""Seconds beyond a page's own that its last words may take to arrive."""
RESERVE: Final = GRACE + 0.02
"""Seconds of the caller's deadline that the model does not get: a model that hangs is waited for
so long beyond its time, and what it wrote is checked and sent."""


class Writer(Protocol):
    """A model that words evidence."""

    @property
    def version(self) -> str:
        """Names the model, as in "reason_small@1"."""
        ...

    def knows(self, wanted: Wanted) -> bool:
        """Whether it has learnt to say every kind of the evidence."""
        ...

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
        """Writes a page, telling of every clause as it ends; for several threads at once.

        Args:
            wanted: Evidence that it `knows`.
            seconds: Longest time it may take; what is not written then is left out. Nobody waits
                longer than `GRACE` beyond it, whatever the model does.

        Yields:
            Of every reason what closes its clauses, and in the end `reason` or `failed`.

        Raises:
            UnavailableError: The model cannot be reached.
            DeadlineExceededError: It said nothing within the time.
        """
        ...

    def wait_ready(self, seconds: float) -> None:
        """Returns when the model answers, or after so many seconds without it."""
        ...

    def close(self) -> None:
        """Lets go of connections, threads and memory."""
        ...


class LearntModel:
    """What is known of a model without running it.

    Args:
        folder: Of the model in the repository.
        banned: Words that the shop never says.

    Raises:
        FileNotFoundError: The folder holds no model.
    """

    def __init__(self, folder: Path, banned: Sequence[str]) -> None:
        self.home = folder / VERSION_FOLDER
        self.grammar = read_grammar(self.home, banned)
        self.version = f"{folder.name}@{VERSION_FOLDER}"

    def knows(self, wanted: Wanted) -> bool:
        """Whether it has learnt to say every kind of the evidence."""
        return self.grammar.knows_all(wanted.evidence, wanted.language)
