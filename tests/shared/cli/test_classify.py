"""`wherefore classify` and `wherefore train categories`, with a service that answers by a rule."""

import csv
import json
from concurrent import futures

import grpc
import pytest

from shared.cli import main
from wherefore.common.v1.diagnostics_pb2 import Degradation
from wherefore.reason.v1 import classification_pb2 as pb
from wherefore.reason.v1 import classification_service_pb2 as service_pb
from wherefore.reason.v1 import classification_service_pb2_grpc as service_grpc


class FakeService(service_grpc.ClassificationServiceServicer):
    """Says "Cups" of everything, and nothing where a title says so."""

    def __init__(self):
        self.requests = []
        self.fail_after = None

    def ClassifyProducts(self, request, context):  # noqa: N802 - the contract's name
        if self.fail_after is not None and len(self.requests) >= self.fail_after:
            context.abort(grpc.StatusCode.UNAVAILABLE, "gone")
        self.requests.append(request)
        response = service_pb.ClassifyProductsResponse()
        for product in request.products:
            said = response.classifications.add(product_id=product.id, probability=0.9)
            if "strange" in product.titles["en"]:
                said.outcome = pb.CLASSIFICATION_OUTCOME_ABSTAINED
                said.stated.verdict = pb.STATED_CATEGORY_VERDICT_UNSURE
                continue
            said.outcome = pb.CLASSIFICATION_OUTCOME_CATEGORY
            said.category_path[:] = ["Kitchen", "Cups"]
            said.evidence.add(text="cup", contribution=2.5)
            said.evidence.add(text="steel", contribution=-1)
            agrees = list(product.category_path) == ["Kitchen", "Cups"]
            said.stated.verdict = (
                pb.STATED_CATEGORY_VERDICT_AGREES if agrees else pb.STATED_CATEGORY_VERDICT_DOUBTED
            )
            said.stated.probability = 0.9 if agrees else 0.01
        if request.taxonomy:
            response.degraded.append(Degradation(stage="nlu.embedding"))
        return response


@pytest.fixture
def service():
    server = grpc.server(futures.ThreadPoolExecutor(2))
    fake = FakeService()
    service_grpc.add_ClassificationServiceServicer_to_server(fake, server)
    fake.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield fake
    server.stop(None)


@pytest.fixture
def catalogue(tmp_path):
    rows = [
        {"id": f"p{n}", "titles": {"en": f"cup {n}"}, "categoryPath": ["Kitchen", "Cups"]}
        for n in range(1, 251)
    ]
    rows[6] |= {"categoryPath": ["Garden"]}
    rows[7] |= {"titles": {"en": "strange thing"}}
    path = tmp_path / "shop.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(service, *arguments):
    return main(("classify", *map(str, arguments), f"--reason-target={service.target}"))


def test_a_catalogue_and_what_is_worth_a_review(service, catalogue, tmp_path, capsys):
    out, review = tmp_path / "said.jsonl", tmp_path / "doubted.csv"
    assert run(service, catalogue, "--out", out, "--review", review) == 0
    assert [len(request.products) for request in service.requests] == [100, 100, 50]
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["row"] for line in lines] == list(range(1, 251))
    assert lines[0]["category_path"] == ["Kitchen", "Cups"]
    assert lines[6]["stated_path"] == ["Garden"]
    with review.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row == {
        "row": "7",
        "id": "p7",
        "stated": "Garden",
        "said": "Kitchen > Cups",
        "probability": "0.9000",
        "probability_of_stated": "0.0100",
        "words": "cup",
    }
    told = capsys.readouterr().err
    assert "250 products: 249 category, 1 abstained" in told
    assert "250 stated categories: 248 agrees, 1 doubted, 1 unsure" in told
    assert "1 stated categories are doubted" in told


def test_an_interrupted_run_goes_on_and_says_the_same(service, catalogue, tmp_path, capsys):
    whole, out = tmp_path / "whole.jsonl", tmp_path / "said.jsonl"
    assert run(service, catalogue, "--out", whole) == 0
    service.requests.clear()
    service.fail_after = 1
    assert run(service, catalogue, "--out", out) == 3
    service.fail_after = None
    with out.open("a") as file:
        file.write('{"row": 101, "product_')  # what a killed process leaves
    service.requests.clear()
    assert run(service, catalogue, "--out", out, "--resume") == 0
    assert [p.id for p in service.requests[0].products][:2] == ["p101", "p102"]
    assert out.read_text() == whole.read_text()
    assert "going on after row 100" in capsys.readouterr().err


def test_a_taxonomy_goes_along_and_a_loss_is_told(service, catalogue, tmp_path, capsys):
    taxonomy = tmp_path / "taxonomy.txt"
    taxonomy.write_text("Kitchen > Cups\nBags\n")
    assert run(service, catalogue, "--taxonomy", taxonomy, "--limit", "3") == 0
    (request,) = service.requests
    assert [list(each.path) for each in request.taxonomy] == [["Kitchen", "Cups"], ["Bags"]]
    captured = capsys.readouterr()
    assert [json.loads(line)["row"] for line in captured.out.splitlines()] == [1, 2, 3]
    assert "without nlu.embedding" in captured.err


def test_products_with_the_same_id_go_in_calls_of_their_own(service, tmp_path):
    path = tmp_path / "shop.jsonl"
    row = json.dumps({"id": "p", "titles": {"en": "cup"}})
    path.write_text(f"{row}\n{row}\n")
    assert run(service, path, "--out", tmp_path / "out") == 0
    assert [len(request.products) for request in service.requests] == [1, 1]


def test_wrong_arguments(service, catalogue, tmp_path, capsys):
    other = tmp_path / "other.jsonl"
    other.write_text("no results\n")
    assert run(service, catalogue, "--resume") == 2
    assert run(service, catalogue, "--review", tmp_path / "r.csv") == 2
    assert run(service, tmp_path / "none.jsonl", "--out", other) == 2
    assert run(service, catalogue, "--out", other, "--resume") == 2
    assert run(service, catalogue, "--out", tmp_path / "no" / "folder") == 1
    assert run(service, catalogue, "--taxonomy", tmp_path / "none") == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not service.requests


def test_a_service_that_is_away(catalogue, tmp_path, capsys):
    arguments = ("classify", str(catalogue), "--reason-target=127.0.0.1:9", "--timeout=1")
    assert main(arguments) == 3
    assert "does not answer" in capsys.readouterr().err


def test_training_writes_a_classifier_and_its_figures(tmp_path, capfd):
    pytest.importorskip("sklearn", reason="training needs the extra `train`")
    from services.reason.classify.weights import load

    rows = [
        {"id": f"{kind}{n}", "titles": {"en": f"{kind} number {n}"}, "categoryPath": [kind + "s"]}
        for kind in ("cup", "lamp")
        for n in range(30)
    ]
    path = tmp_path / "shop.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    out = tmp_path / "shop.npz"
    arguments = ("train", "categories", "--catalogue", str(path), "--out", str(out), "--json")
    assert main(arguments) == 0
    card = json.loads(capfd.readouterr().out)
    assert (card["name"], card["categories"]) == ("shop/1", 2)
    assert card["test"]["accuracy"] == 1
    assert load(out).tree.categories == [("cups",), ("lamps",)]

    path.write_text(json.dumps(rows[0]) + "\n")
    assert main(arguments) == 2
    assert "fewer than two categories" in capfd.readouterr().err
