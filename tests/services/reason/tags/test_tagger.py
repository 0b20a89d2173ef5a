import pytest

from services.reason.tags.builder import default_vocabulary
from services.reason.tags.tagger import Method, Tagger
from tests.services.reason.tags.conftest import product_of


def tags_of(vocabulary, least=None, language="en", **fields):
    found = Tagger(vocabulary).tag(product_of(**fields), language, least)
    return {(tag.term.key, tag.term.value): tag for tag in found}


def test_spans_quote_the_text_in_both_languages(vocabulary):
    titles = {"en": "A black T-shirt of organic cotton", "zh": "👕黑色纯棉T恤，透气"}
    found = tags_of(vocabulary, titles=titles, least=0)
    assert set(found) == {
        ("colour", "black"),
        ("material", "organic cotton"),
        ("material", "cotton"),
        ("selling_point", "breathable"),
    }
    for tag in found.values():
        assert 0 < tag.confidence < 1
        for evidence in tag.evidence:
            text = titles[evidence.source.removeprefix("titles.")]
            assert text[evidence.start : evidence.end] == evidence.text
    assert [e.text for e in found["colour", "black"].evidence] == ["black", "黑色"]
    # "organic cotton" is no mention of cotton; 纯棉 is.
    assert [e.text for e in found["material", "cotton"].evidence] == ["纯棉"]


@pytest.mark.parametrize("text", ["It is not waterproof.", "这款不防水。", "Is waterproof: no"])
def test_what_is_denied_gives_no_tag(vocabulary, text):
    assert not tags_of(vocabulary, descriptions={"en": text}, least=0)


def test_a_term_applies_under_its_categories_alone(vocabulary):
    titles = {"en": "Slim"}
    within = ["Clothes", "Trousers", "Jeans"]
    assert ("fit", "Slim") in tags_of(vocabulary, titles=titles, category_path=within, least=0)
    assert not tags_of(vocabulary, titles=titles, category_path=["Phones"], least=0)


@pytest.mark.parametrize(
    ("text", "points", "label"),
    [
        ("保温十二小时的保温杯，杯盖显示水温。", {"insulated"}, "保温"),
        ("Vacuum insulated steel bottle", {"insulated"}, "insulated"),
        ("带加厚电脑隔层，可放15.6英寸电脑。", {"thick"}, "加厚"),
        ("抓绒内里，更保暖。", {"warm"}, "保暖"),
    ],
)
def test_a_flask_keeps_warm_and_is_not_warm(text, points, label):
    language = "en" if text.isascii() else "zh"
    found = tags_of(default_vocabulary(), titles={language: text}, language=language, least=0)
    assert {value for key, value in found if key == "selling_point"} == points
    assert [t.label for (key, _), t in found.items() if key == "selling_point"] == [label]


def test_reviews_are_counted_and_named(vocabulary):
    reviews = [
        "Really waterproof, used it in heavy rain.",
        "Waterproof as promised by the shop.",
        "Sadly not waterproof at all.",
        "I wish it were waterproof.",
        "很透气，夏天穿正好。",
    ]
    found = tags_of(vocabulary, titles={"en": "Jacket"}, reviews=reviews, least=0)
    tag = found["selling_point", "waterproof"]
    assert (tag.method, tag.reviews, tag.opposing) == (Method.REVIEWS, 2, 1)
    assert [(e.source, e.review_id, e.text) for e in tag.evidence] == [
        ("reviews", "r1", "waterproof"),
        ("reviews", "r2", "Waterproof"),
    ]


def test_more_who_deny_than_affirm_give_no_tag(vocabulary):
    reviews = ["Waterproof, I think it is.", "Not waterproof.", "It is not waterproof, I got wet."]
    assert not tags_of(vocabulary, titles={"en": "Jacket"}, reviews=reviews, least=0)


def test_the_shop_s_own_word_stands_against_reviews(vocabulary):
    found = tags_of(
        vocabulary,
        titles={"en": "Waterproof jacket"},
        reviews=["Not waterproof.", "This is not waterproof, I got wet."],
        least=0,
    )
    assert found["selling_point", "waterproof"].opposing == 2


def test_praise_of_two_reviewers_is_a_selling_point(vocabulary):
    reviews = ["Very comfortable boots.", "很舒服，喜欢。", "Not comfortable for wide feet."]
    found = tags_of(vocabulary, titles={"en": "Boots"}, reviews=reviews, language="zh", least=0)
    tag = found["selling_point", "comfort"]
    assert (tag.label, tag.reviews, tag.opposing) == ("舒适", 2, 1)
    assert tag.confidence == pytest.approx(3 / 5)
    for evidence in tag.evidence:
        review = reviews[int(evidence.review_id[1:]) - 1]
        assert review[evidence.start : evidence.end] == evidence.text


def test_what_attributes_state_is_marked_and_what_they_deny_is_left_out(vocabulary):
    found = tags_of(
        vocabulary,
        titles={"en": "Black breathable waterproof jacket"},
        attributes={"colour": ["Black"], "waterproof": False, "breathable": True},
        least=0,
    )
    assert {key for key, tag in found.items() if tag.stated} == {
        ("colour", "black"),
        ("selling_point", "breathable"),
    }
    assert ("selling_point", "waterproof") not in found


def test_labels_and_limits(vocabulary):
    product = product_of(titles={"en": "Black cotton breathable waterproof jacket"})
    tagger = Tagger(vocabulary)
    assert {tag.label for tag in tagger.tag(product, "zh", 0)} == {"黑色", "纯棉", "透气", "防水"}
    assert len(tagger.tag(product, "en", 0, most=2)) == 2
    assert not tagger.tag(product, "en", 1.0)
    confidences = [tag.confidence for tag in tagger.tag(product, "en", 0)]
    assert confidences == sorted(confidences, reverse=True)


def test_a_product_without_text_has_no_tags(vocabulary):
    assert not Tagger(vocabulary).tag(product_of(titles={"en": " "}), least=0)
