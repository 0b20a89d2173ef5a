"""Whether words of ours are in the language of the reason. Quoted values may be in any."""

import re
from typing import Final

_HAN: Final = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff]")
_OTHER_SCRIPT: Final = re.compile(r"[\u0370-\u1aff\u3040-\u30ff\uac00-\ud7af]")
"""Greek to Thai, Kana, Hangul: neither language is written in them."""
_LATIN_WORD: Final = re.compile(r"[A-Za-z]{2,}")
_CURRENCY: Final = re.compile(r"(?<=\d )[A-Z]{3}(?![A-Za-z])")
"""Codes behind an amount are written the same in Chinese."""


def is_foreign(own: str, language: str) -> bool:
    """Whether a clause, its quoted values taken out, has words of another language.

    Args:
        own: Words of ours.
        language: "en" or "zh"; "" when it is not known: then the two must not be mixed.
    """
    if _OTHER_SCRIPT.search(own):
        return True
    chinese = _HAN.search(own) is not None
    if language == "en":
        return chinese
    if language == "zh" or chinese:
        return _LATIN_WORD.search(_CURRENCY.sub("", own)) is not None
    return False
