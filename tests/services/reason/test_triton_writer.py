"""The model in a real Triton: it writes what it writes in process, and its loss is told."""

import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from services.reason.config import DEFAULT_BANNED_WORDS
from services.reason.onnx_writer import OnnxWriter
from services.reason.triton_writer import TritonWriter
from services.reason.wording.batch import Wanted
from services.reason.wording.rendering import SaidReason
from services.reason.wording.served import SERVED_GRAPH, TOKENS
from services.reason.writer import VERSION_FOLDER, Writer
from shared.errors import CircuitOpenError, DeadlineExceededError, UnavailableError
from shared.inference.settings import REPOSITORY
from tests.services.reason.wording.conftest import page
from tests.triton_server import RunningTriton, running_triton

NAME = "reason_small"
FOLDER = REPOSITORY / NAME
LONG = 60.0

pytestmark = pytest.mark.skipif(
    not (FOLDER / VERSION_FOLDER / SERVED_GRAPH).is_file(),
    reason="`make models` has made no graph yet",
)


@pytest.fixture(scope="module")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTriton]:
    with running_triton(REPOSITORY, [NAME], tmp_path_factory.mktemp("triton")) as running:
        yield running


@pytest.fixture
def writer(triton: RunningTriton) -> Iterator[TritonWriter]:
    writer = TritonWriter(FOLDER, DEFAULT_BANNED_WORDS, triton.target)
    yield writer
    writer.close()


def write(writer: Writer, wanted: Sequence[Wanted], seconds: float = LONG) -> list[SaidReason]:
    found: dict[int, SaidReason] = {}
    for progress in writer.stream(wanted, seconds):
        if progress.reason is not None:
            found[progress.row] = progress.reason
    return [found[row] for row in sorted(found)]


def test_the_same_seeds_give_the_same_texts_as_in_process(writer):
    here = OnnxWriter(FOLDER, DEFAULT_BANNED_WORDS, 1)
    for count, language in ((10, "en"), (20, "zh"), (1, "en")):
        wanted = page(count, language, 100 * count)
        told = write(writer, wanted)
        assert told == write(here, wanted)
        assert len(told) == count
    here.close()


def test_pages_asked_for_at_once_read_as_if_alone(writer):
    pages = [page(5 + index, ("en", "zh")[index % 2], 1_000 * index) for index in range(6)]
    alone = [write(writer, wanted) for wanted in pages]
    with ThreadPoolExecutor(len(pages)) as threads:
        assert list(threads.map(lambda wanted: write(writer, wanted), pages)) == alone


def test_clauses_are_told_before_the_page_is_whole(writer):
    progress = list(writer.stream(page(10), LONG))
    first_closed = next(at for at, one in enumerate(progress) if one.closed is not None)
    last_reason = max(at for at, one in enumerate(progress) if one.reason is not None)
    assert first_closed < last_reason
    assert {one.row for one in progress if one.reason is not None} == set(range(10))


def test_words_that_the_shop_bans_are_not_said(triton, writer):
    said = " ".join(reason.text for reason in write(writer, page(20)))
    assert " it " in said.lower()
    strict = TritonWriter(FOLDER, [*DEFAULT_BANNED_WORDS, "it"], triton.target)
    strictly = write(strict, page(20))
    assert strictly
    assert not any(" it " in f" {reason.text.lower()} " for reason in strictly)
    strict.close()


def test_a_page_nobody_reads_on_does_not_hold_up_the_next(writer):
    for _ in range(5):
        progress = writer.stream(page(60), LONG)
        next(progress)
        progress.close()  # pyright: ignore[reportAttributeAccessIssue] - it is a generator
    assert len(write(writer, page(3))) == 3


def test_no_time_is_no_page_and_no_failure(writer):
    for _ in range(5):
        assert write(writer, page(3), seconds=0) == []
    assert len(write(writer, page(3))) == 3


def test_another_vocabulary_is_refused_by_name(triton, tmp_path):
    other = tmp_path / NAME
    (other / VERSION_FOLDER).mkdir(parents=True)
    tokens = (
        (FOLDER / VERSION_FOLDER / TOKENS).read_text("utf-8").replace('"positions"', ' "positions"')
    )
    (other / VERSION_FOLDER / TOKENS).write_text(tokens, "utf-8")
    writer = TritonWriter(other, DEFAULT_BANNED_WORDS, triton.target)
    with capture_logs() as logged, pytest.raises(UnavailableError, match="cannot run reason_small"):
        write(writer, page(1))
    assert "other tokens" in logged[0]["error"]
    writer.close()


def test_a_model_that_is_not_loaded_is_unavailable(triton, tmp_path):
    shutil.copytree(FOLDER, tmp_path / "reason_other", symlinks=True)
    writer = TritonWriter(tmp_path / "reason_other", DEFAULT_BANNED_WORDS, triton.target)
    with pytest.raises(UnavailableError, match="reason_other"):
        write(writer, page(1))
    writer.close()


def test_a_model_without_files_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        TritonWriter(tmp_path, (), "127.0.0.1:1")


def test_one_waits_for_a_model_that_is_being_loaded_and_no_longer_than_told(triton, writer):
    writer.wait_ready(LONG)
    nobody = TritonWriter(FOLDER, DEFAULT_BANNED_WORDS, "127.0.0.1:1")
    nobody.wait_ready(0.3)
    with pytest.raises(UnavailableError):
        write(nobody, page(1))
    nobody.close()


def test_a_server_that_stands_still_is_left_alone_until_it_goes_on(triton, writer):
    assert write(writer, page(2))
    os.kill(triton.process.pid, signal.SIGSTOP)
    try:
        for _ in range(3):
            with pytest.raises(DeadlineExceededError, match="said nothing"):
                write(writer, page(2), seconds=0.05)
        with pytest.raises(CircuitOpenError):
            write(writer, page(2), seconds=0.05)
    finally:
        os.kill(triton.process.pid, signal.SIGCONT)
    assert len(_when_it_is_back(writer)) == 2


def test_a_server_that_died_is_found_again(tmp_path: Path) -> None:
    with running_triton(REPOSITORY, [NAME], tmp_path) as first:
        writer = TritonWriter(FOLDER, DEFAULT_BANNED_WORDS, first.target)
        assert write(writer, page(2))
        first.kill()
        with pytest.raises(UnavailableError):
            write(writer, page(2))
    with running_triton(REPOSITORY, [NAME], tmp_path, ports=first.ports):
        assert len(_when_it_is_back(writer)) == 2
    writer.close()


def _when_it_is_back(writer: Writer) -> list[SaidReason]:
    deadline = time.monotonic() + LONG
    while True:
        try:
            return write(writer, page(2))
        except (UnavailableError, DeadlineExceededError):
            assert time.monotonic() < deadline
            time.sleep(0.1)
