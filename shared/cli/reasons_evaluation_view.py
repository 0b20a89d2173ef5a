"""An evaluation of reasons, as tables for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich import box
from rich.table import Table

from shared.cli import output
from shared.evaluation.reasons.figures import document

if TYPE_CHECKING:
    from shared.evaluation.reasons.falsified import Noticed
    from shared.evaluation.reasons.score import ReasonEvaluation

SHOWN = 10
"""Unsupported claims that are printed."""


def tables(evaluation: ReasonEvaluation) -> Iterator[Table]:
    """The figures: all, by language, generator and kind, what is false, and fluency."""
    found: dict[str, Any] = document(evaluation)
    yield _figures(evaluation, found)
    yield _table(
        ("Claims of", "reasons", "claims", "unsupported", "supported"),
        [
            (name, f"{of.get('reasons', '')}", *_tally(of))
            for group in ("by_language", "by_page", "by_generator", "by_kind")
            for name, of in found[group].items()
        ],
    )
    rejected = [("checker", evaluation.checker), ("verifier", evaluation.verifier)]
    yield _table(
        ("What is false", "by", "made", "rejected"),
        [row for name, noticed in rejected if noticed for row in _rejected(name, noticed)],
    )
    if evaluation.fluency:
        yield _table(
            ("Perplexity", "by", "sentences", "as written", "shuffled", "unknown words"),
            [
                (
                    language,
                    name,
                    f"{group.sentences:,}",
                    f"{group.perplexity:.1f}",
                    f"{group.shuffled:.1f}",
                    f"{group.unknown:.1%}",
                )
                for language, groups in evaluation.fluency.items()
                for name, group in groups.items()
            ],
        )


def _figures(evaluation: ReasonEvaluation, found: dict[str, Any]) -> Table:
    rows = [
        ("reasons", f"{len(evaluation.scored):,}"),
        ("claims", f"{evaluation.claims:,}"),
        ("unsupported claims", f"{evaluation.unsupported:,}"),
        ("share unsupported is at most (95 %)", f"{found['unsupported_at_most']:.2%}"),
        ("written by the model", f"{evaluation.model_share:.1%}"),
        ("words of the query taken up", f"{found['query_coverage']:.3f}"),
        ("wishes that the product meets, named", _percent(found["wishes_named"])),
        ("different sentences on a page", f"{found['distinct_on_page']:.3f}"),
        ("most often on one page", f"{evaluation.most_repeated}"),
        ("pages with a sentence twice", f"{found['pages_with_a_repeat']:.1%}"),
        ("pages with one more than twice", f"{found['pages_with_more_than_one_repeat']:.1%}"),
        ("self-BLEU of a page", f"{found['self_bleu']:.3f}"),
        ("distinct-1, distinct-2", f"{found['distinct_1']:.3f}, {found['distinct_2']:.3f}"),
        ("pages that name the history there is", f"{found['history_named']:.1%}"),
        ("pages that name one there is not", f"{found['history_named_to_strangers']:.1%}"),
    ]
    if took := found["milliseconds_per_page"]:
        rows.append(("a page, p50 and p95, ms", f"{took['p50']:.1f}, {took['p95']:.1f}"))
    return _table(("Measure", ""), rows)


def _tally(of: dict[str, Any]) -> tuple[str, str, str]:
    return f"{of['claims']:,}", f"{of['unsupported']:,}", f"{of['faithfulness']:.2%}"


def _rejected(name: str, noticed: Noticed) -> Iterator[tuple[str, ...]]:
    for kind, made in sorted(noticed.made.items()):
        yield kind, name, f"{made:,}", f"{noticed.rejected[kind] / made:.2%}"
    yield "all", name, f"{noticed.made.total():,}", _percent(noticed.share)


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.2%}"


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for at, heading in enumerate(headings):
        shown.add_column(heading, justify="right" if at else "left")
    for row in rows:
        shown.add_row(*row)
    return shown


def unsupported(evaluation: ReasonEvaluation) -> Iterator[str]:
    """The first unsupported claims, a line each."""
    for each in evaluation.scored:
        for claim in each.checked.unsupported:
            product_id = each.given.record.product.id
            yield output.clean(
                f"unsupported ({', '.join(claim.causes)}): {claim.text}"
                f" - “{each.checked.text}”, product {product_id}"
            )


def notes(evaluation: ReasonEvaluation) -> Iterator[str]:
    """What the reader must know to trust the figures."""
    if evaluation.empty:
        yield f"{evaluation.empty} results have no reason: no evidence spoke for them"
    degraded = sum(bool(page.degraded) for page in evaluation.pages)
    if degraded:
        yield f"{degraded} of {len(evaluation.pages)} pages were answered only in part"
    for name, noticed in (("verifier", evaluation.verifier), ("checker", evaluation.checker)):
        for words in (noticed.passed if noticed else [])[:3]:
            yield output.clean(f"not rejected by the {name}: {words}")
