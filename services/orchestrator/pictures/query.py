"""What a search looks for in pictures: checked, and made into one vector."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.pictures.sought import SoughtPictures
from services.orchestrator.search_query import Work
from services.orchestrator.validation import MAX_ID, MAX_QUERY, Violations
from shared.category_path import category_text
from shared.errors import InvalidArgumentError, UnavailableError, WhereforeError
from shared.filter_syntax import quote
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.picture_service_pb2 import ComposeQueryRequest
from wherefore.orchestrator.v1.picture_query_pb2 import PictureQuery
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest

STAGE: Final = "pictures"
_MOST: Final = 100.0


def check(query: PictureQuery, found: Violations) -> None:
    """Adds what is wrong with a query for pictures."""
    source = query.WhichOneof("source")
    found.text("pictures.text", query.text, MAX_QUERY)
    found.text("pictures.edit", query.edit, MAX_QUERY)
    if source is None and not query.text.strip():
        found.add("pictures", "give a picture, a product or a text")
    if source is None and query.edit.strip():
        found.add("pictures.edit", "needs a picture or a product")
    if source == "product_id":
        found.text("pictures.product_id", query.product_id, MAX_ID, required=True)
    for name in ("picture_weight", "text_weight", "leg_weight"):
        weight: float = getattr(query, name)
        if not (math.isfinite(weight) and 0 <= weight <= _MOST):
            found.add(f"pictures.{name}", "must be 0 to 100")


class PictureQueries:
    """Makes vectors of queries. One for the process."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def compose(self, work: Work) -> SoughtPictures | None:
        """Returns the vectors that a search asks pictures for; None where it asks for none.

        Without the encoder a search goes on by its words, and says so.

        Raises:
            InvalidArgumentError: A picture is bad, or the product has none.
            UnavailableError: The encoder does not answer, and there are no words to search by.
        """
        query = work.query.pictures
        if query is None:
            return None
        try:
            with work.timer.stage(STAGE):
                request = ComposeQueryRequest(
                    text=query.text,
                    picture_weight=query.picture_weight,
                    text_weight=query.text_weight,
                    edit=query.edit,
                )
                source, kind = query.WhichOneof("source"), ""
                if source == "picture":
                    request.picture.CopyFrom(query.picture)
                elif source == "product_id":
                    vector, kind = await self._of_product(query.product_id)
                    request.vector.CopyFrom(vector)
                seconds = stage_timeout(self._clients.settings.budgets.pictures)
                response = await self._clients.compose_query(request, seconds)
        except InvalidArgumentError as error:
            raise error.below("pictures") from error
        except WhereforeError as error:
            if not work.query.words.strip():
                raise UnavailableError(f"pictures cannot be searched: {error.message}") from error
            work.degradations.note(STAGE, error)
            return None
        work.timer.merge(response.timings, work.timer.elapsed_nanos())
        # Words say themselves what kind is wanted, and without an edit the picture does.
        kept = kind if query.edit.strip() and not work.query.words.strip() else ""
        return SoughtPictures(response, query.leg_weight or 1.0, query.product_id, kept)

    async def tell(self, work: Work, sought: SoughtPictures, results: Sequence[Result]) -> None:
        """Says of each result how well its pictures fit; of none where they cannot be read."""
        if not results:
            return
        request = GetProductsRequest(
            product_ids=[result.product.id for result in results],
            read_mask=FieldMask(paths=["id"]),
            include_picture_vectors=True,
        )
        try:
            with work.timer.stage(f"retrieval.{STAGE}"):
                seconds = stage_timeout(self._clients.settings.budgets.products)
                found = (await self._clients.get_products(request, seconds)).picture_vectors
        except WhereforeError as error:
            work.degradations.note(f"{STAGE}.match", error)
            return
        vectors = sought.vectors
        for result in results:
            own = found.get(result.product.id)
            if own is None or own.model != vectors.vector.model:
                continue
            if vectors.HasField("picture_vector"):
                result.picture_match.picture = _cosine(vectors.picture_vector, own)
            if vectors.HasField("text_vector"):
                result.picture_match.text = _cosine(vectors.text_vector, own)

    async def _of_product(self, product_id: str) -> tuple[Vector, str]:
        """Returns the vector of a product's pictures, and the filter of its category."""
        response = await self._clients.get_products(
            GetProductsRequest(
                product_ids=[product_id],
                read_mask=FieldMask(paths=["id", "category_path"]),
                include_picture_vectors=True,
            ),
            stage_timeout(self._clients.settings.budgets.products),
        )
        if product_id not in response.picture_vectors:
            raise InvalidArgumentError.of(
                "product_id", "names no product with pictures that were read"
            )
        path = category_text(response.products[0].category_path)
        kind = f"category: {quote(path)}" if path else ""
        return response.picture_vectors[product_id], kind


def _cosine(one: Vector, other: Vector) -> float:
    """Of unit vectors."""
    return float(np.dot(np.asarray(one.values), np.asarray(other.values)))
