"""Conversations outlast restarts and kills, sealed, and go when their time is over."""

import asyncio
import os
import signal
import sqlite3
import sys
import time
from pathlib import Path

import grpc
import pytest

from services.assistant.archive import FILE, Archive
from services.assistant.conversation import Conversation
from services.assistant.conversations import Conversations
from services.assistant.domain import Citation, HandOver, HandOverReason, Reply, ReplyKind
from services.assistant.records import from_bytes, to_bytes
from shared.privacy.sealing import passing_keys
from tests.services.assistant.serving import Stubs, caught_up
from wherefore.assistant.v1 import answer_pb2 as answers
from wherefore.assistant.v1 import assistant_service_pb2 as pb
from wherefore.common.v1.user_profile_pb2 import UserContext

ANNA = UserContext(user_id="anna")
REPLY = Reply(
    ReplyKind.GENERATED,
    "Lumoria：白色",
    "zh",
    intent="track_order",
    confidence=0.5,
    slots={"order_id": "00123842"},
    options=("a", "b"),
    citations=(Citation("product", "p1", "attributes.colour", "white", "白色"),),
    hand_over=HandOver(HandOverReason.UNSURE, "summary"),
)


def talked(number: int = 1, user: str = "anna") -> Conversation:
    made = Conversation(f"chat-{number}", user, f"u:{user}", touched=time.time() - 100 + number)
    made.slots["order_id"] = "00123842"
    made.waiting_for, made.waiting_answer, made.asked_times = "order_id", "cancel_order", 2
    made.add("where is 我的 parcel", REPLY)
    return made


def test_a_conversation_is_kept_whole() -> None:
    made = talked()
    again = from_bytes(to_bytes(made))
    assert again.turns == made.turns
    assert again.turns.maxlen == made.turns.maxlen
    for name in ("conversation_id", "user_id", "actor", "touched", "slots", "waiting_for"):
        assert getattr(again, name) == getattr(made, name)
    assert (again.waiting_answer, again.asked_times) == ("cancel_order", 2)
    with pytest.raises(ValueError, match="no conversation"):
        from_bytes(b'{"turns": 1}')


def test_an_archive_holds_no_words_and_knows_whose_they_are(tmp_path: Path) -> None:
    ring = passing_keys()
    archive = Archive(tmp_path)
    archive.open(ring)
    for number, user in enumerate(("anna", "bob", "anna"), start=1):
        archive.write(talked(number, user))
    archive.close()
    kept = b"".join(each.read_bytes() for each in tmp_path.iterdir())
    for hidden in ("parcel", "anna", "bob", "00123842", "chat-1", "白色"):
        assert hidden.encode() not in kept
    archive.open(ring)
    assert [each.conversation_id for each in archive.since(0, 10)] == ["chat-1", "chat-2", "chat-3"]
    assert [each.conversation_id for each in archive.since(0, 2)] == ["chat-2", "chat-3"]
    first, place = archive.of(["u:anna"], 0, 1)
    rest, last = archive.of(["u:anna"], place, 5)
    assert [each.conversation_id for each in (*first, *rest)] == ["chat-1", "chat-3"]
    assert archive.of(["u:anna"], last, 5) == ([], 0)
    assert archive.forget(["u:anna", "s:visit"]) == 2
    assert archive.delete("bob", "chat-2")
    assert not archive.delete("bob", "chat-2")
    archive.close()
    with pytest.raises(ValueError, match="key file"):
        Archive(tmp_path).open(passing_keys())


