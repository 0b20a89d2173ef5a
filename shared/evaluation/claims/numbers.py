"""Numbers of a sentence: each must be what its unit and the words around it say it is."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from shared.evaluation.claims.record import Record

_N: Final = r"(?P<n>\d+(?:,\d{3})*(?:\.\d+)?)"
_BARE: Final = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")
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
_CLAUSE_ENDS: Final = re.compile(r"[;；。]")
_PHRASE_ENDS: Final = re.compile(r"[;；。，、]|,(?!\d)|\band\b|而且|并且")
_MEDIAN: Final = re.compile(r"middle|median|中位|中间价|typical", re.IGNORECASE)
_REDUCED: Final = re.compile(r"\boff\b|list|原价|优惠|discount|reduc|折扣|直降|降价", re.IGNORECASE)
_ASPECTS: Final = {
    "value_for_money": re.compile(r"value|性价比|划算", re.IGNORECASE),
    "quality": re.compile(r"quality|质量|做工|品质", re.IGNORECASE),
    "reputation": re.compile(r"reputation|口碑", re.IGNORECASE),
    "gift": re.compile(r"gift|送礼|礼物", re.IGNORECASE),
}


@dataclass(frozen=True, slots=True)
class Problem:
    """A stretch [start, end) of the text that the records do not support, and why."""

    start: int
    end: int
    cause: str


@dataclass(frozen=True, slots=True)
class _Told:
    """A number with its surroundings."""

    value: float
    before: str
    after: str
    clause: str
    phrase: str
    """As much of the clause as has one verb: up to the next comma or "and"."""


def check_numbers(text: str, record: Record) -> Iterator[tuple[int, int, str]]:
    """Yields each number's span and its problem, "" when the records support it.

    Args:
        text: The sentence, quoted titles blanked.
        record: The records.
    """
    taken = [False] * len(text)
    for cause, pattern, holds in _KINDS:
        for found in pattern.finditer(text):
            start, end = found.span("n")
            if any(taken[start:end]):
                continue
            taken[start:end] = [True] * (end - start)
            told = _Told(
                float(found["n"].replace(",", "")),
                _words_before(text, start).rstrip("¥￥€$£ "),
                text[end : end + 24],
                _around(text, start, _CLAUSE_ENDS),
                _around(text, start, _PHRASE_ENDS),
            )
            yield found.start(), found.end(), "" if holds(told, record) else cause
    for found in _BARE.finditer(text):
        if not any(taken[found.start() : found.end()]):
            there = re.search(rf"(?<![\d.]){re.escape(found[0])}(?![\d]|\.\d)", record.folded)
            yield found.start(), found.end(), "" if there else "number"


def _words_before(text: str, at: int) -> str:
    """The 24 characters before a place; a quoted title, which is blanked, counts as one of them."""
    return re.sub(r"\s+", " ", text[:at])[-24:]


def query_numbers(query: str) -> set[float]:
    """Returns the amounts that a query names."""
    return {
        float(found[1].replace(",", "")) * _SCALES.get((found[2] or "").lower(), 1)
        for found in re.finditer(
            r"(\d+(?:,\d{3})*(?:\.\d+)?)\s*([kw千万])?(?![a-z])", query.lower()
        )
    }


def _around(text: str, at: int, ends: re.Pattern[str]) -> str:
    start = max((found.end() for found in ends.finditer(text, 0, at)), default=0)
    end = ends.search(text, at)
    return text[start : end.start() if end else len(text)]


def _money(told: _Told, record: Record) -> bool:
    price = record.product.price
    if _LIMIT.search(told.before) or _LIMIT_AFTER.search(told.after):
        return told.value in query_numbers(record.query) and 0 < price.amount <= told.value
    if _LIST.search(told.before):
        return _close(told.value, price.list_amount)
    return _close(told.value, price.amount)


def _percent(told: _Told, record: Record) -> bool:
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


def _stars(told: _Told, record: Record) -> bool:
    others = [beside.rating for beside in record.beside.values()]
    own = record.product.review_summary.average_rating
    about = others if _OTHERS.search(told.before) else [own]
    return any(rating > 0 and abs(told.value - rating) <= 0.05 + _ROUNDING for rating in about)


def _reviews(told: _Told, record: Record) -> bool:
    summary = record.product.review_summary
    counts = {summary.rating_count, len(record.product.reviews)}
    about = [each for each in summary.opinions if _ASPECTS[each.aspect].search(told.clause)]
    for opinion in about:
        counts |= {opinion.positive_count, opinion.positive_count + opinion.negative_count}
    return told.value > 0 and told.value in counts


def _praised(told: _Told, record: Record) -> bool:
    return any(
        told.value == opinion.positive_count > opinion.negative_count
        and _ASPECTS[opinion.aspect].search(told.clause)
        for opinion in record.product.review_summary.opinions
    )


def _sold(told: _Told, record: Record) -> bool:
    return 0 < told.value == record.product.statistics.purchase_count


def _window(told: _Told, record: Record) -> bool:
    # The contract counts purchases over 30 days.
    return told.value == 30 and record.product.statistics.purchase_count > 0  # noqa: PLR2004


def _customers(told: _Told, record: Record) -> bool:
    return told.value > 1 and any(told.value == b.customers for b in record.beside.values())


def _days(told: _Told, record: Record) -> bool:
    ages = {seen.days_ago for seen in record.history}
    if record.product.HasField("release_time"):
        ages.add(int((record.now - record.product.release_time.seconds) // _DAY))
    return told.value in ages


def _page_count(told: _Told, record: Record) -> bool:
    return told.value == len(record.page_prices)


def _times(told: _Told, record: Record) -> bool:
    return any(
        seen.bought and seen.product.id == record.product.id and seen.times == told.value
        for seen in record.history
    )


def _rivals(told: _Told, record: Record) -> bool:
    return told.value == len(record.rival_prices) > 0


def _all_rivals(told: _Told, record: Record) -> bool:
    return _rivals(told, record) and 0 < record.product.price.amount < min(record.rival_prices)


def _dearer(told: _Told, record: Record) -> bool:
    own = record.product.price.amount
    return 0 < told.value == sum(price > own for price in record.rival_prices) and own > 0


def _close(told: float, exact: float) -> bool:
    return exact > 0 and abs(told - exact) <= 0.005 + _ROUNDING  # two decimals


class _Numbered:
    """A pattern of several forms that finds the one number in what it matched as group "n"."""

    def __init__(self, *forms: str) -> None:
        self._forms = [re.compile(form.replace("N", _N), re.IGNORECASE) for form in forms]

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Yields the matches of every form."""
        for form in self._forms:
            yield from form.finditer(text)


