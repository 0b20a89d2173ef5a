"""When the first text of an answer was there."""

from prometheus_client import Histogram

from shared.timing import StageTimer

FIRST_TEXT = Histogram(
    "wherefore_reason_first_text_seconds",
    "Time from the start of a request to its first text that stands.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64),
)


class FirstText:
    """Notes the first text of one answer.

    Args:
        timer: That runs since the request began.
    """

    def __init__(self, timer: StageTimer) -> None:
        self._timer = timer
        self.nanos = 0
        """Nanoseconds from the start of the request to it; 0 while there is none."""

    def note(self, text: str) -> int:
        """Returns the nanoseconds when `text` is the first that is not empty, else 0."""
        if self.nanos or not text:
            return 0
        self.nanos = self._timer.elapsed_nanos()
        FIRST_TEXT.observe(self.nanos / 1e9)
        return self.nanos
