"""Who starts runs and is started again itself: no run twice, none that is another's."""

from pathlib import Path
from typing import Any

import pytest

from shared.federated.checkpoint import Checkpoint, save
from shared.federated.errors import FederatedError
from shared.federated.flower.control import Run
from shared.federated.flower.operate import RUN_FILE, register_all, run_to_its_end
from shared.federated.models import Task
from shared.federated.result import CARD_FILE
from tests.shared.federated.made_up import TASK


class Told:
    """A SuperLink that tells what a test says; "away" is one that does not answer."""

    def __init__(self, *states: list[Run] | str, out: Path | None = None) -> None:
        self.states = list(states)
        self.started: list[dict[str, Any]] = []
        self.known: set[str] = set()
        self.out = out

    def register(self, key: Path) -> bool:
        new = key.stem not in self.known
        self.known.add(key.stem)
        return new

    def start(self, config: dict[str, Any]) -> str:
        self.started.append(config)
        return "7"

    def runs(self) -> list[Run]:
        state = self.states.pop(0)
        if isinstance(state, str):
            raise FederatedError("the SuperLink does not answer")
        if self.out and any(each.completed for each in state):
            self.out.mkdir(exist_ok=True)
            (self.out / CARD_FILE).write_text("{}")
        return state

    def log(self, number: str) -> str:
        return f"log of {number}"


def run(number: str, status: str) -> Run:
    return Run(number, status, "why")


def never(seconds: float) -> None:
    """Waits for nobody."""


def test_a_run_is_started_and_waited_for(tmp_path: Path) -> None:
    out = tmp_path / "out"
    link = Told(
        [], [run("7", "starting")], "away", [run("7", "running")],
        [run("7", "finished:completed")], out=out,
    )  # fmt: skip
    run_to_its_end(link, {"rounds": 2}, out, never)
    assert link.started == [{"rounds": 2, "out": str(out)}]
    assert not link.states
    run_to_its_end(link, {"rounds": 2}, out, never)  # the model is there: nothing is asked
    assert len(link.started) == 1


def test_who_is_started_again_finds_the_run(tmp_path: Path) -> None:
    (tmp_path / RUN_FILE).write_text("7")
    link = Told([run("7", "running")], [run("7", "finished:completed")], out=tmp_path)
    run_to_its_end(link, {}, tmp_path, never)
    assert not link.started


def test_a_run_that_ended_with_its_superlink_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / RUN_FILE).write_text("5")
    link = Told([run("5", "finished:failed")], [run("7", "finished:completed")], out=tmp_path)
    run_to_its_end(link, {}, tmp_path, never)
    assert len(link.started) == 1
    assert (tmp_path / RUN_FILE).read_text() == "7"


def test_no_run_is_started_beside_another(tmp_path: Path) -> None:
    link = Told([run("6", "running")])
    with pytest.raises(FederatedError, match="run 6 is under way"):
        run_to_its_end(link, {}, tmp_path, never)
    assert not link.started


def test_a_run_that_failed_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    link = Told([], [run("7", "finished:failed")])
    with caplog.at_level("INFO"), pytest.raises(FederatedError, match="finished:failed: why"):
        run_to_its_end(link, {}, tmp_path, never)
    assert "log of 7" in caplog.text


def test_a_run_without_a_model_is_no_success(tmp_path: Path) -> None:
    link = Told([], [run("7", "finished:completed")])
    with pytest.raises(FederatedError, match="left no model"):
        run_to_its_end(link, {}, tmp_path, never)


def test_a_superlink_that_stays_away_or_forgot_the_run_ends_it(tmp_path: Path) -> None:
    with pytest.raises(FederatedError, match="does not answer"):
        run_to_its_end(Told([], *["away"] * 100), {}, tmp_path, never)
    with pytest.raises(FederatedError, match="knows run 7 no longer"):
        run_to_its_end(Told([], []), {}, tmp_path, never)


def test_rounds_are_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    task: Task = TASK
    save(tmp_path, Checkpoint(3, task.model().initial()), {})
    link = Told([], [run("7", "running")], [run("7", "finished:completed")], out=tmp_path)
    with caplog.at_level("INFO"):
        run_to_its_end(link, {}, tmp_path, never)
    assert "running, 3 rounds done" in caplog.text


def test_all_keys_of_a_folder_are_registered(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    link = Told()
    with pytest.raises(FederatedError, match="no public key"):
        register_all(link, tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.pub").write_text("key")
    link.known.add("a")
    with caplog.at_level("INFO"):
        register_all(link, tmp_path)
    assert caplog.messages == ["a: known already", "b: registered"]
