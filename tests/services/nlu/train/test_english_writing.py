"""Words, shapes, noise and grammar: what is written keeps its spans, whatever is done to it."""

# ruff: noqa: S311 - only an order that can be repeated is wanted of the generator.

from random import Random

import pytest

from services.nlu.patterns import find_measures
from services.nlu.train import english_shapes as shapes
from services.nlu.train.english_grammar import QueryWriter, join
from services.nlu.train.english_noise import roughen, slip
from services.nlu.train.english_words import choose, expand, read_frames, read_shops
from services.nlu.train.marked_text import ENTITY_TYPES, read_line, write_line


def test_expand_writes_every_choice_out():
    assert expand("galaxy (s9|s10|) case") == ["galaxy s9 case", "galaxy s10 case", "galaxy case"]


def test_choose_takes_one_of_the_choices():
    assert {choose("(a|b) c", Random(seed)) for seed in range(20)} == {"a c", "b c"}


def test_shops_say_all_kinds_of_words():
    shops = read_shops()
    assert len({shop.name for shop in shops}) == len(shops) >= 10
    for shop in shops:
        kinds = {"type", "brand", "attribute", "material", "colour", "audience", "occasion"}
        assert kinds <= set(shop.words)
        assert shop.models
        assert not any("(" in word for words in shop.words.values() for word in words)


def test_every_size_of_a_shop_is_a_shape():
    assert {shape for shop in read_shops() for shape in shop.words["size"]} <= set(shapes.SHAPES)


@pytest.mark.parametrize("shape", sorted(shapes.SHAPES))
def test_sizes_are_written_without_signs_of_the_pattern(shape: str):
    for seed in range(25):
        pieces = shapes.size(shape, Random(seed))
        assert pieces[0][1] == "SIZE"
        assert not set("#~;|") & set("".join(text for text, _ in pieces))


def test_most_weights_are_measures_to_the_rules_as_well():
    written = [shapes.size("weight", Random(seed))[0][0] for seed in range(50)]
    assert sum(bool(list(find_measures(text))) for text in written) >= 45


def test_prices_name_an_amount_or_say_cheap():
    for seed in range(200):
        price = shapes.price(Random(seed))
        assert price.strip() == price
        assert any(sign.isdigit() for sign in price) or price.replace(" ", "").isalpha()


def test_part_numbers_hold_letters_and_digits():
    for seed in range(50):
        number = shapes.part_number(Random(seed))
        assert any(sign.isdigit() for sign in number)
        assert any(sign.isalpha() for sign in number)


def test_slip_changes_a_word_but_keeps_its_first_letter():
    words = [slip("keyboard", Random(seed)) for seed in range(40)]
    assert all(word[0] == "k" and 7 <= len(word) <= 9 for word in words)
    assert len(set(words)) > 10


def test_noise_keeps_types_and_never_touches_a_price():
    pieces = [("logitech", "BRAND"), ("keyboard", "PRODUCT_TYPE"), ("under $50", "PRICE")]
    for seed in range(100):
        rough = roughen(pieces, Random(seed))
        assert [label for _, label in rough] == ["BRAND", "PRODUCT_TYPE", "PRICE"]
        assert rough[2][0].lower() == "under $50"


def test_join_lets_signs_cling_and_counts_spans_in_the_text():
    example = join([("is the ", ""), ("galaxy  s9", "MODEL"), (" heavy ?", "")], "x")
    assert example.text == "is the galaxy s9 heavy?"
    assert [example.text[s.start : s.end] for s in example.spans] == ["galaxy s9"]


@pytest.mark.parametrize(
    ("kind", "spans"),
    [
        ("wireless mouse", [("wireless", "ATTRIBUTE"), ("mouse", "PRODUCT_TYPE")]),
        ("dog bed", [("dog", "AUDIENCE"), ("bed", "PRODUCT_TYPE")]),
        ("Gaming laptop", [("Gaming", "OCCASION"), ("laptop", "PRODUCT_TYPE")]),
        ("gaming chair", [("gaming chair", "PRODUCT_TYPE")]),
        ("catalogue", [("catalogue", "PRODUCT_TYPE")]),
        ("led", [("led", "PRODUCT_TYPE")]),
    ],
)
def test_words_of_a_type_of_their_own_come_off_the_kind(kind: str, spans: list[tuple[str, str]]):
    example = join([("new", ""), (kind, "PRODUCT_TYPE")], "product_search")
    assert [(example.text[s.start : s.end], s.label) for s in example.spans] == spans


def test_a_seed_writes_the_same_queries_and_another_seed_others():
    def write(seed: int) -> list[str]:
        writer = QueryWriter(Random(seed))
        return [writer.query().text for _ in range(30)]

    assert write(3) == write(3)
    assert write(3) != write(4)


@pytest.mark.parametrize("intent", sorted(read_frames()))
def test_sentences_are_well_formed_lines_of_the_hand_checked_form(intent: str):
    writer = QueryWriter(Random(7))
    for _ in range(150):
        example = writer.sentence(intent)
        again = read_line(write_line(example))
        assert again == example
        assert example.label == intent
        assert not set("{}|#~") & set(example.text)


def test_queries_name_every_type_of_entity():
    writer = QueryWriter(Random(1))
    found = {span.label for _ in range(400) for span in writer.query().spans}
    assert found == set(ENTITY_TYPES)


def test_what_is_compared_is_two_different_things():
    writer = QueryWriter(Random(2))
    for _ in range(100):
        example = writer.sentence("comparison")
        names = [example.text[span.start : span.end] for span in example.spans]
        assert len(set(names)) == len(names) or len(names) > 2
