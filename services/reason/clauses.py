"""Clauses: one fact said in a wording of its templates, every placeholder filled from it alone."""

from typing import Final
from zlib import crc32

from services.reason.facts import Fact
from services.reason.labels import label
from services.reason.language import is_chinese, money, number
from services.reason.templates import wordings
from services.reason.values import kind_word, local_word, names

_STYLED: Final = ("款", "装", "版")
"""Endings of a Chinese word for whom something is made; others need one to make sense alone."""
_KINDS: Final = ("category_affinity", "product_type_match")
_ITS_KIND: Final = {"en": "its category", "zh": "同类商品"}
"""Where a category has no name in the language."""


def say(fact: Fact, language: str, product_id: str) -> str:
    """Writes one fact in the wording that is usual for a product."""
    count = variants(fact, language)
    return say_variant(fact, language, usual_variant(fact, product_id, count))


def say_variant(fact: Fact, language: str, variant: int) -> str:
    """Writes one fact in one of its wordings, counted from 0."""
    template, filled = wordings(fact, language)[variant], slots(fact, language)
    if '"' in filled.get("shown", ""):
        # An inch within a title would end a quotation by straight marks.
        template = template.replace('"{shown}"', "“{shown}”")
    return template.format_map(filled)


def variants(fact: Fact, language: str) -> int:
    """Returns how many wordings a fact has."""
    return len(wordings(fact, language))


def usual_variant(fact: Fact, product_id: str, count: int) -> int:
    """Returns which of `count` wordings is usual for a product: it varies from one to the next."""
    return crc32(f"{product_id}/{fact.code}".encode()) % count


def slots(  # noqa: PLR0911, PLR0912  # one return per form of value
    fact: Fact, language: str
) -> dict[str, str]:
    """Returns what the templates of a fact's code may be filled with."""
    parts = fact.value.split(" ")
    match fact.code:
        case "price_fit":
            amount, currency = _priced(parts)
            limit = money(float(fact.meets), currency)
            return {"price": money(amount, currency), "limit": limit}
        case "stated_price":
            return {"price": money(*_priced(parts))}
        case "stated_attribute":
            key = fact.source.partition(".")[2]
            shown = _plain(key, local_word(key, fact.value, language))
            return {"label": label(key, language), "shown": shown}
        case "lowest_price_on_page":
            return {"price": money(*_priced(parts)), "count": fact.meets}
        case "below_median_price":
            return {
                "percent": parts[0],
                "price": money(*_priced(parts[1:])),
                "count": fact.meets,
            }
        case "price_in_category":
            shown = kind_word(fact.meets, language) or _ITS_KIND[language]
            return {"count": number(int(parts[0])), "total": number(int(parts[1])), "shown": shown}
        case "chosen_before" | "meaning_match" | "price_like_yours":
            return {}
        case "discount":
            return {"percent": fact.value}
        case "well_reviewed" | "rating_counted":
            return {"stars": number(float(parts[0]), 1), "count": number(int(parts[1]))}
        case "popular" | "new_arrival" | "sales_counted" | "running_low" | "picture_match":
            return {"count": number(int(fact.value))}
        case "bought_together" | "viewed_together":
            return {"shown": fact.meets, "count": number(int(fact.value))}
        case "same_brand":
            return {"shown": fact.meets, "meets": fact.value}
        case "better_rated":
            return {
                "shown": fact.meets,
                "stars": number(float(parts[0]), 1),
                "others": number(float(parts[1]), 1),
            }
        case "seen_before":
            return {"age": days_ago(int(fact.value), language)}
        case "due_for_reorder":
            interval = days_long(int(parts[2]), language)
            age = days_ago(int(parts[1]), language)
            return {"times": parts[0], "age": age, "interval": interval}
        case "bought_before" | "bought_often":
            return {"times": parts[0], "age": days_ago(int(parts[-1]), language)}
        case code if code.startswith("praised_"):
            return {"praise": parts[0], "total": parts[1]}
        case _:
            shown = _shown(fact, language)
            if fact.source == "attributes.audience" and fact.code == "attribute_match":
                style = shown if shown.endswith(_STYLED) else f"{shown}款"
                return {"shown": shown, "meets": fact.meets, "style": style}
            return {"shown": shown, "meets": fact.meets}


def days_ago(days: int, language: str) -> str:
    """Writes how long ago something was: 今天, "12 days ago"."""
    if language == "zh":
        return "今天" if days == 0 else f"{days}天前"
    return "today" if days == 0 else f"{days} day{'s' * (days > 1)} ago"


def days_long(days: int, language: str) -> str:
    """Writes how long something is: 30天, "30 days"."""
    return f"{days}天" if language == "zh" else f"{days} day{'s' * (days > 1)}"


def _priced(parts: list[str]) -> tuple[float, str]:
    return float(parts[0]), parts[1] if len(parts) > 1 else ""


def _plain(key: str, value: str) -> str:
    """A value of a lexicon as it stands within a sentence: "black", where a table has "Black"."""
    return value.lower() if value.istitle() and len(names(key, value)) > 1 else value


def _listed(words: list[str], language: str) -> str:
    if language == "zh":
        return "、".join(words)
    return " and ".join((", ".join(words[:-1]), words[-1])) if len(words) > 1 else words[0]


def _shown(fact: Fact, language: str) -> str:
    """Words of the reason's language where there are any, the product's own otherwise."""
    if fact.code == "exclusion_met":
        key = fact.source.partition(".")[2]
        values = fact.value.split(", ")
        words = (_plain(key, local_word(key, value, language)) for value in values)
        return _listed(list(words), language)
    if fact.code == "title_match":
        return _listed(fact.value.split(", "), language)
    matches = fact.code in ("attribute_match", "product_type_match", "brand_match")
    wants_chinese = language == "zh"
    # Who asks for a laptop is not told of notebooks.
    their_word = fact.code == "product_type_match" or is_chinese(fact.value) != wants_chinese
    if matches and is_chinese(fact.meets) == wants_chinese and their_word:
        return fact.meets
    if fact.code in _KINDS:
        return kind_word(fact.value, language) or fact.value
    if fact.code == "attribute_match":
        return _plain(fact.source.partition(".")[2], fact.value)
    return fact.value
