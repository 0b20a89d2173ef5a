# ruff: noqa: N802 - servicers are named by the contract
import json
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from shared.cli.app import main
from wherefore.reason.v1 import tag_pb2, tag_service_pb2, tag_service_pb2_grpc


class FakeTags(tag_service_pb2_grpc.TagServiceServicer):
    """Tags every product with its colours, as sure as it is told; may stop after some products."""

    def __init__(self):
        self.asked = []
        self.confidence = 0.75
        self.version = "v1"
        self.left = 10**9

    def GenerateTags(self, request, context):
        if self.left <= 0:
            context.abort(grpc.StatusCode.INTERNAL, "broke")
        self.left -= 1
        response = tag_service_pb2.GenerateTagsResponse(vocabulary_version=self.version)
        for product in request.products:
            self.asked.append(product.id)
            tagged = response.products.add(product_id=product.id)
            for colour in product.attributes["colour"].texts:
                evidence = tag_pb2.TagEvidence(source="titles.en", end=3, text=product.titles["en"])
                tagged.tags.add(
                    key="colour", value=colour, confidence=self.confidence, evidence=[evidence]
                )
        return response


@pytest.fixture
def service():
    server = grpc.server(ThreadPoolExecutor(2))
    fake = FakeTags()
    tag_service_pb2_grpc.add_TagServiceServicer_to_server(fake, server)
    fake.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield fake
    server.stop(None).wait()


def write_catalogue(path, count, colour="black", text="Soft moisture wicking cloth."):
    rows = [
        {
            "id": f"p{n}",
            "titles": {"en": "Cup\u2028of tin"},
            "descriptions": {"en": f"{text} {n}"},
            "categoryPath": ["Cups"],
            "attributes": {"colour": {"texts": [colour]}},
        }
        for n in range(count)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def run(service, *arguments):
    return main(("tags", *map(str, arguments), f"--reason-target={service.target}"))


def test_a_run_is_written_and_compared_with_the_one_before(service, tmp_path, capsys):
    catalogue, out = write_catalogue(tmp_path / "c.jsonl", 3), tmp_path / "tags.jsonl"
    assert run(service, catalogue, "--out", out) == 0
    rows = [json.loads(line) for line in out.read_text().split("\n") if line]
    assert [row["product_id"] for row in rows] == ["p0", "p1", "p2"]
    (tag,) = rows[0]["tags"]
    assert (tag["key"], tag["value"], tag["confidence"]) == ("colour", "black", 0.75)
    assert tag["evidence"][0]["start"] == 0
    shown = capsys.readouterr().out
    assert "3 tags of 3 products, 0 without any; vocabulary v1" in shown
    assert "added" not in shown

    write_catalogue(catalogue, 2, "white")
    service.version = "v2"
    diff = tmp_path / "diff.jsonl"
    assert run(service, catalogue, "--out", out, "--diff", diff) == 0
    shown = capsys.readouterr().out
    assert "tags: 2 added, 2 removed, 0 changed; 0 new products, 1 gone" in shown
    assert "+ colour=white: 2 products, such as p0" in shown
    changes = [json.loads(line) for line in diff.read_text().splitlines()]
    assert {"product_id": "p2", "change": "gone"} in changes
    assert {"change": "added", "value": "white", "before": None, "now": 0.75}.items() <= next(
        row for row in changes if row["change"] == "added"
    ).items()

    service.confidence = 0.5
    assert run(service, catalogue, "--out", out, "--json") == 0
    counted = json.loads(capsys.readouterr().out)
    assert counted["changes"] == {"added": 0, "removed": 0, "changed": 2}
    assert run(service, catalogue, "--out", out, "--previous", out, "--tolerance", "0.3") == 0
    assert "0 changed" in capsys.readouterr().out


def test_a_stopped_run_goes_on(service, tmp_path, capsys):
    catalogue, out = write_catalogue(tmp_path / "c.jsonl", 120), tmp_path / "tags.jsonl"
    service.left = 1
    assert run(service, catalogue, "--out", out) != 0
    assert not out.exists()
    draft = tmp_path / "tags.jsonl.part"
    with draft.open("a") as file:
        file.write('{"product_id": "p5')  # as a power cut leaves it
    service.left = 10**9
    assert run(service, catalogue, "--out", out) == 0
    assert "going on after 50 products" in capsys.readouterr().err
    assert service.asked == [f"p{n}" for n in range(120)]
    assert len([line for line in out.read_text().split("\n") if line]) == 120
    assert not draft.exists()


def test_another_catalogue_or_vocabulary_begins_anew(service, tmp_path, capsys):
    catalogue, out = write_catalogue(tmp_path / "c.jsonl", 120), tmp_path / "tags.jsonl"
    service.left = 1
    assert run(service, catalogue, "--out", out) != 0
    service.left, service.version = 10**9, "v2"
    assert run(service, catalogue, "--out", out) == 1
    assert "changed during the run" in capsys.readouterr().err
    service.left = 1
    assert run(service, catalogue, "--out", out) != 0
    write_catalogue(catalogue, 60)
    service.left, service.asked = 10**9, []
    assert run(service, catalogue, "--out", out) == 0
    assert len(service.asked) == 60


def test_bad_files_are_told(service, tmp_path, capsys):
    catalogue = write_catalogue(tmp_path / "c.jsonl", 1)
    out = tmp_path / "tags.jsonl"
    assert run(service, tmp_path / "none.jsonl", "--out", out) == 2
    other = tmp_path / "other.jsonl"
    other.write_text("no JSON\n")
    assert run(service, catalogue, "--out", out, "--previous", other) == 2
    assert "no run of `wherefore tags`" in capsys.readouterr().err
    assert main(("tags", "propose", str(catalogue), "--vocabulary", str(other))) == 2
    assert "other.jsonl" in capsys.readouterr().err


def test_a_vocabulary_is_made_and_never_written_over_by_chance(tmp_path, capsys):
    catalogue, out = write_catalogue(tmp_path / "c.jsonl", 3), tmp_path / "v.toml"
    assert main(("tags", "vocabulary", str(catalogue), "--out", str(out))) == 0
    assert '"black" = ["black"' in out.read_text()
    out.write_text("# mine\n")
    assert main(("tags", "vocabulary", str(catalogue), "--out", str(out))) == 1
    assert out.read_text() == "# mine\n"
    assert main(("tags", "vocabulary", str(catalogue), "--out", str(out), "--force")) == 0
    assert '"black"' in out.read_text()
    capsys.readouterr()


def test_proposals_are_phrases_that_the_vocabulary_lacks(tmp_path, capsys):
    catalogue = write_catalogue(tmp_path / "c.jsonl", 6)
    assert main(("tags", "propose", str(catalogue))) == 0
    assert "6 soft moisture wicking" in capsys.readouterr().out
    assert main(("tags", "propose", str(catalogue), "--least", "7", "--json")) == 0
    assert json.loads(capsys.readouterr().out) == {"proposals": []}


def test_a_model_is_trained_from_a_catalogue(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="the extra train is not installed")
    pytest.importorskip("scipy", reason="the extra train is not installed")
    catalogue, out = write_catalogue(tmp_path / "c.jsonl", 20), tmp_path / "tags.npz"
    assert main(("tags", "train", str(catalogue), "--out", str(out))) == 0
    assert "model of 1 terms written" in capsys.readouterr().out
    assert out.stat().st_size > 1_000
    empty = write_catalogue(tmp_path / "e.jsonl", 9, colour="no such colour")
    assert main(("tags", "train", str(empty), "--out", str(out))) == 1
    assert "no term of the vocabulary" in capsys.readouterr().err
