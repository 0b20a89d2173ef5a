"""From reviews and descriptions to a summary: split, weigh, choose, count."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.reason.language import LANGUAGES, is_chinese
from services.reason.summarise.centrality import Matrix, tf_idf
from services.reason.summarise.encoder import STAGE
from services.reason.summarise.overview import write_overview
from services.reason.summarise.points import Point, count_points
from services.reason.summarise.rewrite import Rewritten, rewrite
from services.reason.summarise.scorer import LANGUAGE, LinearScorer, scorers
from services.reason.summarise.sentences import Sentence, Text, distinct, split
from services.reason.summarise.vector_cache import Encoder
from services.reason.summarise.worded import SummaryWriter
from services.reason.summarise.worth import extract, prescreen
from shared.degradation import cause_of, degradation
from shared.errors import WhereforeError
from shared.text.language import primary_language
from shared.timing import StageTimer
from wherefore.common.v1.diagnostics_pb2 import Degradation

DEFAULT_WORDS: Final = 50
DEFAULT_POINTS: Final = 5
TF_IDF: Final = "tf_idf"
WORDS: Final = "reason.model"
"""Stage of the language model, as `Explain` names it."""
QUOTED, REWRITTEN = 1, 2
"""Styles, numbered as in the contract."""
MAX_SENTENCES: Final = 1_000
"""Sentences that are weighed; those beyond are left out, evenly over the reviews."""
MAX_ENCODED: Final = 96
"""Sentences that get vectors: of more, those worth most by their words."""
LONGEST: Final = 60
"""Words of a sentence that may be quoted: reviewers who use no full stops are not quoted whole."""


@dataclass(frozen=True, slots=True)
class SummaryInput:
    """What to sum up; 0 and "" take the defaults."""

    reviews: Sequence[Text]
    descriptions: Mapping[str, str]
    language: str = ""
    max_words: int = 0
    max_points: int = 0
    style: int = 0


@dataclass(frozen=True, slots=True)
class Quoted:
    """A sentence of the summary; `review_id` is empty when it is of a description."""

    sentence: Sentence
    review_id: str
    centrality: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What is said of a product."""

    quoted: Sequence[Quoted]
    pros: Sequence[Point]
    cons: Sequence[Point]
    overview: str
    language: str
    reviews: int
    duplicates: int
    method: str
    degraded: Sequence[Degradation] = ()
    rewritten: Rewritten | None = None


