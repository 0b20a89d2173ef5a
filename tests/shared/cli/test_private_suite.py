import os
import subprocess
import sys
from types import SimpleNamespace

from shared.cli.private_suite import PrivateSuite


class FakeSuite:
    has_triton = True

    def target(self, name):
        return f"127.0.0.1:{len(name)}"

    def status(self):
        return [
            SimpleNamespace(name="nlu", pid=os.getpid(), state="running", rss_mib=12.5),
            SimpleNamespace(name="triton", pid=None, state="absent", rss_mib=0.0),
        ]


def test_what_runs_is_told_with_its_memory_and_time():
    suite = PrivateSuite(FakeSuite())
    before = suite.cpu_seconds()
    sum(range(300_000))
    after = suite.cpu_seconds()
    assert before.keys() == after.keys() == {"nlu"}
    assert after["nlu"] >= before["nlu"] > 0
    assert suite.resident_mib() == {"nlu": 12.5}
    assert 0 < suite.anonymous_mib()["nlu"] < 10_000


def test_the_time_of_children_that_have_ended_counts():
    suite = PrivateSuite(FakeSuite())
    before = suite.cpu_seconds()["nlu"]
    work = "while __import__('time').process_time() < 0.5: pass"
    subprocess.run([sys.executable, "-c", work], check=True)
    assert suite.cpu_seconds()["nlu"] - before >= 0.4  # in ticks of the clock
