"""Numbers of a sentence: each must be what its unit and the words around it say it is."""

import re
from collections.abc import Iterator
from typing import Final

from shared.evaluation.claims.number_checks import CHECKS, Told
from shared.evaluation.claims.record import Record

_N: Final = r"(?P<n>\d+(?:,\d{3})*(?:\.\d+)?)"
_BARE: Final = re.compile(r"(?<![\w.])\d+(?:,\d{3})*(?:\.\d+)?")
_CLAUSE_ENDS: Final = re.compile(r"[;；。]")
_PHRASE_ENDS: Final = re.compile(r"[;；。，、]|,(?!\d)|\band\b|而且|并且")


def check_numbers(text: str, record: Record) -> Iterator[tuple[int, int, str]]:
    """Yields each number's span and its problem, "" when the records support it.

    Args:
        text: The sentence, quoted titles blanked.
        record: The records.
    """
    taken = [False] * len(text)
    for cause, pattern in _KINDS:
        for found in pattern.finditer(text):
            start, end = found.span("n")
            if any(taken[start:end]):
                continue
            taken[start:end] = [True] * (end - start)
            told = Told(
                float(found["n"].replace(",", "")),
                _words_before(text, start).rstrip("¥￥€$£ "),
                text[end : end + 24],
                _around(text, start, _CLAUSE_ENDS),
                _around(text, start, _PHRASE_ENDS),
            )
            yield found.start(), found.end(), "" if CHECKS[cause](told, record) else cause
    for found in _BARE.finditer(text):
        if not any(taken[found.start() : found.end()]):
            # The records write 1500 where a sentence has 1,500.
            forms = "|".join(re.escape(form) for form in {found[0], found[0].replace(",", "")})
            there = re.search(rf"(?<![\d.])(?:{forms})(?![\d]|\.\d)", record.folded)
            yield found.start(), found.end(), "" if there else "number"


def _words_before(text: str, at: int) -> str:
    """The 24 characters before a place; a quoted title, which is blanked, counts as one of them."""
    return re.sub(r"\s+", " ", text[:at])[-24:]


def _around(text: str, at: int, ends: re.Pattern[str]) -> str:
    start = max((found.end() for found in ends.finditer(text, 0, at)), default=0)
    end = ends.search(text, at)
    return text[start : end.start() if end else len(text)]


class _Numbered:
    """A pattern of several forms that finds the one number in what it matched as group "n"."""

    def __init__(self, *forms: str) -> None:
        self._forms = [re.compile(form.replace("N", _N), re.IGNORECASE) for form in forms]

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """Yields the matches of every form."""
        for form in self._forms:
            yield from form.finditer(text)


_KINDS: Final[tuple[tuple[str, _Numbered], ...]] = (
    (
        "window",
        _Numbered(r"(?:last|past|in) N days(?! ago)", r"(?:近|最近|过去)N[天日]", r"N[天日]内"),
    ),
    ("age", _Numbered(r"N days? (?:ago|old)", r"N天前")),
    ("percent", _Numbered(r"N\s?%")),
    (
        "all rivals",
        _Numbered(r"(?<=than all |elow all )(?:of the )?N others?\b", r"其他全部N款"),
    ),
    (
        "rivals",
        _Numbered(r"of (?:the |all )?N others?\b", r"其他N款"),
    ),
    (
        "dearer",
        _Numbered(
            r"(?:cheaper|less|lower) than N\b",
            r"priced below N (?=of\b)",
            r"N of (?:the |all )?\d[\d,]* others",
            r"中的?N款",
            r"低于N款",
        ),
    ),
    ("price", _Numbered(r"[¥￥€$£]\s?N", r"N\s?(?:(?-i:[A-Z]{3})\b|元|块)")),
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
    ),
    (
        "praise",
        _Numbered(
            r"N of (?:the )?\d+ reviews",
            r"(?:其中|中|有)有?N[条位](?=[^0-9]*(?:称赞|说|夸|认为|提到))",
        ),
    ),
    (
        "reviews",
        _Numbered(
            r"N (?:\w+ )?(?:reviews?|ratings?|reviewers)\b",
            r"N[条个位](?:\w{0,4}?)(?:评价|评论|点评|买家)",
            r"(?:评价|评论)共N条",
        ),
    ),
    (
        "customers",
        _Numbered(
            r"N (?:customers|shoppers|people|buyers)\b",
            r"N位?(?:顾客|买家|用户|人)",
            r"N位(?=(?:也|同时)[看买]了|看过)",
        ),
    ),
    (
        "times",
        _Numbered(
            r"bought (?:it|this) N times",
            r"(?:what you|bought by you|you have) (?:bought )?N times",
            r"买[过了]N次",
        ),
    ),
    (
        "sales",
        _Numbered(
            r"(?:bought|sold|purchased|ordered)\s(?:by )?N(?: times)?",
            r"N\s(?:were )?(?:sold|bought|sales|orders|purchases)\b",
            r"(?:售出|卖出|卖|销量|售)(?:了|达|为)?N(?=件)",
            r"N[件单](?!套)",
        ),
    ),
    (
        "page",
        _Numbered(r"of (?:the |all )?N (?:prices )?(?:here|results|on this page)", r"N款"),
    ),
)
