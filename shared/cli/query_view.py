"""What a query was taken to mean, in lines for people."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from shared.cli import output
from wherefore.nlu.v1.query_understanding_pb2 import (
    Constraint,
    EntityType,
    IntentType,
    QueryUnderstanding,
    SentimentLabel,
)


def lines(query: QueryUnderstanding) -> Iterator[Text]:
    """One line per aspect of the understanding; aspects that are not there are left out."""
    intent = words(IntentType.Name(query.intent.type), "INTENT_TYPE_")
    if query.intent.label:
        intent += f" / {query.intent.label}"
    yield _line(
        "Understood",
        f"{query.language_code or 'und'} ({query.language_confidence:.0%}), "
        f"{intent} ({query.intent.confidence:.0%})",
    )
    if query.search_text and query.search_text != query.query:
        yield _line("Searching for", query.search_text)
    if query.entities:
        yield _line(
            "Entities",
            ", ".join(
                f"{'not ' if item.negated else ''}"
                f"{words(EntityType.Name(item.type), 'ENTITY_TYPE_')} "
                f"{_named(item.text, item.normalized)}"
                for item in query.entities
            ),
        )
    if query.constraints:
        yield _line("Conditions", "; ".join(map(condition, query.constraints)))
    if query.sentiment.label not in (
        SentimentLabel.SENTIMENT_LABEL_UNSPECIFIED,
        SentimentLabel.SENTIMENT_LABEL_NEUTRAL,
    ):
        mood = words(SentimentLabel.Name(query.sentiment.label), "SENTIMENT_LABEL_")
        yield _line("Mood", f"{mood} ({query.sentiment.score:+.2f})")
    if query.corrections:
        yield _line(
            "Spelling",
            ", ".join(
                f"{item.original} → {item.corrected}"
                + ("" if item.applied else " (did you mean it?)")
                for item in query.corrections
            ),
        )
    if query.expansions:
        yield _line("Also", ", ".join(item.expansion for item in query.expansions))


def condition(constraint: Constraint) -> str:
    """One condition in words, such as "price 10 to 500 EUR" or "not colour black"."""
    match constraint.WhichOneof("condition"):
        case "range":
            written = _range(constraint)
        case "any_of":
            written = f"{constraint.field} {' or '.join(constraint.any_of.values)}"
        case "none_of":
            written = f"not {constraint.field} {' or '.join(constraint.none_of.values)}"
        case _:
            written = constraint.field
    return written if constraint.hard else f"{written} (preferred)"


def words(enum_name: str, prefix: str) -> str:
    """An enum value in words: INTENT_TYPE_PRODUCT_SEARCH is "product search"."""
    return enum_name.removeprefix(prefix).replace("_", " ").lower()


def _range(constraint: Constraint) -> str:
    bounds = constraint.range
    unit = f" {bounds.unit}" if bounds.unit else ""
    if bounds.HasField("min") and bounds.HasField("max"):
        return f"{constraint.field} {bounds.min:g} to {bounds.max:g}{unit}"
    if bounds.HasField("max"):
        return f"{constraint.field} at most {bounds.max:g}{unit}"
    return f"{constraint.field} at least {bounds.min:g}{unit}"


def _named(written: str, normalized: str) -> str:
    same = not normalized or normalized == written.casefold()
    return f"“{written}”" if same else f"“{written}” = {normalized}"


def _line(label: str, value: str) -> Text:
    return Text.assemble((f"{label}: ", "bold"), output.text(value))