def test_a_damaged_row_costs_itself_alone(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.open(passing_keys())
    archive.write(talked(1))
    archive.write(talked(2))
    with sqlite3.connect(tmp_path / FILE) as file:
        file.execute("UPDATE conversations SET sealed = zeroblob(99) WHERE rowid = 1")
    file.close()
    assert [each.conversation_id for each in archive.since(0, 10)] == ["chat-2"]
    found, place = archive.of(["u:anna"], 0, 1)
    assert (list(found), place) == ([], 1)
    archive.close()


def test_what_is_over_and_what_is_too_much_is_pruned(tmp_path: Path) -> None:
    archive = Archive(tmp_path)
    archive.open(passing_keys())
    for number in range(1, 6):
        archive.write(talked(number))
    assert archive.prune(time.time() - 97.5, 2) == 3
    assert [each.conversation_id for each in archive.since(0, 10)] == ["chat-4", "chat-5"]
    assert archive.prune(0, 2) == 0
    archive.close()


async def test_idle_conversations_end_in_memory_and_on_disk(tmp_path: Path) -> None:
    ring = passing_keys()
    kept = Conversations(Archive(tmp_path), 10, 0.2)
    await kept.open(ring)
    async with kept.hold("anna", "u:anna", "chat-1") as first:
        first.add("question", REPLY)
        await kept.keep(first)
    async with kept.hold("anna", "u:anna", "chat-1") as again:
        assert again is first
    for _ in range(100):
        await asyncio.sleep(0.05)
        with sqlite3.connect(tmp_path / FILE) as file:
            (count,) = file.execute("SELECT count(*) FROM conversations").fetchone()
        file.close()
        if not count:
            break
    assert count == 0
    async with kept.hold("anna", "u:anna", "chat-1") as new:
        assert new is not first
        assert not new.turns
    await kept.close()


async def test_what_is_forgotten_while_it_is_answered_is_not_kept(tmp_path: Path) -> None:
    kept = Conversations(Archive(tmp_path), 10, 60)
    await kept.open(passing_keys())
    waiting = asyncio.Event()

    async def second() -> Conversation:
        waiting.set()
        async with kept.hold("anna", "u:anna", "chat-1") as conversation:
            conversation.add("second", REPLY)
            await kept.keep(conversation)
            return conversation

    async with kept.hold("anna", "u:anna", "chat-1") as first:
        first.add("first", REPLY)
        task = asyncio.create_task(second())
        await waiting.wait()
        await kept.forget(["u:anna"])
        await kept.keep(first)
    conversation = await task
    assert conversation is not first
    found = [each async for some in kept.of(["u:anna"]) for each in some]
    assert [[turn.question for turn in each.turns] for each in found] == [["second"]]
    await kept.close()


async def test_a_conversation_goes_on_after_a_restart(
    targets: dict[str, str], tmp_path: Path
) -> None:
    async with caught_up(tmp_path, targets) as stub:
        first = await stub.Ask(pb.AskRequest(question="cancel my order", user=ANNA))
        assert first.answer.missing_slot == "order_id"
        assert "assistant.remember" in {each.stage for each in first.timings}
    request = pb.AskRequest(question="00123842", conversation_id=first.conversation_id, user=ANNA)
    async with caught_up(tmp_path, targets) as stub:
        second = await stub.Ask(request)
        assert second.answer.answer_id == "cancel_order"
        assert dict(second.answer.slots) == {"order_id": "00123842"}
        ended = pb.EndConversationRequest(conversation_id=first.conversation_id, user=ANNA)
        assert (await stub.EndConversation(ended)).found
    async with caught_up(tmp_path, targets) as stub:
        third = await stub.Ask(request)
        assert third.answer.kind == answers.ANSWER_KIND_HAND_OVER
        none = pb.EndConversationRequest(conversation_id="no")
        assert not (await stub.EndConversation(none)).found


async def started(folder, targets, port_file):
    """Runs the assistant as a process of its own; returns it and its address."""
    program = (
        "import asyncio, pathlib, sys\n"
        "from services.assistant.config import Settings\n"
        "from services.assistant.server import AssistantServer\n"
        "from shared.server import start_server\n"
        "async def main():\n"
        "    settings = Settings(port=0, metrics_port=0)\n"
        "    server = await start_server(AssistantServer(settings), settings)\n"
        "    await server.wait_ready(30)\n"
        "    path = pathlib.Path(sys.argv[1])\n"
        "    path.with_suffix('.part').write_text(str(server.port))\n"
        "    path.with_suffix('.part').rename(path)\n"
        "    await asyncio.sleep(600)\n"
        "asyncio.run(main())\n"
    )
    settings = {f"WHEREFORE_ASSISTANT_{name.upper()}": value for name, value in targets.items()}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        str(port_file),
        env=os.environ | settings | {"WHEREFORE_ASSISTANT_DATA_DIR": str(folder)},
        stdout=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(60):
        while not port_file.exists():
            assert process.returncode is None
            await asyncio.sleep(0.05)
    return process, f"127.0.0.1:{port_file.read_text()}"


@pytest.mark.integration
async def test_what_was_answered_outlasts_a_kill(targets, tmp_path):
    folder = tmp_path / "data"
    process, target = await started(folder, targets, tmp_path / "port")
    answered: list[str] = []
    try:
        async with grpc.aio.insecure_channel(target) as channel:
            stub = Stubs(channel)
            for _ in range(200):
                if not (await stub.Ask(pb.AskRequest(question="hello there"))).degraded:
                    break
                await asyncio.sleep(0.05)

            async def talk(number: int) -> None:
                conversation = f"chat-{number}"
                request = pb.AskRequest(
                    question="cancel my order", conversation_id=conversation, user=ANNA
                )
                response = await stub.Ask(request)
                assert response.answer.missing_slot == "order_id"
                answered.append(conversation)

            for number in range(10):
                await talk(number)
            under_way = [asyncio.create_task(talk(number)) for number in range(10, 40)]
            await asyncio.gather(*under_way[:5])
            process.send_signal(signal.SIGKILL)
            await asyncio.gather(*under_way, return_exceptions=True)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
    assert len(answered) >= 15
    with sqlite3.connect(folder / FILE) as file:
        assert file.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    file.close()
    async with caught_up(folder, targets) as stub:
        for number, conversation in enumerate(answered):
            order = f"{number:08}"
            response = await stub.Ask(
                pb.AskRequest(question=order, conversation_id=conversation, user=ANNA)
            )
            assert response.answer.answer_id == "cancel_order"
            assert dict(response.answer.slots) == {"order_id": order}
