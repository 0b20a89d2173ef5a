"""What a sentence says of the product and another one: that they are alike, or of one brand."""

import re
from collections.abc import Callable, Iterator
from typing import Final

from shared.evaluation.claims.record import Beside, Record
from shared.text.analysis import terms

_I: Final = re.IGNORECASE
_ALIKE: Final = re.compile(
    r"\b(?:similar to|similar|resembles|alike|is like|an alternative to)\b"
    r"|\blike\b(?=\s{3,})"  # before a quoted title, which is blanked
    r"|(?<!意思)(?<!含义)(?:相似|类似|相近|相仿|很像)",
    _I,
)
_ONE_BRAND: Final = re.compile(
    r"\balso (?:from|by|made by)\b|\blike the (?=similar\b)|\bsame brand\b|\bmakes both\b"
    r"|品牌(?:同为|都是|相同)|(?:同属|都来自)品牌|同样来自",
    _I,
)


def check_ties(text: str, record: Record) -> Iterator[tuple[int, int, str]]:
    """Yields the span of each word that ties two products, and its problem or "".

    Args:
        text: The sentence, quoted titles and checked numbers blanked.
        record: The records; alike is what shares a category, or a word of the title where nobody
            knows one. The service asks for more: vectors that are near.
    """
    ties: tuple[tuple[str, re.Pattern[str], Callable[[str, Beside, Record], bool]], ...] = (
        ("brand", _ONE_BRAND, _one_brand),
        ("alike", _ALIKE, _alike),
    )
    for cause, pattern, holds in ties:
        for found in pattern.finditer(text):
            known = any(holds(*beside, record) for beside in record.beside.items())
            yield found.start(), found.end(), "" if known else cause


def _one_brand(_: str, beside: Beside, record: Record) -> bool:
    brand = record.product.brand.casefold()
    return bool(brand) and brand == beside.brand.casefold()


def _alike(title: str, beside: Beside, record: Record) -> bool:
    path = tuple(record.product.category_path)
    if path and beside.category_path:
        return path == tuple(beside.category_path)
    # Where the category of one is not known: a word of both titles that is not the brand's.
    own = {term for text in record.product.titles.values() for term in terms(text)}
    shared = own & set(terms(title)) - set(terms(record.product.brand))
    return any(term.isalpha() and (len(term) > 2 or not term.isascii()) for term in shared)  # noqa: PLR2004
