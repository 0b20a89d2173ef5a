"""Words that have a type of their own within the name of a kind of thing."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from services.nlu.train.examples import Span

_OF_THEIR_OWN: Final = {
    label: re.compile(rf"(?:{words})(?= \S)", re.IGNORECASE)
    for label, words in {
        "AUDIENCE": "dog|cat|pet|puppy|kitten|hamster|rabbit|kids|kid's|women's|men's|womens|mens",
        "OCCASION": "gaming|outdoor|indoor|travel|christmas|wedding|birthday|camping",
        "ATTRIBUTE": (
            "wireless|bluetooth|wired|cordless|laser|inkjet|external|internal|portable|digital|led"
            "|lcd|rechargeable|electric|electronic|mini|mirrorless|solar|handheld|stereo|thermal"
            "|optical|multifunctional|mechanical|automatic|folding|touch screen|all[- ]in[- ]one"
            "|flat panel|single-use"
        ),
    }.items()
}
_FIXED: Final = re.compile(
    r"(?:gaming chair|christmas tree|wedding ring|electric guitar|mini fridge"
    r"|digital photo frame|led strip)",
    re.IGNORECASE,
)
"""Names that would be another thing, or nothing, without their first word."""


def split_kinds(text: str, spans: Iterable[Span]) -> Iterator[Span]:
    """Yields the spans, with words of a type of their own taken off what kind a thing is.

    Catalogues call "wireless mouse" and "dog bed" kinds; by the guidelines they are two spans each.
    """
    for span in spans:
        if span.label == "PRODUCT_TYPE" and not _FIXED.match(text, span.start, span.end):
            for label, words in _OF_THEIR_OWN.items():
                if found := words.match(text, span.start, span.end):
                    yield Span(span.start, found.end(), label)
                    span = Span(found.end() + 1, span.end, span.label)  # noqa: PLW2901 # the rest
                    break
        yield span
