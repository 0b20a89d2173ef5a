"""Finds candidates: one function a strategy, each from legs that know nothing of each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum

from services.recommend.serving import complements, up_sell
from services.recommend.serving.found import Found, Merged, add_up, merge
from services.recommend.serving.learner import Learner
from services.recommend.serving.reorders import party_of
from services.recommend.serving.same_kind import beside_kind
from services.recommend.serving.snapshot import Snapshot

BOUGHT_TOGETHER, VIEWED_TOGETHER = "bought_together", "viewed_together"
KIND_TOGETHER = "kind_together"
BOUGHT_BEFORE, COMPLEMENT, STEP_UP = "bought_before", "complement", "step_up"
DUE_AGAIN = "due_again"
NEXT_ITEM = "next_item"
_WEIGHTS = {
    BOUGHT_TOGETHER: 2.0,  # money says more than looks
    VIEWED_TOGETHER: 1.0,
    KIND_TOGETHER: 0.5,  # of others, so less than what is known of the product itself
    BOUGHT_BEFORE: 1.0,
    DUE_AGAIN: 1.0,
    COMPLEMENT: 0.5,
    STEP_UP: 1.0,
    NEXT_ITEM: 1.0,
}
_PER_SEED = 300


class Strategy(StrEnum):
    """How products are found; see the contract."""

    BOUGHT_TOGETHER = "bought_together"
    ALSO_LIKED = "also_liked"
    BUY_AGAIN = "buy_again"
    REORDER = "reorder"
    COMPLEMENTS = "complements"
    UP_SELL = "up_sell"
    NEXT_ITEMS = "next_items"

    @property
    def needs_catalogue(self) -> bool:
        """Whether nothing is found without the knowledge graph."""
        return self in (Strategy.COMPLEMENTS, Strategy.UP_SELL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A request that was checked."""

    strategy: Strategy
    actor: str
    seeds: Sequence[str]
    excluded: Collection[str]
    limit: int
    account: str = ""


def find(
    wanted: Wanted,
    learner: Learner,
    snapshot: Snapshot | None,
    next_items: Sequence[Found] = (),
) -> list[Merged]:
    """Returns candidates, best first; may be none.

    Args:
        wanted: What to find.
        learner: What events taught.
        snapshot: The knowledge graph, once there is one.
        next_items: What the model of sequences answered, for NEXT_ITEMS.
    """
    if wanted.strategy is Strategy.NEXT_ITEMS:
        legs = {NEXT_ITEM: list(next_items)}
    elif wanted.strategy is Strategy.REORDER:
        party = party_of(wanted.account, wanted.actor)
        kind_of = snapshot.kind_of if snapshot else _itself
        legs = {DUE_AGAIN: learner.reorders.due(party, _PER_SEED, kind_of)}
    else:
        legs = _legs(wanted, learner, snapshot)
    hidden = {*wanted.excluded, *wanted.seeds}
    shown = {
        leg: [each for each in found if each.product_id not in hidden]
        for leg, found in legs.items()
    }
    return merge({leg: found for leg, found in shown.items() if found}, _WEIGHTS)[: wanted.limit]


def _legs(wanted: Wanted, learner: Learner, snapshot: Snapshot | None) -> dict[str, list[Found]]:
    def from_seeds(beside: Callable[[str, int], list[Found]]) -> list[Found]:
        return add_up(each for seed in wanted.seeds for each in beside(seed, _PER_SEED))

    match wanted.strategy:
        case Strategy.BOUGHT_TOGETHER:
            return {BOUGHT_TOGETHER: from_seeds(learner.baskets.beside)}
        case Strategy.ALSO_LIKED:
            return {
                BOUGHT_TOGETHER: from_seeds(learner.baskets.beside),
                VIEWED_TOGETHER: from_seeds(learner.visits.beside),
                **(_from_kinds(wanted.seeds, learner, snapshot) if snapshot else {}),
            }
        case Strategy.BUY_AGAIN:
            return {BOUGHT_BEFORE: learner.purchases.due(wanted.actor, _PER_SEED)}
        case Strategy.COMPLEMENTS if snapshot:
            return {COMPLEMENT: from_seeds(lambda s, n: complements.beside(snapshot, s, n))}
        case Strategy.UP_SELL if snapshot:
            return {STEP_UP: from_seeds(lambda s, n: up_sell.above(snapshot, s, n))}
        case _:
            return {}


def _itself(product_id: str) -> Sequence[str]:
    return (product_id,)


def _from_kinds(
    seeds: Sequence[str], learner: Learner, snapshot: Snapshot
) -> dict[str, list[Found]]:
    """What products of the seeds' kinds lend or, for a kind without events, what goes with it."""
    lent: list[Found] = []
    going: list[Found] = []
    for seed in seeds:
        beside = [
            each
            for counts in (learner.baskets, learner.visits)
            for each in beside_kind(snapshot, counts, seed, _PER_SEED)
        ]
        lent += beside
        going += [] if beside else complements.beside(snapshot, seed, _PER_SEED)
    return {KIND_TOGETHER: add_up(lent), COMPLEMENT: add_up(going)}
