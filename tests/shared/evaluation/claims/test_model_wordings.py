"""The checker reads how the language model says things, and is not fooled by them."""

import pytest

from shared.evaluation.claims import check_text
from tests.shared.evaluation.claims.test_checker import record

QUERY = "acme 黑色 kettle under 50, 不要白色 not white"


@pytest.mark.parametrize(
    "text",
    [
        'It names "steel" and "cordless" in its title.',
        'It mentions "steel kettle", "1.7 L" and "cordless" in its title.',
        'The "kettle" of your search stands in its title, and it is in stock now.',
        'It answers your search with "steel kettle" in its title.',
        "标题里写着“不锈钢”、“1.7升”。",
        "30% off its list price and priced 35% below the middle price of the 4 here.",
        "The price is 30% below its list price, and it costs €45.50 which is 35% below the middle "
        "price of the 4 here.",
        "现在比原价低30%，比本页4款的中间价低35%。",
        "不超过您定的€50；评价共1,280条，平均4.6分。",
        "It stays within your €50 at €45.50 and holds 4.6 stars across 1,280 reviews.",
        "It gets praise for its quality in 18 of 21 reviews that mention it.",
        "It is black and not white as you asked and is in stock now.",
        "It was chosen because you bought “Brita filter jug”; it is in stock now.",
        "是根据您买过的“碧然德滤水壶”推荐的；现货。",
    ],
)
def test_true_sentences_of_the_model_stand(text: str) -> None:
    checked = check_text(text, record(QUERY))
    assert checked.claims
    assert [(claim.text, claim.causes) for claim in checked.unsupported] == []


@pytest.mark.parametrize(
    "text",
    [
        'It names "steel" and "glass" in its title.',
        'It names "glass" and "steel" in its title.',
        'It mentions "steel", "oak" and "cordless" in its title.',
        'It mentions "steel and cordless" in its title.',
        'The "toaster" of your search stands in its title.',
        'It answers your search with "gas kettle" in its title.',
        "标题里写着“不锈钢”、“2升”。",
        "35% off its list price and priced 30% below the middle price of the 4 here.",
        "The price is 35% below its list price, and it costs €45.50 which is 30% below the middle "
        "price of the 4 here.",
        "现在比原价低35%，比本页4款的中间价低30%。",
        "不超过您定的€40；评价共1,280条，平均4.6分。",
        "不超过您定的€50；评价共320条，平均4.6分。",
        "It stays within your €45.50 at €50.",
        "It holds 4.1 stars across 1,280 reviews.",
        "It gets praise for its quality in 21 of 18 reviews that mention it.",
        "It gets praise for its value for money in 18 of 21 reviews that mention it.",
        "It is white and not black as you asked and is in stock now.",
        "It is black and not white as you asked and has glass.",
        "It was chosen because you looked at “Acme steel kettle 1.7 L, cordless”.",
        "是根据您买过的“碧然德净水壶”推荐的；现货。",
        "From Brita like the similar “Brita filter jug”.",
        "It is meant for children as you asked.",
    ],
)
def test_false_ones_do_not(text: str) -> None:
    assert check_text(text, record(QUERY)).unsupported
