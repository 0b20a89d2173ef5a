"""What is written and deleted while somebody copies the index."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager

from services.retrieval.store.port import point_id


class Journal:
    """The points that were written or deleted. Writers take turns; one reader beside them."""

    def __init__(self) -> None:
        self._points: set[str] | None = None

    @contextmanager
    def kept(self) -> Generator[None]:
        """Keeps points meanwhile, for `take`; before and after it keeps none."""
        self._points = set()
        try:
            yield
        finally:
            self._points = None

    def take(self) -> set[str]:
        """Returns the points since this was last called; they can be read."""
        points, self._points = self._points or set(), set[str]()
        return points

    @contextmanager
    def noting(self, product_ids: Iterable[str]) -> Generator[None]:
        """Notes what is written meanwhile, once it is there, or may be there in part."""
        try:
            yield
        finally:
            if self._points is not None:
                self._points.update(map(point_id, product_ids))
