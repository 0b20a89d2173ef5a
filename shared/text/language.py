"""Language of a short text, by script and, within the Latin script, by its small words.

Queries are a few words long, where models trained on prose guess. Scripts decide what they can;
only for Latin letters are function words and letters with accents counted.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable

UNDETERMINED = "und"

# First match wins. Han comes with Kana in Japanese, so Kana is looked at before it.
_SCRIPTS = {
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CJK": "zh",
    "CYRILLIC": "ru",
    "GREEK": "el",
    "ARABIC": "ar",
    "HEBREW": "he",
    "THAI": "th",
    "DEVANAGARI": "hi",
    "LATIN": "latin",
}

# Words and letters that mark a language of the Latin script. Words shared with English are left
# out: a shop query is English until something says otherwise.
_MARKERS = {
    "de": "der die das und für mit ohne ein eine von zum aus nicht oder unter über bei weiß",
    "fr": "le la les des une du et pour avec sans sous dans sur pas au aux ou noir blanc",
    "es": "el los las una para con sin y del por sobre más menos negro blanco bajo",
    "it": "il lo gli una per con senza di della del che nero bianco sotto",
    "pt": "os as um uma para com sem do da dos das não preto branco até",
    "nl": "het een van voor met zonder en niet onder zwart wit draadloos",
}
_MARKER_SETS = {code: frozenset(words.split()) for code, words in _MARKERS.items()}
_LETTERS = {
    **dict.fromkeys("ßäöü", "de"),
    **dict.fromkeys("ñ¿", "es"),
    **dict.fromkeys("ãõ", "pt"),
    **dict.fromkeys("çœèêà", "fr"),
}
_ENGLISH_WORDS = """
the a an of for with without and or under over below above between in on to from my is are how
what which who where not no best good cheap new black white
"""
_ENGLISH = frozenset(_ENGLISH_WORDS.split())
_WORD = re.compile(r"[^\W\d_]+")
# Han characters say more each than Latin letters do: about three letters' worth.
_HAN_WEIGHT = 3.0
# What English gets for free: it is the language of product names everywhere.
_ENGLISH_PRIOR = 0.9


def primary_language(code: str) -> str:
    """Returns the language of a BCP-47 tag without script and region: "zh-Hans" is "zh"."""
    return code.partition("-")[0].lower()


def detect_language(text: str) -> tuple[str, float]:
    """Tells the language of a short text.

    Args:
        text: Any text, of any length.

    Returns:
        A BCP-47 code ("und" when there is no letter to tell it by) and a confidence from 0 to 1:
        the share of the letters, or of the evidence, that speaks for it.
    """
    weights = _script_weights(text)
    total = sum(weights.values())
    if not total:
        return UNDETERMINED, 0.0
    # Chinese queries name Latin brands and models ("索尼 WH-1000XM4 耳机"), so any weight of Han
    # against Latin counts double.
    if weights["ja"] and weights["ja"] + weights["zh"] >= weights["latin"]:
        return "ja", (weights["ja"] + weights["zh"]) / total
    code = max(weights, key=lambda item: weights[item] * (2.0 if item == "zh" else 1.0))
    share = weights[code] / total
    if code != "latin":
        return code, max(share, 0.5)
    language, confidence = _latin_language(text.casefold())
    return language, share * confidence


def _script_weights(text: str) -> dict[str, float]:
    weights: dict[str, float] = defaultdict(float)
    for character in text:
        if character.isascii():
            if character.isalpha():
                weights["latin"] += 1
        elif character.isalpha():
            script = _script(character)
            weights[script] += _HAN_WEIGHT if script == "zh" else 1
    return weights


def _script(character: str) -> str:
    name = unicodedata.name(unicodedata.normalize("NFKC", character)[:1], "")
    return next((code for start, code in _SCRIPTS.items() if name.startswith(start)), "other")


def _latin_language(text: str) -> tuple[str, float]:
    words: list[str] = _WORD.findall(text)
    scores = {code: _hits(words, marks) for code, marks in _MARKER_SETS.items()}
    for character in text:
        if character in _LETTERS:
            scores[_LETTERS[character]] += 1.0
    english = _ENGLISH_PRIOR + 2.0 * _hits(words, _ENGLISH)
    best = max(scores, key=lambda code: scores[code])
    total = english + sum(scores.values())
    # One foreign function word is not enough: "la" and "con" stand in product names.
    if scores[best] > english and scores[best] > 1.0:
        return best, scores[best] / total
    return "en", max(english / total, 0.5)


def _hits(words: Iterable[str], markers: frozenset[str]) -> float:
    return float(sum(word in markers for word in words))
