"""Rankings grow: the next candidates are retrieved, ranked, and put behind the others."""

from collections.abc import Sequence
from functools import partial
from typing import Final

from services.orchestrator.asked_filters import asked_filters
from services.orchestrator.budget import ask_again
from services.orchestrator.by_id import MOST_BY_ID
from services.orchestrator.cache import MAX_RANKED, Ranking
from services.orchestrator.choices import QueryChoices, add_leg
from services.orchestrator.clients import Clients
from services.orchestrator.cross_reading import CrossReader
from services.orchestrator.merchandising.merchandiser import Merchandiser
from services.orchestrator.merchandising.plan import placed
from services.orchestrator.merchandising.rule_book import STAGE as MERCHANDISING
from services.orchestrator.ordering import reorder
from services.orchestrator.pictures.sought import count_on
from services.orchestrator.ranker import Ranker
from services.orchestrator.search_query import Work
from services.orchestrator.sponsored.seller import Seller
from services.orchestrator.stock.mover import StockMover
from services.orchestrator.terms.applied import priced_by, reprice_all
from services.orchestrator.terms.price_check import LOTS, STAGE, PriceCheck, affordable
from shared.errors import FailedPreconditionError, InvalidArgumentError
from shared.filter_syntax import join_and
from wherefore.orchestrator.v1.result_pb2 import Result
from wherefore.retrieval.v1.candidate_pb2 import Candidate
from wherefore.retrieval.v1.retrieval_service_pb2 import RetrieveRequest, RetrieveResponse

PRECISE: Final = "precise"
SERVING_CONFIGS: Final = {"search": "search", PRECISE: "search"}
"""Public names of configurations, and what ranking calls them."""
PICTURED: Final = "pictures"
"""What ranking calls that of searches by pictures, whatever their public one."""

# Candidates that another order than relevance looks at, in lots of `settings.candidates`.
_ORDERED_LOTS: Final = 2


