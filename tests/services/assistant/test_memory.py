import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from services.assistant.conversation import MOST_TURNS, Conversation, Memory
from services.assistant.domain import HandOverReason, Reply, ReplyKind
from services.assistant.handover import hand_over
from services.assistant.learnt import Source, learn
from services.assistant.store import FILE, LearntStore
from shared.errors import ResourceExhaustedError, UnavailableError
from shared.folder_lock import FolderInUseError

ROOT = Path(__file__).resolve().parents[3]


def _reply() -> Reply:
    return Reply(ReplyKind.TEMPLATE, "text", "en", answer_id="complaint")


def test_conversations_are_kept_by_user_and_forgotten_in_time() -> None:
    now = 0.0
    memory = Memory(10, 60, clock=lambda: now)
    memory.keep("anna", Conversation("c1"))
    assert memory.find("anna", "c1") is not None
    assert memory.find("bob", "c1") is None
    now = 50.0
    known = memory.find("anna", "c1")
    assert known is not None
    memory.keep("anna", known)  # touched: its time begins anew
    now = 105.0
    assert memory.find("anna", "c1") is known
    now = 111.0
    assert memory.find("anna", "c1") is None


def test_memory_is_bounded_in_conversations_and_turns() -> None:
    memory = Memory(3, 60)
    for number in range(5):
        memory.keep("", Conversation(f"c{number}"))
    assert len(memory) == 3
    assert memory.find("", "c0") is None
    long = Conversation("c")
    for number in range(MOST_TURNS + 2):
        long.add(f"question {number}", _reply())
    assert len(long.turns) == MOST_TURNS
    assert long.turns[0].question == "question 2"
    summary = hand_over(long, "last one", HandOverReason.UNSURE, "en").summary
    assert "last one" in summary
    assert f"{MOST_TURNS + 3 - 6} earlier questions left out" in summary


def test_a_conversation_can_be_forgotten() -> None:
    memory = Memory(3, 60)
    memory.keep("anna", Conversation("c1"))
    assert not memory.forget("bob", "c1")
    assert memory.forget("anna", "c1")
    assert memory.find("anna", "c1") is None


def test_what_is_written_is_there_after_opening_again(tmp_path: Path) -> None:
    made = [learn(f"question {n}", f"answer {n}", source=Source.DIALOGUE) for n in range(3)]
    store = LearntStore(tmp_path, most=10)
    assert store.open() == []
    assert store.write(made) == 3
    assert store.write(made) == 0
    changed = learn("question 1", answer_id="complaint", source=Source.CORRECTED)
    assert store.write([changed]) == 1
    store.close()
    again = LearntStore(tmp_path, most=10)
    assert again.open() == [made[0], changed, made[2]]
    again.close()


def test_what_is_too_much_is_refused_whole(tmp_path: Path) -> None:
    store = LearntStore(tmp_path, most=2)
    store.open()
    with pytest.raises(ResourceExhaustedError):
        store.write([learn(f"question {n}", "yes", source=Source.DIALOGUE) for n in range(3)])
    assert store.write([learn("question", "yes", source=Source.DIALOGUE)]) == 1
    store.close()


def test_one_process_has_the_file_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    store = LearntStore(tmp_path, most=2)
    store.open()
    with pytest.raises(FolderInUseError):
        LearntStore(tmp_path, most=2).open()
    store.close()
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(UnavailableError):
        store.open()


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    program = """
        import sys
        from pathlib import Path
        from services.assistant.learnt import Source, learn
        from services.assistant.store import LearntStore
        store = LearntStore(Path(sys.argv[1]), most=100_000)
        store.open()
        number = 0
        while True:
            store.write([learn(f"question {number}", "yes", source=Source.DIALOGUE)])
            print(number, flush=True)
            number += 1
    """
    writer = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(program), str(tmp_path)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert writer.stdout is not None
    told = [int(writer.stdout.readline()) for _ in range(20)]
    os.kill(writer.pid, signal.SIGKILL)
    told += [int(line) for line in writer.stdout.read().splitlines()]
    writer.wait()
    writer.stdout.close()
    store = LearntStore(tmp_path, most=100_000)
    questions = {each.question for each in store.open()}
    store.close()
    assert {f"question {number}" for number in told} <= questions
    with sqlite3.connect(tmp_path / FILE) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()
