"""Entities: who recognised what, and what stays unrecognised."""

import pytest

from services.nlu.domain import EntityType
from services.nlu.understanding import QueryReader

T = EntityType


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (
            "Sony headphones",
            [(T.BRAND, "sony", "catalogue"), (T.PRODUCT_TYPE, "headphones", "catalogue")],
        ),
        ("索尼耳机", [(T.BRAND, "sony", "catalogue"), (T.PRODUCT_TYPE, "headphones", "lexicon")]),
        ("耐克跑鞋", [(T.BRAND, "nike", "lexicon"), (T.PRODUCT_TYPE, "sneakers", "lexicon")]),
        (
            "bean & leaf tea",
            [(T.BRAND, "bean & leaf", "catalogue"), (T.PRODUCT_TYPE, "tea", "lexicon")],
        ),
        ("gooseneck kettles", [(T.PRODUCT_TYPE, "gooseneck kettle", "catalogue")]),
        ("brother tn-2110", [(T.BRAND, "brother", "catalogue"), (T.MODEL, "tn-2110", "catalogue")]),
        ("wh-1000xm4", [(T.MODEL, "wh-1000xm4", "pattern")]),
        ("iphone 11 pro", [(T.MODEL, "iphone 11 pro", "pattern")]),
        ("black boots", [(T.COLOUR, "black", "lexicon"), (T.PRODUCT_TYPE, "boots", "lexicon")]),
        (
            "纯棉儿童袜子",
            [
                (T.MATERIAL, "cotton", "lexicon"),
                (T.AUDIENCE, "kids", "lexicon"),
                (T.PRODUCT_TYPE, "socks", "lexicon"),
            ],
        ),
        ("15.6 inch", [(T.SIZE, "15.6 inch", "pattern")]),
        ("4-6寸", [(T.SIZE, "4-6 寸", "pattern")]),
        ("500ml", [(T.SIZE, "500 ml", "pattern")]),
        ("size xl", [(T.SIZE, "xl", "pattern")]),
        ("42码", [(T.SIZE, "42", "pattern")]),
        ("防水", [(T.ATTRIBUTE, "waterproof", "lexicon")]),
        ("birthday", [(T.OCCASION, "birthday", "lexicon")]),
        ("under 20", [(T.PRICE, "..20", "pattern")]),
    ],
)  # fmt: skip
def test_recognises(
    reader: QueryReader, query: str, expected: list[tuple[EntityType, str, str]]
) -> None:
    found = [(e.type, e.normalized, e.source) for e in reader.read(query).entities]
    assert found == expected


@pytest.mark.parametrize("query", ["4k", "5g", "usb-3.0", "ddr4", "1080p", "16gb", "mp3", "2-in-1"])
def test_standards_are_no_models(reader: QueryReader, query: str) -> None:
    assert T.MODEL not in {entity.type for entity in reader.read(query).entities}


def test_without_a_catalogue_nothing_is_said_to_come_from_it(bare_reader: QueryReader) -> None:
    understanding = bare_reader.read("sony headphones tn-2110 under 20")
    assert {entity.source for entity in understanding.entities} == {"lexicon", "pattern"}


def test_expansions_bridge_the_languages(reader: QueryReader) -> None:
    chinese = {(item.term, item.expansion) for item in reader.read("无线鼠标").expansions}
    assert {("无线", "wireless"), ("鼠标", "mouse")} <= chinese
    english = {(item.term, item.expansion) for item in reader.read("wireless mouse").expansions}
    assert {("wireless", "无线"), ("mouse", "鼠标")} <= english


@pytest.mark.parametrize(
    ("query", "gloss"),
    [
        ("藏青色男士t恤 nike", "navy men t-shirt nike"),
        ("500元以下的无线鼠标", "wireless mouse"),
        ("不要黑色的水壶", "kettle"),
        ("奇怪的东西", "奇怪的东西"),
        ("wireless mouse", "wireless mouse"),
    ],
)
def test_an_english_encoder_reads_an_english_gloss(
    reader: QueryReader, query: str, gloss: str
) -> None:
    assert reader.read(query).embedding_text == gloss


def test_a_multilingual_encoder_reads_the_query(reader: QueryReader) -> None:
    anyone = QueryReader(reader.terms, frozenset({"*"}))
    assert anyone.read("藏青色男士t恤").embedding_text == "藏青色男士t恤"
