"""Summaries in the words of the language model: a sentence at a time, each clause verified.

The model words the same points as the fixed wordings, which answer for every sentence that it does
not finish in time or that holds a clause which does not stand.
"""

import hashlib
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from prometheus_client import Counter

from services.reason.summarise.pieces import Piece, plan
from services.reason.summarise.points import Point
from services.reason.summarise.sentences import Text
from services.reason.summarise.verify import Claim, Rejected, Reread
from services.reason.summarise.verify_clause import fault_of_clause
from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.writer import RESERVE, Writer
from shared.deadline import current_deadline
from shared.errors import WhereforeError

SENTENCES = Counter(
    "wherefore_reason_model_summary_sentences_total",
    'Sentences of summaries asked of the model, by outcome: "served", or why fixed wordings do.',
    ("outcome",),
)


@dataclass(slots=True)
class Sentence:
    """A sentence of a summary.

    Attributes:
        pieces: What it says.
        text: In the model's words; "" where fixed wordings have to say it.
        claims: With their words.
        rejected: What the model said and did not stand.
    """

    pieces: Sequence[Piece]
    text: str = ""
    claims: list[Claim] = field(default_factory=list[Claim])
    rejected: list[Rejected] = field(default_factory=list[Rejected])
    outcome: str = "unfinished"


@dataclass(frozen=True, slots=True)
class Worded:
    """What came of a summary: sentences in order, the model's name, and why it was lost.

    `reread` is what they were verified by.
    """

    sentences: Sequence[Sentence]
    version: str
    reread: Reread
    lost: WhereforeError | None = None


class SummaryWriter:
    """Words points by the model.

    Args:
        writer: The model.
        seconds: Longest time that it gets for a summary; the caller's deadline may make it shorter.
        banned: Words that may not stand in a summary.
    """

    def __init__(
        self,
        writer: Writer,
        seconds: float,
        banned: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._writer, self._seconds, self._banned, self._clock = writer, seconds, banned, clock

    def write(
        self,
        pros: Sequence[Point],
        cons: Sequence[Point],
        reviews: Sequence[Text],
        language: str,
        budget: int,
    ) -> Worded:
        """Words a summary.

        Args:
            pros: Points for, most reviews first.
            cons: Points against.
            reviews: Those that the points were counted over.
            language: "zh" or "en".
            budget: Words in all, about.
        """
        ends = self._clock() + current_deadline().stage_timeout(self._seconds, RESERVE)
        seed = _seed_of(reviews)
        sentences = [Sentence(each) for each in plan(pros, cons, reviews, language, budget)]
        asked: list[Sentence] = []
        wanted: list[Wanted] = []
        for at, sentence in enumerate(sentences):
            evidence = [piece.evidence for piece in sentence.pieces]
            one = Wanted(evidence, language, seed + at)
            if self._writer.knows(one):
                asked.append(sentence)
                wanted.append(one)
            else:
                sentence.outcome = "unknown_kind"
        lost: WhereforeError | None = None
        reread = Reread(reviews)
        try:
            for progress in self._writer.stream(wanted, ends - self._clock()) if wanted else ():
                self._take(asked[progress.row], progress, reread, language)
        except WhereforeError as error:
            lost = error
            for sentence in asked:
                if not sentence.text and sentence.outcome == "unfinished":
                    sentence.outcome = "lost"
        for sentence in sentences:
            SENTENCES.labels(sentence.outcome).inc()
        return Worded(sentences, self._writer.version, reread, lost)

    def _take(self, sentence: Sentence, progress: Progress, reread: Reread, language: str) -> None:
        said = progress.reason
        if said is None:
            return
        for clause in said.clauses:
            piece = sentence.pieces[clause.position]
            claims = [replace(c, text=clause.text, by_model=True) for c in piece.claims]
            cause = fault_of_clause(piece, clause.text, reread, language, self._banned)
            if cause is not None:
                sentence.rejected += [Rejected(claim, cause) for claim in claims]
                sentence.outcome = cause
            sentence.claims += claims
        if sentence.rejected:
            sentence.claims = []
        else:
            sentence.text, sentence.outcome = said.text, "served"


def _seed_of(reviews: Sequence[Text]) -> int:
    """The same reviews are summed up in the same words."""
    digest = hashlib.blake2b(digest_size=4)
    for review in reviews:
        digest.update(f"{review.id}\0{review.body}\0".encode())
    return int.from_bytes(digest.digest(), "big")
