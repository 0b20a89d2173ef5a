"""Samples of reasons as one HTML file for people: the sentence, its clauses, their evidence."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from itertools import chain, zip_longest
from pathlib import Path
from typing import Final

from shared.evaluation.html_report import STYLE
from shared.evaluation.reasons.faithfulness import by_kind
from shared.evaluation.reasons.score import ReasonEvaluation, ScoredReason
from shared.text.document import title_of
from wherefore.reason.v1.reason_pb2 import Clause

SAMPLES = 100
_SEED = 20
_HERE = Path(__file__).parent
_GROUPS: Final = {
    "query": ("what was asked for", ("_match", "exclusion_met")),
    "price": ("price", ("price", "discount")),
    "review": ("reviews", ("review", "praised", "rated")),
    "you": ("what you did", ("because_you", "affinity", "bought_before", "bought_often", "yours")),
    "tie": (
        "ties to other products",
        ("together", "fits", "fitted", "goes_with", "similar", "same_"),
    ),
    "shop": ("the shop", ("popular", "in_stock", "new_arrival")),
}
"""Kinds of claims by colour: what a code of it holds. The first that fits counts."""


def render(evaluation: ReasonEvaluation, *, catalogue: str) -> str:
    """The whole page: the figures, and samples drawn at random, unsupported ones first."""
    drawn = _drawn(evaluation.scored)
    figures = "".join(
        f'<div class="card figure"><span class="soft">{escape(label)}</span><b>{value}</b></div>'
        for label, value in (
            ("reasons", f"{len(evaluation.scored):,}"),
            ("claims", f"{evaluation.claims:,}"),
            ("unsupported claims", f"{evaluation.unsupported:,}"),
            ("written by the model", f"{evaluation.model_share:.1%}"),
            ("false claims rejected", _percent(evaluation)),
        )
    )
    legend = "".join(
        f'<span class="{group}">{escape(name)}</span>' for group, (name, _) in _GROUPS.items()
    )
    style = STYLE.read_text(encoding="utf-8") + (_HERE / "samples.css").read_text(encoding="utf-8")
    script = (_HERE / "samples.js").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Reasons</title><style>{style}</style></head><body><main>"
        f"<h1>Reasons</h1><p class='soft'>{escape(catalogue)} · "
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC</p><div class='figures'>{figures}</div>"
        f"<h2>{len(drawn)} samples</h2><p class='soft'>Point at a clause for its evidence.</p>"
        f"{_bar(drawn)}<div class='legend'>{legend}</div>{''.join(map(_card, drawn))}"
        f"</main><script>{script}</script></body></html>\n"
    )


def _drawn(scored: Sequence[ScoredReason]) -> list[ScoredReason]:
    """Unsupported ones first; of the others, each language and generator in turn."""
    shuffled = random.Random(_SEED).sample(list(scored), len(scored))  # noqa: S311 - for readers
    groups: dict[tuple[bool, str, str], list[ScoredReason]] = {}
    for each in shuffled:
        key = (not each.checked.unsupported, each.given.reason.language_code, each.generator)
        groups.setdefault(key, []).append(each)
    wrong = chain.from_iterable(group for (holds, *_), group in groups.items() if not holds)
    right = zip_longest(*(group for (holds, *_), group in groups.items() if holds))
    turns = (each for turn in right for each in turn if each is not None)
    return list(chain(wrong, turns))[:SAMPLES]


def _percent(evaluation: ReasonEvaluation) -> str:
    share = evaluation.verifier.share if evaluation.verifier else None
    return "-" if share is None else f"{share:.2%}"


def _bar(drawn: Sequence[ScoredReason]) -> str:
    codes = sorted({code for each in drawn for code in each.given.reason.codes})
    choices = "".join(
        f'<label>{escape(label)} <select data-key="{key}"><option value="">all</option>'
        + "".join(f"<option>{escape(value)}</option>" for value in values)
        + "</select></label>"
        for label, key, values in (
            ("Language", "language", sorted({e.given.reason.language_code for e in drawn})),
            ("Kind", "kinds", codes),
            ("Verdict", "verdict", ["holds", "unsupported"]),
            ("Worded by", "generator", sorted({each.generator for each in drawn})),
        )
    )
    return (
        f'<div class="bar">{choices}<label>With <input type="search" data-key="text" '
        'placeholder="words"></label><output></output></div>'
    )


def _card(each: ScoredReason) -> str:
    reason, record = each.given.reason, each.given.record
    product, code = record.product, reason.language_code
    wrong = bool(each.checked.unsupported)
    price = (
        f"{product.price.amount:,.2f} {product.price.currency_code}" if product.price.amount else ""
    )
    history = ", ".join(
        f"{'bought' if seen.bought else 'looked at'} “{title_of(seen.product, code)}”"
        for seen in record.history
    )
    badges = (
        f'<span class="badge">{escape(code)}</span>'
        f'<span class="badge {each.generator}">{escape(reason.generator_version or each.generator)}'
        f'</span><span class="badge {"fails" if wrong else "holds"}">'
        f"{'unsupported' if wrong else 'holds'}</span>"
    )
    claims = "".join(
        f"<li><span class='grade {'top' if claim.supported else 'none'}'>"
        f"{'✓' if claim.supported else '✗'}</span><span>{escape(claim.text)}"
        f" <span class='soft'>{escape(', '.join(claim.causes))}</span></span></li>"
        for claim in each.checked.claims
    )
    return (
        f'<article class="card sample{" wrong" if wrong else ""}" data-language="{escape(code)}" '
        f'data-generator="{each.generator}" data-verdict="{"unsupported" if wrong else "holds"}" '
        f'data-kinds="{escape(" ".join(reason.codes))}">'
        f'<div class="top"><span class="asked">{escape(record.query)}</span>'
        f'<span class="badges">{badges}</span></div>'
        f'<p class="said" lang="{escape(code)}">{"".join(_said(each))}</p>'
        f"<p class='soft'>{escape(title_of(product, code))}"
        f"{escape(f' · {price}' if price else '')} · {escape(product.id)}</p>"
        + (f"<p class='soft'>The user {escape(history)}.</p>" if history else "")
        + f"<details{' open' if wrong else ''}><summary>{len(each.checked.claims)} claims as the "
        f"checker reads them</summary><ol>{claims}</ol></details></article>"
    )


def _said(each: ScoredReason) -> Iterator[str]:
    """The sentence, each clause with its evidence under the pointer."""
    reason = each.given.reason
    failing = {kind for kind, claim in by_kind(reason, each.checked.claims) if not claim.supported}
    at = 0
    for clause in reason.clauses:
        start = reason.text.find(clause.text, at)
        if start < 0:
            continue
        yield escape(reason.text[at:start])
        at = start + len(clause.text)
        wrong = " fails" if clause.code in failing else ""
        yield (
            f'<span class="clause {_group(clause.code)}{wrong}" tabindex="0">'
            f'{escape(clause.text)}<span class="tip" role="tooltip">'
            f"<b>{escape(clause.code)}</b>{''.join(_evidence(each, clause))}</span></span>"
        )
    yield escape(reason.text[at:])


def _evidence(each: ScoredReason, clause: Clause) -> Iterable[str]:
    for fact in each.given.reason.evidence:
        if fact.id in clause.evidence_ids:
            meets = f" meets “{fact.meets}”" if fact.meets else ""
            told = f"{fact.source}: {fact.value}{meets}, strength {fact.strength:.2f}"
            yield f"<span>{escape(told)}</span>"


def _group(code: str) -> str:
    for group, (_, parts) in _GROUPS.items():
        if any(part in code for part in parts):
            return group
    return "other"
