import pytest

from services.reason.summarise.sentences import Text, count_words, distinct, split


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Great fit. Runs small!I love it.", ["Great fit.", "Runs small!", "I love it."]),
        ("It cost 3.5 dollars at shop.com. Fine", ["It cost 3.5 dollars at shop.com.", "Fine"]),
        ("很好。价格便宜！\n不错", ["很好。", "价格便宜！", "不错"]),
        ("So so... not bad", ["So so...", "not bad"]),
        ("", []),
        (" \n ... !!", []),
    ],
)
def test_splits_both_languages(body, expected):
    assert [sentence.text for sentence in split(body)] == expected


def test_spans_are_of_the_text_as_written():
    body = "  😀 质量很好。 Fits well!  Would buy again\n"
    for sentence in split(body, source=3):
        assert body[sentence.start : sentence.end] == sentence.text
        assert sentence.source == 3
    assert [sentence.position for sentence in split(body)] == [0, 1, 2]
    assert [sentence.language for sentence in split(body)] == ["zh", "en", "en"]


def test_words_are_han_characters_too():
    assert count_words("质量很好 really, don't-know 17") == 7
    assert count_words("!?。") == 0


def test_a_long_text_without_stops_takes_no_time():
    assert len(split("A.B" * 3_000 + "a. " * 10 + "x" * 9_000)) >= 1


def test_near_duplicates_count_once():
    first = "The strap is comfortable and the zips are strong, and though it is light"
    first += " it holds all that I need for work; I would buy this bag again any time."
    texts = [
        Text("r1", first),
        Text("r2", first.upper() + "!!"),
        Text("r3", first.replace("any time", "anytime soon")),
        Text("r4", "Great"),
        Text("r5", "great."),
        Text("r6", "Great, but the strap broke in a week."),
        Text("r7", "?!"),
    ]
    assert [text.id for text in distinct(texts)] == ["r1", "r4", "r6"]
