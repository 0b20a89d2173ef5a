"""What a number in a sentence must be, by what its surroundings say it is."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from shared.evaluation.claims.record import Record

_DAY: Final = 86_400
_ROUNDING: Final = 1e-9
_SCALES: Final = {"k": 1_000, "千": 1_000, "w": 10_000, "万": 10_000}
_LIMIT: Final = re.compile(
    r"(?:within|under|below|limit|budget|no more than|up to|cap|不超过|低于|预算|在您的?"
    r"|控制在|您[的给设定]的?)"
    r"(?:\s*(?:of|your|the|a|is|是))*\s*$",
    re.IGNORECASE,
)
_LIMIT_AFTER: Final = re.compile(
    r"^\s*(?:元|块)?(?:的?预算|以内|以下|之内|limit|budget|cap)", re.IGNORECASE
)
_LIST: Final = re.compile(r"(?:list price|was|instead of|down from|原价)(?:\s*(?:of|为|是))?\s*$")
_OTHERS: Final = re.compile(r"(?:above|than|over) the\s*$|higher than\s+with\s*$|高于.{0,5}$", re.I)
_MEDIAN: Final = re.compile(r"middle|median|中位|中间价|typical", re.IGNORECASE)
_REDUCED: Final = re.compile(r"\boff\b|list|原价|优惠|discount|reduc|折扣|直降|降价", re.IGNORECASE)
_ASPECTS: Final = {
    "value_for_money": re.compile(r"value|性价比|划算", re.IGNORECASE),
    "quality": re.compile(r"quality|质量|做工|品质", re.IGNORECASE),
    "reputation": re.compile(r"reputation|口碑", re.IGNORECASE),
    "gift": re.compile(r"gift|送礼|礼物", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Told:
    """A number with its surroundings."""

    value: float
    before: str
    after: str
    clause: str
    phrase: str
    """As much of the clause as has one verb: up to the next comma or "and"."""


def query_numbers(query: str) -> set[float]:
    """Returns the amounts that a query names."""
    return {
        float(found[1].replace(",", "")) * _SCALES.get((found[2] or "").lower(), 1)
        for found in re.finditer(
            r"(\d+(?:,\d{3})*(?:\.\d+)?)\s*([kw千万])?(?![a-z])", query.lower()
        )
    }


def _money(told: Told, record: Record) -> bool:
    price = record.product.price
    if _LIMIT.search(told.before) or _LIMIT_AFTER.search(told.after):
        return told.value in query_numbers(record.query) and 0 < price.amount <= told.value
    if _LIST.search(told.before):
        return _close(told.value, price.list_amount)
    return _close(told.value, price.amount)


def _percent(told: Told, record: Record) -> bool:
    price = record.product.price
    for words in (told.phrase, told.clause):
        if _MEDIAN.search(words):
            return _percent_below(told.value, price.amount, record.page_median)
        if _REDUCED.search(words):
            return _percent_below(told.value, price.amount, price.list_amount)
    return re.search(rf"(?<!\d){told.value:g}\s?%", record.folded) is not None


def _percent_below(percent: float, amount: float, reference: float) -> bool:
    # Whole percents, and never more than there is.
    rest = 100 * (1 - amount / reference) - percent if reference > 0 else -1.0
    return 0 < amount < reference and -_ROUNDING <= rest < 1


def _stars(told: Told, record: Record) -> bool:
    others = [beside.rating for beside in record.beside.values()]
    own = record.product.review_summary.average_rating
    about = others if _OTHERS.search(told.before) else [own]
    return any(rating > 0 and abs(told.value - rating) <= 0.05 + _ROUNDING for rating in about)


def _reviews(told: Told, record: Record) -> bool:
    summary = record.product.review_summary
    counts = {summary.rating_count, len(record.product.reviews)}
    about = [each for each in summary.opinions if _ASPECTS[each.aspect].search(told.clause)]
    for opinion in about:
        counts |= {opinion.positive_count, opinion.positive_count + opinion.negative_count}
    return told.value > 0 and told.value in counts


def _praised(told: Told, record: Record) -> bool:
    return any(
        told.value == opinion.positive_count > opinion.negative_count
        and _ASPECTS[opinion.aspect].search(told.clause)
        for opinion in record.product.review_summary.opinions
    )


def _sold(told: Told, record: Record) -> bool:
    return 0 < told.value == record.product.statistics.purchase_count


def _window(told: Told, record: Record) -> bool:
    # The contract counts purchases over 30 days.
    return told.value == 30 and record.product.statistics.purchase_count > 0  # noqa: PLR2004


def _customers(told: Told, record: Record) -> bool:
    return told.value > 1 and any(told.value == b.customers for b in record.beside.values())


def _days(told: Told, record: Record) -> bool:
    ages = {seen.days_ago for seen in record.history}
    if record.product.HasField("release_time"):
        ages.add(int((record.now - record.product.release_time.seconds) // _DAY))
    return told.value in ages


def _page_count(told: Told, record: Record) -> bool:
    return told.value == len(record.page_prices)


def _times(told: Told, record: Record) -> bool:
    return any(
        seen.bought and seen.product.id == record.product.id and seen.times == told.value
        for seen in record.history
    )


def _rivals(told: Told, record: Record) -> bool:
    return told.value == len(record.rival_prices) > 0


def _all_rivals(told: Told, record: Record) -> bool:
    return _rivals(told, record) and 0 < record.product.price.amount < min(record.rival_prices)


def _dearer(told: Told, record: Record) -> bool:
    own = record.product.price.amount
    return 0 < told.value == sum(price > own for price in record.rival_prices) and own > 0


def _close(told: float, exact: float) -> bool:
    return exact > 0 and abs(told - exact) <= 0.005 + _ROUNDING  # two decimals


CHECKS: Final[Mapping[str, Callable[[Told, Record], bool]]] = {
    "window": _window,
    "age": _days,
    "percent": _percent,
    "rivals": _rivals,
    "all rivals": _all_rivals,
    "dearer": _dearer,
    "price": _money,
    "rating": _stars,
    "praise": _praised,
    "reviews": _reviews,
    "customers": _customers,
    "times": _times,
    "sales": _sold,
    "page": _page_count,
}
"""Whether the records support a number, by what it is the number of."""
