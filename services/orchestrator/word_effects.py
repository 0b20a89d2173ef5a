"""What each word of a query did to its semantic match: leave the word out and ask again.

Occlusion (Zeiler and Fergus, "Visualizing and understanding convolutional networks", 2014; Li,
Monroe and Jurafsky, "Understanding neural networks through representation erasure", 2016). The
query without the word goes the whole way that the query went, so the effect is exact for what is
served: no gradient of a model, and no other model, stands in for it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from google.protobuf.field_mask_pb2 import FieldMask

from services.orchestrator.clients import Clients
from shared.filter_syntax import quote
from shared.text.analysis import analyse
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1.nlu_service_pb2 import ParseBatchRequest, ParseRequest
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.explanation_service_pb2 import SemanticMatch, WordEffect
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest

MAX_WORDS: Final = 32
"""Words that are left out in turn; those of a longer query that follow are not measured."""
_FEWEST_WORDS: Final = 2


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: its span [start, end) in code points."""

    text: str
    start: int
    end: int


def words_of(query: str) -> list[Word]:
    """Returns the words of a query, at most MAX_WORDS; no two overlap, and a compound is one."""
    words: list[Word] = []
    for term in sorted(analyse(query), key=lambda term: (term.start, -term.end)):
        if not words or term.start >= words[-1].end:
            words.append(Word(query[term.start : term.end], term.start, term.end))
    return words[:MAX_WORDS]


def without(query: str, word: Word) -> str:
    """Returns the query with one word left out."""
    return f"{query[: word.start]} {query[word.end :]}".strip()


async def semantic_matches(
    clients: Clients,
    understanding: QueryUnderstanding,
    product_ids: Sequence[str],
    language_code: str,
    timeout: float,  # noqa: ASYNC109 - goes on the wire
) -> Mapping[str, SemanticMatch]:
    """Measures what each word did, by id of the products that have a vector.

    Args:
        clients: Who is asked: all words in one batch, then the index, exactly.
        understanding: The query, with its vector; nothing is measured without one.
        product_ids: The products.
        language_code: As the query was parsed with.
        timeout: Seconds that each of the two steps may take.

    Raises:
        WhereforeError: As the NLU or retrieval answers.
    """
    words = words_of(understanding.query)
    if len(words) < _FEWEST_WORDS or not understanding.HasField("vector") or not product_ids:
        return {}
    asked = ParseBatchRequest(
        requests=(
            ParseRequest(
                query=without(understanding.query, word),
                language_code=language_code or understanding.language_code,
                keep_spelling=True,
            )
            for word in words
        )
    )
    parsed = await clients.nlu.call(
        clients.nlu_stub.ParseBatch, asked, timeout, clients.settings.budgets.nlu
    )
    left = [
        (word, response.understanding.vector)
        for word, response in zip(words, parsed.responses, strict=True)
        if response.understanding.HasField("vector")
    ]
    whole, *others = await asyncio.gather(
        *(
            _cosines(clients, vector, product_ids, timeout)
            for vector in (understanding.vector, *(vector for _, vector in left))
        )
    )
    return {
        product_id: SemanticMatch(
            cosine=cosine,
            words=[
                WordEffect(
                    word=word.text,
                    start=word.start,
                    end=word.end,
                    effect=cosine - cosines[product_id],
                )
                for (word, _), cosines in zip(left, others, strict=True)
                if product_id in cosines
            ],
        )
        for product_id, cosine in whole.items()
    }


async def _cosines(
    clients: Clients,
    vector: Vector,
    product_ids: Sequence[str],
    timeout: float,  # noqa: ASYNC109 - goes on the wire
) -> Mapping[str, float]:
    request = RetrieveRequest(
        query=QueryUnderstanding(vector=vector),
        filter=f"id: ({' OR '.join(quote(product_id) for product_id in product_ids)})",
        limit=len(product_ids),
        legs=["dense"],
        read_mask=FieldMask(paths=["id"]),
        exact=True,
    )
    response = await clients.retrieval.call(
        clients.retrieval_stub.Retrieve, request, timeout, clients.settings.budgets.retrieval
    )
    return {
        candidate.product.id: leg.score
        for candidate in response.candidates
        for leg in candidate.legs
        if leg.leg == "dense"
    }
