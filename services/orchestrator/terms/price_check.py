"""Holds products against conditions on the price that an account is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

from services.orchestrator.budget import stage_timeout
from services.orchestrator.clients import Clients
from services.orchestrator.terms.applied import without
from services.orchestrator.terms.contract import Contract
from services.orchestrator.terms.price_conditions import (
    check_values,
    demanded,
    free_parts,
    holds,
    names_price,
    widened,
)
from shared.errors import InvalidArgumentError
from shared.filter_syntax import (
    MAX_LENGTH,
    And,
    Expression,
    Operator,
    Or,
    Restriction,
    Value,
    format_filter,
    join_and,
    parse_filter,
)
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import SelectProductsRequest

STAGE: Final = "terms.filter"
FACETS: Final = "terms.facets"
LOTS: Final = 4
"""Candidates that are held against a condition, in lots of those that are ranked at a time."""
_LONGEST_WIDE: Final = 4_000
"""Characters of what retrieval is asked in place of the conditions on prices."""
_MOST_AGREED: Final = 500
"""Prices that were agreed of which those that meet a condition are named to retrieval."""
_MOST_FILTERS: Final = 100
"""Of which retrieval is asked at a time."""


@dataclass(frozen=True, slots=True)
class PriceCheck:
    """The conditions on prices of one search or recommendation.

    Attributes:
        contract: What prices are.
        filter: The caller's.
        demands: Of the query.
        of_rules: Conditions on prices of the shop's rules.
        conditions: Those and the parts of the filter that are about prices: all are to be met.
        asked: The filter as retrieval is asked it: no product fails it that meets the caller's.
        rules: What the rules ask for besides.
    """

    contract: Contract
    filter: str
    demands: tuple[Expression, ...]
    of_rules: tuple[Expression, ...]
    conditions: tuple[Expression, ...]
    asked: str
    rules: str

    @classmethod
    def of(
        cls,
        contract: Contract | None,
        filter_text: str,
        understanding: QueryUnderstanding | None = None,
        rules: str = "",
    ) -> Self | None:
        """Returns the check of a filter and of what a query demands; None where there is none.

        Args:
            contract: What prices are; None for the catalogue's.
            filter_text: The caller's filter.
            understanding: Of the query.
            rules: Filter of the shop's rules.

        Raises:
            InvalidArgumentError: A price is compared with what is no number.
        """
        if contract is None or not contract.changes_prices:
            return None
        parts = _operands(filter_text)
        conditions = [part for part in parts if names_price(part)]
        for part in conditions:
            check_values(part)
        of_shop = _operands(rules)
        priced = [part for part in of_shop if names_price(part) and is_sound(part)]
        conditions += priced
        demands: list[Expression] = []
        if understanding is not None:
            found = map(demanded, understanding.constraints)
            demands = [each for each in found if each is not None]
        conditions += demands
        if not conditions:
            return None
        free = [format_filter(part) for part in parts if not names_price(part)]
        wide: list[str] = []
        for condition in conditions:
            text = _wide(contract, condition)
            if sum(map(len, wide)) + len(text) <= _LONGEST_WIDE:
                wide.append(text)
        asked = join_and(*free, *wide)
        rest = join_and(*(format_filter(part) for part in of_shop if part not in priced))
        return cls(
            contract, filter_text, tuple(demands), tuple(priced), tuple(conditions), asked, rest
        )

    async def kept(self, clients: Clients, products: Sequence[Product]) -> set[str]:
        """Returns the ids of the products that meet the conditions by the account's prices.

        Args:
            clients: Retrieval is asked for what of them is not about prices.
            products: As the catalogue has them.

        Raises:
            UnavailableError: Retrieval does not answer.
        """
        known = await self._known(clients, [product.id for product in products])
        return {
            product.id
            for product in products
            if self._meets(product, {part: product.id in ids for part, ids in known.items()})
        }

    def told(self, applied: str) -> str:
        """Returns the filter that was applied as answers tell it: by the conditions on prices.

        Args:
            applied: By retrieval, of what it was `asked`.
        """
        others = map(format_filter, (*self.demands, *self.of_rules))
        return join_and(self.filter, *others, without(applied, self.asked))

    def _meets(self, product: Product, known: Mapping[Expression, bool]) -> bool:
        offer = self.contract.offer(product)
        return all(holds(each, offer.amount, offer.currency, known) for each in self.conditions)

    async def _known(
        self, clients: Clients, ids: Sequence[str]
    ) -> Mapping[Expression, frozenset[str]]:
        parts = list(dict.fromkeys(part for each in self.conditions for part in free_parts(each)))
        known: dict[Expression, frozenset[str]] = {}
        for start in range(0, len(parts) if ids else 0, _MOST_FILTERS):
            some = parts[start : start + _MOST_FILTERS]
            request = SelectProductsRequest(product_ids=ids, filters=map(format_filter, some))
            timeout = stage_timeout(clients.settings.budgets.products)
            response = await clients.select_products(request, timeout)
            for part, selection in zip(some, response.selections, strict=True):
                known[part] = frozenset(selection.product_ids)
        return known


async def affordable(
    check: PriceCheck | None, clients: Clients, candidates: list[Candidate]
) -> list[Candidate]:
    """Returns the candidates that meet the conditions on prices; all where there are none.

    Raises:
        UnavailableError: Retrieval does not answer.
    """
    if check is None:
        return candidates
    kept = await check.kept(clients, [candidate.product for candidate in candidates])
    return [each for each in candidates if each.product.id in kept]


def is_sound(condition: Expression) -> bool:
    """Whether retrieval would not refuse what a rule says of prices."""
    try:
        check_values(condition)
    except InvalidArgumentError:
        return False
    return True


def without_prices(understanding: QueryUnderstanding) -> QueryUnderstanding:
    """Returns a query of which retrieval demands nothing of the price."""
    copy = QueryUnderstanding()
    copy.CopyFrom(understanding)
    for constraint in copy.constraints:
        if demanded(constraint) is not None:
            constraint.hard = False
    return copy


def _operands(text: str) -> tuple[Expression, ...]:
    if not text:
        return ()
    tree = parse_filter(text, max_length=10 * MAX_LENGTH)
    return tree.operands if isinstance(tree, And) else (tree,)


def _wide(contract: Contract, condition: Expression) -> str:
    """Returns what to ask of retrieval in place of a condition; empty for nothing."""
    wide = widened(condition, contract.least_share)
    if wide is None or contract.agreed_count > _MOST_AGREED:
        return ""
    # What of it is not about the price may hold or not: then every agreed price may meet it.
    mixed = any(True for _ in free_parts(condition))
    named = [
        product_id
        for product_id, amount in contract.agreed_prices.items()
        if mixed or holds(condition, amount, contract.currency, {})
    ]
    if named:
        wide = Or((wide, Restriction("id", Operator.HAS, tuple(map(Value, named)))))
    text = format_filter(wide)
    return text if len(text) <= _LONGEST_WIDE else ""
