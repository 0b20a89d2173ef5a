"""Fakes of the services that hold products."""
# ruff: noqa: N802, S106 - servicers are named by the contract, and page tokens are no passwords

from shared.errors import NotFoundError, UnavailableError
from tests.shared.cli.failing import fail
from wherefore.orchestrator.v1 import product_service_pb2, product_service_pb2_grpc
from wherefore.ranking.v1 import ranked_result_pb2, ranking_service_pb2, ranking_service_pb2_grpc
from wherefore.retrieval.v1 import (
    candidate_pb2,
    retrieval_service_pb2,
    retrieval_service_pb2_grpc,
)


class FakeCatalogue(
    product_service_pb2_grpc.ProductServiceServicer,
    ranking_service_pb2_grpc.RankingServiceServicer,
    retrieval_service_pb2_grpc.RetrievalServiceServicer,
):
    """The part of `FakeSuite`, whose fields it reads and writes, that holds products."""

    def Import(self, request_iterator, context):
        self.import_calls += 1
        if self.release_import is not None:
            self.release_import.wait(30)
        if self.refuse_import is not None:
            fail(context, self.refuse_import)
        self.degraded_imports -= self.import_calls > 1 and self.degraded_imports > 0
        limit = self.break_import_after.pop(0) if self.break_import_after else None
        response = product_service_pb2.ProductServiceImportResponse()
        taken = 0
        for request in request_iterator:
            self.requests.append(request)
            response.ClearField("errors")
            if self.degraded_imports:
                response.degraded.add(stage="nlu.embedding", fallback="sparse only")
            for place, (line, product) in enumerate(
                zip(request.rows, request.products, strict=True), start=request.first_row
            ):
                if limit is not None and taken == limit:
                    fail(context, UnavailableError("retrieval went away", 0.01))
                taken += 1
                response.acknowledged_row = place
                if product.price.amount < 0:
                    response.failed_count += 1
                    response.errors.add(
                        row=line, id=product.id, field="price.amount", reason="is negative"
                    )
                elif self.products.get(product.id) == product:
                    response.unchanged_count += 1
                else:
                    self.products[product.id] = product
                    response.imported_count += 1
            yield response
            if self.stop_import_early:
                return

    def Stats(self, request, context):
        return retrieval_service_pb2.StatsResponse(product_count=len(self.products))

    def GetProducts(self, request, context):
        found = [self.products[item] for item in request.product_ids if item in self.products]
        return retrieval_service_pb2.GetProductsResponse(products=found)

    def Retrieve(self, request, context):
        admitted = [
            item
            for item in self.products.values()
            if not request.filter or f'"{item.id}"' in request.filter
        ]
        return retrieval_service_pb2.RetrieveResponse(
            candidates=[candidate_pb2.Candidate(product=item) for item in admitted]
        )

    def Rank(self, request, context):
        return ranking_service_pb2.RankResponse(
            results=[
                ranked_result_pb2.RankedResult(product_id=candidate.product.id)
                for candidate in request.candidates
            ]
        )

    def Get(self, request, context):
        if request.product_id not in self.products:
            fail(context, NotFoundError(f"no product {request.product_id}"))
        return product_service_pb2.ProductServiceGetResponse(
            product=self.products[request.product_id]
        )

    def List(self, request, context):
        self.requests.append(request)
        return product_service_pb2.ProductServiceListResponse(
            products=self.products.values(), next_page_token="more"
        )

    def Delete(self, request, context):
        if self.products.pop(request.product_id, None) is None and not request.allow_missing:
            fail(context, NotFoundError(f"no product {request.product_id}"))
        return product_service_pb2.ProductServiceDeleteResponse()
