"""What people write for currencies, with every code that it may mean."""

from typing import Final

from shared.text.normalise import fold

_CODES: Final = {
    "$": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD"),
    "dollar": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD"),
    "dollars": ("USD", "CAD", "AUD", "NZD", "SGD", "HKD"),
    "€": ("EUR",),
    "euro": ("EUR",),
    "euros": ("EUR",),
    "£": ("GBP",),
    "¥": ("CNY", "JPY"),
    "元": ("CNY", "TWD", "HKD"),
    "块": ("CNY",),
}


def currency_codes(word: str) -> tuple[str, ...]:
    """Returns the codes (ISO 4217) that a sign, a word or a code may mean."""
    return _CODES.get(fold(word), (word.upper(),))
