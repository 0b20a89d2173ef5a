"""What slots earn and cost, on pages made up for it."""

import pytest

from benchmarks.sponsored import Page, earned
from wherefore.orchestrator.v1.result_pb2 import Result

pytestmark = pytest.mark.asyncio


def page(name):
    """Best first, of which ranking is surer the higher they stand."""
    results = []
    for place in range(30):
        result = Result(score=30.0 - place, confidence=0.95 - 0.02 * place)
        result.product.id = f"{name}{place}"
        results.append(result.SerializeToString())
    return Page({f"{name}{place}": 3 - place for place in range(3)}, results)


async def test_more_slots_earn_more_and_cost_relevance(tmp_path):
    pages = [page("a"), page("b")]
    told = [await earned(pages, each, 0.4, tmp_path) for each in ((), (1,), (1, 3))]
    assert (told[0].revenue, told[0].shown, told[0].ndcg) == (0.0, 0.0, 1.0)
    assert 0 < told[1].revenue <= told[2].revenue
    assert 0 < told[1].shown <= 1 < told[2].shown <= 2
    assert 1.0 > told[1].ndcg >= told[2].ndcg > 0
    strict = await earned(pages, (1, 3), 0.9, tmp_path)
    assert strict.shown < told[2].shown
    assert strict.ndcg > told[2].ndcg
