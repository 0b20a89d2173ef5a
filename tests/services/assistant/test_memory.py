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
from services.assistant.learnt import Learnt, Source, learn
from services.assistant.store import FILE, LearntStore
from shared.errors import ResourceExhaustedError, UnavailableError
from shared.folder_lock import FolderInUseError
from shared.privacy.sealing import KeyRing, passing_keys, read_or_make_keys

ROOT = Path(__file__).resolve().parents[3]

_RING = passing_keys()


def same_keys() -> KeyRing:
    return _RING


def _reply() -> Reply:
    return Reply(ReplyKind.TEMPLATE, "text", "en", answer_id="complaint")


def test_conversations_are_kept_by_user_and_forgotten_in_time() -> None:
    now = 0.0
    memory = Memory(10, 60, clock=lambda: now)
    memory.keep(Conversation("c1", "anna"))
    assert memory.find("anna", "c1") is not None
    assert memory.find("bob", "c1") is None
    now = 50.0
    known = memory.find("anna", "c1")
    assert known is not None
    memory.keep(known)  # touched: its time begins anew
    now = 105.0
    assert memory.find("anna", "c1") is known
    now = 111.0
    assert memory.find("anna", "c1") is None


def test_memory_is_bounded_in_conversations_and_turns() -> None:
    memory = Memory(3, 60)
    for number in range(5):
        memory.keep(Conversation(f"c{number}"))
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
    made = Conversation("c1", "anna")
    memory.keep(made)
    assert not memory.forget("bob", "c1")
    assert not made.forgotten
    assert memory.forget("anna", "c1")
    assert memory.find("anna", "c1") is None
    assert made.forgotten  # a message that is being answered is not kept in it


def test_what_is_written_is_there_after_opening_again(tmp_path: Path) -> None:
    made = [learn(f"question {n}", f"answer {n}", source=Source.DIALOGUE) for n in range(3)]
    store = LearntStore(tmp_path, most=10)
    assert store.open(same_keys) == []
    assert store.write(made) == 3
    assert store.write(made) == 0
    changed = learn("question 1", answer_id="complaint", source=Source.CORRECTED)
    assert store.write([changed]) == 1
    store.close()
    again = LearntStore(tmp_path, most=10)
    with pytest.raises(ValueError, match="key file"):
        again.open(passing_keys)
    assert again.open(same_keys) == [made[0], changed, made[2]]
    again.close()


def test_what_is_too_much_is_refused_whole(tmp_path: Path) -> None:
    store = LearntStore(tmp_path, most=2)
    store.open(same_keys)
    with pytest.raises(ResourceExhaustedError):
        store.write([learn(f"question {n}", "yes", source=Source.DIALOGUE) for n in range(3)])
    assert store.write([learn("question", "yes", source=Source.DIALOGUE)]) == 1
    store.close()


def test_one_process_has_the_file_and_a_damaged_one_is_told(tmp_path: Path) -> None:
    store = LearntStore(tmp_path, most=2)
    store.open(same_keys)
    with pytest.raises(FolderInUseError):
        LearntStore(tmp_path, most=2).open(same_keys)
    store.close()
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with pytest.raises(UnavailableError):
        store.open(same_keys)


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    program = """
        import sys
        from pathlib import Path
        from services.assistant.learnt import Learnt, Source, learn
        from services.assistant.store import LearntStore
        from shared.privacy.sealing import read_or_make_keys
        store = LearntStore(Path(sys.argv[1]), most=100_000)
        store.open(lambda: read_or_make_keys(Path(sys.argv[1]) / "assistant.key"))
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
    keys = read_or_make_keys(tmp_path / "assistant.key")
    questions = {each.question for each in store.open(lambda: keys)}
    store.close()
    assert {f"question {number}" for number in told} <= questions
    with sqlite3.connect(tmp_path / FILE) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()


def test_a_file_of_before_is_opened_and_gets_its_columns(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as file:
        file.execute(
            "CREATE TABLE learnt (number INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL"
            " UNIQUE, question TEXT NOT NULL, language TEXT NOT NULL, intent TEXT NOT NULL,"
            " answer_id TEXT NOT NULL, answer TEXT NOT NULL, source TEXT NOT NULL)"
        )
        file.execute(
            "INSERT INTO learnt VALUES (1, 'k', 'why', 'en', '', 'complaint', '', 'accepted')"
        )
    file.close()
    store = LearntStore(tmp_path, most=10)
    (known,) = store.open(same_keys)
    assert (known.question, known.learnt_ms, known.learnt_by) == ("why", 0, "")
    assert store.write([learn("question", "yes", source=Source.DIALOGUE, learnt_by="k1")]) == 1
    store.close()
    _, new = store.open(same_keys)
    assert new.learnt_by == "k1"
    assert new.learnt_ms > 1_700_000_000_000
    store.close()


def test_deleted_examples_and_erased_users_leave_no_trace(tmp_path: Path) -> None:
    store = LearntStore(tmp_path, most=10)
    store.open(same_keys)

    def made(question: str, asker: str) -> Learnt:
        return learn(question, "an answer", source=Source.DIALOGUE, asker=asker)

    plums, shared_one, kiwis = (
        made("are plums sweet", "u:anna"),
        made("are pears sweet", "u:anna"),
        made("are kiwis sweet", "u:bob"),
    )
    store.write([plums, shared_one, kiwis])
    assert store.write([made("are pears sweet", "u:bob")]) == 0  # bob asked that too
    assert set(store.asked(["u:anna"])) == {plums.key, shared_one.key}
    assert store.forget(["u:anna", "s:none"]) == [plums.key]
    assert store.asked(["u:anna"]) == []
    assert set(store.asked(["u:bob"])) == {shared_one.key, kiwis.key}
    assert store.delete([kiwis.key, "none", kiwis.key]) == [kiwis.key]
    kept = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    assert b"are pears sweet" in kept
    for gone in (b"plums", b"kiwis", b"anna", b"bob"):
        assert gone not in kept
    assert store.forget(["u:bob"]) == [shared_one.key]
    store.close()
    assert store.open(same_keys) == []
    store.close()
