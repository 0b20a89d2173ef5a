"""The file of campaigns: what it may hold, and what is told of one that is wrong."""

import pytest

from services.orchestrator.sponsored.__main__ import main
from services.orchestrator.sponsored.campaigns import read_campaigns
from shared.yaml_file import YamlFileError

GOOD = """
currency: EUR
serving_configs: [search]
positions: [1, 5]
reserve: 0.05
campaigns:
  - {id: cups, products: [cup, mug, cup], bid: 0.4, daily_budget: 20}
  - {id: mugs, products: [mug], bid: 0.255, daily_budget: 5, until: 2027-01-01T00:00:00Z}
"""


def write(tmp_path, text):
    path = tmp_path / "campaigns.yaml"
    path.write_text(text, "utf-8")
    return path


def test_campaigns_are_found_by_product(tmp_path, capsys):
    path = write(tmp_path, GOOD)
    found = read_campaigns(path)
    assert [each.id for each in found.of("mug")] == ["cups", "mugs"]
    assert [each.id for each in found.of("cup")] == ["cups"]
    assert found.of("lamp") == []
    assert found.by_id["mugs"].bid_micros == 255_000
    assert (found.file.reserve_micros, found.file.min_confidence) == (50_000, 0.5)
    assert main(["--check", str(path)]) == 0
    assert capsys.readouterr().out == "2 campaigns\n"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("currency: EUR", "currency: euro", "currency"),
        ("currency: EUR", "", "currency: Field required"),
        ("positions: [1, 5]", "positions: [5, 1]", "positions must rise"),
        ("positions: [1, 5]", "positions: []", "positions"),
        ("positions: [1, 5]", "positions: [1, 2, 3, 4, 5]", "positions"),
        ("[search]", "[for-you]", "serving_configs.0"),
        ("reserve: 0.05", "reserve: 0", "reserve"),
        ("reserve: 0.05", "reserve: .nan", "reserve"),
        ("reserve: 0.05", "min_confidence: 0", "min_confidence"),
        ("id: mugs", "id: cups", "'cups' is there twice"),
        ("id: mugs", "id: A B", "campaigns.1.id"),
        ("bid: 0.4", "bid: 40", "bid must not be above daily_budget"),
        ("bid: 0.4", "bid: -1", "campaigns.0.bid"),
        ("bid: 0.4", "bid: 0.0000001", "campaigns.0.bid"),
        ("products: [mug]", "products: []", "campaigns.1.products"),
        ("2027-01-01T00:00:00Z", "2027-01-01T00:00:00", "timezone"),
        ("daily_budget: 5,", "budget: 5,", "campaigns.1.daily_budget"),
        ("campaigns:", "campaigns: [", "campaigns.yaml"),
    ],
)
def test_what_is_wrong_is_told(tmp_path, old, new, said, capsys):
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(YamlFileError, match=said):
        read_campaigns(path)
    assert main(["--check", str(path)]) == 1
    assert "campaigns.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "- a\n", "a: &a [*a]\n", "\x00"])
def test_what_is_no_such_file_is_refused(tmp_path, text):
    with pytest.raises(YamlFileError):
        read_campaigns(write(tmp_path, text))
    with pytest.raises(YamlFileError, match="No such file"):
        read_campaigns(tmp_path / "none")
