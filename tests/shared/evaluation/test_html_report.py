import re
from html.parser import HTMLParser

import pytest

from shared.evaluation import charts, html_report
from shared.evaluation.comparison import as_json, compare
from shared.evaluation.rankers import LEGS, PATH
from shared.evaluation.report import NDCG, Ranking, score
from shared.evaluation.search_evaluation import SearchEvaluation
from shared.evaluation.significance import Interval
from wherefore.common.v1.product_pb2 import Product

JUDGMENTS = {
    "tea <pot>": {"a": 3, "b": 1, "c": 0},
    "kettle": {"a": 0, "b": 3},
    "lost": {"c": 2},
}
VOID = {"meta"}


def evaluation():
    good = {"tea <pot>": ["a", "b", "x"], "kettle": ["b", "a"], "lost": ["x"]}
    bad = {"tea <pot>": ["c", "x", "a"], "kettle": ["a", "b"], "lost": ["c"]}
    by_system = {
        name: {query: Ranking(ids, ids) for query, ids in rankings.items()}
        for name, rankings in {PATH: good, **dict.fromkeys(LEGS, bad)}.items()
    }
    return SearchEvaluation(
        systems={name: score(rankings, JUDGMENTS) for name, rankings in by_system.items()},
        judgments=JUDGMENTS,
        failures={},
        degraded_queries={},
        condensed_queries=0,
        missing_products=0,
        rankings=by_system,
        products={
            "a": Product(id="a", titles={"en": "Round <teapot> & lid"}, brand="Acme"),
            "b": Product(id="b", titles={"zh": "水壶"}),
        },
    )


class Nesting(HTMLParser):
    """Fails where a tag is closed that is not the innermost open one."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.loaded = []

    def handle_starttag(self, tag, attrs):
        self.loaded += [value for name, value in attrs if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        """Of SVG: it opens nothing."""

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_whole_and_loads_nothing():
    page = html_report.render(evaluation(), catalogue="shop.csv", notes=["3 < 4 queries"])
    parser = Nesting()
    parser.feed(page)
    assert parser.open == []
    assert parser.loaded == []
    assert "url(" not in page
    assert "3 &lt; 4 queries" in page


def test_text_of_products_and_queries_is_escaped():
    page = html_report.render(evaluation(), catalogue="shop.csv")
    assert "Round &lt;teapot&gt; &amp; lid" in page
    assert "<teapot>" not in page
    assert "tea &lt;pot&gt;" in page
    assert "水壶" in page


def test_the_worst_query_comes_first_with_grades_beside_the_products():
    page = html_report.render(evaluation(), catalogue="shop.csv")
    titles = re.findall(r"<h3>(.*?)</h3>", page)
    assert titles[0] == "lost"
    assert set(titles) == {"lost", "kettle", "tea &lt;pot&gt;"}
    worst = page.split("<h3>lost</h3>")[1].split("<h3>")[0]
    # The path found only x, which nobody judged; the best would have been c, rated 2.
    assert worst.index('<span class="grade unjudged">?</span>') < worst.index(
        '<span class="grade some">2</span>'
    )


def test_the_comparison_counts_from_the_baseline():
    found = compare(evaluation().systems, PATH)
    one = found["dense"][NDCG]
    path, dense = (evaluation().systems[name].means()[NDCG] for name in (PATH, "dense"))
    assert one.difference.interval.mean == pytest.approx(path - dense)
    assert found[PATH][NDCG].difference.interval.mean == 0
    assert found[PATH][NDCG].difference.p == 1
    document = as_json(found, evaluation().systems, PATH)
    assert set(document["path_against"]) == set(LEGS)
    assert document["ndcg@10_by_query"]["lost"] == {PATH: 0.0, **dict.fromkeys(LEGS, 1.0)}
    low, high = document["confidence_intervals"]["path"][NDCG]
    assert low <= path <= high


def test_bars_are_as_long_as_their_means():
    drawn = charts.interval_bars({"one": Interval(0.5, 0.4, 0.6), "two": Interval(1, 1, 1)}, "x")
    widths = [float(w) for w in re.findall(r'<rect [^>]*width="([\d.]+)"', drawn)]
    assert widths[0] * 2 == pytest.approx(widths[1])


def test_differences_stand_on_their_side_of_the_line():
    drawn = charts.difference_bars([("up", 0.5), ("same", 0.0), ("down", -0.5)], "x")
    bars = re.findall(r'<rect class="(\w+)" x="[\d.]+" y="([\d.]+)" .*?<title>(\w+):', drawn)
    assert [(kind, float(y), name) for kind, y, name in bars] == [
        ("gain", 55.0, "up"),
        ("loss", 100.0, "same"),
        ("loss", 100.0, "down"),
    ]
