"""One opened shard of the embedded engine, closed only when nobody reads from it any more."""

import threading

import qdrant_edge as qe


class Generation:
    """A shard that may be replaced by a newer one while searches are under way."""

    def __init__(self, folder: str, shard: qe.EdgeShard) -> None:
        self.folder = folder
        """Name of its folder within the store's."""
        self.shard = shard
        self._users = 0
        self._closed = False
        self._changed = threading.Condition()

    def enter(self) -> bool:
        """Keeps the shard open until `leave`; False when it is closed already."""
        with self._changed:
            self._users += not self._closed
            return not self._closed

    def leave(self) -> None:
        """Ends what `enter` began."""
        with self._changed:
            self._users -= 1
            self._changed.notify_all()

    def close(self, *, keep: bool = True) -> None:
        """Turns newcomers away and closes the shard once its users are done.

        Args:
            keep: Whether its folder is used again. The engine syncs a hundred files to flush, and
                keeps Python's interpreter lock meanwhile: no search is answered.
        """
        with self._changed:
            self._closed = True
            self._changed.wait_for(lambda: self._users == 0)
        if keep:
            self.shard.flush()
        self.shard.close()
