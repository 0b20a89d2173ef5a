"""Values that the rooms of the NLU hand to one another. They know neither gRPC nor protobuf.

Spans are half-open [start, end) in code points of the query as it was received.
"""

from dataclasses import dataclass
from enum import StrEnum


class IntentType(StrEnum):
    """What a user wants to do."""

    UNSPECIFIED = "unspecified"
    PRODUCT_SEARCH = "product_search"
    NAVIGATIONAL = "navigational"
    ATTRIBUTE_QUESTION = "attribute_question"
    SUPPORT = "support"
    RECOMMENDATION = "recommendation"
    COMPARISON = "comparison"


class EntityType(StrEnum):
    """Kinds of things named in queries."""

    BRAND = "brand"
    PRODUCT_TYPE = "product_type"
    MODEL = "model"
    COLOUR = "colour"
    SIZE = "size"
    MATERIAL = "material"
    AUDIENCE = "audience"
    PRICE = "price"
    ATTRIBUTE = "attribute"
    OCCASION = "occasion"
    ORDER_ID = "order_id"


class SentimentLabel(StrEnum):
    """Classes of mood."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Token:
    """One word of the query; `normalized` is empty for a stop word."""

    text: str
    start: int
    end: int
    normalized: str


@dataclass(frozen=True, slots=True)
class Intent:
    """One reading of the query, with a confidence from 0 to 1 and a finer label or "".

    Attributes:
        model: Name and version of the model that gave the label; "" where rules did.
    """

    type: IntentType
    confidence: float
    label: str = ""
    model: str = ""


@dataclass(frozen=True, slots=True)
class Entity:
    """Something named: its canonical value, its span, and what recognised it."""

    type: EntityType
    text: str
    normalized: str
    start: int
    end: int
    confidence: float
    source: str
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Sentiment:
    """Mood of a text: class, score from -1 to 1, confidence from 0 to 1."""

    label: SentimentLabel
    score: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Category:
    """One reading of what kind of product a text is about, with a confidence from 0 to 1."""

    label: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of numbers, both ends inclusive; at least one is set."""

    minimum: float | None = None
    maximum: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A condition on the products: exactly one of `bounds`, `any_of` and `none_of` is set.

    Attributes:
        consumed: Spans of the query that say nothing beyond the condition, and so are taken out of
            the text to search for.
    """

    field: str
    start: int
    end: int
    confidence: float
    hard: bool
    bounds: Bounds | None = None
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()
    consumed: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """A spelling correction, applied or only suggested."""

    original: str
    corrected: str
    start: int
    end: int
    confidence: float
    applied: bool


@dataclass(frozen=True, slots=True)
class Expansion:
    """A related word with its weight against the original's 1.0."""

    term: str
    expansion: str
    weight: float


@dataclass(frozen=True, slots=True)
class ParseOptions:
    """What the caller of a parse may choose."""

    language_code: str = ""
    keep_spelling: bool = False


@dataclass(frozen=True, slots=True)
class Understanding:
    """What a query means.

    Attributes:
        search_text: What is left to search for, in the shopper's own language. Empty when the query
            is nothing but conditions ("under 20"): retrieval then takes the query itself.
        embedding_text: What the encoder reads. For an encoder of English it is the English gloss of
            a Chinese query as far as the lexicons reach.
        reading_text: What a learnt reader of its language reads: folded and corrected.
        places: Span of the query that each character of `reading_text` stands for.
        filter: The hard constraints in the grammar of SearchRequest.filter.
    """

    query: str
    normalized_query: str
    search_text: str
    embedding_text: str
    language_code: str
    language_confidence: float
    tokens: tuple[Token, ...]
    intent: Intent
    alternative_intents: tuple[Intent, ...]
    entities: tuple[Entity, ...]
    sentiment: Sentiment
    constraints: tuple[Constraint, ...]
    filter: str
    corrections: tuple[Correction, ...] = ()
    expansions: tuple[Expansion, ...] = ()
    categories: tuple[Category, ...] = ()
    reading_text: str = ""
    places: tuple[tuple[int, int], ...] = ()
