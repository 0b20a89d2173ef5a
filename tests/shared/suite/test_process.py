"""A supervised process, with real small programs."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from shared.suite.process import Command, SupervisedProcess


def command(folder: Path, code: str) -> Command:
    return Command([sys.executable, "-c", code], dict(os.environ), folder)


SLEEP = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    "print('up', flush=True); time.sleep(60)"
)


def wait_for_log(process: SupervisedProcess, text: str) -> None:
    until = time.monotonic() + 20
    while text not in process.last_lines():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_it_is_found_by_another_supervisor_and_stopped(tmp_path: Path) -> None:
    process = SupervisedProcess("sleeper", tmp_path)
    process.start(command(tmp_path, SLEEP), tethered=False)
    other = SupervisedProcess("sleeper", tmp_path)
    found = other.find()
    assert found is not None
    other.ask_to_stop()
    process.wait_stopped(20)
    assert other.find() is None
    assert not psutil.pid_exists(found.pid) or found.status() == psutil.STATUS_ZOMBIE


def test_one_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    process = SupervisedProcess("stubborn", tmp_path)
    process.start(command(tmp_path, STUBBORN), tethered=False)
    wait_for_log(process, "up")
    process.ask_to_stop()
    process.wait_stopped(0.1)
    assert process.find() is None


def test_a_reused_pid_is_left_alone(tmp_path: Path) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", SLEEP], stdout=subprocess.DEVNULL)
    try:
        started = psutil.Process(stranger.pid).create_time()
        (tmp_path / "run").mkdir()
        record = {"pid": stranger.pid, "started": started - 3600}
        (tmp_path / "run/nlu.json").write_text(json.dumps(record))
        process = SupervisedProcess("nlu", tmp_path)
        assert process.find() is None
        process.kill()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_the_last_lines_are_those_of_this_start(tmp_path: Path) -> None:
    for word in ("first", "second"):
        process = SupervisedProcess("talker", tmp_path)
        process.start(command(tmp_path, f"print({word!r})"), tethered=False)
        wait_for_log(process, word)
        process.wait_stopped(20)
        assert process.last_lines() == word


def test_a_tethered_one_dies_with_its_parent(tmp_path: Path) -> None:
    starter = (
        "import os, sys; from pathlib import Path;"
        "from shared.suite.process import Command, SupervisedProcess;"
        f"home = Path({str(tmp_path)!r});"
        "p = SupervisedProcess('child', home);"
        f"p.start(Command([sys.executable, '-c', {SLEEP!r}], dict(os.environ), home),"
        " tethered=True);\n"
        "while 'up' not in p.last_lines(): pass\n"
        "print(p.find().pid, flush=True); os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", starter], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip(), done.stderr
    pid, until = int(done.stdout), time.monotonic() + 10
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.02)


def test_one_that_stands_back_does_so_with_all_its_threads(tmp_path: Path) -> None:
    process = SupervisedProcess("humble", tmp_path)
    thread = "threading.Thread(target=time.sleep, args=(60,)).start()"
    code = f"import threading, time; {thread}; {SLEEP}"
    process.start(replace(command(tmp_path, code), niceness=3), tethered=True)
    try:
        wait_for_log(process, "up")
        found = process.find()
        assert found is not None
        wanted = min(19, os.getpriority(os.PRIO_PROCESS, 0) + 3)
        threads = [thread.id for thread in found.threads()]
        assert len(threads) == 2
        assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads} == {wanted}
    finally:
        process.kill()


def test_one_that_may_not_go_before_others_runs_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr("shared.suite.process.os.setpriority", refuse)
    process = SupervisedProcess("ordinary", tmp_path)
    process.start(replace(command(tmp_path, SLEEP), niceness=-10), tethered=True)
    try:
        wait_for_log(process, "up")
        found = process.find()
        assert found is not None
        assert found.nice() == os.getpriority(os.PRIO_PROCESS, 0)
    finally:
        process.kill()


def test_one_that_dies_while_it_is_looked_for_is_reaped(tmp_path: Path) -> None:
    process = SupervisedProcess("mortal", tmp_path)
    process.start(command(tmp_path, SLEEP), tethered=False)
    wait_for_log(process, "up")
    child: Any = process._child
    child.kill()
    until = time.monotonic() + 20
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until
        time.sleep(0.01)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(child, "poll", lambda: None)  # as it was a moment before
        assert process.find() is None
    assert child.returncode is not None


def test_one_that_was_started_here_is_found_whatever_the_clock_says(tmp_path: Path) -> None:
    process = SupervisedProcess("steady", tmp_path)
    process.start(command(tmp_path, SLEEP), tethered=False)
    try:
        record = tmp_path / "run" / "steady.json"
        written = json.loads(record.read_text())
        record.write_text(json.dumps({**written, "started": written["started"] - 3600}))
        found = process.find()
        assert found is not None
        assert found.pid == written["pid"]
    finally:
        process.kill()
    assert process.find() is None
