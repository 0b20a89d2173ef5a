"""Intent and sentiment in both languages."""

import pytest

from services.nlu.domain import IntentType, SentimentLabel
from services.nlu.sentiment import read_sentiment
from services.nlu.understanding import QueryReader

I = IntentType  # noqa: E741


@pytest.mark.parametrize(
    ("query", "kind", "label"),
    [
        ("wireless mouse", I.PRODUCT_SEARCH, ""),
        ("红色连衣裙", I.PRODUCT_SEARCH, ""),
        ("shipping labels", I.PRODUCT_SEARCH, ""),
        ("invoice printer", I.PRODUCT_SEARCH, ""),
        ("show me some shoes", I.PRODUCT_SEARCH, ""),
        ("do you have red boots", I.PRODUCT_SEARCH, ""),
        ("is there any kettle below 30$", I.PRODUCT_SEARCH, ""),
        ("sony wh-1000xm4", I.NAVIGATIONAL, ""),
        ("brother tn-2110 toner", I.NAVIGATIONAL, ""),
        ("philips", I.NAVIGATIONAL, ""),
        ("how long does this battery last", I.ATTRIBUTE_QUESTION, ""),
        ("is the sony headphones waterproof", I.ATTRIBUTE_QUESTION, ""),
        ("这个水壶多大", I.ATTRIBUTE_QUESTION, ""),
        ("耳机防水吗", I.ATTRIBUTE_QUESTION, ""),
        ("kindle vs kobo", I.COMPARISON, ""),
        ("小米和华为哪个好", I.COMPARISON, ""),
        ("gift for my dad", I.RECOMMENDATION, ""),
        ("recommend a camera for beginners", I.RECOMMENDATION, ""),
        ("送妈妈的生日礼物", I.RECOMMENDATION, ""),
        ("where is my order", I.SUPPORT, "track_order"),
        ("i would like to cancel order 9912", I.SUPPORT, "cancel_order"),
        ("how do i get my money back", I.SUPPORT, "get_refund"),
        ("i forgot my password", I.SUPPORT, "recover_password"),
        ("please send the invoice", I.SUPPORT, "get_invoice"),
        ("let me talk to a human", I.SUPPORT, "contact_human_agent"),
        ("我的快递到哪了", I.SUPPORT, "track_order"),
        ("取消订单", I.SUPPORT, "cancel_order"),
        ("怎么申请退款", I.SUPPORT, "get_refund"),
        ("修改收货地址", I.SUPPORT, "change_shipping_address"),
        ("忘记密码了", I.SUPPORT, "recover_password"),
        ("???", I.UNSPECIFIED, ""),
    ],
)
def test_reads_the_intent(reader: QueryReader, query: str, kind: IntentType, label: str) -> None:
    intent = reader.read(query).intent
    assert (intent.type, intent.label) == (kind, label)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("wireless mouse under 20", SentimentLabel.NEUTRAL),
        ("best headphones", SentimentLabel.NEUTRAL),
        ("便宜的耳机", SentimentLabel.NEUTRAL),
        ("i love this kettle", SentimentLabel.POSITIVE),
        ("非常喜欢, 质量很好", SentimentLabel.POSITIVE),
        ("terrible, it arrived broken", SentimentLabel.NEGATIVE),
        ("质量太差, 后悔买了", SentimentLabel.NEGATIVE),
        ("not happy with it", SentimentLabel.NEGATIVE),
        ("not terrible", SentimentLabel.POSITIVE),
        ("一点也不喜欢, 不喜欢", SentimentLabel.NEGATIVE),
        ("", SentimentLabel.NEUTRAL),
    ],
)
def test_reads_the_mood(text: str, label: SentimentLabel) -> None:
    sentiment = read_sentiment(text)
    assert sentiment.label is label
    assert -1 <= sentiment.score <= 1
    assert 0 <= sentiment.confidence <= 1


def test_negation_turns_and_degree_deepens() -> None:
    assert read_sentiment("very happy").score > read_sentiment("happy").score > 0
    assert read_sentiment("not happy").score < 0
