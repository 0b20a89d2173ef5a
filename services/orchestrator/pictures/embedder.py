"""Vectors of products' pictures at import, by the NLU: made where files are new or have changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.pictures.sent import (
    SentPictures,
    StoredVector,
    still_holds,
    was_sent,
)
from services.orchestrator.pictures.sources import Pictures, PictureSources
from services.orchestrator.stage_budgets import StageBudget
from shared.degradation import cause_of, degradation
from shared.errors import InvalidArgumentError, WhereforeError
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.common.v1.product_pb2 import Product
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.picture_service_pb2 import EmbedPicturesRequest, Picture
from wherefore.retrieval.v1.retrieval_service_pb2 import IndexDocument

STAGE: Final = "pictures"
_MOST_PICTURES: Final = 32
_CALL_BYTES: Final = 12 * 2**20
"""Of one message, whose limit is 16 MiB."""
_WRITE_SECONDS: Final = 1.0
_NONE: Final[Mapping[str, SentPictures]] = MappingProxyType({})
_AT_FAULT = re.compile(r"pictures\[(\d+)\]")


class PictureEmbedder:
    """Puts vectors of pictures to documents.

    Args:
        clients: Of the services.
        sources: Of pictures.
    """

    def __init__(self, clients: Clients, sources: PictureSources) -> None:
        self._clients = clients
        self._timeout = clients.settings.embed_timeout_seconds
        self._sources = sources

    def differ(
        self, product: Product, stored: Mapping[str, str], sent: SentPictures | None = None
    ) -> bool:
        """Whether a product's pictures are others than its stored vector was made of; blocks."""
        known = stored.get(product.id, "")
        found = self._find(product, known, sent)
        return (found.source if found else "") != known

    async def add(
        self,
        documents: Sequence[IndexDocument],
        stored: Mapping[str, str],
        sent: Mapping[str, SentPictures] = _NONE,
    ) -> Degradation | None:
        """Puts vectors of pictures to documents, or says that stored ones are kept.

        A product whose pictures cannot be read goes in without.

        Args:
            documents: Changed in place.
            stored: What the stored vectors were made of, by id of the products that have one.
            sent: Pictures that came with them, by id.

        Returns:
            Why some have no vector of pictures though there are files.
        """
        finding = [
            asyncio.to_thread(
                self._find, each.product, stored.get(each.product.id, ""), sent.get(each.product.id)
            )
            for each in documents
        ]
        wanted: dict[str, _Wanted] = {}
        for document, pictures in zip(documents, await asyncio.gather(*finding), strict=True):
            if pictures is None:
                continue
            if stored.get(document.product.id) == pictures.source:
                document.picture_source = pictures.source
            else:
                # Variants that share their pictures are read once.
                wanted.setdefault(pictures.source, _Wanted(pictures)).documents.append(document)
        faults: list[str] = []
        parts = _parts(list(wanted.values()), faults)
        try:
            # One part at a time: pictures of a whole batch may be gigabytes.
            while part := await asyncio.to_thread(next, parts, None):
                await self._embed(part, faults)
        except WhereforeError as error:
            return _degradation(error, error.code.name)
        if faults:
            shown = f"{len(faults)} products, such as {faults[0]}"
            return _degradation(InvalidArgumentError.of("images", shown), shown[:500])
        return None

    def _find(self, product: Product, known: str, sent: SentPictures | None) -> Pictures | None:
        """Returns the pictures that a product's vector is to be of; None where it is to have none.

        What was sent once stays for as long as the product has the same images, and without any
        source of pictures whatever is stored stays.
        """
        if sent:
            return sent
        if was_sent(known):
            if still_holds(known, product):
                return StoredVector(known)
        elif known and not self._sources:
            return StoredVector(known)
        return self._sources.find(product)

    async def _embed(self, part: _Part, faults: list[str]) -> None:
        while part:
            request = EmbedPicturesRequest(pictures=[picture for _, picture in part])
            try:
                vectors = await self._ask(request)
            except InvalidArgumentError as error:
                fault = error.violations[0] if error.violations else None
                at = _AT_FAULT.match(fault.field) if fault else None
                if fault is None or at is None:
                    raise
                bad, _ = part.pop(int(at[1]))
                faults += [f"{each.product.id}: {fault.description}" for each in bad.documents]
                continue
            for (wanted, _), vector in zip(part, vectors, strict=True):
                for document in wanted.documents:
                    document.picture_vector.CopyFrom(vector)
                    document.picture_source = wanted.pictures.source
            return

    async def _ask(self, request: EmbedPicturesRequest) -> Sequence[Vector]:
        seconds = stage_timeout(StageBudget(seconds=self._timeout, reserve=_WRITE_SECONDS))
        return (await self._clients.embed_pictures(request, seconds)).vectors


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Pictures that are to be read, and what has them."""

    pictures: Pictures
    documents: list[IndexDocument] = field(default_factory=list[IndexDocument])


_Part = list[tuple[_Wanted, Picture]]
"""What is sent in one call."""


def _parts(wanted: Sequence[_Wanted], faults: list[str]) -> Iterator[_Part]:
    """Reads files, and yields parts that are one call each; what cannot be read is at fault."""
    part: _Part = []
    room = _CALL_BYTES
    for each in wanted:
        frames: list[bytes] = []
        size = 0
        for data in each.pictures.read():
            if size + len(data) <= _CALL_BYTES:
                frames.append(data)
                size += len(data)
        if not frames:
            faults += [f"{document.product.id}: no picture is there" for document in each.documents]
            continue
        if part and (size > room or len(part) == _MOST_PICTURES):
            yield part
            part, room = [], _CALL_BYTES
        part.append((each, Picture(frames=frames)))
        room -= size
    if part:
        yield part


def _degradation(error: WhereforeError, detail: str) -> Degradation:
    return degradation(
        STAGE,
        cause_of(error),
        fallback="indexed without vectors of these pictures; send the rows again to fill them in",
        detail=detail,
    )
