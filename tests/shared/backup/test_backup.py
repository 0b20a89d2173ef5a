"""Archives of a suite's state: whole or not at all, and put back as they were."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import grpc.aio
import pytest

from services.assistant.archive import Archive
from services.assistant.conversation import Conversation
from services.insight.domain import Cell, Mention, Mood, Series
from services.insight.mentions import MentionStore
from shared.backup.archive import add_manifest, read, written
from shared.backup.create import BackupPlan, create, now
from shared.backup.manifest import BackupError, Manifest
from shared.backup.restore import restore
from shared.backup.sqlite_copy import copy_databases
from shared.folder_lock import FolderLock
from shared.privacy.sealing import read_keys, read_or_make_keys

ROOT = Path(__file__).parents[3]
EVENTS = "data/orchestrator/events.sqlite"
KEYS = "data/orchestrator/events.keys.sqlite"


def back_up(home: Path, archive: Path, *, with_keys: bool = True) -> Manifest:
    """Of a suite whose retrieval is stopped: the channel leads nowhere."""

    async def run() -> Manifest:
        async with grpc.aio.insecure_channel("127.0.0.1:1") as channel:
            plan = BackupPlan(home, home / "security", archive, "1.2", with_keys)
            return await create(plan, channel, lambda _: None)

    return asyncio.run(run())


def connect(home: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(home / EVENTS, isolation_level=None, timeout=30)
    connection.execute("ATTACH DATABASE ? AS keys", (str(home / KEYS),))
    for schema in ("main", "keys"):
        connection.execute(f"PRAGMA {schema}.journal_mode = WAL")
    return connection


def append(connection: sqlite3.Connection, number: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("INSERT INTO keys.subjects VALUES (?)", (number,))
    connection.execute("INSERT INTO events (subject) VALUES (?)", (number,))
    connection.execute("COMMIT")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    files = {
        "data/orchestrator/token.key": "token",
        "data/orchestrator/experiments.json": "{}",
        "data/orchestrator/aggregates.ledger": '{"a": 1}\n',
        "data/orchestrator/lock": "",
        "data/ranking/online.json": "[1]",
        "data/ranking/tenants/acme/online.json": "[2]",
        "data/retrieval/current.json": '{"folder": "points-0"}',
        "data/retrieval/points-0/segment.dat": "x" * 100_000,
        "audit/orchestrator.jsonl": '{"n": 1}\n{"n": 2}\n{"torn',
        "security/ca.key": "secret",
        "security/api_keys.json": "[]",
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text)
    with closing(connect(home)) as connection:
        connection.execute(
            "CREATE TABLE events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, subject INTEGER)"
        )
        connection.execute("CREATE TABLE keys.subjects (id INTEGER PRIMARY KEY)")
        for number in range(3):
            append(connection, number)
    return home


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and ".sqlite" not in path.name and path.name != "lock"
    }


def subjects(home: Path) -> tuple[list[int], list[int]]:
    with closing(connect(home)) as connection:
        events = connection.execute("SELECT subject FROM events ORDER BY sequence").fetchall()
        keys = connection.execute("SELECT id FROM keys.subjects ORDER BY id").fetchall()
    return [row[0] for row in events], [row[0] for row in keys]


def test_all_of_it_comes_back(home: Path, tmp_path: Path) -> None:
    archive = tmp_path / "backups" / "all.tar.gz"
    manifest = back_up(home, archive)
    assert manifest == read(archive)
    assert manifest.with_keys
    assert manifest.left_out == []
    assert manifest.logs == {EVENTS: {"events": 3}, KEYS: {}}
    assert archive.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in archive.parent.iterdir()] == ["all.tar.gz"]

    again = tmp_path / "again"
    restored, aside = restore(archive, again, again / "security", force=False)
    assert (restored, aside) == (manifest, [])
    expected = files(home)
    expected["audit/orchestrator.jsonl"] = b'{"n": 1}\n{"n": 2}\n'  # acknowledged lines are whole
    assert files(again) == expected
    assert subjects(again) == ([0, 1, 2], [0, 1, 2])


def test_conversations_and_texts_come_back_while_they_are_written(
    home: Path, tmp_path: Path
) -> None:
    folder, texts = home / "data" / "assistant", home / "data" / "insight" / "mentions.sqlite"
    folder.mkdir()
    conversations, mentions = Archive(folder), MentionStore(texts)
    conversations.open(read_or_make_keys(folder / "assistant.key"))
    conversations.write(Conversation("c1", "anna", "u:anna", touched=1.0))
    mention = Mention("t1", 5, "works well", Cell((), "p1", ""), Mood.NEGATIVE)
    mentions.append([mention])
    archive = tmp_path / "a.tar.gz"
    back_up(home, archive)  # both are open
    conversations.close()
    mentions.close()
    again = tmp_path / "again"
    restore(archive, again, again / "security", force=False)
    folder, texts = again / "data" / "assistant", again / "data" / "insight" / "mentions.sqlite"
    conversations, mentions = Archive(folder), MentionStore(texts)
    conversations.open(read_keys(folder / "assistant.key"))
    assert [each.conversation_id for each in conversations.since(0, 5)] == ["c1"]
    assert mentions.negatives(Series("all", ""), 0, 9, 5) == [mention]
    conversations.close()
    mentions.close()
    manifest = back_up(home, tmp_path / "b.tar.gz", with_keys=False)
    assert {"data/assistant/assistant.key", "data/insight/mentions.key"} <= set(manifest.left_out)


def test_keys_are_left_out_unless_asked_for(home: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    manifest = back_up(home, archive, with_keys=False)
    assert manifest.left_out == [
        KEYS,
        "data/orchestrator/token.key",
        "security/api_keys.json",
        "security/ca.key",
    ]
    names = {file.path for file in manifest.files}
    assert EVENTS in names
    assert not names & set(manifest.left_out)

    # Keys that were kept in their place stay there.
    again = tmp_path / "again"
    (again / "data/orchestrator").mkdir(parents=True)
    (again / "data/orchestrator/token.key").write_text("kept")
    restore(archive, again, again / "security", force=False)
    assert (again / "data/orchestrator/token.key").read_text() == "kept"
    assert not list(again.glob("data.*"))
    assert not (again / KEYS).exists()


def test_keys_that_are_there_are_not_written_over(home: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    back_up(home, archive)
    again = tmp_path / "again"
    (again / "data/orchestrator").mkdir(parents=True)
    (again / "data/orchestrator/token.key").write_text("kept")
    with pytest.raises(BackupError, match="there already"):
        restore(archive, again, again / "security", force=False)
    _, aside = restore(archive, again, again / "security", force=True)
    assert (again / "data/orchestrator/token.key").read_text() == "token"
    assert [(path / "orchestrator/token.key").read_text() for path in aside] == ["kept"]


def test_nothing_is_written_over(home: Path, tmp_path: Path) -> None:
    archive = tmp_path / "a.tar.gz"
    back_up(home, archive)
    before = files(home)
    with pytest.raises(BackupError, match=r"there already: .*--force"):
        restore(archive, home, home / "security", force=False)
    assert files(home) == before
    (home / "data/ranking/online.json").write_text("[3]")
    _, aside = restore(archive, home, home / "security", force=True)
    assert (home / "data/ranking/online.json").read_text() == "[1]"
    assert {path.name.split(".")[0] for path in aside} == {"data", "audit", "security"}
    (data,) = (path for path in aside if path.name.startswith("data."))
    assert (data / "ranking/online.json").read_text() == "[3]"
    with pytest.raises(BackupError, match="is there already"):
        back_up(home, archive)


@pytest.mark.parametrize("name", ["retrieval", "orchestrator"])
def test_a_suite_that_runs_is_not_restored_into(home: Path, tmp_path: Path, name: str) -> None:
    archive = tmp_path / "a.tar.gz"
    back_up(home, archive)
    lock = FolderLock(home / "data" / name, "data")
    lock.acquire()
    with pytest.raises(BackupError, match="stop the suite"):
        restore(archive, home, home / "security", force=True)
    lock.release()


def test_products_in_use_are_asked_for(home: Path, tmp_path: Path) -> None:
    lock = FolderLock(home / "data/retrieval", "data")
    lock.acquire()
    with pytest.raises(grpc.aio.AioRpcError):
        back_up(home, tmp_path / "a.tar.gz")
    assert list(tmp_path.glob("*.tar.gz")) == []
    assert list(tmp_path.glob(".*")) == []
    lock.release()


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def changed(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage", [cut, changed, lambda data: data[:-20], lambda _: b"", lambda _: b"text"]
)
def test_a_damaged_archive_is_refused_and_nothing_is_changed(
    home: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    archive = tmp_path / "a.tar.gz"
    back_up(home, archive)
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(BackupError, match=r"a\.tar\.gz"):
        read(archive)
    again = tmp_path / "again"
    with pytest.raises(BackupError):
        restore(archive, again, again / "security", force=False)
    assert list(again.iterdir()) == []


def rewritten(tmp_path: Path, change: Callable[[dict], None], name: str = "data/a") -> Path:
    path = tmp_path / "b.tar.gz"
    with written(path) as writer:
        writer.add(name, 3, [b"ab", b"c"])
        manifest = Manifest(
            format=1, wherefore_version="1", began_at=now(), ended_at=now(), with_keys=False,
            left_out=[], logs={}, products={}, files=writer.files,
        )  # fmt: skip
        document = json.loads(manifest.model_dump_json())
        change(document)
        data = json.dumps(document).encode()
        writer.add("manifest.json", len(data), [data])
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m.update(format=2), "newer version"),
        (lambda m: m["files"][0].update(sha256="0" * 64), "data/a is not what"),
        (lambda m: m["files"][0].update(size_bytes=2), "data/a is not what"),
        (lambda m: m["files"].append({**m["files"][0], "path": "data/b"}), "data/b is missing"),
        (lambda m: m["files"].clear(), "data/a is not what"),
    ],
)
def test_an_archive_is_held_against_its_manifest(
    tmp_path: Path, change: Callable[[dict], None], told: str
) -> None:
    with pytest.raises(BackupError, match=told):
        read(rewritten(tmp_path, change))


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "data/../../evil", "other/file"])
def test_an_archive_writes_nowhere_else(tmp_path: Path, name: str) -> None:
    archive = rewritten(tmp_path, lambda _: None, name)
    home = tmp_path / "home"
    with pytest.raises(BackupError, match="of the name"):
        restore(archive, home, home / "security", force=False)
    assert [path.name for path in tmp_path.iterdir()] != ["evil"]
    assert list(home.iterdir()) == []


def test_a_file_that_changes_its_size_is_told(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="changed its size"), written(tmp_path / "a.tar.gz") as to:
        to.add("data/a", 4, [b"abc"])
    assert list(tmp_path.iterdir()) == []


def test_events_and_their_keys_are_of_one_moment(home: Path, tmp_path: Path) -> None:
    done = threading.Event()
    acknowledged = 2

    def write() -> None:
        nonlocal acknowledged
        with closing(connect(home)) as connection:
            while not done.is_set():
                append(connection, acknowledged + 1)
                acknowledged += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(20):
            folder = tmp_path / str(number) / "data/orchestrator"
            folder.mkdir(parents=True)
            before = acknowledged
            copy_databases(
                {
                    home / EVENTS: tmp_path / str(number) / EVENTS,
                    home / KEYS: tmp_path / str(number) / KEYS,
                }
            )
            events, keys = subjects(tmp_path / str(number))
            assert events == keys == list(range(len(events)))
            assert len(events) > before
    finally:
        done.set()
        writer.join()
    assert acknowledged > 20


VICTIM = """
import sys
from pathlib import Path
from tests.shared.backup.test_backup import back_up
from shared.backup import create
home, archive = Path(sys.argv[1]), Path(sys.argv[2])
add = create._add_file
def slow(writer, name, path):
    add(writer, name, path)
    print(name, flush=True)
    if "segment" in name or "sqlite" in name:
        sys.stdin.read()
create._add_file = slow
back_up(home, archive)
"""


def test_kill_9_leaves_no_archive_and_no_litter(home: Path, tmp_path: Path) -> None:
    archive = tmp_path / "backups" / "a.tar.gz"
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, str(home), str(archive)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
    ) as victim:  # fmt: skip
        assert victim.stdout is not None
        for line in victim.stdout:
            if "segment" in line:
                break
        victim.send_signal(signal.SIGKILL)
    assert not archive.exists()
    assert len(list(archive.parent.iterdir())) == 1
    back_up(home, archive)
    assert [path.name for path in archive.parent.iterdir()] == ["a.tar.gz"]
    read(archive)


def test_the_manifest_comes_last(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with written(path) as writer:
        manifest = Manifest(
            format=1, wherefore_version="1", began_at=now(), ended_at=now(), with_keys=False,
            left_out=[], logs={}, products={}, files=[],
        )  # fmt: skip
        add_manifest(writer, manifest)
        writer.add("data/a", 1, [b"a"])
    with pytest.raises(BackupError, match="after the manifest"):
        read(path)
