"""Gloss: what an encoder of English reads of a query in another language.

MiniLM knows English only; Chinese letters are noise to it. So it is given the canonical English
words of what the lexicons recognise, in the order of the query, together with the Latin words that
are there anyway: 藏青色男士t恤 nike becomes "navy men t-shirt nike". What no lexicon knows is left
out, and a query of which nothing is known is read as it is.
"""

import re
from collections.abc import Collection, Iterable, Sequence

from services.nlu.domain import Entity
from shared.text.normalise import fold

_LATIN_WORD = re.compile(r"[a-z0-9][a-z0-9.+'/-]*")


def embedding_text(
    text: str,
    search_text: str,
    entities: Sequence[Entity],
    language_code: str,
    *,
    encoder_languages: Collection[str],
    consumed: Iterable[tuple[int, int]],
) -> str:
    """Returns the text whose vector stands for the query.

    Args:
        text: Folded query.
        search_text: What is searched for, which is what an encoder of its language reads.
        entities: What the query names, with spans in `text`.
        language_code: Language of the query.
        encoder_languages: Languages that the encoder was trained on; "*" for any.
        consumed: Spans of `text` that conditions have used up.
    """
    if not search_text:
        return fold(text)
    readable = language_code in encoder_languages or "*" in encoder_languages
    if readable or search_text.isascii():
        return search_text
    used = list(consumed)
    pieces = [
        (entity.start, entity.normalized if entity.normalized.isascii() else "")
        for entity in entities
        if not entity.negated and not _inside(entity.start, used)
    ]
    covered = [*used, *((entity.start, entity.end) for entity in entities)]
    for found in _LATIN_WORD.finditer(text):
        if not _inside(found.start(), covered):
            pieces.append((found.start(), found[0]))
    gloss = " ".join(word for _, word in sorted(pieces) if word)
    return gloss or search_text


def _inside(position: int, spans: Iterable[tuple[int, int]]) -> bool:
    return any(start <= position < end for start, end in spans)
