"""Products near what a user dealt with, each with the user's product that it is nearest to.

A user has several interests, and the mean of a kettle and a mouse is near nothing. So neighbours
are looked for round each of a few products and the lists are merged, as PinnerSage (Pal et al.,
KDD 2020) does with medoids of many.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from services.orchestrator.budget import ask_again
from services.orchestrator.clients import Clients
from services.orchestrator.interest import ACTIONS, WEIGHTS, decay
from shared.errors import NotFoundError
from shared.rank_fusion import fused_scores
from shared.timing import StageTimer
from wherefore.common.v1.user_profile_pb2 import UserProfile
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import SimilarRequest, SimilarResponse

SEEDS: Final = 3
# Cosine from which on a shopper sees what two products have to do with each other. Of pairs of the
# bundled catalogue above it (MiniLM), 91 % share their root category; of those that share their
# leaf, 96 % are above it. Another model of vectors wants another figure.
_LEAST_LIKENESS: Final = 0.6
_STRENGTHS: Final = {ACTIONS[kind]: weight for kind, weight in WEIGHTS.items()}


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Candidates, best first."""

    candidates: list[Candidate]
    anchors: Mapping[str, str]
    """Id of the user's product that a candidate was found by, by the candidate's id; of those that
    are like it enough to say so."""


def seed_weights(profile: UserProfile, half_life_seconds: float) -> dict[str, float]:
    """Returns the products to start from, with weights up to 1: strong and recent ones count most.

    Products without a title are not in the catalogue (or could not be read) and come last.
    """
    weights = {
        recent.product_id: _STRENGTHS.get(recent.action, 1.0)
        * decay(recent.age_seconds, half_life_seconds)
        for recent in profile.recent_products
    }
    titled = {recent.product_id for recent in profile.recent_products if recent.title}
    chosen = sorted(weights, key=lambda i: (i not in titled, -weights[i]))[:SEEDS]
    top = max((weights[i] for i in chosen), default=0.0) or 1.0
    return {i: weights[i] / top for i in chosen}


async def find_neighbours(
    clients: Clients,
    seeds: Mapping[str, float],
    excluded_ids: Sequence[str],
    condition: str,
    timer: StageTimer,
) -> Neighbours:
    """Returns products near any of the seeds that meet a filter; none when no seed is there.

    Raises:
        InvalidArgumentError: For a filter of unknown fields.
        UnavailableError: Retrieval does not answer.
    """
    wanted = clients.settings.candidates
    started = timer.elapsed_nanos()
    budget = clients.settings.budgets.retrieval

    async def near(seed: str) -> SimilarResponse:
        request = SimilarRequest(
            product_ids=[seed],
            filter=condition,
            limit=2 * wanted // (len(seeds) + 1),
            excluded_ids=excluded_ids,
        )
        try:
            return await ask_again(partial(clients.similar, request), budget)
        except NotFoundError:  # it has left the catalogue
            return SimilarResponse()

    with timer.stage("retrieval"):
        responses = await asyncio.gather(*(near(seed) for seed in seeds))
    for response in responses:
        timer.merge((t for t in response.timings if t.stage != "retrieval"), started)
    found = {seed: response.candidates for seed, response in zip(seeds, responses, strict=True)}
    return merge(found, seeds, wanted)


def merge(
    found: Mapping[str, Sequence[Candidate]], weights: Mapping[str, float], limit: int
) -> Neighbours:
    """Merges the neighbours of several products by weighted reciprocal ranks.

    A candidate keeps the placement of the list that has it highest, of the heavier one among
    equals, and is anchored to the product of that list.
    """
    heaviest_first = sorted(found, key=lambda seed: -weights[seed])
    scores = fused_scores(
        (weights[seed], [candidate.product.id for candidate in found[seed]])
        for seed in heaviest_first
    )
    best: dict[str, tuple[int, str, Candidate]] = {}
    for seed in heaviest_first:
        for rank, candidate in enumerate(found[seed], start=1):
            product_id = candidate.product.id
            if product_id not in best or rank < best[product_id][0]:
                best[product_id] = (rank, seed, candidate)
    candidates: list[Candidate] = []
    anchors: dict[str, str] = {}
    for product_id in sorted(scores, key=lambda i: -scores[i])[:limit]:
        _, seed, candidate = best[product_id]
        merged = Candidate(
            product=candidate.product,
            legs=candidate.legs,
            fused_score=scores[product_id],
            fused_rank=len(candidates) + 1,
        )
        candidates.append(merged)
        if is_alike(candidate):
            anchors[product_id] = seed
    return Neighbours(candidates, anchors)


def is_alike(candidate: Candidate) -> bool:
    """Whether a neighbour is so near that a shopper sees why it is shown."""
    return any(leg.leg == "similar" and leg.score >= _LEAST_LIKENESS for leg in candidate.legs)
