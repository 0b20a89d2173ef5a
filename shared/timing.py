"""Times of the stages of one answer, as every response reports them."""

import time
from collections.abc import Callable, Iterable
from types import TracebackType

from shared.metrics import STAGE
from shared.tracing import span
from wherefore.common.v1.diagnostics_pb2 import StageTiming


class Stage:
    """One stage being timed, as a context manager (plain or async).

    Set `queue_nanos` and `inference_nanos` while it runs, once they are known.
    """

    __slots__ = ("_span", "_started", "_timer", "inference_nanos", "name", "queue_nanos")

    def __init__(
        self, timer: "StageTimer", name: str, queue_nanos: int, inference_nanos: int
    ) -> None:
        self._timer = timer
        self._started = 0
        self._span = span(name)
        self.name = name
        self.queue_nanos = queue_nanos
        self.inference_nanos = inference_nanos

    def __enter__(self) -> "Stage":
        self._started = self._timer.elapsed_nanos()
        self._span.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # A stage that failed is reported too: its time was spent all the same.
        took = self._timer.elapsed_nanos() - self._started
        STAGE.labels(self.name).observe(took / 1e9)
        self._span.__exit__(kind, error, traceback)
        self._timer.add(
            self.name,
            start_offset_nanos=self._started,
            duration_nanos=took,
            queue_nanos=self.queue_nanos,
            inference_nanos=self.inference_nanos,
        )

    async def __aenter__(self) -> "Stage":
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)


class StageTimer:
    """Collects the stages of one answer; offsets count from its making.

    Example:
        timer = StageTimer()
        with timer.stage("nlu.embedding") as stage:
            encoded = await encoder.encode(texts)
            stage.queue_nanos, stage.inference_nanos = encoded.queue_nanos, encoded.inference_nanos
        response.timings.extend(timer.timings())
    """

    def __init__(self, clock: Callable[[], int] = time.perf_counter_ns) -> None:
        self._clock = clock
        self._origin = clock()
        self._timings: list[StageTiming] = []

    def elapsed_nanos(self) -> int:
        """Returns nanoseconds since the request began."""
        return self._clock() - self._origin

    def stage(self, name: str, *, queue_nanos: int = 0, inference_nanos: int = 0) -> Stage:
        """Returns a context manager that times the stage `name`."""
        return Stage(self, name, queue_nanos, inference_nanos)

    def add(
        self,
        name: str,
        *,
        start_offset_nanos: int,
        duration_nanos: int,
        queue_nanos: int = 0,
        inference_nanos: int = 0,
    ) -> None:
        """Adds a stage that was timed elsewhere."""
        self._timings.append(
            StageTiming(
                stage=name,
                start_offset_nanos=start_offset_nanos,
                duration_nanos=duration_nanos,
                queue_nanos=queue_nanos,
                inference_nanos=inference_nanos,
            )
        )

    def merge(self, timings: Iterable[StageTiming], start_offset_nanos: int = 0) -> None:
        """Adds a downstream service's own stages, moved to this request's clock.

        Args:
            timings: Stages as that service reported them.
            start_offset_nanos: When it was called, in nanoseconds of this timer. The way there is
                not known, so its stages appear that much early.
        """
        for timing in timings:
            self.add(
                timing.stage,
                start_offset_nanos=timing.start_offset_nanos + start_offset_nanos,
                duration_nanos=timing.duration_nanos,
                queue_nanos=timing.queue_nanos,
                inference_nanos=timing.inference_nanos,
            )

    def timings(self) -> list[StageTiming]:
        """Returns the stages by their start, an outer stage before those inside it."""
        return sorted(self._timings, key=lambda t: (t.start_offset_nanos, -t.duration_nanos))
