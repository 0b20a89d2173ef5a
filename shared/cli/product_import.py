"""Sends the rows of a catalogue to ProductService.Import and goes on where a stream broke."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import stamina

from shared.stream_status import StreamStatus
from wherefore.common.v1.diagnostics_pb2 import Degradation, RowError
from wherefore.orchestrator.v1.product_service_pb2 import (
    ProductServiceImportRequest,
    ProductServiceImportResponse,
)
from wherefore.orchestrator.v1.product_service_pb2_grpc import ProductServiceStub

if TYPE_CHECKING:
    from shared.catalogue import Row
    from wherefore.common.v1.product_pb2 import Product

BATCH_ROWS = 128
BATCH_BYTES = 2 * 1024 * 1024
"""Half of what a message may hold, so that one large product cannot break the limit."""
PICTURE_BYTES = 12 * 1024 * 1024
"""Of the pictures beside the products of a message, which has 16 MiB in all."""
RETRIES_WITHOUT_PROGRESS = 8
STREAM_SECONDS = 24 * 3600.0
"""Deadline of one stream. Without any, a server may apply its default, meant for questions."""
_RETRIED = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
)


@dataclass(slots=True)
class ImportProgress:
    """How far an import is; handed to the observer after every acknowledgement."""

    settled: int = 0
    """Rows of the file that are done with, those of earlier runs and unreadable ones included."""
    imported: int = 0
    unchanged: int = 0
    failed: int = 0
    acknowledged_row: int = 0
    """Last product that the server acknowledged, by its place among the readable ones."""
    retries: int = 0
    degraded: dict[str, Degradation] = field(default_factory=dict[str, Degradation])
    """What was skipped on the way, by stage."""
    started: float = field(default_factory=time.monotonic)
    finished: float | None = None

    @property
    def seconds(self) -> float:
        """Time since the start, up to the end once there is one."""
        return (self.finished or time.monotonic()) - self.started


@dataclass(frozen=True, slots=True)
class ImportObserver:
    """Who is told what happens."""

    on_progress: Callable[[ImportProgress], None]
    on_error: Callable[[RowError], None]
    on_retry: Callable[[str], None]
    """Called with the reason when a stream broke and is about to be opened again."""


class IncompleteImportError(RuntimeError):
    """The server ended a stream in good order without taking everything."""


@dataclass(slots=True)
class _Packed:
    """One message, its last product's place, and the unreadable rows met while packing it."""

    message: ProductServiceImportRequest
    last_place: int = 0
    unreadable: list[RowError] = field(default_factory=list[RowError])

    pictures: dict[str, int] = field(default_factory=dict[str, int])
    """Sizes of its pictures by their uris."""

    @classmethod
    def starting_at(cls, place: int) -> _Packed:
        return cls(ProductServiceImportRequest(first_row=place))

    def has_room(self, pictures: Mapping[str, bytes]) -> bool:
        """Whether pictures of one more product fit in."""
        more = sum(len(data) for uri, data in pictures.items() if uri not in self.pictures)
        return sum(self.pictures.values()) + more <= PICTURE_BYTES

    def take(self, pictures: Mapping[str, bytes]) -> None:
        """Adds pictures, but for what does not fit into a message by itself."""
        for uri, data in pictures.items():
            if uri not in self.pictures and self.has_room({uri: data}):
                self.pictures[uri] = len(data)
                self.message.pictures.add(uri=uri, data=data)


