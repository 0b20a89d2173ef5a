"""The state of a suite as tables, for `wherefore top`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from shared.cli import output

if TYPE_CHECKING:
    from shared.cli.suite_metrics import Overview, Share

_MUCH = 0.01


def view(state: Overview) -> RenderableType:
    """Return the tables, one below the other; those without a row are left out."""
    parts = [
        _services(state),
        _methods(state),
        _shares("answered without", "share of calls", state.degraded, good=False),
        _shares("cache", "hits", state.caches, good=True),
        _named("breaker", "state", state.breakers),
        _named("models of", "in use", {k: ", ".join(v) for k, v in state.models.items()}),
    ]
    return Group(*(part for part in parts if part.row_count))


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right", no_wrap=number == 0)
    return table


def _services(state: Overview) -> Table:
    table = _table("service", "memory", "CPU", "in flight", "refused/s")
    for row in state.services:
        if not row.answers:
            table.add_row(output.text(row.service, "red"), "no metrics", "–", "–", "–")
            continue
        table.add_row(
            row.service,
            f"{row.memory_mib:.0f} MiB",
            f"{row.cpu_share:.0%}",
            str(row.in_flight),
            output.text(f"{row.shed_per_second:.1f}", "red" if row.shed_per_second else ""),
        )
    return table


def _methods(state: Overview) -> Table:
    table = _table("method", "calls/s", "p50", "p99", "errors")
    for row in state.methods:
        table.add_row(
            output.text(row.method),
            f"{row.calls_per_second:.1f}",
            _time(row.p50_ms),
            _time(row.p99_ms),
            output.text(f"{row.error_share:.1%}", "red" if row.error_share >= _MUCH else ""),
        )
    return table


def _shares(name: str, of: str, shares: Sequence[Share], *, good: bool) -> Table:
    table = _table(name, of, "a second")
    for each in shares:
        style = "" if good or each.share < _MUCH else "yellow"
        share = output.text(f"{each.share:.1%}", style)
        table.add_row(output.text(each.name), share, f"{each.per_second:.1f}")
    return table


def _named(name: str, value: str, rows: Mapping[str, str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(name, no_wrap=True)
    table.add_column(value)
    for key, told in rows.items():
        table.add_row(output.text(key), output.text(told, "red" if told == "open" else ""))
    return table


def _time(milliseconds: float | None) -> str:
    return "–" if milliseconds is None else f"{milliseconds:.1f} ms"
