"""Valid requests of the applications; see `seeds`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.message import Message

from tests.fuzz.shop import make_user
from tests.fuzz.suite import Suite
from wherefore.assistant.v1 import assistant_service_pb2 as assistant
from wherefore.assistant.v1 import learnt_service_pb2 as learnt
from wherefore.assistant.v1 import user_data_service_pb2 as user_data
from wherefore.insight.v1 import insight_service_pb2 as insight
from wherefore.insight.v1 import text_service_pb2 as texts
from wherefore.insight.v1.opinion_pb2 import DIMENSION_PRODUCT, Post, Series

_QUESTIONS = ("how can I cancel order 12345?", "怎么退货？", "is the Quillmo S560 waterproof?")


def _asked(_: Suite) -> list[assistant.AskRequest]:
    return [
        assistant.AskRequest(question=question, conversation_id="fuzz", user=make_user())
        for question in _QUESTIONS
    ]


def _dialogues() -> assistant.ImportDialoguesRequest:
    request = assistant.ImportDialoguesRequest()
    request.dialogues.add(question="Do you wrap gifts?", answer="Yes, for 3 EUR.")
    request.dialogues.add(question="能开发票吗？", answer="可以。", language_code="zh")
    return request


def _posts() -> insight.IngestRequest:
    written = ("The lid leaks, never again.", "物流很快，质量不错", "It is a cup.")
    posts = [
        Post(id=f"fuzz-{n}", text=text, product_id="mug-1", brand="Acme", user_id="u1")
        for n, text in enumerate(written)
    ]
    for number, post in enumerate(posts):
        post.event_time.FromSeconds(1_780_000_000 + number)
    return insight.IngestRequest(posts=posts)


_SERIES = Series(dimension=DIMENSION_PRODUCT, value="mug-1")
SEEDS: dict[str, Callable[[Suite], Sequence[Message]]] = {
    "assistant.v1.AssistantService/Ask": _asked,
    "assistant.v1.AssistantService/Converse": lambda suite: [
        assistant.ConverseRequest(request=request) for request in _asked(suite)
    ],
    "assistant.v1.AssistantService/ImportDialogues": lambda _: [_dialogues()],
    "assistant.v1.AssistantService/RecordAnswer": lambda _: [
        assistant.RecordAnswerRequest(
            question=_QUESTIONS[0], verdict=assistant.VERDICT_ACCEPTED, answer_id="cancel_order"
        ),
        assistant.RecordAnswerRequest(
            question="Do you wrap gifts?", verdict=assistant.VERDICT_CORRECTED, answer="Yes."
        ),
    ],
    "assistant.v1.AssistantService/EndConversation": lambda _: [
        assistant.EndConversationRequest(conversation_id="fuzz")
    ],
    "assistant.v1.LearntService/ListLearnt": lambda _: [
        learnt.ListLearntRequest(text="gifts", page_size=5)
    ],
    "assistant.v1.LearntService/DeleteLearnt": lambda _: [
        learnt.DeleteLearntRequest(ids=["0123456789abcdef0123"])
    ],
    "assistant.v1.UserDataService/EraseUser": lambda _: [
        user_data.EraseUserRequest(user=make_user(), session_ids=["visit"])
    ],
    "assistant.v1.UserDataService/ExportUser": lambda _: [
        user_data.ExportUserRequest(user=make_user(), session_ids=["visit"])
    ],
    "insight.v1.InsightService/Ingest": lambda _: [_posts()],
    "insight.v1.InsightService/QueryAggregates": lambda _: [
        insight.QueryAggregatesRequest(
            dimension=DIMENSION_PRODUCT, values=["mug-1"], step_seconds=3_600
        )
    ],
    "insight.v1.InsightService/GetTrend": lambda _: [
        insight.GetTrendRequest(series=_SERIES, days=7)
    ],
    "insight.v1.InsightService/ListAlerts": lambda _: [
        insight.ListAlertsRequest(series=_SERIES, page_size=5)
    ],
    "insight.v1.InsightService/SubscribeAlerts": lambda _: [
        insight.SubscribeAlertsRequest(series=[_SERIES])
    ],
    "insight.v1.InsightService/DescribeDomain": lambda _: [insight.DescribeDomainRequest()],
    "insight.v1.TextService/EraseTexts": lambda _: [
        texts.EraseTextsRequest(user=make_user(), source_ids=["site"], text_ids=["fuzz-0"])
    ],
    "insight.v1.TextService/ExportTexts": lambda _: [
        texts.ExportTextsRequest(user=make_user(), source_ids=["site"], text_ids=["fuzz-0"])
    ],
}
