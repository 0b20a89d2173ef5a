"""Imports products: checks, embeds and indexes overlapping batches, acknowledged in order."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.clients import Clients
from services.orchestrator.embedder import Embedder, vector_source
from services.orchestrator.pictures.embedder import PictureEmbedder
from services.orchestrator.pictures.sent import SentPictures
from shared.catalogue import content_etag, validate_product
from wherefore.common.v1.diagnostics_pb2 import Degradation, RowError
from wherefore.common.v1.product_pb2 import Product
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest, IndexDocument


@dataclass(frozen=True, slots=True)
class Row:
    """One product of an import."""

    place: int
    """Position in the caller's stream, from 1."""
    line: int
    """Line in the caller's file, for reports."""
    product: Product
    pictures: SentPictures | None = None
    """That came with it."""


@dataclass(slots=True)
class BatchReport:
    """What became of one batch; all of it is durable."""

    acknowledged_row: int = 0
    imported: int = 0
    unchanged: int = 0
    errors: list[RowError] = field(default_factory=list[RowError])
    degraded: Degradation | None = None


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is stored of a batch."""

    etags: Mapping[str, str] = field(default_factory=dict[str, str])
    """By id."""
    sources: Mapping[str, str] = field(default_factory=dict[str, str])
    """What vectors were made of, by the id of the products that have one."""
    pictures: Mapping[str, str] = field(default_factory=dict[str, str])
    """What vectors of pictures were made of, likewise."""


class CatalogueImporter:
    """Runs imports. One for the process."""

    def __init__(self, clients: Clients, embedder: Embedder, pictures: PictureEmbedder) -> None:
        self._clients = clients
        self._embedder = embedder
        self._pictures = pictures
        self._timeout = clients.settings.write_timeout_seconds

    async def run(self, batches: AsyncIterator[Sequence[Row]]) -> AsyncIterator[BatchReport]:
        """Yields a report for each batch, in order, once the batch is durable.

        A few batches are under way at once: while one is written the next is embedded. No more are
        read from the caller meanwhile, so a fast caller is slowed down to the pace of the model.

        Raises:
            UnavailableError: Retrieval does not answer. What was reported stays.
        """
        running: asyncio.Queue[asyncio.Task[BatchReport] | None] = asyncio.Queue(
            self._clients.settings.import_batches
        )
        reader = asyncio.create_task(self._read(batches, running))
        try:
            while (task := await running.get()) is not None:
                yield await task
            await reader  # raises what the caller's stream raised
        finally:
            reader.cancel()
            # Emptied before the reader is waited for: it may be waiting for room itself.
            while not running.empty():
                if (task := running.get_nowait()) is not None:
                    task.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await reader

    async def _read(
        self,
        batches: AsyncIterator[Sequence[Row]],
        running: asyncio.Queue[asyncio.Task[BatchReport] | None],
    ) -> None:
        seen: dict[str, int] = {}
        previous: asyncio.Task[BatchReport] | None = None
        try:
            async for rows in batches:
                errors = _repeated(rows, seen)
                task = asyncio.create_task(self._batch(rows, errors, previous))
                previous = task
                await running.put(task)
        finally:
            await running.put(None)

    async def _batch(
        self,
        rows: Sequence[Row],
        errors: list[RowError],
        previous: asyncio.Task[BatchReport] | None,
    ) -> BatchReport:
        report = BatchReport(acknowledged_row=rows[-1].place, errors=errors)
        refused = {error.row for error in errors}
        fresh = [row for row in rows if row.line not in refused]
        # Hashes and checks of a batch take tens of milliseconds: not on the loop that answers.
        good = await asyncio.to_thread(_checked, fresh, report)
        stored = await self._stored([row.product.id for row, _ in good])
        same = {r.product.id for r, etag in good if stored.etags.get(r.product.id) == etag}
        changed = await asyncio.to_thread(self._to_write, [row for row, _ in good], same, stored)
        report.unchanged = len(good) - len(changed)
        if changed:
            products = [row.product for row in changed]
            made = await self._embedder.documents(products, stored.sources, same)
            sent = {row.product.id: row.pictures for row in changed if row.pictures}
            unread = await self._pictures.add(made.documents, stored.pictures, sent)
            report.degraded = made.degradation or unread
            for row, document in zip(changed, made.documents, strict=True):
                document.row = row.place
            if previous is not None and not previous.done():
                await asyncio.wait({previous})  # written in the caller's order
            await self._index(made.documents, {row.place: row.line for row in changed}, report)
        return report

    async def _index(
        self, documents: Sequence[IndexDocument], lines: dict[int, int], report: BatchReport
    ) -> None:
        response = await self._clients.index(documents, self._timeout)
        report.imported += response.indexed_count
        report.unchanged += response.unchanged_count
        for error in response.errors:
            error.row = lines.get(error.row, error.row)
            if error.field in ("vector_source", "picture_source"):
                error.ClearField("field")  # ours, not one of the caller's product
            report.errors.append(error)

    async def _stored(self, ids: Sequence[str]) -> _Stored:
        if not ids:
            return _Stored()
        response = await self._clients.get_products(
            GetProductsRequest(
                product_ids=ids,
                read_mask=FieldMask(paths=["etag"]),
                include_vector_sources=True,
                include_picture_sources=True,
            ),
            self._timeout,
        )
        etags = {product.id: product.etag for product in response.products}
        return _Stored(etags, response.vector_sources, response.picture_sources)

    def _to_write(self, rows: Sequence[Row], same: Collection[str], stored: _Stored) -> list[Row]:
        """Returns the rows that change something: the product, or a vector, missing or old."""
        return [
            row
            for row in rows
            if row.product.id not in same
            or stored.sources.get(row.product.id) != vector_source(row.product)
            or self._pictures.differ(row.product, stored.pictures, row.pictures)
        ]


def _repeated(rows: Sequence[Row], seen: dict[str, int]) -> list[RowError]:
    errors: list[RowError] = []
    for row in rows:
        product_id = row.product.id
        if product_id and product_id in seen:
            errors.append(
                RowError(
                    row=row.line,
                    id=product_id,
                    field="id",
                    reason=f"the id was in row {seen[product_id]} already; that one went in",
                )
            )
        else:
            seen[product_id] = row.line
    return errors


def _checked(rows: Sequence[Row], report: BatchReport) -> list[tuple[Row, str]]:
    """Returns the good rows with their etags; adds the others to the report."""
    good: list[tuple[Row, str]] = []
    for row in rows:
        violations = validate_product(row.product)
        if violations:
            first = violations[0]
            more = f" (and {len(violations) - 1} more)" if len(violations) > 1 else ""
            report.errors.append(
                RowError(
                    row=row.line,
                    id=row.product.id[:128],
                    field=first.field,
                    reason=first.description + more,
                )
            )
        else:
            good.append((row, content_etag(row.product)))
    return good
