"""Typing errors: their kinds, and the cheapest explanation of a word."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA

from services.nlu.typing_errors import ErrorKind, ErrorModel

FLAT = ErrorModel(dict.fromkeys(ErrorKind, 1.0))
WORDS = st.text("abcdefgh", min_size=1, max_size=7)


@pytest.mark.parametrize(
    ("meant", "typed", "kind"),
    [
        ("keyboard", "keybaord", ErrorKind.SWAPPED),
        ("gaming", "gamming", ErrorKind.DOUBLED),
        ("coffee", "cofee", ErrorKind.UNDOUBLED),
        ("monitor", "monutor", ErrorKind.VOWEL),
        ("laptop", "lapyop", ErrorKind.NEAR_KEY),
        ("laptop", "laptolp", ErrorKind.EXTRA_NEAR),
        ("laptop", "laptqop", ErrorKind.EXTRA),
        ("laptop", "laztop", ErrorKind.OTHER),
        ("headphones", "headfones", ErrorKind.SOUND),
        ("clock", "clok", ErrorKind.SOUND),
        ("headphones", "headphnes", ErrorKind.MISSED_VOWEL),
        ("wireless", "wirless", ErrorKind.MISSED_VOWEL),
        ("router", "rouer", ErrorKind.MISSED),
    ],
)
def test_one_error_is_named(meant: str, typed: str, kind: ErrorKind) -> None:
    assert FLAT.explain(meant, typed).errors == (kind,)


def test_the_cheapest_explanation_wins() -> None:
    dear_swap = ErrorModel({**FLAT.costs, ErrorKind.SWAPPED: 9.0})
    assert len(dear_swap.explain("form", "from").errors) == 2


def test_an_error_at_the_first_letter_costs_more() -> None:
    watched = ErrorModel(FLAT.costs, first_letter=2.0)
    first, later = watched.explain("mouse", "nouse"), watched.explain("mouse", "mouze")
    assert (first.first, first.cost) == (True, 3.0)
    assert (later.first, later.cost) == (False, 1.0)


@settings(deadline=None)
@given(WORDS, WORDS)
def test_cost_and_errors_go_together(meant: str, typed: str) -> None:
    found = FLAT.explain(meant, typed)
    assert found.cost == len(found.errors)
    assert (found.cost == 0) == (meant == typed)
    assert len(found.errors) <= OSA.distance(meant, typed)
