import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.request_context import Caller
from shared.security.audit_chain import ChainedFile, ChainError, verify
from shared.security.audit_log import AuditLog, AuditRecord

KEY = b"k" * 32


def written(path: Path, count: int, key: bytes = KEY) -> list[str]:
    file = ChainedFile(path, key)
    for number in range(count):
        file.append({"what": f"write {number}", "où": "ici 这里"})
    file.close()
    return path.read_text(errors="replace").splitlines(keepends=True)


def test_a_log_that_nobody_touched_holds(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    lines = written(path, 5)
    found = verify(path, KEY)
    assert (found.entries, found.head) == (5, json.loads(lines[-1])["hash"])
    written(path, 3)
    assert verify(path, KEY).entries == 8


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: [*lines[:2], lines[2].replace("write 2", "write 9"), *lines[3:]],
        lambda lines: [*lines[:2], *lines[3:]],
        lambda lines: lines[1:],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [*lines[:3], "\n", *lines[3:]],
        lambda lines: [*lines[:-1], lines[-1][:-20]],
    ],
)
def test_any_change_shows(tmp_path: Path, change) -> None:
    path = tmp_path / "audit.jsonl"
    path.write_text("".join(change(written(path, 5))))
    with pytest.raises(ChainError, match=r"line|cut short"):
        verify(path, KEY)


def test_without_the_key_nobody_writes_a_chain_that_holds(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    written(path, 3, b"another key that is not ours, 32b")
    with pytest.raises(ChainError):
        verify(path, KEY)


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(min_value=1, max_value=200))
def test_a_crash_in_the_middle_of_a_line_is_told_and_the_chain_goes_on(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("audit") / "audit.jsonl"
    written(path, 3)
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    written(path, 2)
    content = path.read_text(errors="replace")
    found = verify(path, KEY)
    left = data[:-cut].count(b"\n")
    # The last line survives where only its line break was lost.
    whole = data[-cut:].startswith(b"\n")
    told = content.count("torn_sha256")
    assert found.entries == left + whole + told + 2
    assert told == (not whole and not data[:-cut].endswith(b"\n"))


def append_many(path: Path, count: int) -> None:
    file = ChainedFile(path, KEY)
    for number in range(count):
        file.append({"number of writer": number})


def test_two_processes_take_turns(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=append_many, args=(path, 40)) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert verify(path, KEY).entries == 80


async def test_refused_calls_do_not_fill_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "audit.jsonl"
    log = AuditLog(path, KEY)
    for _ in range(500):
        await log.refused(AuditRecord(method="/a/B", code="UNAUTHENTICATED"))
    kept = verify(path, KEY).entries
    assert 100 <= kept < 400
    await log.write(AuditRecord(method="/a/C", code="OK", caller=Caller("ops", "acme")))
    log.close()
    last = json.loads(path.read_text().splitlines()[-1])
    assert (last["caller"], last["tenant"]) == ("ops", "acme")
    told = sum(json.loads(line).get("left_out", 0) for line in path.read_text().splitlines())
    assert kept + told == 500


async def test_a_full_disk_keeps_a_refused_call_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    log = AuditLog(tmp_path / "file" / "audit.jsonl", KEY)
    await log.refused(AuditRecord())
    with pytest.raises(OSError, match="file"):
        await log.write(AuditRecord())
    log.close()


def test_users_are_told_apart_without_being_named(tmp_path: Path) -> None:
    log = AuditLog(tmp_path / "audit.jsonl", KEY)
    again = AuditLog(tmp_path / "audit.jsonl", KEY)
    other = AuditLog(tmp_path / "audit.jsonl", b"x" * 32)
    assert log.pseudonym("ada") == again.pseudonym("ada") != log.pseudonym("bob")
    assert log.pseudonym("ada") != other.pseudonym("ada")
    assert "ada" not in log.pseudonym("ada")
