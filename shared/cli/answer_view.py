"""Results, stage timings and degradations as tables and lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.cli import output
from wherefore.common.v1.diagnostics_pb2 import Degradation, DegradationCause, StageTiming
from wherefore.common.v1.product_pb2 import Price, Product
from wherefore.orchestrator.v1.result_pb2 import Result

BAR_WIDTH = 30
SHOWN_CONTRIBUTION = 0.0005
"""Contributions below this would be shown as zero."""
_CAUSES = {
    DegradationCause.DEGRADATION_CAUSE_UNSPECIFIED: "was skipped",
    DegradationCause.DEGRADATION_CAUSE_UNAVAILABLE: "could not be reached",
    DegradationCause.DEGRADATION_CAUSE_DEADLINE: "took too long",
    DegradationCause.DEGRADATION_CAUSE_OVERLOADED: "was overloaded",
    DegradationCause.DEGRADATION_CAUSE_ERROR: "failed",
    DegradationCause.DEGRADATION_CAUSE_DISABLED: "is turned off",
    DegradationCause.DEGRADATION_CAUSE_CIRCUIT_OPEN: "failed repeatedly and was not asked",
}


def results_table(results: Sequence[Result], language: str) -> Table:
    """Results with the reason under each title, and contributions where they were asked for."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("#", justify="right", no_wrap=True)
    table.add_column("Product", ratio=1, overflow="fold")
    table.add_column("Brand", max_width=16, overflow="fold")
    table.add_column("Price", justify="right", no_wrap=True)
    table.add_column("Rating", justify="right", no_wrap=True)
    table.add_column("Sure", justify="right", no_wrap=True)
    for result in results:
        product = result.product
        table.add_row(
            str(result.rank),
            _product_cell(result, language),
            output.text(product.brand),
            _price(result),
            _rating(product),
            f"{result.confidence:.0%}" if result.confidence else "",
        )
    return table


def title(product: Product, language: str) -> str:
    """Title in a language, else in English, else in any, else the id."""
    titles: Mapping[str, str] = product.titles
    for code in (language, language.split("-", maxsplit=1)[0], "en"):
        if code in titles:
            return titles[code]
    return next(iter(titles.values()), product.id)


def format_price(price: Price) -> str:
    """Price as "1,299.00 EUR"."""
    return f"{price.amount:,.2f} {price.currency_code}"


def _price(result: Result) -> str:
    """The price of the account that asks, else that of the catalogue."""
    if result.terms.HasField("unit_price"):
        return format_price(result.terms.unit_price)
    return format_price(result.product.price) if result.product.HasField("price") else ""


def _rating(product: Product) -> str:
    summary = product.review_summary
    return f"{summary.average_rating:.1f} ({summary.rating_count})" if summary.rating_count else ""


def _product_cell(result: Result, language: str) -> Text:
    cell = output.text(title(result.product, language), "bold")
    cell.append(Text.assemble("  ", output.text(result.product.id, "dim")))
    marks = [
        *(["sponsored"] if result.HasField("sponsored") else []),
        *(["pinned"] if result.pinned else []),
        *([f"moved by {result.boost:+.3f}"] if result.boost else []),
        *([f"+{result.other_variant_count} variants"] if result.other_variant_count else []),
    ]
    if marks:
        cell.append(Text.assemble("  ", output.text(", ".join(marks), "yellow")))
    if result.reason.text:
        cell.append(Text.assemble("\n", output.text(result.reason.text, "green")))
    for item in result.contributions:
        if abs(item.contribution) < SHOWN_CONTRIBUTION:
            continue
        label = item.label or item.feature
        cell.append(Text.assemble("\n", output.text(f"{item.contribution:+.3f} {label}", "dim")))
    return cell


def timings_table(timings: Sequence[StageTiming]) -> Table:
    """Stages in order with a bar each, inner stages indented."""
    table = Table(box=None, pad_edge=False, show_header=False)
    longest = max((timing.duration_nanos for timing in timings), default=0) or 1
    begins = {timing.stage: timing.start_offset_nanos for timing in timings}
    for timing in sorted(timings, key=lambda timing: _place(timing.stage, begins)):
        parts = timing.stage.split(".")
        notes = [
            f"{label} {nanos / 1e6:.1f} ms"
            for label, nanos in (
                ("queue", timing.queue_nanos),
                ("inference", timing.inference_nanos),
            )
            if nanos
        ]
        table.add_row(
            Text("  " * (len(parts) - 1) + output.clean(parts[-1])),
            Text(f"{timing.duration_nanos / 1e6:.1f} ms", justify="right"),
            Text("█" * max(1, round(BAR_WIDTH * timing.duration_nanos / longest)), style="cyan"),
            Text(", ".join(notes), style="dim"),
        )
    return table


def _place(stage: str, begins: Mapping[str, int]) -> tuple[int, str]:
    """Sorts by when the outer stage began: the clocks of inner ones are other services'."""
    return begins.get(stage.partition(".")[0], 0), stage


def degradation_lines(degraded: Sequence[Degradation]) -> Iterator[Text]:
    """What was skipped, in words."""
    for item in degraded:
        cause = _CAUSES.get(item.cause, "was skipped")
        instead = f"; instead: {item.fallback}" if item.fallback else ""
        yield output.text(f"Note: {item.stage} {cause}{instead}", "yellow")


def print_footer(
    console: Console, timings: Sequence[StageTiming], degraded: Sequence[Degradation]
) -> None:
    """Print stage timings and what was skipped."""
    console.print()
    if timings:
        console.print(timings_table(timings))
    for line in degradation_lines(degraded):
        console.print(line)
