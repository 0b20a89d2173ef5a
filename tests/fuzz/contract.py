"""What an OK answer holds at least, by the contracts: one entry for each thing asked about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from google.protobuf.message import Message

from tests.fuzz.cases import Case

Check = Callable[[Any, Any], bool]
"""(request, response) -> whether the promise is kept."""


def _one_for_each(answers: str, questions: str) -> Check:
    return lambda request, response: (
        len(getattr(response, answers)) == len(getattr(request, questions))
    )


_CHECKS: dict[str, Check] = {
    "nlu.v1.NluService/Parse": lambda _, r: bool(r.understanding.query),
    "nlu.v1.NluService/ParseBatch": _one_for_each("responses", "requests"),
    "nlu.v1.NluService/Match": _one_for_each("scores", "pairs"),
    "nlu.v1.NluService/AttributeMatch": _one_for_each("attributions", "pairs"),
    "nlu.v1.NluService/Embed": _one_for_each("vectors", "texts"),
    "nlu.v1.NluService/Analyse": _one_for_each("analyses", "texts"),
    "nlu.v1.PictureService/EmbedPictures": _one_for_each("vectors", "pictures"),
    "nlu.v1.PictureService/EmbedTexts": _one_for_each("vectors", "texts"),
    "nlu.v1.PictureService/ComposeQuery": lambda _, r: bool(r.vector.values),
    "ranking.v1.RankingService/Rank": lambda q, r: (
        len(r.results) == min(q.limit or len(q.candidates), len(q.candidates))
    ),
    "reason.v1.ReasonService/Explain": _one_for_each("reasons", "items"),
    "reason.v1.ClassificationService/ClassifyProducts": _one_for_each(
        "classifications", "products"
    ),
    "reason.v1.TagService/GenerateTags": _one_for_each("products", "products"),
    "retrieval.v1.RetrievalService/SelectProducts": _one_for_each("selections", "filters"),
    "retrieval.v1.RetrievalService/Stats": lambda _, r: r.product_count > 0,
    "orchestrator.v1.SearchService/Search": lambda _, r: bool(
        r.results or r.redirect_uri or r.estimated_total == 0
    ),
    "orchestrator.v1.ProductService/Get": lambda _, r: r.HasField("product"),
    "orchestrator.v1.ProductService/Update": lambda _, r: bool(r.product.id),
    "orchestrator.v1.UserEventService/Write": lambda _, r: bool(r.event.id),
}
_MAY_BE_EMPTY = frozenset(
    {
        "assistant.v1.AssistantService/Converse",
        "assistant.v1.AssistantService/EndConversation",
        "assistant.v1.AssistantService/ImportDialogues",
        "assistant.v1.LearntService/DeleteLearnt",
        "assistant.v1.LearntService/ListLearnt",
        "assistant.v1.UserDataService/EraseUser",
        "assistant.v1.UserDataService/ExportUser",
        "insight.v1.InsightService/Ingest",
        "insight.v1.InsightService/ListAlerts",
        "insight.v1.InsightService/QueryAggregates",
        "insight.v1.TextService/EraseTexts",
        "insight.v1.TextService/ExportTexts",
        "orchestrator.v1.AggregateService/GetBudget",
        "orchestrator.v1.ExperimentService/Report",
        "orchestrator.v1.ProductService/Delete",
        "orchestrator.v1.ProductService/Import",
        "orchestrator.v1.ProductService/List",
        "orchestrator.v1.UserDataService/ExportUser",
        "orchestrator.v1.UserDataService/PurgeUser",
        "orchestrator.v1.UserDataService/SetConsent",
        "orchestrator.v1.UserEventService/Import",
        "orchestrator.v1.UserEventService/ImportWithProgress",
        "retrieval.v1.RetrievalService/GetProducts",
        "retrieval.v1.RetrievalService/ListProducts",
        "reason.v1.ReasonService/ExplainStream",
    }
)
"""Answers that have nothing to say where nothing was sent or found; all others say something."""


def broken_promises(case: Case, responses: Sequence[Message]) -> list[str]:
    """Returns what an OK answer lacks."""
    name = case.method.path.removeprefix("/wherefore.")
    if name not in _MAY_BE_EMPTY and not any(r.ByteSize() for r in responses):
        return ["OK with an empty answer"]
    check = _CHECKS.get(name)
    messages = case.messages()
    if check is None or not messages or len(responses) != 1:
        return []
    return (
        [] if check(messages[0], responses[0]) else ["OK, but not all that was asked for is there"]
    )
