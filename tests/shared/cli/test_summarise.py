# ruff: noqa: N802 - servicers are named by the contract
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from shared.cli.app import main
from wherefore.common.v1.product_pb2 import Product, Review
from wherefore.orchestrator.v1 import product_service_pb2 as product_pb
from wherefore.orchestrator.v1 import product_service_pb2_grpc as product_grpc
from wherefore.reason.v1 import reason_service_pb2_grpc as reason_grpc
from wherefore.reason.v1 import summary_pb2 as pb


class FakeServices(product_grpc.ProductServiceServicer, reason_grpc.ReasonServiceServicer):
    """One product, and a summary of whatever comes."""

    def __init__(self):
        self.requests = []

    def Get(self, request, context):
        if request.product_id != "p-1":
            context.abort(grpc.StatusCode.NOT_FOUND, f"no product {request.product_id}")
        product = Product(id="p-1", descriptions={"en": "A pan."})
        product.reviews.append(Review(id="r1", text="Heats evenly."))
        return product_pb.ProductServiceGetResponse(product=product)

    def Summarise(self, request, context):
        self.requests.append(request)
        example = pb.PointExample(text="well made", review_id="r1", end=9)
        return pb.SummariseResponse(
            sentences=[pb.SummarySentence(text="Heats evenly.", review_id="r1", end=13)],
            pros=[pb.ReviewPoint(label="quality", review_count=2, examples=[example])],
            cons=[pb.ReviewPoint(label="fit", review_count=3, opposing_count=1)],
            overview="2 of 9 reviews praise the quality.",
            review_count=9,
            duplicate_count=1,
            method="tf_idf",
        )


@pytest.fixture
def services():
    server = grpc.server(ThreadPoolExecutor(2))
    fake = FakeServices()
    product_grpc.add_ProductServiceServicer_to_server(fake, server)
    reason_grpc.add_ReasonServiceServicer_to_server(fake, server)
    fake.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield fake
    server.stop(None).wait()


def run(services, *arguments):
    target = services.target
    return main(("summarise", *arguments, f"--target={target}", f"--reason-target={target}"))


def test_sends_the_texts_of_the_product_and_shows_the_summary(services, capsys):
    assert run(services, "p-1", "--language", "en", "--max-words", "30") == 0
    (request,) = services.requests
    assert [(review.id, review.text) for review in request.reviews] == [("r1", "Heats evenly.")]
    assert dict(request.descriptions) == {"en": "A pan."}
    assert (request.language_code, request.max_words) == ("en", 30)
    shown = capsys.readouterr().out
    assert "2 of 9 reviews praise the quality." in shown
    assert "“Heats evenly.” (r1)" in shown
    assert "+ quality (2 reviews, 0 against): “well made”" in shown
    assert "- fit (3 reviews, 1 against)" in shown
    assert "9 reviews read, 1 near-duplicates left out; compared by tf_idf" in shown


def test_json_is_the_response(services, capsys):
    assert run(services, "p-1", "--json") == 0
    import json

    assert json.loads(capsys.readouterr().out)["sentences"][0]["review_id"] == "r1"


def test_a_product_that_is_not_there_fails(services, capsys):
    assert run(services, "p-2") == 1
    assert "p-2" in capsys.readouterr().err
    assert not services.requests
