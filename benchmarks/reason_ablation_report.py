"""Figures of what the constraint of reasons is worth, as the section of RESULTS.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from benchmarks import report

COMMAND: Final = "python -m benchmarks.reason_ablation"
LANGUAGES: Final = {"en": "English", "zh": "Chinese"}


@dataclass(frozen=True, slots=True)
class Row:
    """Figures of one way of wording."""

    name: str
    reasons: int
    claims: int
    unsupported: int
    rejected: float
    """Share of the reasons as written that are not whole, or hold a clause the verifier rejects."""
    perplexity: dict[str, float]
    distinct_1: float
    distinct_2: float
    words: float
    milliseconds: float
    examples: Sequence[str]
    """What the checker finds unsupported."""


def section(rows: Sequence[Row], pages: int, data: str) -> str:
    """The section of RESULTS.md."""
    shown = [
        [
            row.name,
            f"{row.claims - row.unsupported:,} / {row.claims:,}",
            f"{row.unsupported / max(1, row.claims):.2%}",
            f"{row.rejected:.1%}",
            *(f"{row.perplexity.get(code, float('nan')):.0f}" for code in LANGUAGES),
            f"{row.distinct_1:.3f} / {row.distinct_2:.3f}",
            f"{row.words:.1f}",
            f"{row.milliseconds:.0f}" if row.milliseconds else "",
        ]
        for row in rows
    ]
    headings = [
        "worded by the model with",
        "claims supported",
        "unsupported",
        "reasons rejected",
        *(f"perplexity, {name}" for name in LANGUAGES.values()),
        "distinct-1 / -2",
        "words",
        "ms a page",
    ]
    return "\n\n".join(
        (
            "## What the constraint of reasons is worth",
            report.provenance(COMMAND, data),
            report.table(headings, shown),
            f"{pages} pages of products that the model was not trained on, searched by a\n"
            "visitor nobody knows and by a user with a history, and recommended; the same\n"
            "evidence, weights and seeds in all rows. \"Rejected\" are reasons as they were\n"
            "written that find no end, name evidence or a slot that they were not given, or\n"
            "hold a clause that the verifier refuses; where there is a verifier, the\n"
            "template answers for these, and the other columns are of what is shown then.\n"
            "The vocabulary that is served holds words of our wordings alone, and values\n"
            "are slots in all rows: \"neither\" is a model without masks, not one that could\n"
            "write any number it likes. Perplexity is that of `wherefore eval reasons`; ms\n"
            "are of decoding, one thread.",
        )
    )  # fmt: skip
