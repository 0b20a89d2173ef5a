"""Mistyped words of conditions: what stands behind them decides."""

import pytest

from services.nlu.condition_words import correct_condition
from services.nlu.understanding import QueryReader


@pytest.mark.parametrize(
    ("typed", "after", "meant"),
    [
        ("undr", " 300", "under"),
        ("undre", " $50", "under"),
        ("betwen", " 20 and 30", "between"),
        ("arond", " 100 euros", "around"),
        ("ovr", " 20", "over"),
        ("les", " than 20", "less"),
        ("withot", " leather", "without"),
    ],
)
def test_is_read_from_what_follows(typed: str, after: str, meant: str) -> None:
    found = correct_condition(typed, after)
    assert found
    assert found[0] == meant
    assert 0.8 <= found[1] < 1


@pytest.mark.parametrize(
    ("typed", "after"),
    [("undr", " armour"), ("undr", ""), ("betwen", " friends"), ("xx", " 20"), ("sony", " 300")],
)
def test_is_nothing_elsewhere(typed: str, after: str) -> None:
    assert correct_condition(typed, after) is None


def test_a_mistyped_limit_limits_the_price(reader: QueryReader) -> None:
    understanding = reader.read("keyboard undr 300")
    assert understanding.filter == reader.read("keyboard under 300").filter != ""
    assert understanding.search_text == "keyboard"


def test_a_word_that_the_catalogue_holds_stays(reader: QueryReader) -> None:
    assert reader.read("toner 300").corrections == ()
