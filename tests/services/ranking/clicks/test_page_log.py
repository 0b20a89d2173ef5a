import gzip
import json

import pytest

from services.ranking.clicks.page_log import PageLogError, read_pages
from services.ranking.features import FEATURES


def page(*results: dict[str, object], query: str = "kettle") -> str:
    return json.dumps({"query": query, "results": results}) + "\n"


SHOWN = {"id": "a", "place": 1, "propensity": 0.5}


def test_pages_are_read_in_the_order_of_places(tmp_path):
    path = tmp_path / "log.jsonl.gz"
    second = {"id": "b", "place": 2, "propensity": 0.25, "clicked": True}
    lines = page(
        second, SHOWN | {"features": {"rating": 0.75}}, {"id": "c", "features": {"stock": 1}}
    )
    path.write_bytes(gzip.compress(lines.encode() + b"\n"))
    (read,) = read_pages(path)
    assert read.query == "kettle"
    assert read.shown.tolist() == [1, 0]
    assert read.propensities.tolist() == [0.5, 0.25]
    assert read.clicked.tolist() == [False, True]
    assert read.features[:, FEATURES.index("rating")].tolist() == [0, 0.75, 0]
    assert read.features[:, FEATURES.index("stock")].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("no json\n", "Invalid JSON"),
        (page(SHOWN, query=""), "query"),
        (page({"id": "a", "place": 1}), "without a propensity"),
        (page({"id": "a", "place": 1, "propensity": 0.0}), "greater than 0"),
        (page({"id": "a", "place": 2, "propensity": 0.5}), "places must be"),
        (page(SHOWN, SHOWN | {"place": 2}), "there twice"),
        (page({"id": "a"}), "places must be"),
        (page(SHOWN, {"id": "b", "clicked": True}), "clicked without a place"),
        (page(SHOWN | {"features": {"colour": 1}}), "unknown features: colour"),
        (page(SHOWN | {"features": {"rating": "x"}}), "valid number"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, line, said):
    path = tmp_path / "log.jsonl"
    path.write_text(page(SHOWN) + line)
    with pytest.raises(PageLogError, match=said) as caught:
        list(read_pages(path))
    assert f"{path}:2: " in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(PageLogError, match="none"):
        list(read_pages(tmp_path / "none.jsonl"))
