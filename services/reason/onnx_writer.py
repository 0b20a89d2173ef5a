"""The model in this process: ONNX Runtime, all pages together in one thread."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event
from typing import TypeAlias

from services.reason.wording.batch import Step, Wanted
from services.reason.wording.decode import Progress, Telling
from services.reason.wording.onnx_engine import OnnxEngine
from services.reason.wording.sampling import SamplingSettings
from services.reason.wording.scheduler import Page, Scheduler
from services.reason.wording.served import SERVED_GRAPH
from services.reason.writer import GRACE, VERSION_FOLDER, LearntModel
from shared.errors import DeadlineExceededError, UnavailableError

_Told: TypeAlias = SimpleQueue[Sequence[Step] | Exception | None]


class OnnxWriter:
    """Implements `writer.Writer`.

    Args:
        folder: Of the model in the repository.
        banned: Words that the shop never says.
        threads: Of ONNX Runtime; 0 for as many as there are cores.

    Raises:
        FileNotFoundError: It has no graph; `make models` makes it.
    """

    def __init__(self, folder: Path, banned: Sequence[str], threads: int = 0) -> None:
        graph = folder / VERSION_FOLDER / SERVED_GRAPH
        if not graph.is_file():
            raise FileNotFoundError(f"{graph} is missing; `make models` makes it")
        self._model = LearntModel(folder, banned)
        self._scheduler = Scheduler(OnnxEngine(graph, threads), SamplingSettings())

    @property
    def version(self) -> str:
        """Names the model."""
        return self._model.version

    def knows(self, wanted: Wanted) -> bool:
        """Whether it has learnt to say every kind of the evidence."""
        return self._model.knows(wanted)

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
        """Writes a page; see `writer.Writer`."""
        if seconds <= 0:
            return
        grammar = self._model.grammar
        told: _Told = SimpleQueue()
        gone = Event()
        ends = time.monotonic() + seconds
        self._scheduler.submit(Page(wanted, grammar, ends, told.put, told.put, gone.is_set))
        telling = Telling(wanted, grammar)
        try:
            for steps in self._steps(told, ends):
                for step in steps:
                    if (progress := telling.tell(step)) is not None:
                        yield progress
        finally:
            gone.set()

    def _steps(self, told: _Told, ends: float) -> Iterator[Sequence[Step]]:
        """Yields what each token adds, to the end of the page or of its time."""
        answered = False
        while True:
            try:
                more = told.get(timeout=max(0.0, ends + GRACE - time.monotonic()))
            except Empty as error:  # the thread of the model stands still: nobody waits for it
                if answered:
                    return
                raise DeadlineExceededError(f"{self.version} said nothing in time") from error
            if more is None:
                return
            if isinstance(more, Exception):
                raise UnavailableError(f"{self.version} failed: {more}") from more
            answered = True
            yield more

    def wait_ready(self, seconds: float) -> None:
        """Returns at once: the model is loaded."""

    def close(self) -> None:
        """Ends the thread of the model."""
        self._scheduler.close()
