import gzip
import json

import numpy as np
import pytest
from google.protobuf.json_format import MessageToJson

from services.ranking.clicks.measure import gains, ndcg_by_query
from services.ranking.clicks.page_log import PageLogError, read_pages, write_pages
from services.ranking.clicks.served import Left, follow, read_served
from services.ranking.clicks.table import PageTable
from services.ranking.features import FEATURES
from wherefore.common.v1.user_event_pb2 import ProductDetail, UserEvent, UserEventType
from wherefore.orchestrator.v1.search_service_pb2 import SearchResponse


def answer(token: str, *ids: str, first: int = 1, propensity: float = 0.5, told: bool = True):
    response = SearchResponse(attribution_token=token)
    response.query.query = "kettle"
    for place, id_ in enumerate(ids):
        result = response.results.add(rank=first + place, propensity=propensity)
        result.product.id = id_
        if told:
            result.contributions.add(feature="rating", value=0.25 * (place + 1))
            result.contributions.add(feature="of_another_version", value=1.0)
    return response


def event(kind: str, token: str, *ids: str) -> UserEvent:
    return UserEvent(
        type=UserEventType.Value(f"USER_EVENT_TYPE_{kind}"),
        attribution_token=token,
        products=[ProductDetail(product_id=id_) for id_ in ids],
    )


def written(path, *responses: SearchResponse):
    lines = [MessageToJson(response, indent=None) for response in responses]
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n\n").encode()))
    return path


def test_what_shoppers_did_is_tied_to_what_they_were_shown(tmp_path):
    path = written(tmp_path / "served.jsonl.gz", answer("t", "a", "b", "c"), answer("u", "a", "b"))
    events = [
        event("CLICK", "t", "b"),
        event("CART", "t", "b"),
        event("VIEW", "t", "a"),
        event("PURCHASE", "u", "b"),
        event("SEARCH", "t"),
        event("CLICK", "", "c"),  # of no answer
        event("CLICK", "elsewhere", "c"),
    ]
    left = Left()
    first, second = read_served(path, follow(events), left)
    assert first.query == "kettle"
    assert first.ids == ["a", "b", "c"]
    assert first.outcomes().tolist() == [[True, False, False], [True, True, False], [False] * 3]
    assert second.outcomes().tolist() == [[False] * 3, [True] * 3]
    assert first.features[:, FEATURES.index("rating")].tolist() == [0.25, 0.5, 0.75]
    assert first.propensities.tolist() == [0.5] * 3
    assert left.total() == 0


def test_impressions_say_how_much_was_seen(tmp_path):
    path = written(tmp_path / "served.jsonl.gz", answer("t", "a", "b", "c", "d"))
    (page,) = read_served(path, follow([event("IMPRESSION", "t", "a", "b")]), Left())
    assert page.shown.tolist() == [0, 1]
    (page,) = read_served(path, follow([event("CLICK", "t", "c")]), Left(), places=2)
    assert page.shown.tolist() == [0, 1, 2]  # what was clicked was seen
    (page,) = read_served(path, {}, Left(), places=2)
    assert page.shown.tolist() == [0, 1]
    assert len(page.features) == 4


def test_answers_that_teach_nothing_are_counted(tmp_path):
    path = written(
        tmp_path / "served.jsonl.gz",
        answer("t", "a", propensity=0.0),
        answer("u", "a", told=False),
        answer("v", "a", first=21),
        answer("w"),
    )
    left = Left()
    assert not list(read_served(path, {}, left))
    assert (left.without_propensities, left.without_features) == (1, 1)
    assert (left.further_pages, left.empty, left.total()) == (1, 1, 4)


def test_a_line_that_is_no_answer_is_named(tmp_path):
    path = tmp_path / "served.jsonl"
    path.write_text("no JSON\n")
    with pytest.raises(PageLogError, match=r"served\.jsonl:1: no SearchResponse"):
        list(read_served(path, {}, Left()))
    with pytest.raises(PageLogError, match=r"none\.jsonl"):
        list(read_served(tmp_path / "none.jsonl", {}, Left()))


def test_pages_come_back_as_they_were_written(tmp_path):
    served = written(tmp_path / "served.jsonl.gz", answer("t", "a", "b", "c"))
    pages = list(read_served(served, follow([event("CART", "t", "b")]), Left(), places=2))
    for name in ("pages.jsonl", "pages.jsonl.gz"):
        assert write_pages(pages, tmp_path / name) == 1
        (read,) = read_pages(tmp_path / name)
        assert (read.features == pages[0].features).all()
        assert (read.outcomes() == pages[0].outcomes()).all()
        assert (read.shown.tolist(), list(read.ids)) == ([0, 1], ["a", "b", "c"])
        assert read.propensities.tolist() == [0.5, 0.5]


def test_what_was_bought_was_clicked_said_or_not(tmp_path):
    path = tmp_path / "pages.jsonl"
    shown = {"id": "a", "place": 1, "propensity": 0.5, "purchased": True}
    path.write_text(json.dumps({"query": "kettle", "results": [shown]}))
    (page,) = read_pages(path)
    assert page.outcomes().tolist() == [[True, True, True]]


def test_pages_are_counted_by_product_and_query(tmp_path):
    path = written(tmp_path / "s.jsonl.gz", answer("t", "b", "a"), answer("u", "a", "b", "c"))
    pages = list(read_served(path, follow([event("CART", "u", "b")]), Left(), places=2))
    table = PageTable.of(pages)
    assert list(table.texts) == ["kettle"]
    assert table.features[:, FEATURES.index("rating")].tolist() == [0.375, 0.375, 0.75]
    clicks, carts, purchases = (log.counts()[1].sum(axis=1).tolist() for log in table.logs)
    assert (clicks, carts, purchases) == ([0, 1, 0], [0, 1, 0], [0, 0, 0])
    assert table.logs[0].counts()[0].tolist() == [[1, 1], [1, 1], [0, 0]]
    gained = gains(table, np.array([1.0, 0.5]), {"clicked": 1.0})
    assert gained[1] > gained[0]
    assert np.isnan(gained[2])  # never shown
    with pytest.raises(PageLogError):
        PageTable.of([])


def test_the_order_of_the_gains_is_the_ideal_one():
    gained = np.array([0.1, 0.4, np.nan, 0.2, 0.0, 0.0])
    query = np.array([0, 0, 0, 0, 1, 1])
    best = ndcg_by_query(np.array([1.0, 9, 5, 2, 0, 0]), gained, query)
    assert best[0] == pytest.approx(1.0)
    assert np.isnan(best[1])
    worst = ndcg_by_query(np.array([9.0, 1, 5, 2, 0, 0]), gained, query)
    by_hand = (0.1 + 0.2 / np.log2(3) + 0.4 / 2) / (0.4 + 0.2 / np.log2(3) + 0.1 / 2)
    assert worst[0] == pytest.approx(by_hand)
