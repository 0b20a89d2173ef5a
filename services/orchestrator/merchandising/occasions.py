"""On which occasions rules apply."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from services.orchestrator.merchandising.rules import Rule, When
from shared.errors import InvalidArgumentError
from shared.filter_syntax import And, Operator, Restriction, parse_filter
from shared.text.analysis import terms
from shared.text.normalise import fold
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding

# A reading of the query's category below this is a guess.
_SURE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Occasion:
    """A request, as far as rules look at it."""

    serving_config: str
    query: str = ""
    """Folded, corrections applied; empty for recommendations."""
    words: frozenset[str] = frozenset()
    """Words of the query as the index has them."""
    categories: frozenset[str] = frozenset()
    """Folded."""
    now: datetime = field(default_factory=lambda: datetime.now(UTC))


def occasion_of(
    serving_config: str, filter_text: str, understanding: QueryUnderstanding | None = None
) -> Occasion:
    """Returns the occasion of a request whose filter parses."""
    categories = set(_filter_categories(filter_text))
    if understanding is None:
        return Occasion(serving_config, categories=frozenset(categories))
    query = fold(understanding.normalized_query or understanding.query)
    categories |= {fold(c.category) for c in understanding.categories if c.confidence >= _SURE}
    return Occasion(serving_config, query, frozenset(terms(query)), frozenset(categories))


class Phrase:
    """Words or a phrase to find in queries."""

    def __init__(self, text: str) -> None:
        self._folded = fold(text)
        self.words = frozenset(terms(text))
        # Chinese is cut into words by their neighbours, so there the letters decide too; and stop
        # words are no words of the index.
        self.by_letters = not self.words or not self._folded.isascii()

    def is_in(self, occasion: Occasion) -> bool:
        """Whether all its words are in the query."""
        if self.words and self.words <= occasion.words:
            return True
        if self._folded.isascii():
            return not self.words and f" {self._folded} " in f" {occasion.query} "
        return self._folded in occasion.query


class RuleIndex:
    """Finds the rules that apply, without looking at each of thousands."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self.count = len(rules)
        self._phrases = {
            number: [Phrase(text) for text in rule.when.query_terms]
            for number, rule in enumerate(rules)
        }
        # Synonyms wait for their words as if the condition named them.
        self._sources = {
            number: [Phrase(text) for text in rule.synonyms.sources]
            for number, rule in enumerate(rules)
            if rule.synonyms is not None
        }
        self._queries = [frozenset(map(fold, rule.when.queries)) for rule in rules]
        self._categories = [frozenset(map(fold, rule.when.categories)) for rule in rules]
        self._by_query: defaultdict[str, set[int]] = defaultdict(set)
        self._by_word: defaultdict[str, set[int]] = defaultdict(set)
        self._others: set[int] = set()
        for number, rule in enumerate(rules):
            self._enter(number, rule.when)

    def _enter(self, number: int, when: When) -> None:
        phrases = self._sources.get(number) or self._phrases[number]
        if when.queries:
            for query in self._queries[number]:
                self._by_query[query].add(number)
        elif phrases and not any(phrase.by_letters for phrase in phrases):
            for phrase in phrases:
                self._by_word[min(phrase.words)].add(number)
        else:
            self._others.add(number)

    def matching(self, occasion: Occasion) -> list[Rule]:
        """Returns the rules that apply, in the order of the file."""
        found = self._others | self._by_query.get(occasion.query, set())
        for word in occasion.words:
            found = found | self._by_word.get(word, set())
        return [self._rules[number] for number in sorted(found) if self._holds(number, occasion)]

    def _holds(self, number: int, occasion: Occasion) -> bool:
        when = self._rules[number].when
        phrases, categories = self._phrases[number], self._categories[number]
        sources = self._sources.get(number)
        return (
            (not when.queries or occasion.query in self._queries[number])
            and (not phrases or any(phrase.is_in(occasion) for phrase in phrases))
            and (sources is None or any(source.is_in(occasion) for source in sources))
            and (not categories or not categories.isdisjoint(occasion.categories))
            and (not when.serving_configs or occasion.serving_config in when.serving_configs)
            and when.in_time(occasion.now)
        )


def _filter_categories(filter_text: str) -> Iterable[str]:
    """Yields the categories that a filter asks for, by conditions joined by AND."""
    if not filter_text.strip():
        return
    try:
        tree = parse_filter(filter_text)
    except InvalidArgumentError:
        return  # retrieval says what is wrong with it
    for part in tree.operands if isinstance(tree, And) else (tree,):
        if (
            isinstance(part, Restriction)
            and part.field == "category"
            and part.operator in (Operator.HAS, Operator.EQUAL)
        ):
            yield from (fold(value.text) for value in part.values)
