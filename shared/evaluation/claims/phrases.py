"""Phrases that claim something without a number: each is looked up in the records."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from shared.evaluation.claims.record import Record
from shared.text.analysis import terms
from shared.text.normalise import fold
from wherefore.common.v1.product_pb2 import Availability

_DAY: Final = 86_400
_NEW_DAYS: Final = 60
_GOOD: Final = 4.0
_OFTEN: Final = 3


def check_phrases(text: str, record: Record) -> Iterator[tuple[int, int, str]]:
    """Yields the span of each phrase with a meaning of its own, and its problem or "".

    Args:
        text: The sentence, quoted titles and checked numbers blanked.
        record: The records.
    """
    for cause, pattern, holds in _PHRASES:
        for found in pattern.finditer(text):
            yield found.start(), found.end(), "" if holds(found, record) else cause


def _in_stock(_: re.Match[str], record: Record) -> bool:
    return record.product.stock.availability == Availability.AVAILABILITY_IN_STOCK


def _lowest(_: re.Match[str], record: Record) -> bool:
    prices, own = record.page_prices, record.product.price.amount
    return len(prices) > 1 and 0 < own == prices[0] < prices[1]


def _below_middle(_: re.Match[str], record: Record) -> bool:
    return 0 < record.product.price.amount < record.page_median


def _reduced(_: re.Match[str], record: Record) -> bool:
    price = record.product.price
    return 0 < price.amount < price.list_amount


def _new(_: re.Match[str], record: Record) -> bool:
    if not record.product.HasField("release_time"):
        return False
    return 0 <= record.now - record.product.release_time.seconds <= (_NEW_DAYS + 1) * _DAY


def _popular(_: re.Match[str], record: Record) -> bool:
    return record.product.statistics.purchase_count > 0


def _liked(_: re.Match[str], record: Record) -> bool:
    return record.product.review_summary.average_rating >= _GOOD


def _never(_: re.Match[str], _record: Record) -> bool:
    return False


def _in_title(found: re.Match[str], record: Record) -> bool:
    return any(fold(found[0]) in fold(title) for title in record.product.titles.values())


def _of_history(_: re.Match[str], record: Record) -> bool:
    return _kin(record) > 0


def _often(_: re.Match[str], record: Record) -> bool:
    return _kin(record) >= _OFTEN


def _kin(record: Record) -> int:
    """Products of the history that share the brand or the category."""
    product = record.product
    return sum(
        bool(product.brand and seen.product.brand.casefold() == product.brand.casefold())
        or bool(product.category_path and seen.product.category_path == product.category_path)
        for seen in record.history
    )


def _dealt_with(_: re.Match[str], record: Record) -> bool:
    return bool(record.history)


def _asked(_: re.Match[str], record: Record) -> bool:
    return bool(record.query.strip())


def _praised(aspect: str, words: str) -> Callable[[re.Match[str], Record], bool]:
    def holds(_: re.Match[str], record: Record) -> bool:
        return (
            any(
                opinion.aspect == aspect and opinion.positive_count > opinion.negative_count
                for opinion in record.product.review_summary.opinions
            )
            or re.search(words, record.folded) is not None
            or re.search(words, fold(record.query)) is not None
        )

    return holds


def _above(_: re.Match[str], record: Record) -> bool:
    own = record.product.review_summary.average_rating
    return any(0 < beside.rating < own for beside in record.beside.values())


def _cheaper(_: re.Match[str], record: Record) -> bool:
    own, rivals = record.product.price.amount, record.rival_prices
    return own > 0 and 2 * sum(price > own for price in rivals) > len(rivals)


def _cheapest(_: re.Match[str], record: Record) -> bool:
    own, rivals = record.product.price.amount, record.rival_prices
    return 0 < own < min(rivals, default=0.0)


def _lists(_: re.Match[str], record: Record) -> bool:
    return any(key.startswith("compatib") for key in record.product.attributes)


def _chosen(_: re.Match[str], record: Record) -> bool:
    return "chosen" in record.legs


def _near_in_meaning(_: re.Match[str], record: Record) -> bool:
    titles = {term for title in record.product.titles.values() for term in terms(title)}
    return "dense" in record.legs and not titles & record.query_terms


_Check = Callable[[re.Match[str], Record], bool]
_I: Final = re.IGNORECASE
_PHRASES: Final[tuple[tuple[str, re.Pattern[str], _Check], ...]] = (
    (
        "lowest",
        re.compile(
            r"lowest price|lowest-priced|cheapest|least expensive|其余各款|价格最低|最便宜", _I
        ),
        _lowest,
    ),
    (
        "median",
        re.compile(r"below the (?:middle|median)|(?:低于|比)[^；。]{0,8}中位价", _I),
        _below_middle,
    ),
    (
        "discount",
        re.compile(r"off its list|below its list|reduced|discount|原价|优惠|折扣|降价", _I),
        _reduced,
    ),
    (
        "superlative",
        re.compile(
            r"\b(?:best|top|perfect|ideal|unbeatable|guaranteed?|amazing|ultimate|greatest|finest"
            r"|number one|always|never|everyone|cure[sd]?|heals?)\b"
            r"|最|第一|顶级|绝对|保证|完美|极致|唯一",
            _I,
        ),
        _in_title,
    ),
    ("stock", re.compile(r"in stock|available now|ready to ship|现货|有货", _I), _in_stock),
    (
        "new",
        re.compile(r"new arrival|released?|came out|newly|just in|新品|上市|上新|发布|新到", _I),
        _new,
    ),
    ("popular", re.compile(r"popular|sells well|热销|热卖|畅销|卖得好", _I), _popular),
    (
        "liked",
        re.compile(
            r"well[- ]reviewed|highly rated|well liked"
            # What praises an aspect is counted beside it.
            r"|(?<!受到)(?<!给了)(?<!给出)好评",
            _I,
        ),
        _liked,
    ),
    (
        "history",
        re.compile(
            r"brand you(?:'ve| have)? look\w*(?: at)?(?: before)?"
            r"|you(?:'ve| have)? looked at (?:that|the) (?:brand|section)"
            r"|(?:section|where) you(?:'ve| have)? look\w*(?: at)?(?: before)?"
            r"|您(?:看过|浏览过|逛过)的(?!\s{3,})",  # before a title, which is blanked, another
            _I,
        ),
        _of_history,
    ),
    ("often", re.compile(r"\boften\b|regularly|常看|经常|常逛", _I), _often),
    (
        "history",
        re.compile(
            r"you(?:'ve| have)? (?:looked|viewed|bought|browsed)|bought by you|your purchase"
            r"|\byours\b|您(?:看过|浏览过|逛过|买过)|您的“",
            _I,
        ),
        _dealt_with,
    ),
    (
        "query",
        re.compile(
            r"(?:(?:answers|like) )?your search"
            r"|you (?:asked|searched|named|wanted|want)|your (?:query|limit|budget)"
            r"|您要|您搜|您找|您的(?:要求|需求|预算|搜索)",
            _I,
        ),
        _asked,
    ),
    (
        "aspect",
        re.compile(r"value for money|性价比[很真]?高?|划算", _I),
        _praised("value_for_money", "value|性价比"),
    ),
    (
        "aspect",
        re.compile(r"\bquality\b|(?:质量|品质|做工)[很真]?好?", _I),
        _praised("quality", "quality|质量|品质|做工"),
    ),
    (
        "aspect",
        re.compile(r"reputation|口碑[很真]?好?", _I),
        _praised("reputation", "reputation|口碑"),
    ),
    (
        "aspect",
        re.compile(r"\bgifts?\b|(?:说|很)?适合送礼|送礼|礼物", _I),
        _praised("gift", "gift|送礼|礼物|礼"),
    ),
    (
        "category price",
        re.compile(r"(?:cheaper|less) than all|priced below all|都便宜", _I),
        _cheapest,
    ),
    (
        "category price",
        re.compile(
            r"(?:cheaper|costs less|priced lower) than|priced below|价格低于|便宜",
            _I,
        ),
        _cheaper,
    ),
    ("device", re.compile(r"compatible(?: with| models)?|兼容(?:型号|列表)?|可用于", _I), _lists),
    (
        "chosen",
        re.compile(
            r"(?:what )?(?:chosen by )?(?:other )?(?:shoppers|others)"
            r"(?: who searched for the same| chose it)*(?: after (?:the same|this) search)?"
            r"|(?:被)?搜索?过?同样内容的顾客(?:选[过了])?",
            _I,
        ),
        _chosen,
    ),
    (
        "meaning",
        re.compile(
            r"(?:comes )?close (?:in meaning )?to (?:what )?your search(?: means)?"
            r"|its meaning is close|(?:搜?索的)?意思[相接]近|含义接近",
            _I,
        ),
        _near_in_meaning,
    ),
    (
        "comparative",
        re.compile(r"\babove the\b|高于“|\bhigher than\b(?=\s{3,})", _I),  # a quoted title, blanked
        _above,
    ),
    (
        "comparative",
        re.compile(
            r"\b(?:better|more|higher|larger|faster|stronger|cheaper|superior) than\b(?! all)"
            r"|更[好便高大强]|胜过|优于",
            _I,
        ),
        _never,
    ),
)
"""Cause, words, and whether the records bear them out; the first that applies to a stretch wins."""
