"""What was written before a start counts after it."""

import time
from pathlib import Path

from services.orchestrator.choices import QueryChoices
from services.orchestrator.completion.searches import SearchCounts, entries
from services.orchestrator.event_files.store import SqliteEventStore
from services.orchestrator.events import EventLog
from services.orchestrator.experiments.book import Experiments
from services.orchestrator.popularity import Popularity
from services.orchestrator.shown import ShownPages
from services.orchestrator.tokens import TokenSigner
from tests.services.orchestrator.sponsored.no_charges import no_charges
from wherefore.common.v1 import user_event_pb2 as pb


def search(user: str, product_id: str) -> pb.UserEvent:
    event = pb.UserEvent(
        id=f"{user}-{product_id}",
        type=pb.USER_EVENT_TYPE_CLICK,
        user_id=user,
        query="desk lamp",
    )
    event.event_time.FromSeconds(int(time.time()) - 3_600)
    event.products.add(product_id=product_id, quantity=1)
    return event


async def test_searches_and_popularity_are_counted_once_each(tmp_path: Path) -> None:
    store = SqliteEventStore(tmp_path / "events.sqlite")
    await store.open()
    await store.append([search(f"u{n}", "lamp" if n else "shade") for n in range(6)])

    popularity, searches, choices = Popularity(7), SearchCounts(), QueryChoices(7)
    experiments = Experiments(None, 1.0, tmp_path / "experiments.json", str)
    signer, shown = TokenSigner(b"k" * 32), ShownPages(0, 1.0)
    log = EventLog(
        store,
        popularity,
        searches,
        choices,
        signer,
        shown=shown,
        experiments=experiments,
        charger=no_charges(tmp_path),
    )
    await log.load()
    await store.close()

    assert popularity.top(5) == ["lamp", "shade"]
    assert [(entry.text, entry.count) for entry in entries(searches.snapshot())] == [
        ("desk lamp", 6)
    ]
    assert choices.best("lamp for a desk", 5) == [("lamp", 1.0)]
