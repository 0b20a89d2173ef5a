"""Tokens: the query cut into the terms that the sparse leg looks up."""

from services.nlu.domain import Token
from services.nlu.working_text import WorkingText
from shared.text.analysis import analyse


def tokenize(text: WorkingText) -> list[Token]:
    """Cuts a query into tokens; a corrected word is looked up by its correction.

    Returns:
        Tokens in order of their spans, which are spans of the query. They overlap where a compound
        and its parts are terms both.
    """
    found: list[Token] = []
    for term in analyse(text.text):
        start, end = text.to_query(term.start, term.end)
        found.append(Token(text.query[start:end], start, end, term.normalized))
    return found
