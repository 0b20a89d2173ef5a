"""What a sentence says of why a product is where it is: what counted in the ranking, and causes.

Contributions come with the answer. What they are said to rest on is looked up in the catalogue and
the history, so that sales which were none, or a price unlike any that was paid, show.
"""

import re
from collections.abc import Callable, Iterator
from statistics import median
from typing import Final

from shared.evaluation.claims.record import Record

_NEAR: Final = 0.8
"""Share of the dearer of two prices that the other reaches when they are called alike."""
_I: Final = re.IGNORECASE
_CAUSE: Final = re.compile(r"\b(?:because|since|therefore|due to)\b|因[为您此]|所以|由于", _I)
_CAUSED: Final = re.compile(
    r"\b(?:here|picked|chosen|recommended) (?:because|since) you\b"
    r"|\b(?:because|since) you (?:bought|looked at|viewed)\s+we picked\b"
    r"|(?:推荐给您|出现在这里)是因为您|因为?您[看买]过\s*(?:而推荐|，所以推荐)|您(?:之前)?[看买]过\s*，所以推荐",
    _I,
)
"""That somebody looked at something is why a product is recommended, and never why it costs what it
does. Titles are blanked."""


def check_placing(text: str, record: Record) -> Iterator[tuple[int, int, str]]:
    """Yields the span of each such phrase, and its problem or "".

    Args:
        text: The sentence, quoted titles and checked numbers blanked.
        record: The records.
    """
    for cause, pattern, holds in _PHRASES:
        for found in pattern.finditer(text):
            yield found.start(), found.end(), "" if holds(record) else cause
    allowed = [found.span() for found in _CAUSED.finditer(text)]
    yield from ((start, end, "") for start, end in allowed)
    for found in _CAUSE.finditer(text):
        if not any(start <= found.start() < end for start, end in allowed):
            yield found.start(), found.end(), "cause"


def _rating_counted(record: Record) -> bool:
    return "rating" in record.lifts and record.product.review_summary.rating_count > 0


def _sales_counted(record: Record) -> bool:
    counted = record.product.statistics
    # As ranking weighs them: of views alone sales would be no reason.
    viewed = counted.view_count + 3 * counted.cart_count
    return "popularity" in record.lifts and 10 * counted.purchase_count > viewed


def _seen(record: Record) -> bool:
    return any(seen.product.id == record.product.id and not seen.bought for seen in record.history)


def _like_paid(record: Record) -> bool:
    own = record.product.price
    paid = [
        seen.product.price.amount
        for seen in record.history
        if seen.bought and seen.product.price.currency_code == own.currency_code
    ]
    if not paid or own.amount <= 0:
        return False
    low, high = sorted((own.amount, median(paid)))
    return low >= _NEAR * high


_PHRASES: Final[tuple[tuple[str, re.Pattern[str], Callable[[Record], bool]], ...]] = (
    (
        "rating counted",
        re.compile(r"its rating counts in its favour here|评分为它的排序加分", _I),
        _rating_counted,
    ),
    (
        "sales counted",
        re.compile(r"its sales count in its favour here|销量为它的排序加分", _I),
        _sales_counted,
    ),
    ("seen before", re.compile(r"\byou looked at it\b|您(?:今天)?\s*看过它", _I), _seen),
    (
        "usual price",
        re.compile(
            r"priced like what you bought or put in your cart|价位与您买过或加购的商品相近", _I
        ),
        _like_paid,
    ),
)
"""Cause, words, and whether the records bear them out."""
