"""Explanations as text: a bar for each group of features, and words in colour."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

from rich.text import Text

from shared.cli import output
from shared.cli.answer_view import SHOWN_CONTRIBUTION, title
from wherefore.nlu.v1.match_attribution_pb2 import WordAttribution
from wherefore.orchestrator.v1.explanation_service_pb2 import (
    CrossReading,
    ProductExplanation,
    SemanticMatch,
)
from wherefore.orchestrator.v1.stock_pressure_pb2 import StockPressure, StockPressureKind

BAR_WIDTH = 24
_LEAST_SHARE = 0.02
"""Of the largest group: less is told in one sum."""
_SHOWN_EFFECT = 0.005
_SHOWN_ATTRIBUTION = 0.3
"""In log-odds: less moves a probability by under 0.08."""
_MOST_WORDS = 8


def lines(explained: ProductExplanation, language: str) -> Iterator[Text]:
    """One product: its place, what made its score, and what would have put it first.

    Bars grow to the size of the largest group; green lifts, red lowers.
    """
    explanation = explained.explanation
    head = output.text(f"{explanation.rank}. {title(explained.product, language)}", "bold")
    head.append("  ").append_text(output.text(explanation.product_id, "dim"))
    yield head
    sure = f", {explanation.confidence:.0%} sure" if explanation.confidence else ""
    yield Text(f"   score {explanation.score:.4f}{sure}")
    largest = max((abs(group.contribution) for group in explanation.groups), default=0.0)
    least = max(SHOWN_CONTRIBUTION, _LEAST_SHARE * largest)
    groups = [g for g in explanation.groups if abs(g.contribution) >= least]
    for group in groups:
        width = max(1, round(BAR_WIDTH * abs(group.contribution) / largest))
        line = Text(f"   {group.contribution:+.4f} ")
        line.append("█" * width, "green" if group.contribution > 0 else "red")
        line.append(" " * (BAR_WIDTH + 1 - width))
        parts = [p for p in group.contributions if abs(p.contribution) >= SHOWN_CONTRIBUTION]
        # A group of one feature says what the feature says.
        line.append_text(output.text(parts[0].label if len(parts) == 1 else group.label))
        if len(parts) > 1:
            said = ", ".join(f"{p.label or p.feature} {p.contribution:+.3f}" for p in parts)
            line.append(" ").append_text(output.text(f"({said})", "dim"))
        yield line
    if rest := len(explanation.groups) - len(groups):
        others = sum(g.contribution for g in explanation.groups if abs(g.contribution) < least)
        yield Text(f"   {others:+.4f} {rest} more together", "dim")
    if explained.HasField("stock_pressure"):
        yield _stock_line(explained.stock_pressure)
    if explained.HasField("semantic_match"):
        yield _match_line(explained.semantic_match)
    if explained.HasField("cross_reading"):
        yield from _reading_lines(explained.cross_reading)
    if explanation.HasField("counter_factual"):
        change = output.text(explanation.counter_factual.text, "yellow")
        yield Text("   ").append_text(change)


def _stock_line(pressure: StockPressure) -> Text:
    kind = StockPressureKind.Name(pressure.kind).removeprefix("STOCK_PRESSURE_KIND_").lower()
    said = f"{pressure.quantity:,} on hand, {pressure.daily_demand:.2f} expected to be sold a day"
    return Text(f"   {pressure.boost:+.4f} after the model, {kind.replace('_', ' ')}: {said}")


def _match_line(match: SemanticMatch) -> Text:
    line = Text(f"   in meaning {match.cosine:+.3f}:")
    for word in match.words:
        style = ""
        if abs(word.effect) >= _SHOWN_EFFECT:
            style = "green" if word.effect > 0 else "red"
        line.append(" ").append_text(output.text(f"{word.word} {word.effect:+.3f}", style))
    return line


def _reading_lines(reading: CrossReading) -> Iterator[Text]:
    """Both texts with the words that speak for a match in green and those against it in red."""
    made = reading.attribution
    yield Text(
        f"   read together: {_probability(made.logit):.0%} likely an answer; log-odds "
        f"{made.logit:+.1f}, without the query's words {made.logit_without_left:+.1f}, without the "
        f"product's {made.logit_without_right:+.1f}"
    )
    for name, text, words in (
        ("query", reading.query_text, made.left_words),
        ("product", reading.product_text, made.right_words),
    ):
        line = Text(f"     {name}: ", "dim")
        told = sorted(words, key=lambda word: -abs(word.attribution))[:_MOST_WORDS]
        marked = {
            (word.start, word.end): word
            for word in told
            if abs(word.attribution) >= _SHOWN_ATTRIBUTION
        }
        yield line.append_text(_marked(text, marked))


def _marked(text: str, words: Mapping[tuple[int, int], WordAttribution]) -> Text:
    made, at = Text(), 0
    for (start, end), word in sorted(words.items()):
        made.append(_one_line(text[at:start]))
        style = "green" if word.attribution > 0 else "red"
        made.append_text(output.text(f"{text[start:end]} {word.attribution:+.1f}", style))
        at = end
    return made.append(_one_line(text[at:]))


def _one_line(text: str) -> str:
    """As `output.clean`, blanks at the ends kept: the text goes on there."""
    return "".join(sign if sign.isprintable() else " " for sign in text)


def _probability(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-max(min(logit, 60.0), -60.0)))
