"""Searches become completions once enough different users made them."""

import time

import pytest

from services.orchestrator.completion import searches
from services.orchestrator.completion.catalogue import catalogue_entries
from services.orchestrator.completion.index import Source
from services.orchestrator.completion.searches import KEPT_SECONDS, SearchCounts
from wherefore.common.v1.user_event_pb2 import USER_EVENT_TYPE_SEARCH, UserEvent
from wherefore.retrieval.v1.retrieval_service_pb2 import StatsResponse, TermCount


def event(query: str, user: str, at: float | None = None) -> UserEvent:
    made = UserEvent(type=USER_EVENT_TYPE_SEARCH, user_id=user, query=query, id=f"{query}-{user}")
    made.event_time.FromSeconds(int(time.time() if at is None else at))
    return made


def told(counts: SearchCounts) -> dict[str, int]:
    return {entry.text: entry.count for entry in searches.entries(counts.snapshot())}


def test_fewer_than_five_users_are_never_told() -> None:
    counts = SearchCounts()
    for n in range(4):
        for _ in range(10):
            counts.count(event("Rare  Query", f"u{n}"))
    assert told(counts) == {}
    counts.count(event("rare query", "u4"))
    assert told(counts) == {"rare query": 5}


def test_old_searches_no_longer_count() -> None:
    counts = SearchCounts()
    for n in range(5):
        counts.count(event("lamp", f"u{n}", time.time() - KEPT_SECONDS - 60 * (n == 0)))
    assert told(counts) == {}


@pytest.mark.parametrize(
    "query", ["", "ann@example.org", "https://example.org", "order 1234 5678 90", "x" * 61]
)
def test_what_may_be_personal_is_left_out(query: str) -> None:
    counts = SearchCounts()
    for n in range(9):
        counts.count(event(query, f"u{n}"))
    assert told(counts) == {}


def test_it_forgets_the_rarest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "MAX_QUERIES", 50)
    counts = SearchCounts()
    for n in range(5):
        counts.count(event("lamp", f"u{n}"))
    for n in range(500):
        counts.count(event(f"once {n}", "u0"))
    assert told(counts) == {"lamp": 5}
    assert len(counts._users) <= 51


def test_entries_of_the_catalogue() -> None:
    stats = StatsResponse(
        product_types=[TermCount(term="Kettles", count=4)],
        brands=[TermCount(term="Acme", count=3)],
        category_counts={"Kitchen": 9},
        vocabulary=[
            TermCount(term="耳机", count=5),
            TermCount(term="acme", count=3),
            TermCount(term="steel", count=7),
            TermCount(term="xl", count=7),
            TermCount(term="17.3", count=7),
            TermCount(term="红", count=7),
        ],
    )
    assert [(e.text, e.source, e.count) for e in catalogue_entries(stats)] == [
        ("Kettles", Source.PRODUCT_TYPE, 4),
        ("Acme", Source.BRAND, 3),
        ("Kitchen", Source.CATEGORY, 9),
        ("耳机", Source.PRODUCT_TYPE, 5),
        ("steel", Source.TITLE_WORD, 7),
    ]


def test_personal_data_is_nobody_elses_query() -> None:
    counts = SearchCounts()
    for user in range(5):
        for query in ("call [phone]", "加微信号 shop_2020x", "po box 123", "steel kettle"):
            counts.count(event(query, f"u{user}"))
    assert [query for query, _ in counts.snapshot()] == ["steel kettle"]
