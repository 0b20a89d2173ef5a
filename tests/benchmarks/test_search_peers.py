from types import SimpleNamespace

import pytest

from benchmarks import search_peers
from shared.evaluation.rankers import PATH
from shared.evaluation.report import Ranking, score

JUDGMENTS = {"kettle": {"a": 3, "b": 1, "c": 0}, "mug": {"d": 2}}


class FakeIndex:
    """Answers as txtai does, and misses what an approximate search misses."""

    def __init__(self):
        self.ann = SimpleNamespace(config={"faiss": {"sample": 0.5}})
        self.asked = []

    def count(self):
        return 5

    def search(self, query, limit, weights):
        self.asked.append((query, limit, weights, dict(self.ann.config["faiss"])))
        whole = "nprobe" in self.ann.config["faiss"]
        found = ["x", "b", "c", "a", "d"] if whole else ["x", "b", "c"]
        return [(item, 1.0 - n / 10) for n, item in enumerate(found[:limit])]


def test_judged_products_are_looked_for_everywhere_and_the_settings_put_back():
    index = FakeIndex()
    rankings = search_peers.txtai_rankings(index, JUDGMENTS, weight=0.5)
    assert rankings["kettle"] == Ranking(["x", "b", "c"], ["b", "c", "a"])
    assert rankings["mug"].judged_only == ["d"]
    assert index.ann.config == {"faiss": {"sample": 0.5}}
    assert index.asked[0] == ("kettle", search_peers.peers.DEPTH, 0.5, {"sample": 0.5})
    assert index.asked[1] == ("kettle", 5, 0.5, {"sample": 0.5, "nprobe": 5})


def measured(order, milliseconds, throughput, memory):
    scores = score({query: Ranking(order, order) for query in JUDGMENTS}, JUDGMENTS)
    return search_peers.Measured(scores, [milliseconds] * 5, throughput, memory)


def test_ratios_are_ours_divided_by_theirs():
    ours = measured(["a", "d", "b"], 40.0, 30.0, 3_000.0)
    theirs = measured(["c", "b", "a"], 10.0, 60.0, 1_000.0)
    body = search_peers.section({PATH: ours, "txtai": theirs}, products=5, queries=2)
    row = next(line for line in body.splitlines() if line.startswith("| txtai | 2."))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    ratio = ours.scores.means()["ndcg@10"] / theirs.scores.means()["ndcg@10"]
    assert float(cells[1].split()[0]) == pytest.approx(ratio, abs=0.005)
    assert cells[3:] == ["4.0", "4.0", "0.50", "3.0"]
