import signal
from types import SimpleNamespace
from typing import ClassVar

import pytest

import shared.suite
from shared.security.settings import SecuritySettings
from shared.suite import ProcessStatus, SuiteError


class FakeProcesses:
    """Stands in for Suite: no processes, the running fakes' address for all."""

    target_of_all = ""
    problem = ""
    health = "SERVING"
    calls: list

    def __init__(self, home, ports=None, *, triton="auto", **_):
        self.home = home
        self.ports = SimpleNamespace(orchestrator_http=7780)
        self.security = SecuritySettings(enabled=False)
        self.calls.append(("suite", triton))

    def target(self, name):
        return self.target_of_all

    def up(self, wait_seconds, on_progress):
        self.calls.append(("up",))
        on_progress("nlu", "starting")
        if self.problem:
            raise SuiteError(self.problem)
        on_progress("nlu", "ready")

    def down(self, on_progress=None):
        self.calls.append(("down",))
        if on_progress and self.health:
            on_progress("nlu", "stopped")

    def status(self):
        return [
            ProcessStatus("triton", "absent", None, 7711, "", 0.0, 0.0),
            ProcessStatus(
                "nlu",
                "running" if self.health else "stopped",
                42 if self.health else None,
                7701,
                self.health,
                3_700.0,
                123.4,
            ),
        ]


@pytest.fixture
def processes(running, monkeypatch):
    class Processes(FakeProcesses):
        target_of_all = running.target
        calls: ClassVar[list] = []

    monkeypatch.setattr(shared.suite, "Suite", Processes)
    return Processes


@pytest.fixture
def command(capsys):
    from shared.cli.app import main

    def run(*arguments):
        capsys.readouterr()
        code = main(arguments)
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run


def test_up_imports_the_bundled_catalogue_into_an_empty_index(
    running, processes, command, monkeypatch, tmp_path
):
    running.suite.products = {}
    bundled = tmp_path / "bundled.jsonl"
    bundled.write_text('{"id": "b-1", "titles": {"en": "Kettle"}}\n')
    monkeypatch.setattr("shared.catalogue.bundled_catalogue_path", lambda: bundled)
    done = command("up")
    assert done.code == 0
    assert list(running.suite.products) == ["b-1"]
    assert "nlu: ready" in done.err
    assert "1 products are in" in done.out
    assert "http://127.0.0.1:7780/" in done.out
    assert "buf curl --protocol grpc --http2-prior-knowledge" in done.out
    assert f"http://{running.target}/wherefore.orchestrator.v1.SearchService/Search" in done.out


def test_up_leaves_a_filled_index_alone_unless_a_catalogue_is_given(
    running, processes, command, tmp_path
):
    assert command("up").code == 0
    assert running.suite.import_calls == 0
    shop = tmp_path / "shop.jsonl"
    shop.write_text('{"id": "s-1", "titles": {"en": "Kettle"}}\n')
    assert command("up", "--catalogue", str(shop)).code == 0
    assert "s-1" in running.suite.products


def test_up_without_import_and_triton(running, processes, command):
    running.suite.products = {}
    assert command("up", "--no-import", "--no-triton").code == 0
    assert running.suite.import_calls == 0
    assert ("suite", False) in processes.calls


def test_up_says_why_it_failed(processes, command):
    processes.problem = "port 7700 belongs to another program"
    done = command("up")
    assert done.code == 1
    assert "error: port 7700 belongs to another program" in done.err
    assert "wherefore down" in done.err


def test_up_in_the_foreground_stops_when_interrupted(processes, command, monkeypatch):
    def interrupt(_seconds):
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("shared.cli.commands.up.time.sleep", interrupt)
    try:
        assert command("up", "--no-import", "--foreground").code == 0
    finally:
        signal.signal(signal.SIGTERM, before)
    assert processes.calls[-1] == ("down",)


def test_up_in_the_foreground_ends_with_its_processes(processes, command, monkeypatch):
    def die(_seconds):
        processes.health = ""

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr("shared.cli.commands.up.time.sleep", die)
    try:
        done = command("up", "--no-import", "--foreground")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert done.code == 1
    assert "nlu ended" in done.err
    assert processes.calls[-1] == ("down",)


def test_down_tells_what_it_stopped(processes, command):
    assert "nlu: stopped" in command("down").err
    processes.health = ""
    assert command("down").out == "nothing was running\n"


def test_status(processes, command):
    done = command("status")
    assert done.code == 0
    assert "1 h 1 min" in done.out
    assert "123 MiB" in done.out
    assert "absent" in done.out
    processes.health = "NOT_SERVING"
    assert command("status").code == 3


def test_status_expects_no_triton_where_up_used_none(processes, command):
    command("up", "--no-import", "--no-triton")
    processes.calls.clear()
    command("status")
    assert processes.calls == [("suite", False)]
    command("up", "--no-import")
    processes.calls.clear()
    command("status")
    assert processes.calls == [("suite", "auto")]


def test_status_json_is_alone(processes, command):
    import json

    document = json.loads(command("status", "--json").out)
    assert document["ready"] is True
    assert document["processes"][1]["pid"] == 42
