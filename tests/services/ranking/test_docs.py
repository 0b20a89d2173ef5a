import re
from pathlib import Path

from services.ranking.features import FEATURES

DOCS = Path(__file__).parents[3] / "docs" / "ranking.md"


def test_the_documented_weights_are_those_that_rank(weights):
    rows = re.findall(
        r"^\| `(\w+)` \|.*\| (-?[\d.]+) \| (-?[\d.]+) \|[^|]*\|$", DOCS.read_text(), re.MULTILINE
    )
    assert [name for name, _, _ in rows] == list(FEATURES)
    for name, search, recommend in rows:
        assert float(search) == weights.serving["search"].weights.get(name, 0.0), name
        assert float(recommend) == weights.serving["recommend"].weights.get(name, 0.0), name
