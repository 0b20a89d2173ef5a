"""Reasons in the words of the language model, on the evidence that the templates stand on.

The template reason of each product is written first: its facts are what the model words, and it
answers wherever the model does not. Every clause of the model passes the same verifier as soon as
it ends, so that nothing unverified leaves this module.
"""

import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from prometheus_client import Counter

from services.reason.explainer import Explainer, ExplainInput, WrittenReason, disclosed
from services.reason.facts import OF_THE_USER, Claim, Scene, facts_of
from services.reason.parts import ClausePart, Lost, Page, Part, ReasonPart
from services.reason.ranking_facts import UNTAUGHT
from services.reason.recheck_own import OWN_RECHECKS
from services.reason.varied import LITTLE
from services.reason.verify import Verifier
from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.wording.rendering import SaidReason
from services.reason.wording.slots import fill
from services.reason.writer import RESERVE, Writer
from shared.deadline import current_deadline
from shared.errors import DeadlineExceededError, ResourceExhaustedError, WhereforeError

DRAWS: Final = 2
"""Times that a text is drawn when it stands on the page already."""
_OF_PICTURES: Final = frozenset({"picture_match"})
_FULL_STOP: Final = {"en": ".", "zh": "。"}
MODEL_REASONS = Counter(
    "wherefore_reason_model_reasons_total",
    'Reasons asked of the model, by outcome: "served", or why the template answered.',
    ("outcome",),
)


@dataclass(slots=True)
class _Asked:
    """A reason that the model is asked for, and what of it stands so far."""

    index: int
    scene: Scene
    template: WrittenReason
    told: Sequence[Claim]
    """Claims of the template that the model words, in the order of its evidence."""
    wanted: Wanted
    claims: list[Claim] = field(default_factory=list[Claim])
    sent: str = ""
    """The sentence up to the end of its last clause that stands."""
    ended: bool = False


