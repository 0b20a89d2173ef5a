"""What the rules that apply ask of one request, and what they did to its ranking."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from services.orchestrator.merchandising.occasions import Occasion, Phrase
from services.orchestrator.merchandising.rules import Pin, Rule, Shift, Synonyms
from shared.filter_syntax import join_and
from wherefore.nlu.v1.query_understanding_pb2 import Expansion, QueryUnderstanding
from wherefore.orchestrator.v1 import applied_control_pb2 as pb
from wherefore.orchestrator.v1.result_pb2 import Result

MAX_LISTED: Final = 100
# Retrieval takes filters of 20,000 characters, the caller's part included.
_LONGEST_FILTER: Final = 16_000
_joined: Final = lru_cache(512)(join_and)


@dataclass(slots=True)
class Plan:
    """The rules of one request by what they do; grows as the ranking does."""

    rules: Sequence[Rule] = ()
    shifts: list[tuple[Rule, Shift, float]] = field(default_factory=list[tuple[Rule, Shift, float]])
    """Boosts and burials, with the strength's sign."""
    pins: dict[str, tuple[Rule, Pin]] = field(default_factory=dict[str, tuple[Rule, Pin]])
    """By product; of two for one place or one product the first in the file is taken."""
    filter: str = ""
    """What products must meet."""
    given_up: list[str] = field(default_factory=list[str])
    """Ids of rules whose conditions are too long together."""
    redirect_uri: str = ""
    spread: float = 0.0
    """What a strength of 1 stands for, in units of the score."""
    applied: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    """Products moved, by the id of each rule that had a part."""

    def measure(self, results: Sequence[Result]) -> float:
        """Returns the spread, which is that of the first results that are seen."""
        if not self.spread and results:
            scores = [result.score for result in results]
            self.spread = (max(scores) - min(scores)) or 1.0
        return self.spread

    def controls(self) -> list[pb.AppliedControl]:
        """Returns the rules that had a part, in the order of the file."""
        return [
            pb.AppliedControl(
                id=rule.id,
                action=pb.ControlAction.Value(f"CONTROL_ACTION_{rule.action.upper()}"),
                product_ids=self.applied[rule.id][:MAX_LISTED],
            )
            for rule in self.rules
            if rule.id in self.applied
        ]

    def drop_filter(self) -> None:
        """Gives up the rules that filter: retrieval cannot apply them."""
        self.filter = ""
        for rule in self.rules:
            if rule.filter is not None or rule.block is not None:
                self.applied.pop(rule.id, None)


def make_plan(
    rules: Sequence[Rule], occasion: Occasion, understanding: QueryUnderstanding | None = None
) -> Plan:
    """Sorts the rules that apply by what they do.

    Args:
        rules: Those that apply.
        occasion: The request.
        understanding: Gets the synonyms; must be the request's own. None for recommendations.
    """
    plan = Plan(rules)
    places: set[int] = set()
    for rule in rules:
        if rule.boost is not None:
            plan.shifts.append((rule, rule.boost, rule.boost.strength))
        elif rule.bury is not None:
            plan.shifts.append((rule, rule.bury, -rule.bury.strength))
        elif rule.pin is not None:
            if rule.pin.product not in plan.pins and rule.pin.position not in places:
                plan.pins[rule.pin.product] = (rule, rule.pin)
                places.add(rule.pin.position)
        elif rule.block is not None or rule.filter is not None:
            blocked = f"NOT ({rule.block.condition})" if rule.block is not None else ""
            wanted = blocked or rule.filter or ""
            if len(plan.filter) + len(wanted) > _LONGEST_FILTER:
                plan.given_up.append(rule.id)
            else:
                plan.filter = _joined(plan.filter, wanted)
                plan.applied[rule.id] = []
        elif rule.redirect is not None:
            if understanding is not None and not plan.redirect_uri:
                plan.redirect_uri = rule.redirect
                plan.applied[rule.id] = []
        elif rule.synonyms is not None and understanding is not None:
            found = list(expansions(rule.synonyms, occasion))
            if found:
                understanding.expansions.extend(found)
                plan.applied[rule.id] = []
    return plan


def expansions(synonyms: Synonyms, occasion: Occasion) -> Iterable[Expansion]:
    """Yields what synonyms add to a query."""
    present = [term for term in synonyms.sources if Phrase(term).is_in(occasion)]
    if not present:
        return
    for term in synonyms.terms or synonyms.to:
        if term not in present:
            yield Expansion(term=present[0], expansion=term, weight=synonyms.weight)


def placed(plan: Plan, results: Sequence[Result]) -> list[Result]:
    """Returns the results with pinned products at their places, in front of those behind them.

    A product whose place lies behind the last result comes last.
    """
    if not plan.pins:
        return list(results)
    pinned = [result for result in results if result.product.id in plan.pins]
    order = [result for result in results if result.product.id not in plan.pins]
    for result in sorted(pinned, key=lambda each: plan.pins[each.product.id][1].position):
        rule, pin = plan.pins[result.product.id]
        result.pinned = True
        order.insert(pin.position - 1, result)
        plan.applied.setdefault(rule.id, []).append(result.product.id)
    return order
