"""Sentences out of tokens: blanks, capitals, clauses as they stand."""

from services.reason.train.vocabulary import Vocabulary
from services.reason.wording.filled import Filled
from services.reason.wording.grammar import Grammar
from services.reason.wording.rendering import Rendering, SaidReason

PRICE = Filled("price_fit", {"price": "¥299", "limit": "¥500"}, ("limit",))
SEEN = Filled("because_you_viewed", {"shown": "Trail pack"}, ("shown",))


def render(
    grammar: Grammar, vocabulary: Vocabulary, evidence: list[Filled], language: str, text: str
) -> SaidReason:
    rendering = Rendering(grammar, evidence, language)
    for token in vocabulary.ids(text):
        rendering.add(token)
    return rendering.reason()


def test_english_slots_get_their_blanks(grammar: Grammar, vocabulary: Vocabulary) -> None:
    text = '<1>it costs<price> and stays within your<limit>,<2> and you viewed "<shown>".'
    reason = render(grammar, vocabulary, [PRICE, SEEN], "en", text)
    assert reason.text == ('It costs ¥299 and stays within your ¥500, and you viewed "Trail pack".')
    assert [clause.text for clause in reason.clauses] == [
        "It costs ¥299 and stays within your ¥500",
        'you viewed "Trail pack"',
    ]
    assert [clause.position for clause in reason.clauses] == [0, 1]


def test_a_slot_at_the_start_is_capitalised_and_follows_a_quotation(
    grammar: Grammar, vocabulary: Vocabulary
) -> None:
    text = '<2>"<shown>" is what you viewed;<1><price> is within<limit>.'
    reason = render(grammar, vocabulary, [PRICE, SEEN], "en", text)
    assert reason.text == '"Trail pack" is what you viewed; ¥299 is within ¥500.'


def test_chinese_has_no_blanks(grammar: Grammar, vocabulary: Vocabulary) -> None:
    text = "<2>您看过“<shown>”，<1>而且售价<price>，不超过您的<limit>。"
    reason = render(grammar, vocabulary, [PRICE, SEEN], "zh", text)
    assert reason.text == "您看过“Trail pack”，而且售价¥299，不超过您的¥500。"
    assert [clause.text for clause in reason.clauses] == [
        "您看过“Trail pack”",
        "售价¥299，不超过您的¥500",
    ]
