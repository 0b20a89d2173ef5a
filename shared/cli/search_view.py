"""A page of a search for people: what was understood, the products, and what else is to be said."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from shared.cli import answer_view, facet_view, output, query_view
from wherefore.common.v1.diagnostics_pb2 import Degradation, StageTiming
from wherefore.orchestrator.v1.search_service_pb2 import ReasonWriters, SearchResponse


def print_head(console: Console, page: SearchResponse) -> None:
    """Print how the query was read, and what became of its conditions."""
    for line in query_view.lines(page.query):
        console.print(line)
    if page.applied_filter:
        console.print(output.text(f"Filter: {page.applied_filter}"))
    for relaxed in page.relaxed_constraints:
        console.print(output.text(f"Nothing met “{relaxed}”, so it was given up.", "yellow"))
    console.print()


def print_results(console: Console, page: SearchResponse, language: str) -> None:
    """Print the products with the reasons that they have."""
    if page.results:
        console.print(answer_view.results_table(page.results, language))
    else:
        console.print("Nothing found.")


def print_foot(
    console: Console,
    page: SearchResponse,
    timings: Sequence[StageTiming],
    degraded: Sequence[Degradation],
) -> None:
    """Print facets, rules of the shop, times, what was skipped, and how to read on."""
    if page.facets:
        console.print(facet_view.facets_table(page.facets))
    for line in facet_view.control_lines(page):
        console.print(line)
    answer_view.print_footer(console, timings, degraded)
    if page.next_page_token:
        total = f" of about {page.estimated_total}" if page.estimated_total >= 0 else ""
        last = page.results[-1].rank if page.results else 0
        console.print(output.text(f"{last}{total} shown"))
        # On a line of its own and unwrapped, to be copied.
        console.print(output.text(f"more: --page-token {page.next_page_token}"), soft_wrap=True)


def writers_line(writers: ReasonWriters) -> str:
    """Who wrote the reasons, such as "8 by the model, 2 of them kept; 2 by templates"."""
    kept = f", {writers.cached_count} of them kept" if writers.cached_count else ""
    return (
        f"Reasons: {writers.model_count} by the model{kept}; {writers.template_count} by templates"
    )
