"""Samples of reasons as one HTML file for people: the sentence, its claims, the product."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from html import escape

from shared.evaluation.html_report import STYLE
from shared.evaluation.reasons.score import ReasonEvaluation, ScoredReason
from shared.text.document import title_of

SAMPLES = 100
_SEED = 20


def render(evaluation: ReasonEvaluation, *, catalogue: str) -> str:
    """The whole page: the figures, what is unsupported, and samples drawn at random."""
    wrong = [each for each in evaluation.scored if each.checked.unsupported]
    drawn = random.Random(_SEED).sample(  # noqa: S311 - a draw for readers
        list(evaluation.scored), min(SAMPLES, len(evaluation.scored))
    )
    figures = "".join(
        f'<div class="card figure"><span class="soft">{escape(label)}</span><b>{value}</b></div>'
        for label, value in (
            ("reasons", f"{len(evaluation.scored):,}"),
            ("claims", f"{evaluation.claims:,}"),
            ("unsupported claims", f"{evaluation.unsupported:,}"),
            ("written by the model", f"{evaluation.model_share:.1%}"),
        )
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Reasons</title><style>{STYLE.read_text(encoding='utf-8')}</style></head><body><main>"
        f"<h1>Reasons</h1><p class='soft'>{escape(catalogue)} · "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC</p><div class='figures'>{figures}</div>"
        + (f"<h2>Unsupported</h2>{_cards(wrong)}" if wrong else "")
        + f"<h2>Samples</h2>{_cards(drawn)}</main></body></html>\n"
    )


def _cards(samples: Sequence[ScoredReason]) -> str:
    return "".join(_card(each) for each in samples)


def _card(each: ScoredReason) -> str:
    reason, record = each.given.reason, each.given.record
    title = title_of(record.product, reason.language_code)
    claims = "".join(
        f"<li><span class='grade {'top' if claim.supported else 'none'}'>"
        f"{'✓' if claim.supported else '✗'}</span><span></span><span>{escape(claim.text)}"
        f"<span class='soft'> {escape(', '.join(claim.causes))}</span></span></li>"
        for claim in each.checked.claims
    )
    evidence = "; ".join(f"{fact.code}: {fact.value}" for fact in reason.evidence)
    history = ", ".join(
        f"{'bought' if seen.bought else 'looked at'} {title_of(seen.product, reason.language_code)}"
        for seen in record.history
    )
    return (
        f"<div class='card'><p class='soft'>{escape(record.query)} → {escape(title)}</p>"
        f"<h3>{escape(reason.text)}</h3><ol>{claims}</ol>"
        f"<p class='soft'>{escape(evidence)}</p>"
        + (f"<p class='soft'>{escape(history)}</p>" if history else "")
        + "</div>"
    )
