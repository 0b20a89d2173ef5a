"""Reads a clause about reviewers back: which aspect, on which side, said by how many of how many.

The words are a model's, so nothing of them is taken for granted: every word has to be accounted
for, and the numbers have their places. It knows nothing of the frames that the model learnt from.
"""

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from services.reason.wording.opinions import FAULT, MIXED, PRAISE

_DATA: Final = Path(__file__).parent / "data" / "readings.toml"
_FRAME: Final = "frame"
_SIDES: Final = {
    "glue": "",
    "name": "",
    "good": PRAISE,
    "praise": PRAISE,
    "bad": FAULT,
    "fault": FAULT,
}
_NO_WORDS: Final = r"[ ,.;:，。；：、]*"
_NUMBER: Final = re.compile(r"\d+(?:\.\d+)?")
_BROKEN_OFF: Final = re.compile(
    r"\b(?:find(?: it)?|calls?|called|mention|on|speak|of|(?<!on )that|who|is|are|as|by|from|for"
    r"|in|the)$"
    r"|(?:提到|说到|关于|谈到|谈|有|被|因|受到|的|在)$"
)
"""Ends that no clause has: a model may stop short of what it began."""
_AGAINST: Final = re.compile(r"\bfor and \d+ against\b")
_ROLES: Final[dict[str, tuple[re.Pattern[str], ...]]] = {
    "en": tuple(
        re.compile(pattern)
        for pattern in (
            r"with (?P<praise>\d+) for and (?P<count>\d+) against (?:among|of) the (?P<total>\d+)",
            r"with (?P<praise>\d+) of (?P<total>\d+) reviewers for and (?P<count>\d+) against",
            r"(?P<praise>\d+) of (?:the )?(?P<total>\d+) reviewers (?:who mention [a-z ]+? )?"
            r"(?:praise it|are pleased) while (?P<count>\d+)",
            r"of (?P<total>\d+) who mention it (?P<praise>\d+) praise it while (?P<count>\d+)",
            r"(?P<count>\d+) of (?:the )?(?P<total>\d+) review(?:er)?s",
            r"(?:of|among) the (?P<total>\d+) reviews [a-z ]+? (?P<count>\d+)",
        )
    ),
    "zh": tuple(
        re.compile(pattern)
        for pattern in (
            r"(?P<total>\d+)条[^\d]*?[中里][^\d]*?(?P<praise>\d+)条[^\d]*?(?P<count>\d+)条",
            r"(?P<total>\d+)条[^\d]*?[中里][^\d]*?(?P<count>\d+)条",
        )
    ),
}
"""Where numbers stand, the fuller forms first."""
_OPENERS: Final[dict[str, re.Pattern[str]]] = {
    "en": re.compile(
        r"(?:it |this )?(?:has|is judged by|is the subject of|across|over|in|judging by|going by|"
        r"to sum up|with|this sums up|this is a summary of|there are)? ?(?:the )?(?P<count>\d+) "
        r"reviews(?: to go by| were read| read(?: together)?)?"
    ),
    "zh": re.compile(
        r"(?:它|这款)?还?(?:共有|收到了|综合|汇总|总结|看完|读完|从)?(?P<count>\d+)条评价"
        r"(?:综合来看|读下来|汇总如下|来看)?"
    ),
}
_STARS: Final[dict[str, tuple[re.Pattern[str], ...]]] = {
    "en": tuple(
        re.compile(pattern)
        for pattern in (
            r"(?:it |this )?(?:averages|scores|is rated|rated|with|with an average of|at) "
            r"(?P<stars>[\d.]+) stars (?:on average )?(?:in|over|across|from) "
            r"(?P<count>\d+) reviews",
            r"(?P<count>\d+) reviews give it (?P<stars>[\d.]+) stars on average",
            r"the average of (?P<count>\d+) reviews is (?P<stars>[\d.]+) stars",
        )
    ),
    "zh": tuple(
        re.compile(pattern)
        for pattern in (
            r"(?:它|这款)?还?(?:在|得到|综合)?(?P<count>\d+)条评价中?，?(?:平均|均分为?)(?P<stars>[\d.]+)分",
            r"评分平均(?P<stars>[\d.]+)分，来自(?P<count>\d+)条评价",
        )
    ),
}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a clause says.

    Attributes:
        side: PRAISE, FAULT or MIXED.
        aspect: Its code.
        praise: Reviews for; 0 where none are told.
        fault: Reviews against; 0 where none are told.
        total: Reviews that speak of the aspect.
    """

    side: str
    aspect: str
    praise: int
    fault: int
    total: int


def read(clause: str, language: str) -> Reading | None:
    """Returns what a clause says of an aspect; None when it says anything else or more."""
    text = clause.lower()
    numbers = next((m for p in _ROLES[language] if (m := p.search(text))), None)
    if numbers is None or len(_NUMBER.findall(text)) != len(numbers.groupdict()):
        return None
    if _BROKEN_OFF.search(text):
        return None
    words = _words(_NUMBER.sub(" " if language == "en" else "", text), language)
    if words is None:
        return None
    aspects = {aspect for aspect, _ in words if aspect != _FRAME}
    sides = {side for _, side in words if side}
    told = {name: int(number) for name, number in numbers.groupdict().items()}
    if _AGAINST.search(text):
        sides = {PRAISE, FAULT}
    side = MIXED if len(sides) > 1 else next(iter(sides), "")
    if len(aspects) != 1 or not side or ("praise" in told) != (side == MIXED):
        return None
    praise = told["praise"] if side == MIXED else told["count"] if side == PRAISE else 0
    fault = told["count"] if side != PRAISE else 0
    return Reading(side, aspects.pop(), praise, fault, told["total"])


def read_opening(clause: str, language: str) -> tuple[int, str] | None:
    """Returns how many reviews there are and their mean stars, "" where none are told."""
    text = clause.lower()
    for pattern in _STARS[language]:
        if found := pattern.fullmatch(text):
            return int(found["count"]), found["stars"]
    found = _OPENERS[language].fullmatch(text)
    return (int(found["count"]), "") if found else None


def _words(text: str, language: str) -> list[tuple[str, str]] | None:
    """Returns aspect and side of every form in a text, in order; None where one is unknown."""
    forms = _forms(language)
    pattern = _pattern(language)
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        match = pattern.match(text, at)
        if match is None or match.end() == at:
            return None
        if match["form"]:
            found.append(forms[match["form"]])
        at = match.end()
    return found


@cache
def _pattern(language: str) -> re.Pattern[str]:
    longest = sorted(_forms(language), key=lambda form: -len(form))
    either = "|".join(map(re.escape, longest))
    word = rf"\b(?P<form>{either})\b" if language == "en" else f"(?P<form>{either})"
    return re.compile(f"(?:{word}|(?=[ ,.;:，。；：、])){_NO_WORDS}")


@cache
def _forms(language: str) -> dict[str, tuple[str, str]]:
    """Forms, each with its aspect (or _FRAME) and its side ("" for none)."""
    table = tomllib.loads(_DATA.read_text(encoding="utf-8"))
    found: dict[str, tuple[str, str]] = {}
    for aspect, row in table.items():
        for name, side in _SIDES.items():
            for form in row.get(f"{name}_{language}", ()):
                found[form] = (aspect, side)
    return found
