"""Runs the questions through a served assistant, and counts."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from services.assistant.domain import Language
from services.assistant.evaluation.cases import ProductQuestion, Request
from services.assistant.evaluation.evidence import unsupported
from services.assistant.questions import field_of, only
from wherefore.assistant.v1 import answer_pb2 as answers
from wherefore.assistant.v1 import assistant_service_pb2 as pb
from wherefore.common.v1.product_pb2 import Product

_SECONDS: Final = 30.0
_SHOWN: Final = 20
Asking = Callable[[pb.AskRequest], Awaitable[pb.AskResponse]]
Ranking = Callable[[str, Language], Awaitable[str]]
OnQuestion = Callable[[int], None]


@dataclass(slots=True)
class Requests:
    """How requests fared; `first` counts those whose likeliest answer is right, sure or not."""

    count: int = 0
    first: int = 0
    answered: int = 0
    right: int = 0
    seconds: list[float] = field(default_factory=list[float])
    wrong: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, object]:
        """Returns the shares, and what went wrong, a few."""
        return {
            "requests": self.count,
            "right_at_rank_1": _share(self.first, self.count),
            "answered": _share(self.answered, self.count),
            "right_of_answered": _share(self.right, self.answered),
            "latency_ms": latency(self.seconds),
            "wrong": self.wrong[:_SHOWN],
        }


@dataclass(slots=True)
class OutOfScope:
    """What became of questions that nobody answers."""

    count: int = 0
    handed_over: int = 0
    asked_back: int = 0
    answered: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, object]:
        """Returns the shares, and what was answered all the same."""
        return {
            "questions": self.count,
            "handed_over": _share(self.handed_over, self.count),
            "asked_back": _share(self.asked_back, self.count),
            "answered": self.answered[:_SHOWN],
        }


@dataclass(slots=True)
class Grounded:
    """What became of questions about products."""

    count: int = 0
    kinds: Counter[str] = field(default_factory=Counter[str])
    cited: int = 0
    claims: int = 0
    right_product: int = 0
    right_field: int = 0
    unsupported: list[str] = field(default_factory=list[str])
    seconds: list[float] = field(default_factory=list[float])
    not_answered: list[str] = field(default_factory=list[str])

    def as_json(self) -> dict[str, object]:
        """Returns counts and shares; `unsupported_claims` is to be 0."""
        answered = self.kinds["generated"]
        return {
            "questions": self.count,
            "kinds": dict(self.kinds),
            "answered": _share(answered, self.count),
            "answers_that_cite": _share(self.cited, answered),
            "citations": self.claims,
            "right_product": _share(self.right_product, answered),
            "right_field": _share(self.right_field, answered),
            "unsupported_claims": len(self.unsupported),
            "unsupported": self.unsupported[:_SHOWN],
            "latency_ms": latency(self.seconds),
            "not_answered": self.not_answered[:_SHOWN],
        }


async def measure_requests(
    ask: Asking,
    requests: Sequence[Request],
    rank_first: Ranking,
    on_question: OnQuestion,
) -> Requests:
    """Asks every request in a conversation of its own.

    Args:
        ask: Calls `Ask`.
        requests: With the intents that are right.
        rank_first: Gives the intent of the likeliest answer, of requests that none was given for.
        on_question: Called after each.
    """
    found = Requests()
    for each in requests:
        started = time.perf_counter()
        response = await ask(pb.AskRequest(question=each.text, language_code=each.language))
        found.seconds.append(time.perf_counter() - started)
        answer = response.answer
        given = bool(answer.answer_id)
        first = answer.intent if given else await rank_first(each.text, each.language)
        found.count += 1
        found.first += first == each.intent
        found.answered += given
        found.right += given and answer.intent == each.intent
        if first != each.intent:
            found.wrong.append(f"{each.text} | {each.intent} | {first}")
        on_question(1)
    return found


async def measure_out_of_scope(
    ask: Asking, questions: Sequence[tuple[Language, str]], on_question: OnQuestion
) -> OutOfScope:
    """Asks questions that nobody answers; a question for a slot is no hand-over."""
    found = OutOfScope()
    for language, text in questions:
        response = await ask(pb.AskRequest(question=text, language_code=language))
        kind = response.answer.kind
        found.count += 1
        if kind == answers.ANSWER_KIND_HAND_OVER and not response.answer.answer_id:
            found.handed_over += 1
        else:
            found.asked_back += kind == answers.ANSWER_KIND_ASK_BACK
            found.answered.append(f"{text} | {response.answer.answer_id or _name(kind)}")
        on_question(1)
    return found


async def measure_products(
    ask: Asking,
    questions: Sequence[ProductQuestion],
    products: Mapping[str, Product],
    on_question: OnQuestion,
) -> Grounded:
    """Asks about products, and holds each answer against the catalogue.

    The right product is the one asked about, or a variant whose field says the same.
    """
    found = Grounded()
    for each in questions:
        started = time.perf_counter()
        response = await ask(pb.AskRequest(question=each.text, language_code=each.language))
        seconds = time.perf_counter() - started
        answer = response.answer
        found.count += 1
        found.kinds[_name(answer.kind)] += 1
        if answer.kind == answers.ANSWER_KIND_GENERATED:
            found.seconds.append(seconds)
            found.cited += len(answer.citations) > 1
            found.claims += len(answer.citations)
            faults = unsupported(answer, products, time.time())
            found.unsupported += [f"{each.text} | {answer.text} | {fault}" for fault in faults]
            given = products.get(answer.citations[0].source_id) if answer.citations else None
            found.right_product += given is not None and _same(given, each)
            found.right_field += any(_is_of(c.field, each.field) for c in answer.citations[1:])
        else:
            found.not_answered.append(f"{each.text} | {_name(answer.kind)} | {answer.text}")
        on_question(1)
    return found


def latency(seconds: Sequence[float]) -> dict[str, float]:
    """Returns median and 99th percentile in milliseconds."""
    if not seconds:
        return {}
    p50, p99 = np.percentile(np.array(seconds) * 1e3, [50, 99])
    return {"p50": round(float(p50), 1), "p99": round(float(p99), 1)}


def _same(given: Product, asked: ProductQuestion) -> bool:
    wanted = asked.product
    if given.id == wanted.id:
        return True
    if not given.variant_group_id or given.variant_group_id != wanted.variant_group_id:
        return False
    left, right = only(given, asked.field), only(wanted, asked.field)
    for each in (left, right):
        each.id = ""
        each.ClearField("titles")
    return bool(field_of([given], [asked.field])) and left == right


def _is_of(cited: str, asked: str) -> bool:
    if asked == "reviews":
        # Counts of reviews, or the id of one that is quoted.
        return cited.startswith("review_summary") or "." not in cited
    return cited.partition(".")[0] == asked if "." not in asked else cited == asked


def _name(kind: "answers.AnswerKind.ValueType") -> str:
    return answers.AnswerKind.Name(kind).removeprefix("ANSWER_KIND_").lower()


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
