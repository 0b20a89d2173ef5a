# ruff: noqa: N802 - servicers are named by the contract
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from shared.cli.app import main
from wherefore.common.v1.product_pb2 import ReviewSummary
from wherefore.orchestrator.v1 import summary_service_pb2 as pb
from wherefore.orchestrator.v1 import summary_service_pb2_grpc as pb_grpc
from wherefore.reason.v1 import summary_pb2 as reason_pb


class FakeService(pb_grpc.SummaryServiceServicer):
    """One product with a summary, and one of which ratings are all that is left."""

    def __init__(self):
        self.requests = []

    def Summarise(self, request, context):
        if request.product_id not in {"p-1", "p-3"}:
            context.abort(grpc.StatusCode.NOT_FOUND, f"no product {request.product_id}")
        self.requests.append(request)
        if request.product_id == "p-3":
            rated = ReviewSummary(average_rating=4.25, rating_count=8)
            return pb.SummariseResponse(review_summary=rated)
        example = reason_pb.PointExample(text="well made", review_id="r1", end=9)
        summary = reason_pb.SummariseResponse(
            sentences=[reason_pb.SummarySentence(text="Heats evenly.", review_id="r1", end=13)],
            pros=[reason_pb.ReviewPoint(label="quality", review_count=2, examples=[example])],
            cons=[reason_pb.ReviewPoint(label="fit", review_count=3, opposing_count=1)],
            overview="2 of 9 reviews praise the quality.",
            review_count=9,
            duplicate_count=1,
            method="tf_idf",
        )
        if request.style == reason_pb.SUMMARY_STYLE_REWRITTEN:
            summary.rewritten = "Reviewers find it of good quality (2 of 2)."
        return pb.SummariseResponse(summary=summary)


@pytest.fixture
def services():
    server = grpc.server(ThreadPoolExecutor(2))
    fake = FakeService()
    pb_grpc.add_SummaryServiceServicer_to_server(fake, server)
    fake.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield fake
    server.stop(None).wait()


def run(services, *arguments):
    return main(("summarise", *arguments, f"--target={services.target}"))


def test_asks_for_the_product_and_shows_the_summary(services, capsys):
    assert run(services, "p-1", "--language", "en", "--max-words", "30") == 0
    (request,) = services.requests
    assert (request.product_id, request.language_code, request.max_words) == ("p-1", "en", 30)
    shown = capsys.readouterr().out
    assert "2 of 9 reviews praise the quality." in shown
    assert "“Heats evenly.” (r1)" in shown
    assert "+ quality (2 reviews, 0 against): “well made”" in shown
    assert "- fit (3 reviews, 1 against)" in shown
    assert "9 reviews read, 1 near-duplicates left out; compared by tf_idf" in shown


def test_new_words_are_shown_when_asked_for(services, capsys):
    assert run(services, "p-1", "--rewrite") == 0
    assert "Reviewers find it of good quality (2 of 2)." in capsys.readouterr().out


def test_ratings_are_shown_when_nothing_else_is_left(services, capsys):
    assert run(services, "p-3") == 0
    assert "4.2 stars of 8 ratings" in capsys.readouterr().out


def test_json_is_the_response(services, capsys):
    assert run(services, "p-1", "--json") == 0
    import json

    found = json.loads(capsys.readouterr().out)
    assert found["summary"]["sentences"][0]["review_id"] == "r1"


def test_a_product_that_is_not_there_fails(services, capsys):
    assert run(services, "p-2") == 1
    assert "p-2" in capsys.readouterr().err
    assert not services.requests
