"""`wherefore label` against a fake nlu service."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from services.nlu.labelling.export import read_labels
from tests.shared.cli.conftest import FakeSuite, run_command
from wherefore.common.v1.vector_pb2 import Vector
from wherefore.nlu.v1 import nlu_service_pb2
from wherefore.nlu.v1.query_understanding_pb2 import (
    SENTIMENT_LABEL_POSITIVE,
    Sentiment,
)
from wherefore.nlu.v1.text_analysis_pb2 import TextAnalysis

SENTIMENTS = ("--head", "sentiment", "--labels", "negative,positive")


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "texts.txt"
    path.write_text("".join(f"text {at}\n" for at in range(9)))
    return path


@pytest.fixture
def type_lines(monkeypatch):
    return lambda *lines: monkeypatch.setattr(
        sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines))
    )


@pytest.fixture
def reading(request, monkeypatch):
    """The fake service reads texts: the higher a text's number, the less sure."""

    def analyse(suite, asked, _context):
        suite.requests.append(asked)
        return nlu_service_pb2.AnalyseResponse(
            analyses=[
                TextAnalysis(
                    model="query_en@7",
                    sentiment=Sentiment(
                        label=SENTIMENT_LABEL_POSITIVE, confidence=0.95 - int(text[-1]) / 20
                    ),
                )
                for text in asked.texts
            ]
        )

    def embed(suite, asked, _context):
        suite.requests.append(asked)
        return nlu_service_pb2.EmbedResponse(
            vectors=[Vector(values=[1.0, float(text[-1])]) for text in asked.texts]
        )

    # A server takes the methods that its servicer has when it starts.
    monkeypatch.setattr(FakeSuite, "Analyse", analyse, raising=False)
    monkeypatch.setattr(FakeSuite, "Embed", embed, raising=False)
    return request.getfixturevalue("running")


def test_without_a_service_label_export_and_agree(capsys, texts, type_lines, tmp_path):
    type_lines("1", "2", "n unclear", "s", "q")
    given = (*SENTIMENTS, "--strategy", "random", "--annotator", "ada", "--twice", "1")
    done = run_command(capsys, "label", str(texts), *given)
    assert done.code == 0
    assert "2 labelled, 6 left" in done.err
    # Without the file it goes on; the labels are known by now.
    type_lines("1", "1")
    done = run_command(
        capsys, "label", "--head", "sentiment", "--strategy", "random", "--twice", "1",
        "--annotator", "bob",
    )  # fmt: skip
    assert "2 labelled, 7 left" in done.err
    done = run_command(capsys, "label", "agreement", "--head", "sentiment", "--json")
    (found,) = done.json["agreements"]
    assert (found["first"], found["second"], found["texts"], found["same"]) == (
        "ada",
        "bob",
        2,
        0.5,
    )
    assert found["kappa"] == pytest.approx(0)
    assert found["span_f1"] is None
    done = run_command(capsys, "label", "agreement", "--head", "sentiment")
    assert "ada and bob: 2 texts, 50.0% the same, kappa 0.000" in done.out
    out = tmp_path / "labels.jsonl"
    done = run_command(capsys, "label", "export", str(out), "--head", "sentiment")
    assert done.out == f"1 labelled texts written to {out}\n"
    head, examples = read_labels(out)
    assert (head, [example.label for example in examples]) == ("sentiment", ["negative"])


def test_the_least_sure_come_first(reading, texts, type_lines):
    type_lines("q")
    done = reading.run("label", str(texts), *SENTIMENTS, target_option="--nlu-target")
    assert done.code == 0
    assert "text 8" in done.out
    assert "query_en@7 says positive (55%)" in done.out
    # What was read is not read again, unless it is asked for or lacks something.
    count = len(reading.suite.requests)
    type_lines("q")
    reading.run("label", str(texts), *SENTIMENTS, target_option="--nlu-target")
    assert len(reading.suite.requests) == count
    type_lines("q")
    reading.run("label", "--reread", *SENTIMENTS, target_option="--nlu-target")
    assert len(reading.suite.requests) == count + 1
    type_lines("q")
    spread = ("--strategy", "margin_diversity")
    done = reading.run("label", *spread, *SENTIMENTS, target_option="--nlu-target")
    assert done.code == 0, done.err
    assert isinstance(reading.suite.requests[-1], nlu_service_pb2.EmbedRequest)
    queue = Path(os.environ["WHEREFORE_HOME"]) / "labels" / "sentiment"
    assert json.loads((queue / "items.jsonl").read_text().splitlines()[-1])["vector"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("label", *SENTIMENTS, "--strategy", "random"), "the queue is empty"),
        (("label", "absent.txt", *SENTIMENTS, "--strategy", "random"), "cannot read absent.txt"),
        (("label", "--head", "no_such_head"), "no model has a head 'no_such_head'"),
        (("label", *SENTIMENTS, "--twice", "2"), "--twice"),
        (("label", "--head", "a", "--labels", "x,x"), "different"),
        (("label", "--head", "a", "--labels", "x,y", "--strategy", "best"), "best"),
        (("label", "export", "out.jsonl", *SENTIMENTS), "no queue"),
    ],
)
def test_mistakes_are_one_line(capsys, arguments, message):
    done = run_command(capsys, *arguments)
    assert done.code == 2
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_head_that_nobody_reads_says_which_strategies_work(capsys, texts):
    done = run_command(capsys, "label", str(texts), "--head", "mood", "--labels", "up,down")
    assert done.code == 2
    assert "--strategy random" in done.err


def test_the_web_form_and_kill_9(tmp_path, texts):
    command = [
        sys.executable, "-m", "shared.cli", "label", str(texts), *SENTIMENTS,
        "--strategy", "random", "--web", "--port", "0", "--queue", str(tmp_path / "queue"),
    ]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found
        acknowledged = []
        with httpx.Client(base_url=found[0]) as client:
            state = client.post("/api/next", json={"annotator": "ada"}).json()
            for _ in range(5):
                body = {"annotator": "ada", "item": state["item"]["id"], "label": "positive"}
                state = client.post("/api/label", json=body).raise_for_status().json()
                acknowledged.append(body["item"])
            busy = subprocess.run(command, capture_output=True, text=True, check=False)
            assert busy.returncode == 2
            assert "in use by another process" in busy.stderr
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    lines = (tmp_path / "queue" / "labels.jsonl").read_text().splitlines()
    assert [json.loads(line)["item"] for line in lines] == acknowledged
