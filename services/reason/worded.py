"""Reasons in the words of the language model, on the evidence that the templates stand on.

The template reason of each product is written first: its facts are what the model words, and it
answers wherever the model does not. Every clause of the model passes the same verifier.
"""

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from prometheus_client import Counter

from services.reason.explainer import Explainer, ExplainInput, WrittenReason
from services.reason.facts import Claim, Scene
from services.reason.verify import Verifier
from services.reason.wording.decode import Wanted
from services.reason.wording.rendering import SaidReason
from services.reason.wording.slots import fill

DRAWS: Final = 2
"""Times that a text is drawn when it stands on the page already."""
MODEL_REASONS = Counter(
    "wherefore_reason_model_reasons_total",
    'Reasons asked of the model, by outcome: "served", or why the template answered.',
    ("outcome",),
)


class WriterLostError(Exception):
    """The model cannot be reached."""


class Writer(Protocol):
    """A model that words evidence."""

    @property
    def version(self) -> str:
        """Names the model, as in "reason_small@1"."""
        ...

    def knows(self, wanted: Wanted) -> bool:
        """Whether it has learnt to say every kind of the evidence."""
        ...

    def write(self, wanted: Sequence[Wanted], seconds: float) -> list[SaidReason | None]:
        """Writes a page; may be called from several threads.

        Args:
            wanted: Evidence that it `knows`.
            seconds: Longest time it may take.

        Returns:
            In the same order; None for a reason that found no end, or none in time.

        Raises:
            WriterLostError: The model cannot be reached.
        """
        ...


@dataclass(frozen=True, slots=True)
class Page:
    """Reasons of a page in the order of the items; `lost` says why no model wrote any."""

    reasons: Sequence[WrittenReason]
    lost: str = ""


class WordedExplainer:
    """Explains a page by the model, and by templates where it has no answer that stands.

    Args:
        explainer: Finds the evidence and writes the templates.
        verifier: Checks the clauses of the model.
        writer: The model.
        seconds: Longest time that the model gets for a page.
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

    def explain(self, wanted: ExplainInput) -> Page:
        """Explains a page.

        Raises:
            InvalidArgumentError: Names the field at fault.
        """
        ends = self._clock() + self._seconds
        given = list(self._explainer.explain_scenes(wanted))
        reasons = [reason for _, reason in given]
        asked: dict[int, Wanted] = {}
        for row, (scene, reason) in enumerate(given[: self._rows]):
            if (one := self._wanted(scene, reason, draw=0)) is not None:
                asked[row] = one
        for draw in range(DRAWS):
            if not asked:
                break
            try:
                written = self._writer.write(list(asked.values()), ends - self._clock())
            except WriterLostError as error:
                MODEL_REASONS.labels("lost").inc(len(asked))
                return Page(reasons, str(error))
            again: dict[int, Wanted] = {}
            for (row, one), said in zip(asked.items(), written, strict=True):
                scene, template = given[row]
                worded = self._verified(said, scene, template)
                if worded is None:
                    continue
                others = {reason.text for at, reason in enumerate(reasons) if at != row}
                if worded.text not in others:
                    reasons[row] = worded
                    MODEL_REASONS.labels("served").inc()
                elif draw + 1 < DRAWS:
                    again[row] = replace(one, seed=seed_of(scene, template.language, draw + 1))
                else:
                    MODEL_REASONS.labels("repeated").inc()
            asked = again
        return Page(reasons)

    def _wanted(self, scene: Scene, template: WrittenReason, draw: int) -> Wanted | None:
        if not template.claims:
            return None
        facts = [claim.facts[0] for claim in template.claims]
        try:
            evidence = [fill(fact, template.language) for fact in facts]
        except ValueError:  # a value of a form that no slot has
            MODEL_REASONS.labels("unfilled").inc()
            return None
        one = Wanted(evidence, template.language, seed_of(scene, template.language, draw))
        if self._writer.knows(one):
            return one
        MODEL_REASONS.labels("unknown_kind").inc()
        return None

    def _verified(
        self, said: SaidReason | None, scene: Scene, template: WrittenReason
    ) -> WrittenReason | None:
        """Returns what was said as a reason; None, and counted, where it does not stand."""
        if said is None:
            MODEL_REASONS.labels("unfinished").inc()
            return None
        claims: list[Claim] = []
        for clause in said.clauses:
            told = template.claims[clause.position]
            claim = Claim(clause.text, told.code, told.facts)
            if cause := self._verifier.check(claim, scene).cause:
                MODEL_REASONS.labels(cause).inc()
                return None
            claims.append(claim)
        facts = list(dict.fromkeys(fact for claim in claims for fact in claim.facts))
        return replace(
            template,
            text=said.text,
            claims=claims,
            facts=facts,
            generator=self._writer.version,
            by_model=True,
        )


def seed_of(scene: Scene, language: str, draw: int) -> int:
    """Returns the seed of a product under a query: the same question gets the same words."""
    query = scene.query.query if scene.query is not None else ""
    text = "\0".join((scene.product.id, query, language, str(draw)))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
