"""Where the vocabulary's terms stand in the texts of a product."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from services.reason.tags.likeness import is_likeness
from services.reason.tags.negation import is_denied, is_supposed
from services.reason.tags.passages import Passage
from services.reason.tags.vocabulary import Vocabulary
from shared.text.lexicon.matcher import PhraseMatcher, phrase_key, plurals

_SHORTEST_PLURAL = 3


@dataclass(frozen=True, slots=True)
class Mention:
    """A form of a term in a passage; [start, end) in code points."""

    term: int
    passage: int
    start: int
    end: int
    denied: bool


class MentionFinder:
    """Finds the terms of a vocabulary; built once, safe to share between threads.

    Forms of Latin letters match whole words, with their regular plurals; the longest form wins, so
    that "organic cotton" is no mention of "cotton" where both are terms.
    """

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._keys = [term.key for term in vocabulary.terms]
        by_form: dict[str, list[int]] = {}
        for at, term in enumerate(vocabulary.terms):
            for form in term.forms:
                key = phrase_key(form)
                spelled = [key, *plurals(key)] if len(key) >= _SHORTEST_PLURAL else [key]
                for spelling in spelled:
                    if spelling and at not in by_form.setdefault(spelling, []):
                        by_form[spelling].append(at)
        self._matcher = PhraseMatcher((form, tuple(terms), "") for form, terms in by_form.items())

    def find(self, passages: Sequence[Passage], among: Collection[int]) -> list[Mention]:
        """Returns the mentions of the terms `among`, passage by passage.

        What reviewers suppose or wish for is left out, and what a product only looks like.
        """

        def wanted(terms: tuple[int, ...]) -> bool:
            return any(term in among for term in terms)

        found: list[Mention] = []
        for place, passage in enumerate(passages):
            for match in self._matcher.find(passage.body, wanted):
                start, end = match.start, match.end
                if start >= end:
                    continue
                if passage.is_review and is_supposed(passage.body, start, end):
                    continue
                denied = is_denied(passage.body, start, end)
                found += [
                    Mention(term, place, start, end, denied)
                    for term in match.value
                    if term in among and not is_likeness(passage.body, start, end, self._keys[term])
                ]
        return found
