"""Facts of products, queries and pairs written from them, and the dictionary of real queries."""

# ruff: noqa: S311 - only an order that can be repeated is wanted of the generator.

import json
from pathlib import Path
from random import Random

import pytest

from services.nlu.train.cross_pairs import clicked_groups, grade, weak_groups
from services.nlu.train.english_catalogue import Good
from services.nlu.train.english_facts import fact_query, goods_queries, spread
from services.nlu.train.english_pairs import contradicts, mine
from services.nlu.train.english_phrases import PhraseBook, split_words
from services.nlu.train.english_weak import WeakLabeller

KINDS = ("mouse", "keyboard", "monitor", "printer", "camera case", "laptop bag")


def good(number: int, brand: str, kind: str, colour: str = "black") -> Good:
    model = f"m-{number}00"
    title = f"{brand.title()} {model.upper()} {kind} {colour}"
    facts = ((brand, "BRAND"), (model, "MODEL"), (kind, "PRODUCT_TYPE"), (colour, "COLOUR"))
    return Good(f"icecat/{number}", title, f"{title}. For work and play", facts)


GOODS = [good(at, f"brand{'abc'[at % 3]}", KINDS[at % 6]) for at in range(48)]


def test_phrases_are_found_longest_first_with_plurals_and_hyphens():
    book = PhraseBook([("camera", "camera"), ("camera case", "case")], with_plurals=True)
    found = book.find("two Camera-Cases and a camera")
    assert [(item.value, item.start) for item in found] == [("case", 4), ("camera", 23)]


def test_words_have_the_spans_of_the_text():
    text = "Men's t-shirt, 1.5 L"
    for word, start, end in split_words(text):
        assert text[start:end].lower() == word
    assert [word for word, _, _ in split_words(text)] == ["men's", "t", "shirt", "1.5", "l"]


def test_queries_of_a_product_say_only_what_is_known_of_it():
    for seed in range(60):
        pieces = fact_query(GOODS[0], Random(seed))
        known = {text for text, _ in GOODS[0].facts}
        assert pieces
        assert all(text in known or label == "PRODUCT_TYPE" for text, label in pieces)


def test_nothing_known_makes_no_query():
    assert fact_query(Good("x/1", "thing", "thing", (("acme", "BRAND"),)), Random(0)) == []


def test_spread_bounds_the_commonest_kind():
    many = [good(at, "brand", "cable") for at in range(300)] + [good(999, "brand", "lens")]
    kinds = [item.kind for item in spread(many, Random(0))]
    assert kinds.count("cable") == 60
    assert kinds.count("lens") == 1


def test_goods_queries_are_at_most_as_many_as_asked():
    assert len(list(goods_queries(GOODS, 10, Random(0)))) == 10


def test_another_kind_or_maker_or_model_contradicts():
    asked = GOODS[0]
    by_kind = [("brandA".lower(), "BRAND"), ("mouse", "PRODUCT_TYPE")]
    assert contradicts(good(70, "branda", "keyboard"), by_kind, asked)
    assert contradicts(good(71, "brandc", "mouse"), by_kind, asked)
    assert not contradicts(good(72, "branda", "mouse"), by_kind, asked)
    assert contradicts(good(73, "branda", "mouse"), [("m-000", "MODEL")], asked)


def test_mined_negatives_are_never_answers():
    for pair in mine(GOODS, Random(1), negatives=2):
        assert pair.other not in pair.negatives
        assert len(pair.negatives) <= 2


def test_grades_fall_with_what_is_wrong():
    asked = GOODS[0]
    query = [("branda", "BRAND"), ("black", "COLOUR"), ("mouse", "PRODUCT_TYPE")]
    right = grade(good(80, "branda", "mouse"), query, asked)
    colour = grade(good(81, "branda", "mouse", "red"), query, asked)
    maker = grade(good(82, "brandc", "mouse"), query, asked)
    kind = grade(good(83, "branda", "printer"), query, asked)
    assert right is None  # as good as the one that the query was written for
    assert colour is not None
    assert maker is not None
    assert colour > maker > 0
    assert kind == 0.0


def test_groups_are_of_one_size_with_the_answer_first():
    groups = weak_groups(GOODS, Random(2), size=4)
    assert len(groups) > 40
    for group in groups:
        assert len(group.texts) == len(group.targets) == 4
        assert group.targets[0] == 1.0
        assert max(group.targets[1:]) < 1.0


def test_clicks_answer_and_what_was_passed_over_does_not(tmp_path: Path):
    shown = {"type": "USER_EVENT_TYPE_IMPRESSION", "query": "mouse", "attributionToken": "t"}
    shown["products"] = [{"productId": str(at)} for at in (0, 1, 2)]
    click = {"type": "USER_EVENT_TYPE_CLICK", "query": "mouse", "attributionToken": "t"}
    click["products"] = [{"productId": "0"}, {"productId": "no such product"}]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(json.dumps(event) for event in (shown, click)))
    (group,) = clicked_groups(path, GOODS, Random(0), size=3)
    assert group.query == "mouse"
    assert group.texts[0] == GOODS[0].text
    assert set(group.texts[1:]) == {GOODS[1].text, GOODS[2].text}
    assert group.targets == (1.0, 0.0, 0.0)


def test_events_without_a_file_are_an_error(tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        clicked_groups(tmp_path / "none.jsonl", GOODS, Random(0), size=3)


@pytest.fixture(scope="module")
def labeller() -> WeakLabeller:
    return WeakLabeller([*GOODS, *[good(at, "zorblax", "widget press") for at in range(5)]])


def test_real_queries_are_labelled_when_every_word_is_known(labeller: WeakLabeller):
    example = labeller.label("zorblax widget press 15.6 inch")
    assert example is not None
    marked = [(example.text[s.start : s.end], s.label) for s in example.spans]
    assert marked == [("zorblax", "BRAND"), ("widget press", "PRODUCT_TYPE"), ("15.6 inch", "SIZE")]
    assert example.label == "product_search"


def test_a_brand_alone_is_a_place_to_go(labeller: WeakLabeller):
    example = labeller.label("zorblax")
    assert example is not None
    assert example.label == "navigational"


@pytest.mark.parametrize("text", ["zorblax frobnicator", "", "the", "gold"])
def test_queries_with_doubts_are_left_out(labeller: WeakLabeller, text: str):
    assert labeller.label(text) is None
