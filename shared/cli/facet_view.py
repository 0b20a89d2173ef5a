"""Facets and rules of the shop as a table and lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from shared.cli import output
from wherefore.orchestrator.v1.applied_control_pb2 import ControlAction
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse
from wherefore.retrieval.v1.facet_pb2 import Facet, FacetValue


def facets_table(facets: Sequence[Facet]) -> Table:
    """Values of each field with their numbers of products."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("Field", overflow="fold")
    table.add_column("Values", ratio=1, overflow="fold")
    table.add_column("Of products", justify="right", no_wrap=True)
    for facet in facets:
        values = ", ".join(f"{_label(value)} ({value.count})" for value in facet.values)
        more = facet.value_count - len(facet.values)
        table.add_row(
            output.text(facet.key),
            output.text(f"{values} and {more} more" if more > 0 else values),
            str(facet.counted_products),
        )
    return table


def control_lines(response: SearchResponse) -> Iterator[Text]:
    """Which rules of the shop had a part in an answer."""
    for control in response.applied_controls:
        action = ControlAction.Name(control.action).removeprefix("CONTROL_ACTION_").lower()
        count = len(control.product_ids)
        touched = f" on {count} product{'s' if count > 1 else ''}" if count else ""
        yield output.text(f"Rule {control.id}: {action}{touched}", "dim")
    if response.redirect_uri:
        yield output.text(f"The shop sends this query to {response.redirect_uri}", "yellow")


def _label(value: FacetValue) -> str:
    if not value.HasField("interval"):
        return value.label or value.value
    interval = value.interval
    low = f"{interval.min:g}" if interval.HasField("min") else ""
    high = f"{interval.max:g}" if interval.HasField("max") else ""
    if low and high:
        return f"{low} to {high}"
    return f"{low} and up" if low else f"below {high}" if high else "any"