class WordedExplainer:
    """Explains a page by the model, and by templates where it has no answer that stands.

    Args:
        explainer: Finds the evidence and writes the templates.
        verifier: Checks the clauses of the model.
        writer: The model.
        seconds: Longest time that the model gets for a page; the caller's deadline may make it
            shorter.
        rows: Reasons of a page, from its top, that the model is asked for.
    """

    def __init__(
        self,
        explainer: Explainer,
        verifier: Verifier,
        writer: Writer,
        *,
        seconds: float,
        rows: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._explainer, self._verifier, self._writer = explainer, verifier, writer
        self._seconds, self._rows, self._clock = seconds, rows, clock

    def explain(self, wanted: ExplainInput, on_part: Callable[[Part], None] | None = None) -> Page:
        """Explains a page.

        Args:
            wanted: The page.
            on_part: Told of every part as it comes.

        Raises:
            InvalidArgumentError: Names the field at fault.
        """
        found: dict[int, WrittenReason] = {}
        lost: WhereforeError | None = None
        for part in self.stream(wanted):
            if on_part is not None:
                on_part(part)
            if isinstance(part, ReasonPart):
                found[part.index] = part.reason
            elif isinstance(part, Lost):
                lost = part.error
        return Page([found[index] for index in range(len(wanted.items))], lost)

    def stream(
        self, wanted: ExplainInput, *, by_clause: bool = False
    ) -> Generator[Part, None, None]:
        """Yields the reasons of a page, each as soon as it is known to stand.

        Args:
            wanted: The page.
            by_clause: Whether clauses are told before their reason is whole. A reason of which a
                later clause does not stand then ends with those told, and one whose text stands on
                the page already is not drawn again.

        Raises:
            InvalidArgumentError: Before the first reason; names the field at fault.
        """
        scenes: list[Scene] = []
        for part in self._undisclosed(wanted, scenes, by_clause=by_clause):
            if isinstance(part, ReasonPart):
                yield ReasonPart(part.index, disclosed(part.reason, scenes[part.index]))
            else:
                yield part

    def _undisclosed(
        self, wanted: ExplainInput, scenes: list[Scene], *, by_clause: bool
    ) -> Generator[Part, None, None]:
        """As `stream`, without what the shop did to places; fills `scenes` before the first."""
        given = list(self._explainer.explain_scenes(wanted))
        scenes += [scene for scene, _ in given]
        ends = self._clock() + current_deadline().stage_timeout(self._seconds, RESERVE)
        reasons = [reason for _, reason in given]
        asked: list[_Asked] = []
        for index, (scene, reason) in enumerate(given):
            row = self._asked(index, scene, reason) if index < self._rows else None
            if row is None:
                yield ReasonPart(index, reason)
            else:
                asked.append(row)
        for draw in range(1, DRAWS + 1):
            again = yield from self._draw(
                asked, reasons, ends, by_clause=by_clause, last=draw == DRAWS
            )
            asked = [_drawn_again(row, draw) for row in again]

    def _draw(
        self,
        asked: Sequence[_Asked],
        reasons: list[WrittenReason],
        ends: float,
        *,
        by_clause: bool,
        last: bool,
    ) -> Generator[Part, None, list[_Asked]]:
        """Yields what the model says of the rows; returns those whose text is on the page already.

        Args:
            asked: The rows.
            reasons: Of the whole page so far; kept up to date.
            ends: When to stop, by the clock.
            by_clause: See `stream`.
            last: Whether the template answers where a text is on the page already.
        """
        again: list[_Asked] = []
        rows = {row.index: row for row in asked}
        for part in self._write(asked, ends, by_clause=by_clause) if asked else ():
            if not isinstance(part, ReasonPart):
                yield part
                continue
            index, reason = part.index, part.reason
            others = (other.text for at, other in enumerate(reasons) if at != index)
            if not reason.by_model:
                yield part
            elif by_clause or reason.text not in others:
                reasons[index] = reason
                MODEL_REASONS.labels("served").inc()
                yield part
            elif last:
                MODEL_REASONS.labels("repeated").inc()
                yield ReasonPart(index, rows[index].template)
            else:
                again.append(rows[index])
        return again

    def _asked(self, index: int, scene: Scene, template: WrittenReason) -> _Asked | None:
        told = told_to_model(template.claims)
        if not told:
            return None
        facts = [claim.facts[0] for claim in told]
        try:
            evidence = [fill(fact, template.language) for fact in facts]
        except ValueError:  # a value of a form that no slot has
            MODEL_REASONS.labels("unfilled").inc()
            return None
        one = Wanted(evidence, template.language, seed_of(scene, template.language, 0))
        if self._writer.knows(one):
            return _Asked(index, scene, template, told, one)
        MODEL_REASONS.labels("unknown_kind").inc()
        return None

    def _write(self, asked: Sequence[_Asked], ends: float, *, by_clause: bool) -> Iterator[Part]:
        """Yields what the model says of the rows, and in the end a reason of each."""
        lost: WhereforeError | None = None
        try:
            for progress in self._writer.stream(
                [row.wanted for row in asked], ends - self._clock()
            ):
                row = asked[progress.row]
                if not row.ended:
                    yield from self._progress(row, progress, by_clause=by_clause)
        except WhereforeError as error:
            lost = error
        left = [row for row in asked if not row.ended]
        if left and lost is None:
            lost = DeadlineExceededError(f"{len(left)} of {len(asked)} reasons came too late")
        if lost is not None:
            yield Lost(lost)
        for row in left:
            yield self._given_up(row, _outcome(lost), by_clause=by_clause)

    def _progress(self, row: _Asked, progress: Progress, *, by_clause: bool) -> Iterator[Part]:
        if progress.failed:
            yield self._given_up(row, "unfinished", by_clause=by_clause)
            return
        said = progress.reason or progress.closed
        if said is None:
            return
        for clause in said.clauses[len(row.claims) :]:
            told = row.told[clause.position]
            claim = Claim(clause.text, told.code, told.facts)
            if cause := self._verifier.check(claim, row.scene, row.template.language).cause:
                yield self._given_up(row, cause, by_clause=by_clause)
                return
            row.claims.append(claim)
            before, row.sent = row.sent, _up_to(said, clause.text, row.sent)
            if by_clause:
                yield ClausePart(row.index, row.sent.removeprefix(before), claim)
        if progress.reason is not None:
            row.ended = True
            worded = self._worded(row, progress.reason.text)
            yield ReasonPart(row.index, replace(worded, cached=progress.cached))

    def _given_up(self, row: _Asked, why: str, *, by_clause: bool) -> ReasonPart:
        """Ends a reason that the model did not finish."""
        row.ended = True
        MODEL_REASONS.labels(why).inc()
        if by_clause and row.claims:  # what was told cannot be taken back
            text = row.sent + _FULL_STOP[row.template.language]
            return ReasonPart(row.index, self._worded(row, text))
        return ReasonPart(row.index, row.template)

    def _worded(self, row: _Asked, text: str) -> WrittenReason:
        return replace(
            row.template,
            text=text,
            claims=row.claims,
            facts=facts_of(row.claims),
            generator=self._writer.version,
            by_model=True,
        )


def _outcome(lost: WhereforeError | None) -> str:
    """Returns what is counted of a reason that the model did not come to."""
    if isinstance(lost, ResourceExhaustedError):
        return "overloaded"
    return "late" if isinstance(lost, DeadlineExceededError) else "lost"


def _up_to(said: SaidReason, clause: str, sent: str) -> str:
    """Returns the sentence up to the end of the clause that follows what was sent."""
    return said.text[: said.text.index(clause, len(sent)) + len(clause)]


def _drawn_again(row: _Asked, draw: int) -> _Asked:
    seed = seed_of(row.scene, row.template.language, draw)
    wanted = replace(row.wanted, seed=seed)
    return _Asked(row.index, row.scene, row.template, row.told, wanted)


def told_to_model(claims: Sequence[Claim]) -> Sequence[Claim]:
    """Returns the claims of a template that the model words.

    All of them where the rest would not name what the user did, or that pictures were sought: the
    template answers then.
    """
    # What tells templates apart stands last, and is not needed where words are drawn.
    told = [c for c in claims if c.code not in OWN_RECHECKS and c.code not in UNTAUGHT]
    lost = any(
        any(c.code in kept for c in claims) and all(c.code not in kept for c in told)
        for kept in (OF_THE_USER, _OF_PICTURES)
    )
    return claims if lost or all(claim.code in LITTLE for claim in told) else told


def seed_of(scene: Scene, language: str, draw: int) -> int:
    """Returns the seed of a product under a query: the same question gets the same words."""
    query = scene.query.query if scene.query is not None else ""
    text = "\0".join((scene.product.id, query, language, str(draw)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