_Check = Callable[[_Told, Record], bool]
_KINDS: Final[tuple[tuple[str, _Numbered, _Check], ...]] = (
    (
        "window",
        _Numbered(r"(?:last|past|in) N days(?! ago)", r"(?:近|最近|过去)N[天日]", r"N[天日]内"),
        _window,
    ),
    ("age", _Numbered(r"N days? (?:ago|old)", r"N天前"), _days),
    ("percent", _Numbered(r"N\s?%"), _percent),
    (
        "rivals",
        _Numbered(r"of (?:the |all )?N others?\b", r"其他N款"),
        _rivals,
    ),
    ("all rivals", _Numbered(r"(?<=than all )N others?\b", r"其他全部N款"), _all_rivals),
    (
        "dearer",
        _Numbered(
            r"(?:cheaper|less|lower) than N\b",
            r"priced below N (?=of\b)",
            r"N of (?:the |all )?\d[\d,]* others",
            r"中的?N款",
            r"低于N款",
        ),
        _dearer,
    ),
    ("price", _Numbered(r"[¥￥€$£]\s?N", r"N\s?(?:(?-i:[A-Z]{3})\b|元|块)"), _money),
    (
        "rating",
        _Numbered(
            r"(?:rated|rating of|rating is|rate it|give it|above the|averages?|average of|scores"
            r"|scoring)"
            r"\s(?:an? )?(?:average of )?N(?!\s?(?:reviews|ratings|customers))",
            r"higher than\s+with N",
            r"N[- ]?(?:stars?\b|/5| out of 5|分)",
            r"(?:评分|平均|均分)(?:为|达|有|是)?N",
            r"高于“?[^”\d]*”?的N",
        ),
        _stars,
    ),
    (
        "praise",
        _Numbered(
            r"N of (?:the )?\d+ reviews",
            r"(?:其中|中|有)有?N[条位](?=[^0-9]*(?:称赞|说|夸|认为|提到))",
        ),
        _praised,
    ),
    (
        "reviews",
        _Numbered(
            r"N (?:\w+ )?(?:reviews?|ratings?|reviewers)\b",
            r"N[条个位](?:\w{0,4}?)(?:评价|评论|点评|买家)",
            r"(?:评价|评论)共N条",
        ),
        _reviews,
    ),
    (
        "customers",
        _Numbered(
            r"N (?:customers|shoppers|people|buyers)\b",
            r"N位?(?:顾客|买家|用户|人)",
            r"N位(?=(?:也|同时)[看买]了|看过)",
        ),
        _customers,
    ),
    (
        "times",
        _Numbered(
            r"bought (?:it|this) N times",
            r"(?:what you|bought by you|you have) (?:bought )?N times",
            r"买[过了]N次",
        ),
        _times,
    ),
    (
        "sales",
        _Numbered(
            r"(?:bought|sold|purchased|ordered)\s(?:by )?N(?: times)?",
            r"N\s(?:were )?(?:sold|bought|sales|orders|purchases)\b",
            r"(?:售出|卖出|卖|销量|售)(?:了|达|为)?N(?=件)",
            r"N[件单](?!套)",
        ),
        _sold,
    ),
    (
        "page",
        _Numbered(r"of (?:the |all )?N (?:prices )?(?:here|results|on this page)", r"N款"),
        _page_count,
    ),
)