class RankingGrower:
    """Makes rankings longer. One for the process."""

    def __init__(
        self,
        clients: Clients,
        merchandiser: Merchandiser,
        choices: QueryChoices,
        stock: StockMover,
        seller: Seller,
    ) -> None:
        self._clients = clients
        self._budgets = clients.settings.budgets
        self._ranker = Ranker(clients)
        self._cross = CrossReader(clients)
        self._merchandiser = merchandiser
        self._choices = choices
        self._stock = stock
        self._seller = seller

    async def extend(self, work: Work, ranking: Ranking) -> None:
        """Retrieves and ranks the next candidates, and puts them behind the others."""
        known = len(ranking.product_ids)
        ordered = bool(work.query.order_by)
        # An order by price over one lot and then over the next would not be one order.
        lots = (_ORDERED_LOTS if ordered else 1) * (1 if ranking.check is None else LOTS)
        limit = min(lots * self._clients.settings.candidates, MAX_RANKED - known)
        if limit <= 0 or (ordered and known):
            ranking.exhausted = True
            if ranking.check is not None:
                _note_cut(work, ranking, known)
            return
        chosen = self._chosen(work) if not known else []
        response = await self._retrieve(work, ranking, limit, [i for i, _ in chosen])
        candidates = list(response.candidates)
        # Products that are pinned or were chosen come on top of what was asked for.
        ranking.exhausted = len([c for c in candidates if c.legs]) < limit
        seen = [candidate.product.id for candidate in candidates]
        candidates = await self._of_account(work, ranking, candidates)
        add_leg(candidates, chosen, self._clients.settings.chosen_weight)
        if known:
            count_on(candidates, known)
        else:
            if ranking.check is None:  # else it is of more than what meets the conditions
                ranking.estimated_total = response.estimated_total
            ranking.applied_filter = response.applied_filter
            ranking.index_version = response.index_version
            ranking.relaxed = list(response.ignored_constraints)
        if candidates:
            results = await self._rank(work, ranking, candidates)
            ranking.shown_ids |= {result.product.id for result in results}
            ranking.results += [result.SerializeToString() for result in results]
        ranking.product_ids += seen

    async def _of_account(
        self, work: Work, ranking: Ranking, candidates: list[Candidate]
    ) -> list[Candidate]:
        """Returns those that meet conditions on prices, with the prices of the account."""
        candidates = await affordable(ranking.check, self._clients, candidates)
        reprice_all(work.contract, (candidate.product for candidate in candidates))
        return candidates

    async def _rank(
        self, work: Work, ranking: Ranking, candidates: Sequence[Candidate]
    ) -> list[Result]:
        results = await self._order(work, ranking, candidates)
        ranked = results
        plan = ranking.plan
        if work.query.order_by:
            by_id = {result.product.id: result for result in results}
            order = reorder(candidates, list(by_id), work.query.order_by)
            results = [by_id[product_id] for product_id in order]
        else:
            results = self._stock.apply(
                work.query.serving_config,
                candidates,
                results,
                plan.measure(results),
                work.degradations,
                kept=plan.pins,
            )
            results = await self._merchandiser.apply(
                plan,
                results,
                work.timer,
                work.degradations,
                priced=priced_by(work.contract, candidates),
            )
        if most := work.query.group_variants:
            group_of = {c.product.id: c.product.variant_group_id for c in candidates}
            pinned = () if work.query.order_by else plan.pins
            results = ranking.variants.keep(results, group_of, most, pinned)
        if not work.query.order_by:
            if not ranking.product_ids:
                results = self._seller.place(
                    work.query.serving_config,
                    ranking.ranking_id,
                    candidates,
                    results,
                    work.degradations,
                    kept=plan.pins,
                )
            results = placed(plan, results)
        _forget_propensities(work, ranked, results)
        return results

    async def _order(
        self, work: Work, ranking: Ranking, candidates: Sequence[Candidate]
    ) -> list[Result]:
        rank = partial(
            self._ranker.rank,
            candidates,
            query=ranking.understanding,
            profile=work.profile,
            serving_config=ranked_by(work.query.serving_config, ranking),
            include_contributions=work.query.include_contributions,
            # Whether load leaves reasons out is known only when they are due. Who pages on with
            # reasons after a page without them gets such as do without what ranking tells.
            for_reasons=not work.query.skip_reasons,
            timer=work.timer,
            degradations=work.degradations,
            notes=ranking.notes,
            picture_weight=picture_weight(ranking),
        )
        results = await rank()
        if ranking.picture is not None:
            for result in results:
                result.confidence = 0.0  # calibrated on what words say alone
            return results
        # Only the first lot holds what belongs on the first pages.
        if work.query.serving_config != PRECISE or work.query.order_by or ranking.product_ids:
            return results
        best = [result.product.id for result in results]
        read = await self._cross.read(
            ranking.understanding, candidates, best, work.timer, work.degradations
        )
        return await rank() if read else results

    def _chosen(self, work: Work) -> list[tuple[str, float]]:
        """Returns what was chosen after the same query, best first, where it may have a say."""
        settings = self._clients.settings
        if work.query.order_by or not settings.chosen_weight:
            return []
        return self._choices.best(work.query.query, settings.chosen_candidates)

    async def _retrieve(
        self, work: Work, ranking: Ranking, limit: int, chosen_ids: Sequence[str]
    ) -> RetrieveResponse:
        request = RetrieveRequest(
            query=ranking.asked_understanding,
            filter=ranking.filter,
            limit=limit,
            excluded_ids=ranking.product_ids,
            # Places are given once, on top of the first candidates.
            included_ids=()
            if work.query.order_by or ranking.product_ids
            else list(dict.fromkeys((*ranking.plan.pins, *chosen_ids)))[:MOST_BY_ID],
            legs=legs_of(ranking),
        )
        if ranking.picture is not None:
            ranking.picture.write(request)
        retrieve = partial(self._clients.retrieve, request)
        started = work.timer.elapsed_nanos()
        with work.timer.stage("retrieval"):
            try:
                response = await ask_again(retrieve, self._budgets.retrieval)
            except FailedPreconditionError as error:
                # Vectors of another model than the index's: the words still find.
                work.degradations.note("retrieval.dense", error)
                request.query.ClearField("vector")
                request.legs[:] = [leg for leg in request.legs if leg != "dense"]
                response = await ask_again(retrieve, self._budgets.retrieval)
            except InvalidArgumentError as error:
                if not ranking.plan.filter:
                    raise
                # It may be a rule that names a field which the catalogue does not have; whoever
                # searches can do nothing about that. Their own mistake is told by the second try.
                check = PriceCheck.of(work.contract, work.query.filter, ranking.understanding)
                own, _ = asked_filters(check, work.query.filter)
                request.filter = join_and(own, ranking.fixed_filter)
                response = await ask_again(retrieve, self._budgets.retrieval)
                work.degradations.note(MERCHANDISING, error, f"filters: {error.message}"[:500])
                ranking.filter, ranking.check = request.filter, check
                ranking.plan.drop_filter()
        work.timer.merge((t for t in response.timings if t.stage != "retrieval"), started)
        work.degradations.pass_on(response.degraded)
        return response


def _note_cut(work: Work, ranking: Ranking, known: int) -> None:
    """Products further down may meet the conditions on prices too, and nobody looked."""
    error = FailedPreconditionError("the index has no prices of accounts")
    work.degradations.note(STAGE, error, f"the first {known:,} candidates were looked at")
    noted = {each.stage for each in ranking.degraded}
    ranking.degraded += [d for d in work.degradations if d.stage == STAGE and STAGE not in noted]


def legs_of(ranking: Ranking) -> list[str]:
    """Returns the legs of words that a ranking asks; without a vector the dense one is not wanted.

    The loss of the vector is told as nlu.embedding.
    """
    legs = ["dense"] if ranking.understanding.HasField("vector") else []
    if ranking.understanding.query or ranking.picture is None:
        legs.append("sparse")
    return legs


def ranked_by(serving_config: str, ranking: Ranking) -> str:
    """Returns what ranking calls the configuration that ranks, by its public name."""
    return SERVING_CONFIGS[serving_config] if ranking.picture is None else PICTURED


def picture_weight(ranking: Ranking) -> float:
    """Returns how much pictures count against words in a ranking."""
    return ranking.picture.leg_weight if ranking.picture is not None else 0.0


def _forget_propensities(work: Work, ranked: list[Result], results: list[Result]) -> None:
    """Ranking knows how likely its own order is, and nothing of what changes it afterwards."""
    changed = results != ranked  # most are the same objects, which costs no look into them
    if changed or work.query.order_by or work.query.serving_config == PRECISE:
        for result in results:
            result.ClearField("propensity")
