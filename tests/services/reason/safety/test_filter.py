"""What a reason must not say whatever its evidence."""

from pathlib import Path
from typing import get_args

import pytest

from services.reason.config import BannedCategory
from services.reason.safety.filter import CATEGORIES, SafetyFilter, read_more
from services.reason.safety.patterns import read_lists
from services.reason.templates import TEMPLATES

FILTER = SafetyFilter()


@pytest.mark.parametrize(
    ("text", "language", "cause"),
    [
        ("the world-class choice", "en", "banned.superlative"),
        ("No. 1 in tests", "en", "banned.superlative"),
        ("行业第一", "zh", "banned.superlative"),
        ("无与伦比", "zh", "banned.superlative"),
        ("NO.1的选择", "zh", "banned.superlative"),
        ("lasts forever", "en", "banned.guarantee"),
        ("100 % safe", "en", "banned.guarantee"),
        ("假一赔十", "zh", "banned.guarantee"),
        ("relieves stress", "en", "banned.medical"),
        ("可以治疗失眠", "zh", "banned.medical"),
        ("climate neutral", "en", "banned.green"),
        ("纯天然", "zh", "banned.green"),
        ("hurry, almost gone", "en", "banned.pressure"),
        ("手慢无", "zh", "banned.pressure"),
        ("a brand you often look at", "en", "banned.quantity"),
        ("many buyers like it", "en", "banned.quantity"),
        ("您常看的品牌", "zh", "banned.quantity"),
        ("大多数顾客", "zh", "banned.quantity"),
        ("what the f*ck", "en", "toxic"),
        ("傻逼才不买", "zh", "toxic"),
        ("in stock now", "zh", "language"),
        ("现货", "en", "language"),
        ("有现货 now", "", "language"),
        ("в наличии", "en", "language"),
        ("call 555-123-4567", "en", "personal_data"),
    ],
)
def test_what_must_not_be_said(text: str, language: str, cause: str) -> None:
    assert FILTER.of_claim(text, text, language) == cause


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("best-selling is not said here", ""),
        ("最近30天卖出120件", "zh"),
        ("售价1,200 SEK，在您的1,500 SEK以内", "zh"),
        ("非常适合日常使用", "zh"),
        ("secure fit, treated wood, germany", "en"),
        ("Scunthorpe, cocktail, assess, classic", "en"),
        ("10% below, 100 reviews", "en"),
    ],
)
def test_words_that_only_look_alike(text: str, language: str) -> None:
    allowed = SafetyFilter(allowed=["superlative"]) if text.startswith("best") else FILTER
    assert allowed.of_claim(text, text, language) == ""


def test_templates_say_nothing_of_it() -> None:
    for language, by_code in TEMPLATES.items():
        for code, variants in by_code.items():
            for variant in variants:
                filled = variant.format_map(dict.fromkeys(_slots(variant), "5"))
                assert FILTER.of_claim(filled, filled, language) == "", (code, filled)


def _slots(template: str) -> list[str]:
    return [part.partition("}")[0] for part in template.split("{")[1:]]


def test_a_shop_adds_its_own_and_allows_others(tmp_path: Path) -> None:
    own = tmp_path / "banned.toml"
    own.write_text('[rivals]\nen = ["acme"]\n[green]\nzh = ["低碳"]\n', encoding="utf-8")
    made = SafetyFilter(read_more(own), allowed=["quantity"])
    assert made.of_claim("beats Acme", "beats Acme", "en") == "banned.rivals"
    assert made.of_claim("低碳", "低碳", "zh") == "banned.green"
    assert made.of_claim("环保", "环保", "zh") == "banned.green"
    assert made.of_claim("many like it", "many like it", "en") == ""


@pytest.mark.parametrize(
    "content",
    ["green = 3", '[green]\nfr = ["vert"]', '[green]\nen = ["("]', '[green]\nen = [""]', "[G]"],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "banned.toml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"banned\.toml"):
        read_lists(path)


def test_settings_name_the_categories_that_there_are() -> None:
    assert set(get_args(BannedCategory)) == set(CATEGORIES)