class Summariser:
    """Writes summaries.

    Args:
        encoder: Gives vectors; None compares words alone.
        languages: Those the encoder reads. Elsewhere words are compared, which is no degradation.
        banned: Words that no text of ours holds.
    """

    def __init__(
        self,
        encoder: Encoder | None,
        languages: Sequence[str] = ("en",),
        banned: Collection[str] = (),
    ) -> None:
        self._banned = banned
        self._encoder = encoder
        self.writer: SummaryWriter | None = None
        """Words what is rewritten; fixed wordings do when None."""
        self._languages = frozenset(languages)

    async def summarise(self, wanted: SummaryInput, timer: StageTimer) -> Summary:
        """Returns the summary of texts that `validation.validate` let pass."""
        with timer.stage("summarise.sentences"):
            written = [review for review in wanted.reviews if review.body.strip()]
            reviews = await asyncio.to_thread(distinct, written)
            language = _language(wanted, reviews)
            texts = [*reviews, *_descriptions(wanted.descriptions, language)]
            sentences = _quotable(texts, language)
            if self._encodes(language):
                by_words = _scorer(language, None)
                sentences = await asyncio.to_thread(_prescreened, sentences, by_words)
        vectors, method, degraded = await self._vectors(sentences, language, timer)
        with timer.stage("summarise.extract"):
            budget = wanted.max_words or DEFAULT_WORDS
            scorer = _scorer(language, vectors)
            quoted = await asyncio.to_thread(_extract, sentences, texts, vectors, budget, scorer)
        with timer.stage("summarise.points"):
            most = wanted.max_points or DEFAULT_POINTS
            pros, cons = await asyncio.to_thread(count_points, reviews, language, most)
        rewritten = None
        if wanted.style == REWRITTEN:
            with timer.stage("summarise.rewrite"):
                rewritten, lost = await asyncio.to_thread(
                    self._rewrite, (pros, cons), _quotes(quoted), reviews, language, budget
                )
                degraded = [*degraded, *lost]
        return Summary(
            quoted=quoted,
            pros=pros,
            cons=cons,
            overview=write_overview(pros, cons, len(reviews), language),
            language=language,
            reviews=len(reviews),
            duplicates=len(written) - len(reviews),
            method=f"{method}+{scorer.name}" if scorer and sentences else method,
            degraded=degraded,
            rewritten=rewritten,
        )

    def _rewrite(
        self,
        sides: tuple[Sequence[Point], Sequence[Point]],
        quotes: Sequence[tuple[str, str]],
        reviews: Sequence[Text],
        language: str,
        budget: int,
    ) -> tuple[Rewritten, list[Degradation]]:
        worded, lost = None, list[Degradation]()
        if self.writer is not None:
            worded = self.writer.write(*sides, reviews, language, budget)
            if worded.lost is not None:
                cause, detail = cause_of(worded.lost), str(worded.lost)
                lost = [degradation(WORDS, cause, fallback="template", detail=detail)]
        found = rewrite(
            *sides,
            quotes,
            reviews,
            language=language,
            budget=budget,
            banned=self._banned,
            worded=worded,
        )
        return found, lost

    def _encodes(self, language: str) -> bool:
        return self._encoder is not None and language in self._languages

    async def _vectors(
        self, sentences: Sequence[Sentence], language: str, timer: StageTimer
    ) -> tuple[Matrix | None, str, list[Degradation]]:
        if self._encoder is None or not self._encodes(language) or not sentences:
            return None, TF_IDF, []
        try:
            with timer.stage(STAGE):
                vectors, model = await self._encoder.encode([s.text for s in sentences])
        except WhereforeError as error:
            cause = cause_of(error)
            told = degradation(STAGE, cause, fallback=TF_IDF, detail=str(error))
            return None, TF_IDF, [told]
        return vectors, model, []


def _language(wanted: SummaryInput, reviews: Sequence[Text]) -> str:
    asked = primary_language(wanted.language)
    if asked in LANGUAGES:
        return asked
    bodies = [review.body for review in reviews] or list(wanted.descriptions.values())
    counted = Counter("zh" if is_chinese(body) else "en" for body in bodies)
    return max(LANGUAGES, key=lambda language: counted[language])


def _descriptions(descriptions: Mapping[str, str], language: str) -> list[Text]:
    return [
        Text("", body)
        for tag, body in sorted(descriptions.items())
        if primary_language(tag) == language
    ]


def _quotable(texts: Sequence[Text], language: str) -> list[Sentence]:
    found = [
        sentence
        for at, text in enumerate(texts)
        for sentence in split(text.body, at, of_shop=not text.id)
        if sentence.language == language and sentence.words <= LONGEST
    ]
    every = -(-len(found) // MAX_SENTENCES) if found else 1
    return found[::every]


def _quotes(quoted: Sequence[Quoted]) -> list[tuple[str, str]]:
    """Returns the sentences of reviews, each with its review's id, the most central first."""
    ordered = sorted(quoted, key=lambda each: -each.centrality)
    return [(each.review_id, each.sentence.text) for each in ordered if each.review_id]


def _prescreened(sentences: Sequence[Sentence], scorer: LinearScorer | None) -> Sequence[Sentence]:
    if len(sentences) <= MAX_ENCODED:
        return sentences
    return prescreen(sentences, tf_idf([s.text for s in sentences]), MAX_ENCODED, scorer)


def _scorer(language: str, vectors: Matrix | None) -> LinearScorer | None:
    return scorers()["words" if vectors is None else "meaning"] if language == LANGUAGE else None


def _extract(
    sentences: Sequence[Sentence],
    texts: Sequence[Text],
    vectors: Matrix | None,
    budget: int,
    scorer: LinearScorer | None,
) -> list[Quoted]:
    if not sentences:
        return []
    words = tf_idf([s.text for s in sentences])
    chosen, centrality = extract(sentences, words, vectors, budget, scorer)
    return [
        Quoted(sentences[at], texts[sentences[at].source].id, float(centrality[at]))
        for at in chosen
    ]
