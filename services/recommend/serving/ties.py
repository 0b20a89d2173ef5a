"""What the knowledge graph holds between products that a search found and others.

Only what is known is told: a fit names the very model, and kinds go together by what shoppers
bought, not by fits of others of their kinds nor by a guess from attributes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from services.recommend.graph.compatibility import EXACT
from services.recommend.graph.paths import go_together
from services.recommend.graph.schema import EdgeKind
from services.recommend.serving.complements import TOLD
from services.recommend.serving.found import Evidence, Tie
from services.recommend.serving.snapshot import Snapshot

MAX_TIES = 5
"""Others that one product is tied to; more would be a list and no reason."""


def ties_of(
    snapshot: Snapshot, product_id: str, others: Sequence[str], owned: Collection[str]
) -> list[Evidence]:
    """Returns what ties a product to others, the surest first; none for an unknown product.

    Args:
        snapshot: The catalogue.
        product_id: The product.
        others: Ids of the others, most important first; unknown ones are left out.
        owned: Those of which the kind counts, too: a search shows much that goes with anything.
    """
    own = snapshot.cards.get(product_id)
    if own is None:
        return []
    cards = (snapshot.cards[each] for each in others if each in snapshot.cards)
    known = [
        card.product_id
        for card in cards
        if card.product_id != product_id and not card.is_variant_of(own)
    ]
    fitting = list(_fitting(snapshot, product_id, known))
    fitted = {each.product_id for each in fitting}
    rest = [each for each in known if each in owned and each not in fitted]
    return [*fitting, *_going(snapshot, product_id, rest)][:MAX_TIES]


def _fitting(snapshot: Snapshot, product_id: str, others: Sequence[str]) -> Iterator[Evidence]:
    graph = snapshot.graph
    node = graph.product(product_id)
    sides = (
        (Tie.FITS, {f.object.key: f for f in graph.facts_from(node, EdgeKind.COMPATIBLE_WITH)}),
        (Tie.FITTED_BY, {f.subject.key: f for f in graph.facts_to(node, EdgeKind.COMPATIBLE_WITH)}),
    )
    for tie, facts in sides:
        for other in others:
            fact = facts.get(other)
            # That a model of the same family fits is likely, not known.
            if fact is not None and fact.weight >= EXACT:
                yield Evidence(tie, other, words=fact.evidence)


def _going(snapshot: Snapshot, product_id: str, others: Sequence[str]) -> Iterator[Evidence]:
    graph = snapshot.graph
    node = graph.product(product_id)
    for other in others:
        path = go_together(graph, graph.product(other), node)
        for fact in path.facts if path else ():
            if fact.kind is EdgeKind.COMPLEMENTS and fact.source in TOLD:
                yield Evidence(Tie.GOES_WITH, other, words=fact.object.label)
