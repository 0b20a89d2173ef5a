"""`wherefore top`: what the suite does now."""

from __future__ import annotations

import dataclasses
import time
from typing import Annotated

from cyclopts import Parameter

from shared.cli import failures, output
from shared.cli.options import Json

_LEAST_SECONDS = 0.2


def top(
    *,
    every: Annotated[float, Parameter(name=["--every", "-n"])] = 2.0,
    once: bool = False,
    json: Json = False,
) -> int:
    """Show what the suite does now: calls, times, errors, losses, caches, breakers, models, memory.

    Reads the metrics of the services. Ends with Ctrl-C; with 3 when no service has metrics.

    For example:

        wherefore top

        wherefore top --every 5

        wherefore top --once

        wherefore top --json

    Args:
        every: Seconds between two looks; at least 0.2.
        once: Show what was counted since the start of the services, and end.
        json: Print what --once shows as JSON.
    """
    from shared.cli import suite_metrics, top_view
    from shared.suite import PortPlan

    if every < _LEAST_SECONDS:
        raise failures.CommandError(
            f"--every must be at least {_LEAST_SECONDS}", code=failures.USAGE
        )
    ports = PortPlan.fixed()
    last = suite_metrics.scrape(ports)
    if not last.services:
        raise failures.CommandError(
            "no service answers with metrics",
            hint="`wherefore up` starts a suite; METRICS_PORT of a service is 0 where it has none",
            code=failures.UNAVAILABLE,
        )
    state = suite_metrics.overview(last)
    if json:
        output.print_json(dataclasses.asdict(state))
        return failures.OK
    console = output.console()
    if once or not console.is_terminal:
        console.print(top_view.view(state))
        return failures.OK
    from rich.live import Live

    with Live(top_view.view(state), console=console, screen=True, auto_refresh=False) as live:
        while True:
            time.sleep(every)
            now = suite_metrics.scrape(ports)
            live.update(top_view.view(suite_metrics.overview(now, last)), refresh=True)
            last = now
