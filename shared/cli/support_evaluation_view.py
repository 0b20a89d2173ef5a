"""How `wherefore eval support` looks in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rich.table import Table

_ROWS = (
    ("requests_en", "English requests, right template first", "right_at_rank_1"),
    ("requests_en", "English requests answered", "answered"),
    ("requests_en", "right, of those", "right_of_answered"),
    ("requests_zh", "Chinese requests, right template first", "right_at_rank_1"),
    ("requests_zh", "Chinese requests answered", "answered"),
    ("requests_zh", "right, of those", "right_of_answered"),
    ("out_of_scope", "questions of nobody's handed over", "handed_over"),
    ("products", "product questions answered", "answered"),
    ("products", "answers that cite evidence", "answers_that_cite"),
    ("products", "about the right product", "right_product"),
    ("products", "about the field asked for", "right_field"),
    ("products", "unsupported claims", "unsupported_claims"),
)


def table(document: Mapping[str, object]) -> Table:
    """Return the figures as a table.

    Args:
        document: `SupportEvaluation.as_json()`.
    """
    shown = Table("what", "of", "figure", title=f"{document['templates']} templates")
    for part, label, key in _ROWS:
        figures = cast("Mapping[str, Any]", document[part])
        count = figures.get("requests", figures.get("questions"))
        value = figures[key]
        figure = str(value) if isinstance(value, int) else f"{value:.1%}"
        shown.add_row(label, str(count), figure)
    for part, label in (("requests_en", "template"), ("products", "generated")):
        times = cast("Mapping[str, Any]", document[part])["latency_ms"]
        if times:
            told = f"{times['p50']:.0f} ms, {times['p99']:.0f} ms"
            shown.add_row(f"answer, {label}: p50, p99", "", told)
    return shown
