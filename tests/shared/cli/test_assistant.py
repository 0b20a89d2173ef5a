# ruff: noqa: N802 - servicers are named by the contract
import gzip
import json
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from shared.cli.app import main
from shared.cli.dialogue_file import read_dialogues
from wherefore.assistant.v1 import answer_pb2 as answers
from wherefore.assistant.v1 import assistant_service_pb2 as pb
from wherefore.assistant.v1 import assistant_service_pb2_grpc as pb_grpc
from wherefore.assistant.v1 import learnt_service_pb2 as learnt
from wherefore.assistant.v1 import learnt_service_pb2_grpc as learnt_grpc
from wherefore.common.v1.diagnostics_pb2 import Degradation, RowError


class FakeAssistant(pb_grpc.AssistantServiceServicer, learnt_grpc.LearntServiceServicer):
    """Knows one answer; refuses dialogues whose answer is "no"."""

    def __init__(self):
        self.requests = []

    def Ask(self, request, context):
        self.requests.append(request)
        answer = answers.Answer(kind=answers.ANSWER_KIND_HAND_OVER, text="A person will answer.")
        answer.citations.add(source_id="care", field="wool.en", text="Wash it by hand.")
        answer.hand_over.summary = "Handed over: no known answer fits\nAsked: q"
        lost = Degradation(stage="nlu", fallback="words", detail="gone")
        return pb.AskResponse(answer=answer, conversation_id="c9", degraded=[lost])

    def ImportDialogues(self, request_iterator, context):
        told = pb.ImportDialoguesResponse()
        for request in request_iterator:
            del told.errors[:]
            for each in request.dialogues:
                told.acknowledged_row += 1
                self.requests.append(each)
                if each.answer == "no":
                    told.failed_count += 1
                    error = RowError(row=told.acknowledged_row, field="answer", reason="is no")
                    told.errors.append(error)
                else:
                    told.imported_count += 1
            yield told

    def RecordAnswer(self, request, context):
        self.requests.append(request)
        return pb.RecordAnswerResponse(answer_id=request.answer_id or "learnt.1")

    def ListLearnt(self, request, context):
        self.requests.append(request)
        old = learnt.LearntExample(id="k1", question="why", answer_id="complaint")
        new = learnt.LearntExample(id="k2", question="能退吗", answer="可以", learnt_by="desk")
        new.learnt_time.FromSeconds(1_790_000_000)
        return learnt.ListLearntResponse(examples=[new, old], **{"next_page_token": "next"})

    def DeleteLearnt(self, request, context):
        self.requests.append(request)
        return learnt.DeleteLearntResponse(deleted_count=1)


@pytest.fixture
def fake():
    server = grpc.server(ThreadPoolExecutor(2))
    service = FakeAssistant()
    pb_grpc.add_AssistantServiceServicer_to_server(service, server)
    learnt_grpc.add_LearntServiceServicer_to_server(service, server)
    service.target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield service
    server.stop(None).wait()


def run(fake, *arguments):
    return main(("assistant", *arguments, f"--target={fake.target}"))


def test_an_answer_is_shown_with_its_citations_and_what_is_lost(fake, capsys):
    assert run(fake, "ask", "q", "--conversation=c9", "--user=anna", "--language=en") == 0
    (request,) = fake.requests
    assert (request.question, request.conversation_id) == ("q", "c9")
    assert (request.user.user_id, request.language_code) == ("anna", "en")
    shown = capsys.readouterr()
    assert shown.out.splitlines() == [
        "A person will answer.",
        "  [care wool.en] Wash it by hand.",
        "  | Handed over: no known answer fits",
        "  | Asked: q",
    ]
    assert "conversation c9" in shown.err
    assert "degraded: nlu, words (gone)" in shown.err


def test_json_is_the_response(fake, capsys):
    assert run(fake, "ask", "q", "--json") == 0
    assert json.loads(capsys.readouterr().out)["conversation_id"] == "c9"


def test_a_file_is_learnt_with_its_bad_lines_told(fake, capsys, tmp_path):
    rows = [{"question": f"q{number}", "answer": "yes"} for number in range(120)]
    rows[70]["answer"] = "no"
    lines = [json.dumps(row) for row in rows]
    lines.insert(10, "")
    lines.insert(20, "[1]")
    lines.insert(30, '{"question": "q", "answer": 1}')
    lines.insert(40, "{")
    path = tmp_path / "dialogues.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines))
    assert run(fake, "import", str(path)) == 1
    shown = capsys.readouterr()
    assert "119 dialogues learnt, 0 known already, 4 refused" in shown.out
    assert "line 75 answer: is no" in shown.err
    assert "line 21: is no JSON object" in shown.err
    assert "line 31: answer is no text" in shown.err
    assert len(fake.requests) == 120


def test_csv_has_columns(fake, tmp_path):
    path = tmp_path / "dialogues.csv"
    path.write_text("answer,question,language_code\n可以,能退吗,zh\n,why,\n", "utf-8")
    first, second = read_dialogues(path)
    assert first.dialogue == pb.Dialogue(question="能退吗", answer="可以", language_code="zh")
    assert second.dialogue is None
    assert (second.line, second.error) == (3, "question and answer are needed")
    assert run(fake, "import", str(tmp_path / "none.csv")) == 2


def test_a_correction_names_or_words_the_answer(fake, capsys):
    assert run(fake, "correct", "q", "--id=complaint") == 0
    assert run(fake, "correct", "q", "--answer=No.", "--json") == 0
    named, worded = fake.requests
    assert named.answer_id == "complaint"
    assert worded.answer == "No."
    assert named.verdict == worded.verdict == pb.VERDICT_CORRECTED
    assert "learnt: complaint" in capsys.readouterr().out


def test_what_was_learnt_is_listed_with_who_and_when(fake, capsys):
    assert run(fake, "learnt", "why", "--id=complaint", "--page-size=2", "--page-token=t") == 0
    (request,) = fake.requests
    assert (request.text, request.answer_id) == ("why", "complaint")
    assert (request.page_size, request.page_token) == (2, "t")
    shown = capsys.readouterr().out
    new, old = (next(line for line in shown.splitlines() if key in line) for key in ("k2", "k1"))
    assert "2026-09-21" in new
    for word in ("desk", "能退吗", "可以"):
        assert word in new
    assert "complaint" in old
    assert "--page-token next" in shown
    assert run(fake, "learnt", "--json") == 0
    assert json.loads(capsys.readouterr().out)["examples"][0]["learnt_by"] == "desk"


def test_what_was_learnt_is_deleted_by_id(fake, capsys):
    assert run(fake, "forget", "k1", "k9") == 0
    assert list(fake.requests[0].ids) == ["k1", "k9"]
    assert "deleted 1, 1 not there" in capsys.readouterr().out
    assert run(fake, "forget") == 2
