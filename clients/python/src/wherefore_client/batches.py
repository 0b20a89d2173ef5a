"""Many small messages of an import in a few larger ones."""

from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from typing import Generic, TypeVar

from google.protobuf.message import Message

from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.orchestrator.v1.product_service_pb2 import ProductServiceImportRequest
from wherefore.orchestrator.v1.user_event_service_pb2 import ImportWithProgressRequest
from wherefore_client.connection import MIB
from wherefore_client.events import with_id

BATCH_ROWS = 128
BATCH_BYTES = 2 * MIB
"""Half of what a message of products may hold, so that one large product cannot break the limit."""

ItemT = TypeVar("ItemT", bound=Message)
RequestT = TypeVar("RequestT", bound=Message)


class Packer(Generic[ItemT, RequestT]):
    """Collects messages until they fill a request.

    Args:
        make: Makes the request of messages and the place of the first, from 0.
    """

    def __init__(self, make: Callable[[list[ItemT], int], RequestT]) -> None:
        self._make = make
        self._items: list[ItemT] = []
        self._bytes = 0
        self._before = 0

    def add(self, item: ItemT) -> RequestT | None:
        """Takes a message; returns the request that was full without it, if it was."""
        size = item.ByteSize()
        full = None
        if len(self._items) == BATCH_ROWS or self._bytes + size > BATCH_BYTES:
            full = self.rest()
        self._items.append(item)
        self._bytes += size
        return full

    def rest(self) -> RequestT | None:
        """Returns the request of what was collected; None when that is nothing."""
        items, self._items, self._bytes = self._items, [], 0
        if not items:
            return None
        request = self._make(items, self._before)
        self._before += len(items)
        return request

    def of(self, items: Iterable[ItemT]) -> Iterator[RequestT]:
        """Yields the requests of all messages."""
        for item in items:
            if (full := self.add(item)) is not None:
                yield full
        if (rest := self.rest()) is not None:
            yield rest

    async def of_async(
        self, items: Iterable[ItemT] | AsyncIterable[ItemT]
    ) -> AsyncIterator[RequestT]:
        """Yields the requests of all messages, which may come asynchronously."""
        if isinstance(items, AsyncIterable):
            async for item in items:
                if (full := self.add(item)) is not None:
                    yield full
            if (rest := self.rest()) is not None:
                yield rest
        else:
            for request in self.of(items):
                yield request


def product_packer(first_row: int) -> Packer[Product, ProductServiceImportRequest]:
    """Returns a packer of products whose first is the row `first_row`, from 1."""
    if first_row < 1:
        raise ValueError(f"first_row: must be at least 1, is {first_row}")

    def make(products: list[Product], before: int) -> ProductServiceImportRequest:
        return ProductServiceImportRequest(products=products, first_row=first_row + before)

    return Packer(make)


def event_packer() -> Packer[UserEvent, ImportWithProgressRequest]:
    """Returns a packer of events, which gives an id to each that has none."""

    def make(events: list[UserEvent], _: int) -> ImportWithProgressRequest:
        return ImportWithProgressRequest(events=map(with_id, events))

    return Packer(make)
