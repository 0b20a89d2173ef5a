"""The start of a suite, and the state of its processes, for people."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich import box
from rich.table import Table

from shared.cli import failures, output

if TYPE_CHECKING:
    from shared.suite import ProcessStatus

_STYLES = {"ready": "green", "running": "green", "starting": "yellow", "stopped": "dim"}


@contextmanager
def process_progress() -> Generator[Callable[[str, str], None]]:
    """Show processes as they start or stop; yields what to call with (process, state)."""
    console = output.error_console()
    if not console.is_terminal:
        yield lambda name, state: failures.say(f"{name}: {output.clean(state)}")
        return
    from rich.live import Live

    states: dict[str, str] = {}

    def table() -> Table:
        shown = Table(box=None, show_header=False, pad_edge=False)
        for name, state in states.items():
            shown.add_row(name, output.text(state, _STYLES.get(state, "")))
        return shown

    with Live(console=console, refresh_per_second=8) as live:

        def tell(name: str, state: str) -> None:
            states[name] = state
            live.update(table())

        yield tell


def status_table(rows: Sequence[ProcessStatus]) -> Table:
    """One row a process."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for heading in ("Process", "State", "Health"):
        table.add_column(heading)
    for heading in ("Port", "Pid", "Up", "Memory"):
        table.add_column(heading, justify="right")
    for row in rows:
        alive = row.state == "running"
        table.add_row(
            row.name,
            row.state,
            output.text(row.health or "–", "green" if row.health == "SERVING" else "red"),
            str(row.port),
            str(row.pid or "–"),
            duration(row.uptime_seconds) if alive else "–",
            f"{row.rss_mib:.0f} MiB" if alive else "–",
        )
    return table


def duration(seconds: float) -> str:
    """Seconds as "42 s", "3 min" or "5 h 7 min"."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min" if minutes else f"{rest} s"
