"""The second, finer look at the best candidates: query and product read together by a model."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.budget import ask_again, stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from shared.errors import FailedPreconditionError, WhereforeError
from shared.reading_queue import ReadingQueue
from shared.text.document import ENCODER_LANGUAGE, embedding_text
from shared.text.language import primary_language
from shared.timing import StageTimer
from wherefore.nlu.v1.nlu_service_pb2 import (
    MATCH_METHOD_CROSS_ENCODER,
    MatchRequest,
    MatchResponse,
    TextPair,
)
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1.candidate_pb2 import Candidate, LegScore
from wherefore.retrieval.v1.retrieval_service_pb2 import GetProductsRequest

LEG: Final = "cross"
_STAGE: Final = "cross"
_TEXTS: Final = FieldMask(
    paths=["id", "titles", "brand", "descriptions", "category_path", "attributes"]
)
_LONGEST: Final = 10_000
"""Characters of a text that Match takes."""


class CrossReader:
    """Asks the NLU how well products answer a query."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._queue = ReadingQueue(clients.settings.cross_concurrency)

    async def read(
        self,
        query: QueryUnderstanding,
        candidates: Sequence[Candidate],
        best_ids: Sequence[str],
        timer: StageTimer,
        degradations: Degradations,
    ) -> bool:
        """Adds the leg "cross" to the first of the candidates; returns whether it did.

        Args:
            query: What is asked.
            candidates: Of one ranking; those that are read get a LegScore more.
            best_ids: Ids of the candidates in their order so far, best first; the first
                `settings.cross_candidates` are read.
            timer: Takes the stage "cross".
            degradations: Told when the order stays as it is.
        """
        chosen = best_ids[: self._clients.settings.cross_candidates]
        try:
            self._clients.brown_out.check("cross")
            with timer.stage(_STAGE):
                if primary_language(query.language_code) != ENCODER_LANGUAGE:
                    raise FailedPreconditionError(f"the model reads {ENCODER_LANGUAGE} alone")
                texts, scores = await self._scores(query, chosen)
        except WhereforeError as error:
            degradations.note(_STAGE, error, error.message[:500])
            return False
        found = dict(zip((product_id for product_id, _ in texts), scores, strict=True))
        by_id = {candidate.product.id: candidate for candidate in candidates}
        best = sorted(found, key=lambda product_id: -found[product_id])
        for rank, product_id in enumerate(best, start=1):
            by_id[product_id].legs.append(LegScore(leg=LEG, rank=rank, score=found[product_id]))
        return bool(found)

    async def _scores(
        self, query: QueryUnderstanding, product_ids: Sequence[str]
    ) -> tuple[list[tuple[str, str]], Sequence[float]]:
        """Ids and texts of products, and the score of each text, all within the stage's budget."""
        seconds = stage_timeout(self._clients.settings.budgets.cross)
        async with self._queue.place(len(product_ids), seconds) as place:
            texts = await self._texts(product_ids)
            if not texts:
                return [], []
            async with place.turn() as left:
                return texts, (await self._match(query, texts, left)).scores

    async def _texts(self, product_ids: Sequence[str]) -> list[tuple[str, str]]:
        """Ids and texts of products; those without a text, or gone by now, are left out."""
        request = GetProductsRequest(product_ids=product_ids, read_mask=_TEXTS)
        response = await ask_again(
            partial(self._clients.get_products, request), self._clients.settings.budgets.products
        )
        texts = ((product.id, embedding_text(product)) for product in response.products)
        return [(product_id, text) for product_id, text in texts if text.strip()]

    async def _match(
        self, query: QueryUnderstanding, texts: Sequence[tuple[str, str]], seconds: float
    ) -> MatchResponse:
        words = query.search_text or query.query
        request = MatchRequest(
            pairs=[TextPair(left=words, right=text[:_LONGEST]) for _, text in texts],
            method=MATCH_METHOD_CROSS_ENCODER,
        )
        return await self._clients.match(request, seconds)
