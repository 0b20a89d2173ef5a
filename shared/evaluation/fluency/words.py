"""Sentences as words for a language model, with names and numbers put under slots.

A model of reviews has never met "WH-1000XM4": without slots the names would decide how natural a
sentence is. The same rules hold for sentences that people wrote.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from shared.text.lexicon import find_mentions
from shared.text.normalise import fold

VALUE: Final = "<value>"
NUMBER: Final = "<number>"
PAUSE: Final = ","
_VALUE, _NUMBER = "\ue000", "\ue001"
_ENDS: Final = re.compile(r"(?<=[.!?])\s+|[。！？…\n]+")
_QUOTED: Final = re.compile(r"“[^”]*”|\"[^\"]*\"|《[^》]*》|【[^】]*】")
_NUMBERS: Final = re.compile(
    r"(?:[¥￥€$£]\s?)?\d+(?:,\d{3})*(?:\.\d+)?(?:\s?(?:%|[A-Z]{3}\b|元|块))?"
)
_WORDS: Final = {
    "en": re.compile(rf"[a-z]+(?:['’][a-z]+)*|[{_VALUE}{_NUMBER}]|[,;:，；、：()（）]+"),
    "zh": re.compile(
        rf"[\u3400-\u4dbf\u4e00-\u9fff]|[a-z]+|[{_VALUE}{_NUMBER}]|[,;:，；、：()（）]+"
    ),
}
_SLOTS: Final = {_VALUE: VALUE, _NUMBER: NUMBER}
_JOINED: Final = re.compile(rf"{_VALUE}(?:[\s,，、/&-]*{_VALUE})+")


def sentences(text: str) -> list[str]:
    """Cuts a text at the ends of its sentences."""
    return [part.strip() for part in _ENDS.split(text) if part.strip()]


def slotted(sentence: str, language: str, values: Iterable[str] = ()) -> list[str]:
    """Returns the words of a sentence; Chinese ones are single characters.

    Args:
        sentence: As it is shown.
        language: "en" or "zh".
        values: Names that stand in it, such as titles and attribute values. Quoted names, numbers
            with their currency and the words of the lexicon become slots anyway.
    """
    text = sentence
    for value in sorted(filter(None, values), key=len, reverse=True):
        text = re.sub(_as_words(value), _VALUE, text, flags=re.IGNORECASE)
    text = _NUMBERS.sub(_NUMBER, _QUOTED.sub(_VALUE, text))
    for mention in sorted(find_mentions(text), key=lambda m: -m.start):
        text = text[: mention.start] + f" {_VALUE} " + text[mention.end :]
    return list(_words(_JOINED.sub(_VALUE, fold(text)), language))


def _as_words(value: str) -> str:
    pattern = re.escape(value)
    left = r"(?<!\w)" if value[:1].isascii() and value[:1].isalnum() else ""
    right = r"(?!\w)" if value[-1:].isascii() and value[-1:].isalnum() else ""
    return left + pattern + right


def _words(text: str, language: str) -> Iterator[str]:
    before = PAUSE  # a sentence starts with no pause
    for found in _WORDS[language].finditer(text):
        word = found[0]
        if word in _SLOTS:
            word = _SLOTS[word]
        elif not word[0].isalnum():
            word = PAUSE
        if word != PAUSE or before != PAUSE:
            yield word
        before = word
