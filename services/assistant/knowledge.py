"""Knowledge: all answers that are known, from templates, articles and what was learnt."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.assistant.domain import LANGUAGES, Language, Message, Vector
from services.assistant.help import PREFIX as HELP_PREFIX
from services.assistant.help import Help, passage_id
from services.assistant.learnt import Learnt
from services.assistant.matching import ENCODER_LANGUAGES, Match, Matcher, MatcherWeights
from services.assistant.templates import Templates

LEAST_LABEL: Final = 0.5
"""Probability from which on the NLU's label of a learnt question counts as its concern."""


@dataclass(frozen=True, slots=True)
class _Example:
    answer_id: str
    intent: str
    language: Language
    text: str


class Knowledge:
    """Finds answers. For one thread.

    Args:
        templates: The shop's answers.
        help: Its help articles.
        weights: Of matching; the bundled ones when None.
    """

    def __init__(
        self, templates: Templates, help_articles: Help, weights: MatcherWeights | None = None
    ) -> None:
        self.templates = templates
        self.help = help_articles
        self._weights = weights
        self._learnt: dict[str, Learnt] = {}
        self._own: dict[str, Learnt] = {}
        self._vectors: dict[tuple[Language, str], Vector] = {}
        self._fixed = [*_of_templates(templates), *_of_help(help_articles)]
        self._matcher = self._build()

    def __len__(self) -> int:
        return len(self._learnt)

    def match(self, message: Message) -> list[Match]:
        """Returns the answers, best first."""
        return self._matcher.match(message)

    def knows(self, answer_id: str) -> bool:
        """Whether there is such an answer."""
        return (
            answer_id in self.templates.by_id
            or answer_id in self._own
            or any(each.answer_id == answer_id for each in self._fixed)
        )

    def intent_of(self, answer_id: str) -> str:
        """Returns the concern of an answer; "" for one without."""
        template = self.templates.by_id.get(answer_id)
        if template:
            return template.intent
        return self._own[answer_id].intent if answer_id in self._own else ""

    def own_answer(self, answer_id: str) -> Learnt | None:
        """Returns the example that holds a learnt answer; None for other answers."""
        return self._own.get(answer_id)

    def learnt(self, key: str) -> Learnt | None:
        """Returns an example by its key; None where there is none."""
        return self._learnt.get(key)

    def all_learnt(self) -> list[Learnt]:
        """Returns all that was learnt, the newest first."""
        return sorted(self._learnt.values(), key=lambda each: (-each.learnt_ms, each.key))

    def is_help(self, answer_id: str) -> bool:
        """Whether an answer is a paragraph of the help articles."""
        return answer_id.startswith(HELP_PREFIX)

    def waits_for_vectors(self, language: Language) -> bool:
        """Whether questions of a language are compared by words for now."""
        return self._matcher.needs_vectors(language)

    def add(
        self,
        examples: Iterable[Learnt],
        vectors: Mapping[tuple[Language, str], Vector] | None = None,
    ) -> None:
        """Learns examples; one whose question was learnt before takes its place.

        Args:
            examples: What is learnt.
            vectors: Of their questions.
        """
        self._vectors.update(vectors or {})
        replaced = False
        for each in examples:
            replaced = replaced or each.key in self._learnt
            self._learnt[each.key] = each
            if each.answer:
                self._own[each.answer_id] = each
            if not replaced:
                self._add_to(self._matcher, _of_learnt(each))
        if replaced:
            self._matcher = self._build()

    def remove(self, keys: Iterable[str]) -> None:
        """Forgets examples; keys that are not there do no harm."""
        if not [key for key in keys if self._learnt.pop(key, None) is not None]:
            return
        self._own = {each.answer_id: each for each in self._learnt.values() if each.answer}
        left = {(each.language, each.text) for each in self._examples()}
        self._vectors = {text: v for text, v in self._vectors.items() if text in left}
        self._matcher = self._build()

    def without_vector(self) -> list[tuple[Language, str]]:
        """Returns the questions that still want a vector."""
        wanted: list[tuple[Language, str]] = [(e.language, e.text) for e in self._examples()]
        return [
            each
            for each in dict.fromkeys(wanted)
            if each[0] in ENCODER_LANGUAGES and each not in self._vectors
        ]

    def add_vectors(self, texts: Sequence[tuple[Language, str]], vectors: Sequence[Vector]) -> None:
        """Adds vectors of questions."""
        self._vectors.update(zip(texts, vectors, strict=True))
        self._matcher = self._build()

    def forget_vectors(self, language: Language) -> None:
        """Forgets all vectors of a language: what comes next is of another model."""
        self._vectors = {text: v for text, v in self._vectors.items() if text[0] != language}
        self._matcher = self._build()

    def _build(self) -> Matcher:
        matcher = Matcher(self._weights)
        for each in self._examples():
            self._add_to(matcher, each)
        return matcher

    def _examples(self) -> Iterable[_Example]:
        yield from self._fixed
        yield from map(_of_learnt, self._learnt.values())

    def _add_to(self, matcher: Matcher, example: _Example) -> None:
        vector = self._vectors.get((example.language, example.text))
        matcher.add(example.answer_id, example.intent, example.language, example.text, vector)


def label_of(message: Message) -> str:
    """Returns the concern of a question that is learnt; "" where the NLU is not sure of one."""
    labels = message.labels
    return next((label for label, share in labels.items() if share >= LEAST_LABEL), "")


def _of_templates(templates: Templates) -> Iterable[_Example]:
    for template in templates.by_id.values():
        for language in LANGUAGES:
            for question in template.wording(language).questions:
                yield _Example(template.id, template.intent, language, question)


def _of_help(help_articles: Help) -> Iterable[_Example]:
    for article in help_articles.articles:
        for paragraph in article.paragraphs:
            for language in LANGUAGES:
                wording = paragraph.wording(language)
                for text in (*wording.questions, wording.text):
                    yield _Example(passage_id(article, paragraph), "", language, text)


def _of_learnt(learnt: Learnt) -> _Example:
    return _Example(learnt.answer_id, learnt.intent, learnt.language, learnt.question)
