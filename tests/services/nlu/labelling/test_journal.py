import os
import signal
import subprocess
import sys

import pytest

from services.nlu.labelling.journal import Journal, JournalError


def test_what_was_written_is_read_back(tmp_path):
    path = tmp_path / "a" / "log.jsonl"
    journal = Journal(path)
    journal.append({"text": "质量\r\n好"}, {"n": 2})
    journal.append()
    journal.close()
    again = Journal(path)
    assert again.records == [{"text": "质量\r\n好"}, {"n": 2}]
    again.close()


def test_a_line_cut_short_is_dropped_and_the_next_one_stands_alone(tmp_path):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2')
    journal = Journal(path)
    assert journal.records == [{"n": 1}]
    journal.append({"n": 3})
    journal.close()
    assert path.read_bytes() == b'{"n":1}\n{"n":3}\n'


@pytest.mark.parametrize("line", [b"nonsense", b"[1]", b"\xff"])
def test_a_whole_line_that_is_none_of_ours_is_an_error_with_its_number(tmp_path, line):
    path = tmp_path / "log.jsonl"
    path.write_bytes(b'{"n":1}\n' + line + b"\n")
    with pytest.raises(JournalError, match="line 2"):
        Journal(path)
    assert path.read_bytes().endswith(line + b"\n")


def test_two_processes_do_not_write_one_file(tmp_path):
    journal = Journal(tmp_path / "log.jsonl")
    with pytest.raises(JournalError, match="in use"):
        Journal(tmp_path / "log.jsonl")
    journal.close()
    Journal(tmp_path / "log.jsonl").close()


def test_a_full_disk_leaves_no_half_line(tmp_path, monkeypatch):
    journal = Journal(tmp_path / "log.jsonl")
    journal.append({"n": 1})

    def fail(_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="No space"):
            journal.append({"n": 2})
    journal.append({"n": 3})
    journal.close()
    assert (tmp_path / "log.jsonl").read_text() == '{"n":1}\n{"n":3}\n'
    assert journal.records == [{"n": 1}, {"n": 3}]


def test_acknowledged_records_survive_kill_9(tmp_path):
    code = """
import sys
from pathlib import Path
from services.nlu.labelling.journal import Journal
journal = Journal(Path(sys.argv[1]))
for n in range(1_000_000):
    journal.append({"n": n})
    print(n, flush=True)
"""
    path = tmp_path / "log.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if int(line) >= 50:
            process.send_signal(signal.SIGKILL)
            break
    acknowledged = int(line)
    acknowledged = max([acknowledged, *map(int, process.stdout.read().split())])
    process.wait()
    process.stdout.close()
    journal = Journal(path)
    assert [record["n"] for record in journal.records[: acknowledged + 1]] == list(
        range(acknowledged + 1)
    )
    journal.close()
