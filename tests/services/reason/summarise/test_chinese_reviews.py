"""Real Chinese reviews: quotes are exact, counts are those of a reading of its own."""

import gzip
import json
import re

import pytest

from benchmarks.data import data_folder
from services.reason.summarise.sentences import Text, distinct
from services.reason.summarise.summariser import REWRITTEN, Summariser, SummaryInput
from shared.evaluation.summary_claims import SummaryClaimText, unsupported
from shared.timing import StageTimer

SIZE, PRODUCTS = 60, 20
PLAIN = {
    "quality": re.compile(r"(?:^|[，,。！\s])质量很好(?=[，,。！\s]|$)"),
    "delivery": re.compile(r"(?:^|[，,。！\s])(?:物流|发货)很快(?=[，,。！\s]|$)"),
    "comfort": re.compile(r"(?:^|[，,。！\s])很舒服(?=[，,。！\s]|$)"),
}
"""What nobody can read in another way, where the sentence holds no question, wish or fear."""
DOUBT = re.compile(r"希望|如果|要是|以为|担心|[?？]")


@pytest.fixture(scope="module")
def products():
    try:
        path = data_folder("reviews_zh") / "reviews_zh" / "dev.jsonl.gz"
    except (FileNotFoundError, SystemExit) as error:
        pytest.skip(str(error))
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    by_category = {}
    for number, row in enumerate(rows):
        by_category.setdefault(row["cat"], []).append(Text(f"r{number}", row["review"][:10_000]))
    cut = [found[at : at + SIZE] for found in by_category.values() for at in (0, SIZE, 2 * SIZE)]
    return [each for each in cut if len(each) >= SIZE // 2][:PRODUCTS]


async def test_quotes_are_exact_and_points_counted_right(products):
    summariser = Summariser(None)
    points = plain = 0
    for reviews in products:
        wanted = SummaryInput(reviews, {}, "zh", 120, 10, REWRITTEN)
        summary = await summariser.summarise(wanted, StageTimer())
        # Near-duplicates count once, so only the first of them is looked for.
        bodies = {review.id: review.body for review in distinct(reviews)}
        assert summary.quoted
        for quoted in summary.quoted:
            sentence = quoted.sentence
            assert bodies[quoted.review_id][sentence.start : sentence.end] == sentence.text
        for point in [*summary.pros, *summary.cons]:
            points += 1
            assert point.reviews == len(set(point.review_ids)) <= point.speaking
            assert set(point.review_ids) <= bodies.keys()
            for mention in point.mentions:
                assert bodies[mention.review_id][mention.start : mention.end] == mention.text
        told = summary.rewritten
        claims = [SummaryClaimText(claim.text, claim.review_ids) for claim in told.claims]
        assert unsupported(told.text, claims, bodies, "zh") == []
        assert not told.rejected
        counted = {point.aspect.code: set(point.review_ids) for point in summary.pros}
        for aspect, pattern in PLAIN.items():
            said = {r for r, body in bodies.items() if pattern.search(body)}
            sure = {r for r in said if not DOUBT.search(bodies[r])}
            if aspect in counted:
                plain += len(sure)
                assert sure <= counted[aspect]
    assert points >= PRODUCTS
    assert plain >= PRODUCTS // 2
