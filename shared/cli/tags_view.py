"""Tags and what changed in them, for people."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cli import output

if TYPE_CHECKING:
    from services.reason.tags.differences import Differences
    from services.reason.tags.proposals import Proposal

SHOWN = 10
_SIGNS = {"added": "+", "removed": "-", "changed": "~"}


def show_run(rows: Mapping[str, Mapping[tuple[str, str], float]], version: str) -> None:
    """Prints how many tags a run gave, and the most frequent."""
    counts: dict[tuple[str, str], int] = {}
    for tags in rows.values():
        for term in tags:
            counts[term] = counts.get(term, 0) + 1
    console = output.console()
    without = sum(not tags for tags in rows.values())
    console.print(
        output.text(
            f"{sum(counts.values()):,} tags of {len(rows):,} products, {without:,} without any; "
            f"vocabulary {version}",
            "bold",
        )
    )
    for (key, value), count in sorted(counts.items(), key=lambda item: -item[1])[:SHOWN]:
        console.print(output.text(f"  {count:>6,} {key}={value}"))


def show_differences(found: Differences) -> None:
    """Prints the changes by term, most products first."""
    console = output.console()
    counts = found.counts()
    said = ", ".join(f"{sum(of.values()):,} {kind}" for kind, of in counts.items())
    products = f"{len(found.new):,} new products, {len(found.gone):,} gone"
    console.print(output.text(f"tags: {said}; {products}", "bold"))
    for kind, of in counts.items():
        for (key, value), count in of.most_common(SHOWN):
            example = next(
                c.product_id for c in found.changes if c.kind == kind and c.term == (key, value)
            )
            line = f"{_SIGNS[kind]} {key}={value}: {count:,} products, such as {example}"
            console.print(output.text(line))


def write_differences(found: Differences, path: Path) -> None:
    """Writes the changes, a line each."""
    rows = [
        {
            "product_id": change.product_id,
            "change": change.kind,
            "key": change.term[0],
            "value": change.term[1],
            "before": change.before,
            "now": change.now,
        }
        for change in found.changes
    ]
    rows += [{"product_id": each, "change": "new product"} for each in found.new]
    rows += [{"product_id": each, "change": "gone"} for each in found.gone]
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    path.write_text("".join(lines), encoding="utf-8")


def show_proposals(found: Sequence[Proposal]) -> None:
    """Prints phrases with their counts and an example."""
    console = output.console()
    for proposal in found:
        product_id, evidence = proposal.examples[0]
        console.print(
            output.text(
                f"{proposal.products:>5,} {proposal.phrase} "
                f"({' / '.join(proposal.path) or 'no category'}): "
                f"“{evidence.text}” of {product_id}"
            )
        )
    if not found:
        console.print(output.text("no phrase is shared by that many products of a category"))
