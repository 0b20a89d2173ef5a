"""Understanding: puts the rooms together. A pure function of query, catalogue terms and options."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from services.nlu.catalogue_terms import CatalogueTerms
from services.nlu.constraints import find_constraints
from services.nlu.domain import (
    Constraint,
    Entity,
    ParseOptions,
    Token,
    Understanding,
)
from services.nlu.entities import find_entities
from services.nlu.expansion import expand
from services.nlu.filter_text import to_filter
from services.nlu.gloss import embedding_text
from services.nlu.intent import read_intent
from services.nlu.language import query_language
from services.nlu.search_text import search_text
from services.nlu.sentiment import read_sentiment
from services.nlu.spelling import SpellingChecker
from services.nlu.tokens import tokenize
from services.nlu.working_text import WorkingText
from shared.text.normalise import fold

ENGLISH_ONLY = frozenset({"en"})


@dataclass(frozen=True)
class QueryReader:
    """Reads queries against one version of the catalogue's terms.

    Attributes:
        terms: The catalogue's own terms; empty ones leave lexicons and patterns.
        encoder_languages: Languages that the encoder reads; "*" for any.
    """

    terms: CatalogueTerms
    encoder_languages: Collection[str] = ENGLISH_ONLY

    @cached_property
    def _spelling(self) -> SpellingChecker:
        return SpellingChecker(self.terms)

    def warm_up(self) -> None:
        """Builds what is built on first use, so that no query waits for it."""
        self.read("warm up 预热")

    def read(self, query: str, options: ParseOptions | None = None) -> Understanding:
        """Reads one query.

        Args:
            query: 1 to 1,000 characters without control characters.
            options: What the caller chose.

        Returns:
            What it means. Never raises for such a query.
        """
        options = options or ParseOptions()
        language, confidence = query_language(query, options.language_code)
        corrections = self._spelling.check(query, keep=options.keep_spelling)
        working = WorkingText(query, [item for item in corrections if item.applied])
        text = working.text
        entities, constraints = find_constraints(text, find_entities(text, self.terms))
        consumed = [span for constraint in constraints for span in constraint.consumed]
        rest = search_text(text, consumed)
        tokens = tokenize(working)
        placed = [_place_entity(working, entity) for entity in entities]
        reading_text, places = working.stripped()
        intent, alternatives = read_intent(text, entities, _uncovered(tokens, placed))
        return Understanding(
            query=query,
            normalized_query=fold(text),
            search_text=rest,
            embedding_text=embedding_text(
                text,
                rest,
                entities,
                language,
                encoder_languages=self.encoder_languages,
                consumed=consumed,
            ),
            language_code=language,
            language_confidence=confidence,
            tokens=tuple(tokens),
            intent=intent,
            alternative_intents=alternatives,
            entities=tuple(placed),
            sentiment=read_sentiment(text),
            constraints=tuple(_place_constraint(working, item) for item in constraints),
            filter=to_filter(constraints),
            corrections=tuple(corrections),
            expansions=tuple(expand(entities, self.terms, rest)),
            reading_text=reading_text,
            places=places,
        )


def _place_entity(working: WorkingText, entity: Entity) -> Entity:
    start, end = _span(working, entity.start, entity.end)
    return replace(entity, text=working.query[start:end], start=start, end=end)


def _place_constraint(working: WorkingText, constraint: Constraint) -> Constraint:
    start, end = _span(working, constraint.start, constraint.end)
    return replace(constraint, start=start, end=end)


def _span(working: WorkingText, start: int, end: int) -> tuple[int, int]:
    """The span of the query, without white space at its ends."""
    written = working.text[start:end]
    start += len(written) - len(written.lstrip())
    return working.to_query(start, start + len(written.strip()))


def _uncovered(tokens: Iterable[Token], entities: Iterable[Entity]) -> list[str]:
    """Words that no entity covers, without stop words."""
    spans = [(entity.start, entity.end) for entity in entities]
    return [
        token.normalized
        for token in tokens
        if token.normalized
        and not any(start < token.end and token.start < end for start, end in spans)
    ]
