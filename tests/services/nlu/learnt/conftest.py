"""Small models whose weights are tables: what they say of a word is known.

Everything round them is real: tokenizers, ONNX, Triton.
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shared.inference import InferenceSettings
from shared.inference.settings import REPOSITORY
from shared.suite import PortPlan, probe
from shared.suite import triton as launcher
from shared.suite.process import SupervisedProcess
from tests.services.nlu.learnt.tables import (
    CHINESE,
    ENGLISH,
    PAIRS,
    Table,
    graph_of,
    labels_of,
    save_tokenizer,
)


@pytest.fixture(scope="session")
def english() -> Table:
    return ENGLISH


@pytest.fixture(scope="session")
def chinese() -> Table:
    return CHINESE


@pytest.fixture(scope="session")
def pairs() -> Table:
    return PAIRS


WriteModel = Callable[..., Path]


@pytest.fixture(scope="session")
def write_model() -> WriteModel:
    """Writes one version of a table into a repository, with the configuration of the real model."""
    onnx = pytest.importorskip("onnx")

    def write(table: Table, repository: Path, version: int = 1) -> Path:
        target = repository / table.name
        folder = target / str(version)
        making = repository / f".{table.name}-{version}"
        making.mkdir(parents=True)
        shutil.copyfile(REPOSITORY / table.name / "1" / "model.py", making / "model.py")
        words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *dict.fromkeys(table.words)]
        save_tokenizer(words, table, making / "tokenizer.json")
        onnx.save(graph_of(onnx, words, table), making / "model.onnx")
        (making / "labels.json").write_text(json.dumps(labels_of(table), ensure_ascii=False))
        target.mkdir(exist_ok=True)
        shutil.copyfile(REPOSITORY / table.name / "config.pbtxt", target / "config.pbtxt")
        making.rename(folder)
        return folder

    return write


@dataclass
class TritonOfTables:
    """A Triton that serves tables, on ports of its own."""

    repository: Path
    ports: PortPlan

    def settings(self, model: str, **changes: Any) -> InferenceSettings:
        return InferenceSettings(
            backend="triton",
            triton_target=f"127.0.0.1:{self.ports.triton_grpc}",
            model=model,
            model_dir=self.repository,
            **changes,
        )


@pytest.fixture(scope="session")
def start_triton(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Path, Sequence[str]], TritonOfTables]]:
    """Starts a Triton over a repository; skips where none can run."""
    problem = launcher.problem()
    if problem:
        pytest.skip(f"Triton can't run here: {problem}")
    started: list[tuple[SupervisedProcess, PortPlan]] = []

    def start(repository: Path, models: Sequence[str]) -> TritonOfTables:
        home, ports = tmp_path_factory.mktemp("triton_of_tables"), PortPlan.free()
        process = SupervisedProcess("triton", home)
        command = launcher.command(home / "inference", ports, models, repository=repository)
        process.start(command, tethered=True)
        started.append((process, ports))
        until = time.monotonic() + 90
        while probe.triton_health(ports.triton_http, tuple(models)) != "SERVING":
            assert process.find() is not None, process.last_lines(40)
            assert time.monotonic() < until, process.last_lines(40)
            time.sleep(0.1)
        return TritonOfTables(repository, ports)

    yield start
    for process, ports in started:
        process.ask_to_stop()
        process.wait_stopped(15)
        launcher.clear_shared_memory(ports)


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory, write_model: WriteModel) -> Path:
    """One version of every table."""
    repository = tmp_path_factory.mktemp("repository")
    for table in (ENGLISH, CHINESE, PAIRS):
        write_model(table, repository)
    return repository


@pytest.fixture(scope="session")
def triton_of_tables(
    repository: Path, start_triton: Callable[[Path, Sequence[str]], TritonOfTables]
) -> TritonOfTables:
    return start_triton(repository, [table.name for table in (ENGLISH, CHINESE, PAIRS)])


@pytest.fixture(params=["onnx", "triton"])
def settings_for(
    request: pytest.FixtureRequest, repository: Path
) -> Callable[..., InferenceSettings]:
    """Settings of a model, over each backend in turn."""
    if request.param == "triton":
        served: TritonOfTables = request.getfixturevalue("triton_of_tables")
        return served.settings

    def settings(model: str, **changes: Any) -> InferenceSettings:
        return InferenceSettings(
            backend="onnx", model=model, model_dir=repository, threads=1, **changes
        )

    return settings
