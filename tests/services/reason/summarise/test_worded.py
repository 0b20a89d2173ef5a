"""Summaries in the model's words: what is served, what fixed wordings say, and what is counted."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import pytest

from services.reason.summarise.pieces import Piece, opening, plan
from services.reason.summarise.points import Point, count_points
from services.reason.summarise.rewrite import Rewritten, rewrite
from services.reason.summarise.sentences import Text, count_words
from services.reason.summarise.verify import Reread
from services.reason.summarise.verify_clause import fault_of_clause
from services.reason.summarise.worded import SENTENCES, SummaryWriter
from services.reason.wording.batch import Wanted
from services.reason.wording.decode import Progress
from services.reason.wording.filled import Filled
from services.reason.wording.opinions import MIXED, RATED
from services.reason.wording.rendering import SaidClause, SaidReason
from shared.errors import UnavailableError
from shared.evaluation.summary_claims import SummaryClaimText, unsupported

REVIEWS = [
    Text("r1", "Very comfortable boots. They run a size small.", 4),
    Text("r2", "So comfortable from the first day! Good quality leather.", 5),
    Text("r3", "The leather is good quality. But they run small.", 4),
    Text("r4", "很舒服，就是偏小一码。质量很好。", 5),
    Text("r5", "Not comfortable at all. Uncomfortable heel. Poor quality laces.", 2),
    Text("r6", "So uncomfortable. They fit perfectly.", 2),
]
TEXTS = {review.id: review.body for review in REVIEWS}
RATINGS = {review.id: review.rating for review in REVIEWS}


def points(language: str = "en") -> tuple[list[Point], list[Point]]:
    return count_points(REVIEWS, language, 5)


def words_of(evidence: Filled, language: str) -> str:
    """A true clause about a piece of evidence."""
    fills = evidence.fills
    code, _, aspect = evidence.kind.partition(".")
    noun = {"comfort": "comfort", "quality": "quality", "fit": "the size"}.get(aspect, "")
    if code == RATED:
        return f"rated {fills['stars']} stars on average in {fills['count']} reviews"
    if code == MIXED:
        return (
            f"opinions on {noun} are divided: {fills['praise']} of {fills['total']} reviewers "
            f"praise it while {fills['count']} fault it"
        )
    verb = "praise it" if code == "reviews_praise" else "complain about it"
    counts = f"{fills['count']} of the {fills['total']}"
    return f"{counts} reviewers who mention {noun} {verb}"


Say = Callable[[Filled, str], str]


def nothing(evidence: Filled, language: str) -> str:
    """Finds no end."""
    return ""


@dataclass
class ScriptedWriter:
    """Says what a test has it say of each piece."""

    say: Say = words_of
    known: bool = True
    lost: bool = False
    version: str = "scripted@7"
    seconds: list[float] = field(default_factory=list[float])

    def knows(self, wanted: Wanted) -> bool:
        return self.known

    def stream(self, wanted: Sequence[Wanted], seconds: float) -> Iterator[Progress]:
        self.seconds.append(seconds)
        if self.lost:
            raise UnavailableError("no model")
        for row, one in enumerate(wanted):
            said = [self.say(evidence, one.language) for evidence in one.evidence]
            if not all(said):
                yield Progress(row, failed=True)
                continue
            clauses = tuple(SaidClause(at, text) for at, text in enumerate(said))
            reason = SaidReason(", ".join(said) + ".", clauses)
            yield Progress(row, closed=reason, reason=reason)

    def wait_ready(self, seconds: float) -> None:
        pass

    def close(self) -> None:
        pass


def served(writer: ScriptedWriter, budget: int = 120) -> Rewritten:
    worded = SummaryWriter(writer, 1.0).write(*points(), REVIEWS, "en", budget)
    return rewrite(*points(), (), REVIEWS, language="en", budget=budget, worded=worded)


def check(found: Rewritten) -> list[str]:
    claims = [SummaryClaimText(c.text, c.review_ids, c.praises) for c in found.claims]
    return unsupported(found.text, claims, TEXTS, "en", RATINGS)


def counted(outcome: str) -> float:
    return SENTENCES.labels(outcome)._value.get()  # pyright: ignore[reportPrivateUsage]


def test_the_model_says_counts_that_hold_and_is_named() -> None:
    before = counted("served")
    found = served(ScriptedWriter())
    assert found.version == "scripted@7"
    assert found.text.startswith("rated 3.7 stars on average in 6 reviews, ")
    assert all(claim.by_model for claim in found.claims)
    assert not found.rejected
    divided = [c for c in found.claims if c.aspect == "comfort"]
    assert [(c.praises, c.count, c.speaking) for c in divided] == [(True, 3, 5), (False, 2, 5)]
    assert divided[0].text == divided[1].text
    assert check(found) == []
    assert counted("served") > before


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("3 of the 4", "4 of the 4", "number"),
        ("3 of the 4", "most of the 4", "value"),
        ("complain about it", "praise it", "value"),
        ("the size", "comfort", "value"),
        ("complain", "all complain", "value"),
        ("the size", "很好", "language"),
    ],
)
def test_a_clause_that_does_not_stand_leaves_its_sentence_to_fixed_wordings(
    old: str, new: str, cause: str
) -> None:
    def say(evidence: Filled, language: str) -> str:
        text = words_of(evidence, language)
        return text.replace(old, new) if evidence.kind == "reviews_fault.fit" else text

    before = counted(cause)
    found = served(ScriptedWriter(say))
    assert counted(cause) == before + 1
    assert {each.cause for each in found.rejected} == {cause}
    fit = next(claim for claim in found.claims if claim.aspect == "fit")
    assert not fit.by_model
    assert "3 of 4 find the size off" in found.text
    assert check(found) == []


def test_what_the_model_does_not_finish_or_know_is_said_by_fixed_wordings() -> None:
    fixed = rewrite(*points(), (), REVIEWS, language="en", budget=120)
    for writer in (ScriptedWriter(nothing), ScriptedWriter(known=False)):
        found = served(writer)
        assert found == fixed
        assert not found.version


def test_a_lost_model_is_told_and_fixed_wordings_answer() -> None:
    worded = SummaryWriter(ScriptedWriter(lost=True), 1.0).write(*points(), REVIEWS, "en", 120)
    assert worded.lost is not None
    assert {sentence.outcome for sentence in worded.sentences} == {"lost"}
    found = rewrite(*points(), (), REVIEWS, language="en", budget=120, worded=worded)
    assert found.text
    assert not any(claim.by_model for claim in found.claims)


def test_keeps_to_the_budget() -> None:
    for budget in (10, 20, 30, 50):
        found = served(ScriptedWriter(), budget)
        assert count_words(found.text) <= budget
        assert check(found) == []


def test_a_short_summary_hides_no_objection() -> None:
    kinds = [piece.evidence.kind for each in plan(*points(), REVIEWS, "en", 40) for piece in each]
    assert kinds[0] == RATED
    assert any(kind.startswith(("reviews_fault", "reviews_mixed")) for kind in kinds)


def test_stars_are_told_only_where_all_reviews_have_some() -> None:
    assert opening(REVIEWS).evidence.fills == {"count": "6", "stars": "3.7"}
    unrated = [*REVIEWS, Text("r7", "Fine.")]
    assert opening(unrated).evidence.fills == {"count": "7"}


@pytest.mark.parametrize(
    "text",
    [
        "rated 3.8 stars on average in 6 reviews",
        "rated 3.7 stars on average in 7 reviews",
        "rated 3.7 stars on average in 6 glowing reviews",
    ],
)
def test_a_false_opening_is_rejected_and_noticed(text: str) -> None:
    piece = opening(REVIEWS)
    assert fault_of_clause(piece, text, Reread(REVIEWS), "en") in ("number", "value")
    claims = [SummaryClaimText(text, ())]
    assert unsupported(text, claims, TEXTS, "en", RATINGS)


@pytest.mark.parametrize(
    "change",
    [
        {"count": 4},
        {"speaking": 6},
        {"review_ids": ("r1", "r2")},
        {"review_ids": ("r1", "r2", "r5")},
        {"praises": False},
    ],
)
def test_evidence_that_reviews_do_not_bear_out_is_rejected(change: dict[str, object]) -> None:
    piece = next(
        piece
        for sentence in plan(*points(), REVIEWS, "en", 120)
        for piece in sentence
        if piece.evidence.kind.startswith("reviews_praise")
    )
    text = words_of(piece.evidence, "en")
    assert fault_of_clause(piece, text, Reread(REVIEWS), "en") is None
    claim = replace(piece.claims[0], **change)  # pyright: ignore[reportArgumentType]
    other = Piece(piece.evidence, (claim,))
    assert fault_of_clause(other, text, Reread(REVIEWS), "en") is not None


@pytest.mark.parametrize(
    ("text", "ids", "praises"),
    [
        ("3 of the 4 reviewers who mention comfort praise it", ("r1", "r2", "r6"), True),
        ("4 of the 5 reviewers who mention comfort praise it", ("r1", "r2", "r4"), True),
        ("3 of the 5 reviewers who mention quality praise it", ("r1", "r2", "r4"), True),
        ("3 of the 5 reviewers who mention comfort complain", ("r1", "r2", "r4"), True),
        ("3 of the 5 reviewers who mention comfort complain", ("r1", "r2", "r4"), False),
        ("3 of the 5 reviewers who mention comfort praise it", ("r1", "r2", "r4"), False),
        ("3 of the 5 reviewers who mention comfort adore it", ("r1", "r2", "r4"), True),
    ],
)
def test_the_independent_checker_notices_what_is_false(
    text: str, ids: tuple[str, ...], praises: bool
) -> None:
    true = "3 of the 5 reviewers who mention comfort praise it"
    held = [SummaryClaimText(true, ("r1", "r2", "r4"), praises=True)]
    assert unsupported(true, held, TEXTS, "en") == []
    assert unsupported(text, [SummaryClaimText(text, ids, praises)], TEXTS, "en")
