"""Words of a sentence: each must be on record, or be one of those that claim nothing."""

import re
from collections.abc import Iterator
from typing import Final

from shared.evaluation.claims.glue import GLUE
from shared.evaluation.claims.han import HAN, check_han
from shared.evaluation.claims.record import KIND_OF_KEY, Record, is_more_than_known
from shared.text.analysis import Term, analyse
from shared.text.lexicon import Mention, find_mentions

_NEGATION: Final = re.compile(
    r"\b(?:not|without|isn't|no|never|free of|free from)\b|不是|不含|不带|没有|并非|而非|非",
    re.IGNORECASE,
)
_CLAUSE_END: Final = re.compile(
    r"[,;.，；。、]| and (?=in [^,;.]{1,40} where you\b)"
    r"| and (?=(?:it|has|is|was|comes|holds|gets|costs|carries|answers|matches|belongs)\b)"
)
"""What is denied ends here: "and" before a verb begins another claim."""
_NEGATED_BEFORE: Final = r"(?:not|without|no|non|never|free of|不含|不带|没有|无|非|不)[\s-]*"


def check_words(text: str, left: str, record: Record) -> Iterator[tuple[int, int, str]]:
    """Yields the span of each word that claims something, and its problem or "".

    Args:
        text: The sentence. Chinese is cut into words by what stands around them, so all of it.
        left: The same, with what other checks dealt with blanked; only what is left is looked at.
        record: The records.
    """
    cues = [found.span() for found in _NEGATION.finditer(text)]
    negated = [(end, _end_of_clause(text, end)) for _, end in cues]
    for start, end in cues:
        left = left[:start] + " " * (end - start) + left[end:]
    mentions = [m for m in find_mentions(text) if not _is_part(text, m)]
    by_start = {m.start: m for m in mentions}
    covered = 0
    for term in analyse(text):
        # A number and the word behind it ("Windows 10 in its title") are terms themselves.
        measure = " " in term.text
        if measure or not left[term.start : term.end].strip() or HAN.search(term.text):
            continue
        mention = by_start.get(term.start)
        if mention is not None and term.start >= covered:
            covered = mention.end
            inside = _is_inside(mention.start, negated)
            yield mention.start, mention.end, _value_problem(mention, record, negated=inside)
        elif term.start >= covered and term.normalized and not is_glue(term):
            inside = _is_inside(term.start, negated)
            yield term.start, term.end, _term_problem(term, record, negated=inside)
    for mention in mentions:
        if HAN.search(mention.text) and left[mention.start : mention.end].strip():
            inside = _is_inside(mention.start, negated)
            yield mention.start, mention.end, _value_problem(mention, record, negated=inside)
            left = left[: mention.start] + " " * len(mention.text) + left[mention.end :]
    yield from check_han(left, record, lambda at: _is_inside(at, negated))


def _is_inside(at: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= at < end for start, end in spans)


def is_glue(term: Term) -> bool:
    """Whether a word claims nothing."""
    return term.normalized in GLUE or term.text.casefold() in GLUE


def _value_problem(mention: Mention, record: Record, *, negated: bool) -> str:
    """A word that the lexicon knows: a colour, a material, a kind of product."""
    value = (mention.kind, mention.canonical)
    if negated:
        stated = record.stated.get(mention.kind, frozenset())
        asked = value in record.query_meanings
        return "" if asked and stated and mention.canonical not in stated else "negation"
    if mention.kind in KIND_OF_KEY.values() and mention.kind in record.stated:
        title = {
            (m.kind, m.canonical)
            for text in record.product.titles.values()
            for m in find_mentions(text, [mention.kind])
        }
        if mention.canonical in record.stated[mention.kind] or value in title:
            return ""
        return "value" if not _verbatim(mention.text, record) else ""
    known = value in record.meanings and not is_more_than_known(mention.text, record)
    if known or _verbatim(mention.text, record):
        return "negated" if _only_negated(mention.text, record) else ""
    return "word" if mention.text.casefold() not in GLUE else ""


def _term_problem(term: Term, record: Record, *, negated: bool) -> str:
    known = term.normalized in record.terms or _verbatim(term.text, record)
    if negated:
        return "negation" if known or term.normalized not in record.query_terms else ""
    if not known:
        return "word"
    return "negated" if _only_negated(term.text, record) else ""


def _verbatim(words: str, record: Record) -> bool:
    folded = words.casefold()
    if folded.isascii():
        return re.search(rf"(?<!\w){re.escape(folded)}(?!\w)", record.folded) is not None
    return folded in record.folded


def _only_negated(word: str, record: Record) -> bool:
    """Whether the catalogue names it only to say that it is not there."""
    folded = re.escape(word.casefold())
    told = len(re.findall(folded, record.folded))
    return told > 0 and told == len(re.findall(_NEGATED_BEFORE + folded, record.folded))


def _is_part(text: str, mention: Mention) -> bool:
    """Whether a Latin mention is a part of a hyphenated word ("silver-plated")."""
    return mention.text.isascii() and "-" in (
        text[mention.start - 1 : mention.start],
        text[mention.end : mention.end + 1],
    )


def _end_of_clause(text: str, start: int) -> int:
    end = _CLAUSE_END.search(text, start)
    return end.start() if end else len(text)