class ProductImport:
    """One import of one file.

    The server acknowledges by place among the products sent. That place counts the file's readable
    products, so it means the same in every stream and every run over the same file.
    """

    def __init__(
        self,
        channel: grpc.aio.Channel,
        open_rows: Callable[[], Iterator[Row]],
        observer: ImportObserver,
        *,
        start_after: int = 0,
        pictures_of: Callable[[Product], Mapping[str, bytes]] | None = None,
    ) -> None:
        """Prepare an import.

        Args:
            channel: To the public services.
            open_rows: Opens the file again from its start; called once per stream.
            observer: Who is told what happens.
            start_after: Readable products that an earlier run got acknowledged.
            pictures_of: Returns pictures that are sent along, by the uris of a product's images;
                besides those that rows hold themselves.
        """
        self._stub = ProductServiceStub(channel)
        self._open_rows = open_rows
        self._observer = observer
        self._pictures_of = pictures_of
        self.progress = ImportProgress(acknowledged_row=start_after)
        self._reported_row = 0
        self._sent = start_after
        self._source_error: Exception | None = None
        # Counts of a stream start at 0; these are of the streams before it.
        self._imported_before = self._unchanged_before = self._failed_before = 0
        self._refused = 0
        self._unreadable = 0

    async def run(self) -> ImportProgress:
        """Send everything; go on from the last acknowledged row whenever the stream breaks.

        Raises:
            grpc.aio.AioRpcError: The server refused the import, or stayed away too long.
            IncompleteImportError: The server ended the stream without acknowledging everything.
        """
        stamina.instrumentation.set_on_retry_hooks([])
        while not await self._run_with_patience():
            self.progress.retries += 1
        if self.progress.acknowledged_row < self._sent:
            raise IncompleteImportError(
                f"the server ended the stream after {self.progress.acknowledged_row} of "
                f"{self._sent} products"
            )
        self._settle()
        self.progress.finished = time.monotonic()
        return self.progress

    async def _run_with_patience(self) -> bool:
        """Run one stream; wait and try again only where it brought nothing."""
        finished = False
        async for attempt in stamina.retry_context(
            on=_is_passing, attempts=RETRIES_WITHOUT_PROGRESS, timeout=None, wait_max=10.0
        ):
            with attempt:
                finished = await self._run_stream()
        return finished

    async def _run_stream(self) -> bool:
        """Send from the last acknowledged row on; False when the stream broke on the way."""
        begun_at = self.progress.acknowledged_row
        packed = self._pack(begun_at)
        call = self._stub.Import(self._batches(packed), timeout=STREAM_SECONDS)
        status = StreamStatus(call)
        try:
            async for response in call:
                self._take(response)
        except grpc.aio.AioRpcError as raised:
            error = await status.behind(raised)
            if error.code() is grpc.StatusCode.OK:
                return True  # whether that was too early, the acknowledgements tell
            if not _is_passing(error):
                raise error from None
            self._observer.on_retry(error.details() or error.code().name)
            if self.progress.acknowledged_row == begun_at:
                raise error from None
            return False
        except asyncio.CancelledError:
            # gRPC cancels a call whose request iterator raises, and keeps the reason to itself.
            if self._source_error is not None:
                raise self._source_error from None
            raise
        finally:
            call.cancel()
            packed.close()
            self._imported_before = self.progress.imported
            self._unchanged_before = self.progress.unchanged
            self._failed_before = self._refused
        return True

    def _take(self, response: ProductServiceImportResponse) -> None:
        progress = self.progress
        progress.acknowledged_row = max(progress.acknowledged_row, response.acknowledged_row)
        progress.imported = self._imported_before + response.imported_count
        progress.unchanged = self._unchanged_before + response.unchanged_count
        self._refused = self._failed_before + response.failed_count
        progress.degraded.update({item.stage: item for item in response.degraded})
        for error in response.errors:
            self._observer.on_error(error)
        self._settle()

    def _settle(self) -> None:
        self.progress.failed = self._refused + self._unreadable
        self.progress.settled = self.progress.acknowledged_row + self._unreadable
        self._observer.on_progress(self.progress)

    async def _batches(
        self, packed: Iterator[_Packed]
    ) -> AsyncIterator[ProductServiceImportRequest]:
        """Messages for the wire; tells of unreadable rows on the way, once."""
        while (item := self._next(packed)) is not None:
            for error in item.unreadable:
                if error.row > self._reported_row:
                    self._reported_row = error.row
                    self._unreadable += 1
                    self._observer.on_error(error)
            if item.message.products:
                self._sent = max(self._sent, item.last_place)
                yield item.message

    def _next(self, packed: Iterator[_Packed]) -> _Packed | None:
        try:
            return next(packed, None)
        except Exception as error:
            self._source_error = error
            raise

    def _pictures(self, row: Row) -> Mapping[str, bytes]:
        if row.product is None or self._pictures_of is None:
            return row.pictures
        return {**self._pictures_of(row.product), **row.pictures}

    def _pack(self, begun_at: int) -> Generator[_Packed]:
        """Messages with everything after the first `begun_at` readable products."""
        place = 0
        batch = _Packed.starting_at(begun_at + 1)
        size = 0
        for row in self._open_rows():
            if row.product is None:
                if row.error is not None:
                    error = RowError(row=row.number, field=row.error.field, reason=row.error.reason)
                    batch.unreadable.append(error)
                continue
            place += 1
            if place <= begun_at:
                continue
            row_size = row.product.ByteSize()
            full = len(batch.message.products) == BATCH_ROWS or size + row_size > BATCH_BYTES
            pictures = self._pictures(row)
            if (full or not batch.has_room(pictures)) and batch.message.products:
                yield batch
                batch, size = _Packed.starting_at(place), 0
            batch.take(pictures)
            batch.message.products.append(row.product)
            batch.message.rows.append(row.number)
            batch.last_place = place
            size += row_size
        yield batch


def _is_passing(error: Exception) -> bool:
    """Whether the same rows may go in later."""
    return isinstance(error, grpc.aio.AioRpcError) and error.code() in _RETRIED
