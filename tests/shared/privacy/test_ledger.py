"""A budget is spent once, whatever happens on the way."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.errors import FailedPreconditionError
from shared.privacy.ledger import EpsilonLedger

ROOT = Path(__file__).parents[3]


def test_losses_add_up_and_the_last_one_must_fit(tmp_path: Path) -> None:
    ledger = EpsilonLedger(tmp_path / "ledger", 1.0, 1e-5)
    for _ in range(10):
        ledger.spend(0.1, 1e-7, "test")  # ten tenths are one, which floats do not say
    assert ledger.spent() == (1.0, pytest.approx(1e-6))
    with pytest.raises(FailedPreconditionError, match="epsilon 0 is left of 1"):
        ledger.spend(1e-6, 0, "test")
    assert EpsilonLedger(tmp_path / "ledger", 1.0, 1e-5).spent() == ledger.spent()
    with pytest.raises(FailedPreconditionError):
        EpsilonLedger(tmp_path / "ledger", 2.0, 1e-6).spend(0.1, 1e-7, "delta is spent")
    EpsilonLedger(tmp_path / "ledger", 2.0, 1e-5).spend(0.5, 0, "more was granted")


def test_threads_do_not_overdraw(tmp_path: Path) -> None:
    ledger = EpsilonLedger(tmp_path / "ledger", 1.0, 1.0)

    def spend(_: int) -> bool:
        try:
            ledger.spend(0.3, 0, "test")
        except FailedPreconditionError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(spend, range(20))) == 3


def test_what_was_booked_outlives_kill_9(tmp_path: Path) -> None:
    script = """
import os, pathlib, signal, sys
from shared.privacy.ledger import EpsilonLedger
ledger = EpsilonLedger(pathlib.Path(sys.argv[1]), 10, 1)
ledger.spend(0.25, 1e-7, "test")
os.kill(os.getpid(), signal.SIGKILL)
"""
    path = tmp_path / "ledger"
    for count in (1, 2):
        done = subprocess.run([sys.executable, "-c", script, str(path)], cwd=ROOT, check=False)
        assert done.returncode == -signal.SIGKILL
        assert EpsilonLedger(path, 10, 1).spent()[0] == 0.25 * count


def test_a_torn_last_line_is_cut_and_damage_before_it_stops_all(tmp_path: Path) -> None:
    path = tmp_path / "ledger"
    ledger = EpsilonLedger(path, 1.0, 1.0)
    ledger.spend(0.2, 0, "a")
    ledger.spend(0.2, 0, "b")
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    again = EpsilonLedger(path, 1.0, 1.0)
    assert again.spent()[0] == 0.2
    again.spend(0.3, 0, "c")
    assert EpsilonLedger(path, 1.0, 1.0).spent()[0] == 0.5
    path.write_bytes(b"{}\n" + whole)
    with pytest.raises(FailedPreconditionError, match="damaged"):
        EpsilonLedger(path, 1.0, 1.0).spend(0.1, 0, "d")


def test_what_cannot_be_written_is_not_told(tmp_path: Path) -> None:
    ledger = EpsilonLedger(tmp_path / "gone" / "ledger", 1.0, 1.0)
    with pytest.raises(OSError, match="gone"):
        ledger.spend(0.1, 0, "a")
    assert os.listdir(tmp_path) == []  # noqa: PTH208
