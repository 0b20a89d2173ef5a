"""What answers when a part does not, and how that is told."""

from collections.abc import Iterable, Iterator

from shared.degradation import cause_of, degradation
from shared.errors import DeadlineExceededError, WhereforeError
from shared.text.language import detect_language
from shared.text.normalise import fold
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding

FALLBACKS = {
    "nlu": "plain text search",
    "profile": "no personal history",
    "retrieval.dense": "sparse retrieval only",
    "ranking": "retrieval order",
    "experiment": "the model that ranks for all",
    "cross": "the order without reading query and product together",
    "reason": "no reasons",
    "facets": "no facets",
    "pictures": "search by words alone",
    "pictures.match": "results without how well their pictures fit",
    "summary": "the catalogue's ratings only",
    "explanation.words": "scores explained without the query's words",
    "explanation.readings": "scores explained without the words that the cross-encoder read",
    "variants": "other variants not named",
    "recommend": "another configuration",
    "ties": "reasons without what the knowledge graph knows",
    "merchandising": "without these rules",
    "stock": "the order without stock pressure",
    "sponsored": "no sponsored results",
    "terms": "the prices of the catalogue",
    "terms.filter": "those of the best candidates that meet the conditions on prices",
    "terms.facets": "counts by the prices of the catalogue",
    "assistant": "without conversations and what was learnt of them",
    "insight": "without what the user wrote",
    "events": "what was counted before the log of events was lost",
    "popularity": "popular products of the catalogue only",
}


class NoTimeLeftError(DeadlineExceededError):
    """The stage was not tried: the deadline leaves no time for it."""


class Degradations:
    """Collects what was skipped in one answer, one entry a stage."""

    def __init__(self) -> None:
        self._by_stage: dict[str, Degradation] = {}

    def __iter__(self) -> Iterator[Degradation]:
        return iter(self._by_stage.values())

    def __contains__(self, stage: str) -> bool:
        return stage in self._by_stage

    def note(self, stage: str, error: WhereforeError, detail: str = "") -> None:
        """Notes that `stage` was answered by its fallback because of `error`."""
        if stage not in self._by_stage:
            self._by_stage[stage] = degradation(
                stage,
                cause_of(error),
                fallback=FALLBACKS[stage],
                detail=detail or error.code.name,
            )

    def pass_on(self, degraded: Iterable[Degradation]) -> None:
        """Adds what a service says of itself; it has counted that already."""
        for each in degraded:
            self._by_stage.setdefault(each.stage, each)


def minimal_understanding(query: str, language_code: str) -> QueryUnderstanding:
    """Returns what can be told of a query without the NLU: its words and its language."""
    detected, confidence = detect_language(query)
    folded = fold(query)
    return QueryUnderstanding(
        query=query,
        normalized_query=folded,
        search_text=folded,
        language_code=language_code or detected,
        language_confidence=1.0 if language_code else confidence,
    )
