"""Vectors of products' pictures at import, by the NLU: made where files are new or have changed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.pictures.files import PictureFiles, PictureFolder
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
_AT_FAULT = re.compile(r"pictures\[(\d+)\]")


class PictureEmbedder:
    """Puts vectors of pictures to documents.

    Args:
        clients: Of the services.
        folder: Where pictures lie; None where products have none.
    """

    def __init__(self, clients: Clients, folder: Path | None) -> None:
        self._clients = clients
        self._timeout = clients.settings.embed_timeout_seconds
        self._folder = PictureFolder(folder) if folder is not None else None

    def differ(self, product: Product, stored: Mapping[str, str]) -> bool:
        """Whether a product's files are others than its stored vector was made of; blocks.

        Never without a folder: what is stored then stays.
        """
        if self._folder is None:
            return False
        files = self._folder.find(product)
        return (files.source if files else "") != stored.get(product.id, "")

    async def add(
        self, documents: Sequence[IndexDocument], stored: Mapping[str, str]
    ) -> Degradation | None:
        """Puts vectors of pictures to documents, or says that stored ones are kept.

        Without a folder whatever is stored is kept. A product whose pictures cannot be read goes
        in without.

        Args:
            documents: Changed in place.
            stored: What the stored vectors were made of, by id of the products that have one.

        Returns:
            Why some have no vector of pictures though there are files.
        """
        if self._folder is None:
            for document in documents:
                document.picture_source = stored.get(document.product.id, "")
            return None
        finding = [asyncio.to_thread(self._find, document.product) for document in documents]
        wanted: list[tuple[IndexDocument, PictureFiles]] = []
        for document, files in zip(documents, await asyncio.gather(*finding), strict=True):
            if files is None:
                continue
            if stored.get(document.product.id) == files.source:
                document.picture_source = files.source
            else:
                wanted.append((document, files))
        faults: list[str] = []
        try:
            for part in await asyncio.to_thread(_parts, wanted):
                await self._embed(part, faults)
        except WhereforeError as error:
            return _degradation(error, error.code.name)
        if faults:
            shown = f"{len(faults)} products, such as {faults[0]}"
            return _degradation(InvalidArgumentError.of("images", shown), shown[:500])
        return None

    def _find(self, product: Product) -> PictureFiles | None:
        return self._folder.find(product) if self._folder is not None else None

    async def _embed(self, part: Sequence[_Wanted], faults: list[str]) -> None:
        left = list(part)
        while left:
            pictures = [picture for _, _, picture in left]
            try:
                vectors = await self._ask(EmbedPicturesRequest(pictures=pictures))
            except InvalidArgumentError as error:
                fault = error.violations[0] if error.violations else None
                at = _AT_FAULT.match(fault.field) if fault else None
                if fault is None or at is None:
                    raise
                document, _, _ = left.pop(int(at[1]))
                faults.append(f"{document.product.id}: {fault.description}")
                continue
            for (document, source, _), vector in zip(left, vectors, strict=True):
                document.picture_vector.CopyFrom(vector)
                document.picture_source = source
            return

    async def _ask(self, request: EmbedPicturesRequest) -> Sequence[Vector]:
        seconds = stage_timeout(StageBudget(seconds=self._timeout, reserve=_WRITE_SECONDS))
        return (await self._clients.embed_pictures(request, seconds)).vectors


_Wanted = tuple[IndexDocument, str, Picture]


def _parts(wanted: Sequence[tuple[IndexDocument, PictureFiles]]) -> list[list[_Wanted]]:
    """Reads the files, in parts that are one call each; one that cannot be read is left out."""
    parts: list[list[_Wanted]] = []
    room = 0
    for document, files in wanted:
        frames: list[bytes] = []
        for path in files.paths:
            data = _read(path)
            if data and sum(map(len, frames)) + len(data) <= _CALL_BYTES:
                frames.append(data)
        if not frames:
            continue
        size = sum(map(len, frames))
        if not parts or size > room or len(parts[-1]) == _MOST_PICTURES:
            parts.append([])
            room = _CALL_BYTES
        parts[-1].append((document, files.source, Picture(frames=frames)))
        room -= size
    return parts


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _degradation(error: WhereforeError, detail: str) -> Degradation:
    return degradation(
        STAGE,
        cause_of(error),
        fallback="indexed without vectors of these pictures; send the rows again to fill them in",
        detail=detail,
    )
