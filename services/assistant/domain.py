"""Values that the rooms of the assistant hand to one another, free of gRPC and protobuf."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]
Language = Literal["en", "zh"]
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")


class ReplyKind(StrEnum):
    """What a reply is."""

    TEMPLATE = "template"
    LEARNT = "learnt"
    GENERATED = "generated"
    ASK_BACK = "ask_back"
    HAND_OVER = "hand_over"


class HandOverReason(StrEnum):
    """Why a person takes over."""

    ASKED_FOR = "asked_for"
    UNSURE = "unsure"
    NO_EVIDENCE = "no_evidence"
    SLOT_NOT_GIVEN = "slot_not_given"
    DEGRADED = "degraded"


@dataclass(frozen=True, slots=True)
class Named:
    """Something that a message names; `kind` is the NLU's entity type in lower case."""

    kind: str
    text: str
    normalized: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What a customer wrote, as the NLU reads it.

    Attributes:
        text: As written.
        language: "en" or "zh".
        intent: Type of the likeliest intent, such as "support" or "attribute_question".
        labels: Probability of each support label that the NLU names, 0 to 1.
        vector: Unit vector of the text; None where the encoder is lost or cannot read it.
        named: What it names.
    """

    text: str
    language: Language
    intent: str = ""
    labels: Mapping[str, float] = field(default_factory=dict[str, float])
    vector: Vector | None = None
    named: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Citation:
    """Where a part of a reply stands: what was quoted, word for word, or the value it rests on.

    Attributes:
        source: "help", "product" or "review".
        source_id: Id of the article or product.
        field: Field of the product ("attributes.colour", "descriptions.en"), id of the review, or
            the article's paragraph.
        text: The words or the value there.
        claim: The part of the reply that rests on it.
    """

    source: str
    source_id: str
    field: str
    text: str
    claim: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """What a person needs to go on."""

    reason: HandOverReason
    summary: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Attributes:
        answer_id: Template or learnt answer; empty for others.
        intent: Label of the concern; empty when unknown.
        confidence: Probability that the answer is the right one, 0 to 1.
        missing: Slot that is asked for.
        options: What to choose from, when a product is asked for.
    """

    kind: ReplyKind
    text: str
    language: Language
    answer_id: str = ""
    intent: str = ""
    confidence: float = 0.0
    slots: Mapping[str, str] = field(default_factory=dict[str, str])
    missing: str = ""
    options: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    hand_over: HandOver | None = None
