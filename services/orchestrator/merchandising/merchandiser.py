"""Applies the shop's rules to rankings: after the model, whose scores stay as they are."""

from collections.abc import Mapping, Sequence

from services.orchestrator.budget import stage_timeout
from services.orchestrator.by_id import request_by_id
from services.orchestrator.clients import Clients
from services.orchestrator.fallback import Degradations
from services.orchestrator.merchandising.occasions import occasion_of
from services.orchestrator.merchandising.plan import Plan, make_plan
from services.orchestrator.merchandising.rule_book import STAGE, RuleBook
from services.orchestrator.merchandising.shift_filter import ShiftFilter
from shared.errors import InternalError, InvalidArgumentError, WhereforeError
from shared.timing import StageTimer
from wherefore.common.v1.product_pb2 import Product
from wherefore.nlu.v1.query_understanding_pb2 import QueryUnderstanding
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import (
    SelectProductsRequest,
    SelectProductsResponse,
)


class Merchandiser:
    """Plans and applies rules. One for the process."""

    def __init__(self, clients: Clients, book: RuleBook) -> None:
        self._clients = clients
        self._book = book

    def plan(
        self,
        serving_config: str,
        filter_text: str,
        degradations: Degradations,
        understanding: QueryUnderstanding | None = None,
    ) -> Plan:
        """Returns what the rules ask of a request; adds their synonyms to `understanding`."""
        if self._book.problem is not None:
            degradations.pass_on([self._book.problem])
        if self._book.is_empty:
            return Plan()
        occasion = occasion_of(serving_config, filter_text, understanding)
        plan = make_plan(self._book.matching(occasion), occasion, understanding)
        if plan.given_up:
            names = ", ".join(plan.given_up)
            degradations.note(
                STAGE,
                InternalError("filters too long"),
                f"rules {names}: their filters are too long together",
            )
        return plan

    async def usable_filter(self, plan: Plan, degradations: Degradations) -> str:
        """Returns the filter of the rules; an empty one where it is refused."""
        if plan.filter:
            # Asked of any product, as only the refusal is of interest.
            request = SelectProductsRequest(product_ids=["-"], filters=[plan.filter])
            try:
                await self._clients.select_products(
                    request, stage_timeout(self._clients.settings.budgets.products)
                )
            except InvalidArgumentError as error:
                degradations.note(STAGE, error, f"filters: {error.message}"[:500])
                plan.drop_filter()
        return plan.filter

    async def apply(
        self,
        plan: Plan,
        results: Sequence[Result],
        timer: StageTimer,
        degradations: Degradations,
        *,
        priced: Mapping[str, Product] | None = None,
    ) -> list[Result]:
        """Returns ranked results in the order of score and boost together.

        Args:
            plan: The rules; what they moved is written into it.
            results: Of ranking.
            timer: Takes the time.
            degradations: Told of rules that could not be applied.
            priced: Products with the prices of the account that asks; None for the catalogue's.
        """
        if not plan.shifts or not results:
            return list(results)
        spread = plan.measure(results)
        with timer.stage(STAGE):
            touched = await self._touched(plan, results, degradations, priced or {})
        for (rule, _, strength), ids in zip(plan.shifts, touched, strict=True):
            for result in results:
                if result.product.id in ids:
                    result.boost += strength * spread
                    plan.applied.setdefault(rule.id, []).append(result.product.id)
        return sorted(results, key=lambda result: -(result.score + result.boost))

    async def pinned_candidates(
        self, plan: Plan, known: Sequence[str], filter_text: str, degradations: Degradations
    ) -> list[Candidate]:
        """Returns the pinned products that are not among `known` and meet a filter."""
        missing = [product_id for product_id in plan.pins if product_id not in known]
        if not missing:
            return []
        request = request_by_id(missing, filter_text)
        try:
            response = await self._clients.retrieve(
                request, stage_timeout(self._clients.settings.budgets.retrieval)
            )
        except WhereforeError as error:
            degradations.note(STAGE, error)
            return []
        return list(response.candidates)

    async def _touched(
        self,
        plan: Plan,
        results: Sequence[Result],
        degradations: Degradations,
        priced: Mapping[str, Product],
    ) -> list[set[str]]:
        """Returns the ids of the results that each shift is about."""
        ids = [result.product.id for result in results]
        touched = [set(shift.products).intersection(ids) for _, shift, _ in plan.shifts]
        filters: dict[int, ShiftFilter] = {}
        for number, (_, shift, _) in enumerate(plan.shifts):
            if shift.filter is not None:
                filters[number] = ShiftFilter.of(shift.filter, by_account=bool(priced))
        while filters:
            asked = [(n, text) for n, each in filters.items() for text in each.asked]
            request = SelectProductsRequest(product_ids=ids, filters=[text for _, text in asked])
            response = SelectProductsResponse()
            try:
                if asked:
                    response = await self._clients.select_products(
                        request, stage_timeout(self._clients.settings.budgets.products)
                    )
            except InvalidArgumentError as error:
                # A field that the catalogue does not have: the rule is left out, and the answer
                # says so; whoever searches can do nothing about it.
                bad = _numbers(error, [number for number, _ in asked]) or set(filters)
                names = ", ".join(plan.shifts[number][0].id for number in sorted(bad))
                degradations.note(STAGE, error, f"rules {names}: {error.message}"[:500])
                filters = {n: each for n, each in filters.items() if n not in bad}
            except WhereforeError as error:
                degradations.note(STAGE, error)
                return touched
            else:
                found = iter(response.selections)
                for number, each in filters.items():
                    selected = [set(next(found).product_ids) for _ in each.asked]
                    touched[number] |= each.met(ids, selected, priced)
                return touched
        return touched


def _numbers(error: InvalidArgumentError, asked: Sequence[int]) -> set[int]:
    """Returns which of the filters asked about are at fault."""
    fields = {violation.field for violation in error.violations}
    return {number for at, number in enumerate(asked) if f"filters[{at}]" in fields}
