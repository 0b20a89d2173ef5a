from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.insight.classifier import Classifier, Post, mood_of
from services.insight.config import OPINION_MODEL
from services.insight.domain import Mood
from services.insight.domain_file import DATA, DomainFileError, domain_path, read_domain
from services.insight.features import character_features, word_features
from services.insight.opinion_model import OpinionModel, OpinionModelError

SHOP = Classifier(read_domain(DATA / "shop.toml"), OpinionModel.load(OPINION_MODEL))
FINANCE = Classifier(read_domain(DATA / "finance.toml"), None)


def read(classifier: Classifier, *texts: str):
    return classifier.read([Post(f"p{at}", at, text) for at, text in enumerate(texts)])


@pytest.mark.parametrize(
    ("text", "mood", "topic"),
    [
        ("物流很快，包装完好，非常喜欢", Mood.POSITIVE, "delivery"),
        ("质量太差了，用了两天就坏了，后悔", Mood.NEGATIVE, "quality"),
        ("客服态度恶劣，不给退款", Mood.NEGATIVE, "service"),
        ("I love it, great quality and very comfortable", Mood.POSITIVE, "quality"),
        ("The zipper broke after a week, terrible", Mood.NEGATIVE, "quality"),
    ],
)
def test_reads_topic_and_mood_of_reviews(text, mood, topic):
    (mention,) = read(SHOP, text)
    assert mention.mood is mood
    assert topic in mention.cell.topics


@pytest.mark.parametrize(
    ("text", "mood", "topic"),
    [
        ("Acme shares plunge as regulator opens probe", Mood.NEGATIVE, "regulation"),
        ("Bolt beats estimates, raises dividend after record quarter", Mood.POSITIVE, "earnings"),
        ("公司债券违约，股价跌停", Mood.NEGATIVE, "credit"),
        ("净利增长超预期，公司宣布回购", Mood.POSITIVE, "earnings"),
        ("The company will report quarterly results on Tuesday", Mood.NEUTRAL, "earnings"),
    ],
)
def test_reads_news_by_another_file(text, mood, topic):
    (mention,) = read(FINANCE, text)
    assert mention.mood is mood
    assert topic in mention.cell.topics


def test_labels_are_those_of_the_file():
    assert read_domain(DATA / "finance.toml").labels.of(Mood.NEGATIVE) == "bearish"
    assert read_domain(DATA / "shop.toml").labels.of(Mood.NEGATIVE) == "negative"


def test_personal_data_is_masked_before_anything_is_kept():
    first, second = read(SHOP, "电话 13812345678，质量差", "mail me at jo@example.com, broken")
    assert "13812345678" not in first.text
    assert "[phone]" in first.text
    assert "jo@example.com" not in second.text


TEXTS = st.lists(st.text(max_size=60), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.data())
def test_a_text_reads_the_same_in_any_batch(texts, data):
    whole = SHOP.read([Post(str(at), 0, text) for at, text in enumerate(texts)])
    at = data.draw(st.integers(0, len(texts) - 1))
    (alone,) = SHOP.read([Post(str(at), 0, texts[at])])
    assert alone == whole[at]
    assert -1 <= alone.score <= 1


def test_features_of_characters_are_those_of_each_text():
    batch = character_features(["好的", "", "a好的"], 16)
    assert batch.lengths.tolist() == [3, 0, 6]
    alone = character_features(["好的"], 16)
    assert sorted(batch.columns[batch.rows == 0]) == sorted(alone.columns)
    assert set(alone.columns) <= set(batch.columns[batch.rows == 2])
    assert np.all(batch.columns < 2**16)


def test_words_are_read_with_their_neighbours():
    features = word_features(["very good", "good very"], 14)
    assert features.lengths.tolist() == [3, 3]
    first, second = (set(features.columns[features.rows == row]) for row in (0, 1))
    assert len(first & second) == 2


def test_moods_have_a_middle():
    assert [mood_of(s) for s in (-0.9, -0.1, 0.0, 0.29, 0.31)] == [
        Mood.NEGATIVE,
        Mood.NEUTRAL,
        Mood.NEUTRAL,
        Mood.NEUTRAL,
        Mood.POSITIVE,
    ]


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("name = 'x'", "topics"),
        ("name = 'x'\ntopics = []", "topics"),
        ("name = 'X Y'\n[[topics]]\nid='a'\nen='A'\nzh='A'\nwords=['a']", "name"),
        ("name = 'x'\nsize = 3\n[[topics]]\nid='a'\nen='A'\nzh='A'\nwords=['a']", "size"),
        (
            "name = 'x'\n" + 2 * "[[topics]]\nid='a'\nen='A'\nzh='A'\nwords=['a']\n",
            "a stands twice",
        ),
        (
            "name = 'x'\n[sentiment]\npraise=['up']\nblame=['Up']\n"
            "[[topics]]\nid='a'\nen='A'\nzh='A'\nwords=['a']\n",
            "praise and blame",
        ),
    ],
)
def test_a_wrong_file_is_refused_and_the_place_named(tmp_path, text, where):
    path = tmp_path / "mine.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DomainFileError, match=where):
        read_domain(path)


def test_a_domain_is_one_that_comes_along_or_a_file(tmp_path):
    assert domain_path("finance") == DATA / "finance.toml"
    assert domain_path(str(tmp_path / "x.toml")) == tmp_path / "x.toml"


def test_a_file_that_is_no_model_is_refused(tmp_path):
    path = tmp_path / "opinion.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(OpinionModelError):
        OpinionModel.load(path)
    np.savez(path, han_steps=np.zeros(4, np.int8), han_numbers=np.zeros(3))
    with pytest.raises(OpinionModelError):
        OpinionModel.load(path)


def test_the_file_in_the_documentation_is_of_the_form(tmp_path):
    page = (Path(__file__).parents[3] / "docs" / "monitoring.md").read_text("utf-8")
    path = tmp_path / "energy.toml"
    path.write_text(page.split("```toml\n")[1].split("```")[0], encoding="utf-8")
    domain = read_domain(path)
    (mention,) = read(Classifier(domain, None), "停电三天，供电公司没有消息")
    assert (mention.mood, mention.cell.topics) == (Mood.NEGATIVE, ("supply",))
    assert domain.labels.of(Mood.NEGATIVE) == "concern"
