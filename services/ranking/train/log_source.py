"""Where pages to learn from come from: page logs, or answers and events of a shop."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import grpc

from services.ranking.clicks.page_log import LoggedPage, PageLogError
from services.ranking.clicks.served import Left, follow, read_served
from services.ranking.deep.impressions import read_share, shards
from shared.distributed import Processes
from wherefore.common.v1.user_event_pb2 import UserEvent
from wherefore.orchestrator.v1.event_log_service_pb2 import FollowRequest
from wherefore.orchestrator.v1.event_log_service_pb2_grpc import EventLogServiceStub

_LONGEST_SECONDS: Final = 600.0


def logged_pages(logs: Path, processes: Processes) -> list[LoggedPage]:
    """Reads this process's share of page logs.

    Raises:
        PageLogError: A file cannot be read, or a line is wrong.
    """
    return list(read_share(shards(logs), processes.rank, processes.count))


def served_pages(
    served: Path, events: Iterable[UserEvent], places: int, processes: Processes
) -> tuple[list[LoggedPage], Left]:
    """Joins this process's share of answers with events.

    Raises:
        PageLogError: A file cannot be read, or a line is wrong.
    """
    left = Left()
    followed = follow(events)
    pages: list[LoggedPage] = []
    number = 0
    for file in shards(served):
        for page in read_served(file, followed, left, places=places):
            if number % processes.count == processes.rank:
                pages.append(page)
            number += 1
    return pages, left


def read_event_file(path: Path) -> Iterator[UserEvent]:
    """Reads events as `wherefore events import` does.

    Raises:
        PageLogError: It cannot be read, or a line is no event.
    """
    from shared.cli.event_file import read_events

    try:
        for row in read_events(path):
            if row.event is None:
                raise PageLogError(f"{path}:{row.line}: {row.error}")
            yield row.event
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise PageLogError(f"{path}: {error}") from error


def follow_suite(target: str, seconds: float = _LONGEST_SECONDS) -> Iterator[UserEvent]:
    """Reads the log of events of a running suite, up to its end as it is now.

    Args:
        target: HOST:PORT of the orchestrator.
        seconds: Longest time for all of it.

    Raises:
        grpc.RpcError: It does not answer, or not in time.
    """
    with grpc.insecure_channel(target) as channel:
        stream = EventLogServiceStub(channel).Follow(FollowRequest(), timeout=seconds)
        for response in stream:
            yield from response.events
            if response.sequence >= response.last_sequence:
                stream.cancel()
                return
