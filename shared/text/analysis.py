"""Analysis: from text to the terms that the sparse leg stores and looks up.

Queries and products go through the same function, so the two cannot drift. Spans count code points
of the text as it was given, so that whoever highlights or cites a word needs no second tokeniser.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Final, NamedTuple

from shared.text.normalise import fold
from shared.text.segmentation import cut_han, stem_english
from shared.text.stop_words import STOP_WORDS


class Term(NamedTuple):
    """One term: the text as written, its span [start, end) and what it is looked up by.

    `normalized` is empty for a stop word. Spans may overlap: a compound is a term and so are its
    parts.
    """

    text: str
    start: int
    end: int
    normalized: str


_HAN: Final = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f々〇"
# A number with its decimals; a word of any script but Han, with accents that stand apart.
_PART: Final = re.compile(rf"\d+(?:\.\d+)+|\d+|(?:[^\W\d_{_HAN}]|[\u0300-\u036f])+")
# Parts that stand together ("dv7", "tn-2110", "wi-fi", "don't") are one compound.
_TOKEN: Final = re.compile(
    rf"(?P<han>[{_HAN}]+)"
    rf"|(?P<latin>[^\W_{_HAN}][^\W_{_HAN}\u0300-\u036f]*[\u0300-\u036f]*"
    rf"(?:(?:[-./'’+]|(?<=\d)[.,](?=\d))?[^\W_{_HAN}][\u0300-\u036f]*)*)"
    r"|(?P<inch>[\"”″])"
)
_POSSESSIVE: Final = re.compile(r"['’]s$", re.IGNORECASE)
_ASCII_WORD: Final = re.compile(r"[a-z]+")
# The longest compound worth a term of its own; more is a URL or noise.
_MAX_LENGTH: Final = 40

# Units as they stand behind numbers, by the one spelling that both sides are looked up by.
UNITS: Final = {
    **dict.fromkeys(("in", "inch", "inches", '"', "”", "″", "英寸", "寸"), "inch"),
    **dict.fromkeys(("cm", "厘米", "公分"), "cm"),
    **dict.fromkeys(("mm", "毫米"), "mm"),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres", "米"), "m"),
    **dict.fromkeys(("kg", "公斤", "千克"), "kg"),
    **dict.fromkeys(("g", "gram", "grams", "克"), "g"),
    **dict.fromkeys(("l", "litre", "litres", "liter", "liters", "升"), "l"),
    **dict.fromkeys(("ml", "毫升"), "ml"),
    **dict.fromkeys(("w", "watt", "watts", "瓦"), "w"),
    **dict.fromkeys(("mah", "毫安"), "mah"),
    **{unit: unit for unit in ("kb", "mb", "gb", "tb", "hz", "khz", "mhz", "ghz", "v", "a", "mp")},
    **{unit: unit for unit in ("dpi", "rpm", "ppm", "va", "db", "mbps", "gbps")},
}


def analyse(text: str) -> list[Term]:
    """Splits a text of any mix of languages into terms.

    - Words are folded and stemmed (Porter, "A new algorithm for suffix stripping", 1980, in its
      Snowball version for English).
    - Compounds of letters, digits, hyphens, dots and slashes are one term without the signs, and
      each part is a term too: "TN-2110", "tn2110" and "tn 2110" meet.
    - A number and the unit behind it are a term of their own with the unit's one spelling: `17"`,
      "17 inch" and "17寸" meet in "17inch".
    - Runs of Han characters are cut by jieba in search mode: words inside words are terms too.

    Args:
        text: Any text.

    Returns:
        The terms in order of their starts.
    """
    terms: list[Term] = []
    for found in _TOKEN.finditer(text):
        if found.lastgroup == "inch":
            terms.extend(_inch_mark(found, terms))
            continue
        cut = _han_terms if found.lastgroup == "han" else _latin_terms
        new = cut(found[0], found.start())
        # Few words stand behind a number, and this is asked of each.
        if terms and not terms[-1].normalized.isalpha():
            new = _with_unit(new, terms[-1], text)
        terms += new
    return terms


def warm_up() -> None:
    """Loads the dictionaries, so that the first query does not wait a second for them."""
    analyse("预热 warm up")


def terms(text: str) -> list[str]:
    """Returns the normalized terms of a text, repeated as often as they occur, no stop words."""
    return [term.normalized for term in analyse(text) if term.normalized]


def is_number(normalized: str) -> bool:
    """Whether a normalized term is a plain number."""
    return normalized.replace(".", "", 1).isdecimal()


def _latin_terms(token: str, start: int) -> list[Term]:
    if token.isascii() and token.isalpha():  # most are, and are of one part
        return [Term(token, start, start + len(token), _normalise_word(token))]
    parts = list(_PART.finditer(token))
    end = start + len(token)
    if len(parts) == 1:
        return [Term(token, start, end, _normalise_word(token))]
    if possessive := _POSSESSIVE.search(token):
        return _latin_terms(token[: possessive.start()], start)
    found: list[Term] = []
    whole = "".join(fold(part[0]) for part in parts)
    if len(whole) <= _MAX_LENGTH:
        stemmed = stem_english(whole) if _ASCII_WORD.fullmatch(whole) else whole
        # "4gb" is a number with its unit and a compound at once.
        measure = _measure(parts[0][0], token[parts[0].end() :]) if len(parts) == 2 else ""  # noqa: PLR2004
        found.append(Term(token, start, end, measure or stemmed))
    for part in parts:
        normalized = _normalise_word(part[0])
        found.append(Term(part[0], start + part.start(), start + part.end(), normalized))
    return found


@lru_cache(maxsize=65_536)
def _normalise_word(word: str) -> str:
    folded = fold(word)
    if folded in STOP_WORDS:
        return ""
    if not folded.isascii():
        # People leave accents out: "cafe" finds "café".
        folded = "".join(
            c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c)
        )
        folded = unicodedata.normalize("NFC", folded)
    return stem_english(folded) if _ASCII_WORD.fullmatch(folded) else folded


def _han_terms(run: str, start: int) -> list[Term]:
    return [
        Term(word, start + begin, start + end, normalized)
        for word, begin, end, normalized in _cut(run)
    ]


@lru_cache(maxsize=8_192)
def _cut(run: str) -> tuple[tuple[str, int, int, str], ...]:
    """Words of a run and what each is looked up by: titles of a shop have most runs in common."""
    folded = ((word, begin, end, fold(word)) for word, begin, end in cut_han(run))
    return tuple((w, begin, end, "" if f in STOP_WORDS else f) for w, begin, end, f in folded)


def _with_unit(new: list[Term], number: Term, text: str) -> list[Term]:
    """Adds the measure where the first of the new terms is the unit of the number before."""
    if new and is_number(number.normalized) and new[0].start - number.end <= 1:
        measure = _measure(number.text, new[0].text)
        if measure:
            start, end = number.start, new[0].end
            return [Term(text[start:end], start, end, measure), *new]
    return new


def _inch_mark(found: re.Match[str], before: list[Term]) -> list[Term]:
    number = before[-1] if before else None
    if number is None or number.end != found.start() or not is_number(number.normalized):
        return []
    text = f"{number.text}{found[0]}"
    return [Term(text, number.start, found.end(), f"{number.normalized}inch")]


def _measure(number: str, unit: str) -> str:
    folded = fold(number)
    known = UNITS.get(fold(unit).strip("-. "))
    return f"{folded}{known}" if known and is_number(folded) else ""
