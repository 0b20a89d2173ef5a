"""Fakes of the services that answer with pages of products."""
# ruff: noqa: N802 - servicers are named by the contract, and page tokens are no passwords

from shared.errors import InvalidArgumentError, NotFoundError, UnavailableError
from tests.shared.cli.failing import fail
from wherefore.common.v1 import diagnostics_pb2
from wherefore.orchestrator.v1 import (
    completion_service_pb2,
    completion_service_pb2_grpc,
    explanation_service_pb2,
    explanation_service_pb2_grpc,
    recommendation_service_pb2,
    recommendation_service_pb2_grpc,
    result_pb2,
    search_service_pb2,
    search_service_pb2_grpc,
)
from wherefore.ranking.v1 import ranked_result_pb2
from wherefore.reason.v1 import reason_pb2
from wherefore.retrieval.v1 import facet_pb2


def facet_of(key: str) -> facet_pb2.Facet:
    if key == "price":
        ends = [facet_pb2.Interval(max=20), facet_pb2.Interval(min=20)]
        values = [facet_pb2.FacetValue(count=n, interval=each) for n, each in enumerate(ends, 1)]
    else:
        values = [facet_pb2.FacetValue(value="acme", label="Acme", count=4)]
    return facet_pb2.Facet(key=key, values=values, value_count=3, counted_products=9)


class FakePages(
    search_service_pb2_grpc.SearchServiceServicer,
    completion_service_pb2_grpc.CompletionServiceServicer,
    explanation_service_pb2_grpc.ExplanationServiceServicer,
    recommendation_service_pb2_grpc.RecommendationServiceServicer,
):
    """The part of `FakeSuite`, whose fields it reads, that searches and recommends."""

    def Search(self, request, context):
        self.requests.append(request)
        if request.page_size < 0:
            fail(context, InvalidArgumentError.of("page_size", "must not be negative"))
        if self.answer is not None:
            return self.answer
        if request.query == "down":
            fail(context, UnavailableError("retrieval cannot be reached", 2))
        results = [
            result_pb2.Result(
                product=product,
                rank=rank,
                score=1 / rank,
                confidence=0.9,
                reason=reason_pb2.Reason(text=f"because of {product.brand}"),
                contributions=[
                    ranked_result_pb2.Contribution(
                        feature="f", contribution=0.25, label="matches the title"
                    )
                ]
                if request.include_contributions
                else [],
            )
            for rank, product in enumerate(self.products.values(), start=1)
            if not request.filter
            or request.filter[:3] != "id:"
            or f'"{product.id}"' in request.filter
        ]
        return search_service_pb2.SearchResponse(
            results=results,
            query=self.understand(request.query),
            next_page_token="token-2" if request.page_size < 100 else "",
            estimated_total=42,
            timings=[
                diagnostics_pb2.StageTiming(stage="nlu", duration_nanos=9_000_000),
                diagnostics_pb2.StageTiming(
                    stage="nlu.embedding", duration_nanos=8_000_000, inference_nanos=7_000_000
                ),
                diagnostics_pb2.StageTiming(
                    stage="retrieval", start_offset_nanos=10_000_000, duration_nanos=3_000_000
                ),
                diagnostics_pb2.StageTiming(
                    stage="ranking", start_offset_nanos=13_000_000, duration_nanos=2_000_000
                ),
            ],
            degraded=self.degraded,
            applied_filter="price < 500",
            relaxed_constraints=['colour: "mauve"'],
            facets=[facet_of(spec.key) for spec in request.facets],
        )

    def SearchStream(self, request, context):
        page = self.Search(request.request, context)
        reasons = {result.product.id: result.reason.text for result in page.results}
        for result in page.results:
            result.ClearField("reason")
        yield search_service_pb2.SearchStreamResponse(page=page)
        for product_id, text in reasons.items():
            if request.by_clause:
                clause = reason_pb2.ReasonClause(product_id=product_id, text=f"Good, {text}")
                yield search_service_pb2.SearchStreamResponse(clause=clause)
            if request.request.query == "breaks":
                fail(context, UnavailableError("reason is gone"))
            if request.request.query == "ends early":
                return
            whole = reason_pb2.Reason(product_id=product_id, text=f"Good, {text}.")
            yield search_service_pb2.SearchStreamResponse(reason=whole)
        writers = search_service_pb2.ReasonWriters(
            model_count=len(reasons), cached_count=1, template_count=2
        )
        end = search_service_pb2.SearchStreamEnd(
            timings=page.timings,
            degraded=self.degraded,
            page_nanos=40_000_000,
            first_text_nanos=65_000_000,
            reason_writers=writers if reasons else None,
        )
        yield search_service_pb2.SearchStreamResponse(end=end)

    def Complete(self, request, context):
        self.requests.append(request)
        if request.prefix == "x":
            return completion_service_pb2.CompleteResponse()
        return completion_service_pb2.CompleteResponse(
            completions=[
                completion_service_pb2.Completion(
                    text="Headphones", source=completion_service_pb2.COMPLETION_SOURCE_PRODUCT_TYPE
                ),
                completion_service_pb2.Completion(
                    text="headband",
                    source=completion_service_pb2.COMPLETION_SOURCE_SEARCHES,
                    corrected=True,
                ),
            ]
        )

    def Explain(self, request, context):
        self.requests.append(request)
        group = ranked_result_pb2.ContributionGroup(group="words", label="has the words")
        for feature, value in (("sparse_score", 0.5), ("title_coverage", -0.25)):
            group.contributions.add(feature=feature, label=feature, contribution=value)
        group.contribution = 0.25
        explained = [
            explanation_service_pb2.ProductExplanation(
                product=self.products[product_id],
                explanation=ranked_result_pb2.ResultExplanation(
                    product_id=product_id,
                    rank=7,
                    score=1.25,
                    groups=[group],
                    counter_factual=ranked_result_pb2.CounterFactual(text="would be first if new"),
                ),
                semantic_match=explanation_service_pb2.SemanticMatch(
                    cosine=0.5,
                    words=[
                        explanation_service_pb2.WordEffect(word="kettle", effect=0.2),
                        explanation_service_pb2.WordEffect(word="cheap", effect=-0.1),
                    ],
                ),
            )
            for product_id in request.product_ids
            if product_id in self.products
        ]
        for each in explained[: request.reading_count]:
            reading = each.cross_reading
            reading.query_text, reading.product_text = "cheap kettle", "Steel kettle, 1 l"
            reading.attribution.logit, reading.attribution.logit_without_left = 2.0, -4.0
            reading.attribution.left_words.add(word="kettle", start=6, end=12, attribution=5.5)
            reading.attribution.left_words.add(word="cheap", start=0, end=5, attribution=0.1)
            reading.attribution.right_words.add(word="l", start=16, end=17, attribution=-0.5)
        return explanation_service_pb2.ExplainResponse(
            explanations=explained,
            model="linear@1",
            base_value=1.0,
            ranked_count=100,
            missing_product_ids=[i for i in request.product_ids if i not in self.products],
        )

    def Recommend(self, request, context):
        self.requests.append(request)
        if "absent" in request.product_ids:
            fail(context, NotFoundError("no such product"))
        results = [
            result_pb2.Result(product=product, rank=rank)
            for rank, product in enumerate(self.products.values(), start=1)
        ]
        return recommendation_service_pb2.RecommendResponse(
            results=results, serving_config="popular", degraded=self.degraded
        )
