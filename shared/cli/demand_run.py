"""Runs of `wherefore demand`: the history of sales, and forecasts made by several processes."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import aclosing
from datetime import date
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from shared.cli import failures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from shared.demand.forecast import Forecast
    from shared.demand.forecaster import Field
    from shared.demand.history import DemandHistory

    Series = tuple[str, NDArray[np.float64]]

BATCH = 50
"""Products that a process forecasts at a time."""
SHOWN_ERRORS = 5


def read_history(
    events: Path | None, until: date | None, target: str | None, timeout: float
) -> DemandHistory:
    """Returns what was sold, by a file of events or by the log of the running suite.

    Args:
        events: The file; None for the log.
        until: First day that is left out; the day of the last event when None.
        target: Of the suite.
        timeout: Seconds that reading the log may take.

    Raises:
        CommandError: The file cannot be read, or holds no purchase.
    """
    from shared.demand.history import DemandCounter

    counter = DemandCounter()
    if events is None:
        asyncio.run(_count_log(counter.add, target, timeout))
    else:
        _count_file(counter.add, events)
    history = counter.history(until)
    if not history.units:
        raise failures.CommandError(f"no purchase before {history.until}")
    return history


def _count_file(add: Callable[..., None], path: Path) -> None:
    from shared.cli.event_file import read_events

    refused = 0
    try:
        for row in read_events(path):
            if row.event is not None:
                add(row.event)
                continue
            refused += 1
            if refused <= SHOWN_ERRORS:
                failures.say(f"{path.name}, line {row.line}: {row.error}")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise failures.CommandError(f"cannot read {path}: {error}", code=failures.USAGE) from error
    if refused:
        failures.say(f"{refused:,} lines are no events and were left out")


async def _count_log(
    add: Callable[..., None],
    target: str | None,
    timeout: float,  # noqa: ASYNC109 - a gRPC deadline, kept by the call itself
) -> None:
    from shared.cli.connection import connect
    from shared.cli.event_log import log_pieces
    from wherefore.common.v1.user_event_pb2 import DATA_PURPOSE_ANALYTICS

    async with (
        connect(target) as channel,
        aclosing(log_pieces(channel, DATA_PURPOSE_ANALYTICS, timeout)) as pieces,
    ):
        async for piece in pieces:
            for event in piece.events:
                add(event)


def identity(history: DemandHistory) -> str:
    """Returns what tells one history of sales from another."""
    digest = hashlib.blake2b(digest_size=12)
    for product_id in sorted(history.units):
        digest.update(product_id.encode())
        digest.update(history.units[product_id].tobytes())
    return digest.hexdigest()


def forecast_all(
    series: Sequence[Series], horizon: int, field: Field, jobs: int
) -> Iterator[Sequence[Forecast]]:
    """Yields forecasts in batches, in the order of the products."""
    batches = iter([series[at : at + BATCH] for at in range(0, len(series), BATCH)])
    if jobs == 1 or len(series) <= BATCH:
        for batch in batches:
            yield _forecast_batch(batch, horizon, field)
        return
    with ProcessPoolExecutor(jobs) as pool:

        def submit(batch: Sequence[Series]) -> Future[Sequence[Forecast]]:
            return pool.submit(_forecast_batch, batch, horizon, field)

        # No more than are wanted soon: whoever stops must not wait for all of them.
        waiting = [submit(batch) for batch in islice(batches, 2 * jobs)]
        while waiting:
            yield waiting.pop(0).result()
            waiting += [submit(batch) for batch in islice(batches, 1)]


def _forecast_batch(batch: Sequence[Series], horizon: int, field: Field) -> Sequence[Forecast]:
    from shared.demand.forecaster import forecast_product

    return [forecast_product(product_id, units, horizon, field) for product_id, units in batch]
