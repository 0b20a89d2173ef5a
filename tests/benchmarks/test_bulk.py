"""A command that is killed and given again, told apart from one that begins anew."""

import sys

import pytest

from benchmarks.bulk import Outcome, outcome, section

GOES_ON = """
import pathlib, sys, time
out = pathlib.Path(sys.argv[sys.argv.index("--out") + 1])
done = out.read_text().splitlines() if "--resume" in sys.argv and out.exists() else []
with out.open("a" if done else "w") as file:
    for n in range(len(done), 60):
        file.write(f"{n}\\n"); file.flush(); time.sleep(0.01)
    {last}
"""


def command(last: str = "pass") -> list[str]:
    return [sys.executable, "-c", GOES_ON.replace("{last}", last)]


def test_a_run_that_goes_on_ends_with_the_same_file(tmp_path):
    found = outcome(command(), tmp_path / "run", resume=["--resume"], part="")
    assert (found.products, found.same) == (60, True)
    assert 20 <= found.killed_at < 60


def test_another_file_is_told(tmp_path):
    last = 'file.write("again\\n" if done else "")'
    found = outcome(command(last), tmp_path / "run", resume=["--resume"], part="")
    assert not found.same


def test_a_run_that_cannot_be_killed_in_time_is_no_proof(tmp_path):
    with pytest.raises(RuntimeError, match="done before"):
        outcome(command(), tmp_path / "run", resume=[], part=".elsewhere")


def test_the_section_says_the_time_of_both():
    found = Outcome(60.0, 600, 200, same=True)
    told = section({"classify": found, "tags": found})
    assert "| `wherefore tags` | 600 | 60 | 10 | 200 | yes |" in told
    assert "Both together take 2.0 minutes" in told
