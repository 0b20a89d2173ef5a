"""Charges: once, on disk when acknowledged, and within the budget."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.orchestrator.sponsored.__main__ import main
from services.orchestrator.sponsored.ledger import Click, Ledger, Spent, read_charges


@pytest.fixture
def ledger(tmp_path):
    made = Ledger(tmp_path / "sponsored.sqlite")
    made.open()
    yield made
    made.close()


def path_of(ledger):
    return ledger._path


def click(ranking, price=40, campaign="a", product="cup", budget=100):
    return Click(ranking, product, campaign, price, budget)


def test_a_click_is_charged_once(ledger):
    assert ledger.charge([click("r1"), click("r1")], 5) == [40, 0]
    assert ledger.charge([click("r1")], 5) == [0]
    assert ledger.charge([click("r1")], 6) == [0]
    assert ledger.charge([click("r1", product="mug")], 5) == [40]
    assert (ledger.spent("a", 5), ledger.spent("a", 6), ledger.spent("b", 5)) == (80, 0, 0)


def test_a_budget_is_of_a_day(ledger):
    assert ledger.charge([click(f"r{n}") for n in range(4)], 5) == [40, 40, 40, 0]
    assert ledger.charge([click("r9")], 6) == [40]
    assert read_charges(path_of(ledger)) == [Spent(6, "a", 1, 40), Spent(5, "a", 3, 120)]


def test_what_is_spent_is_right_after_a_restart(ledger, tmp_path):
    ledger.charge([click("r1"), click("r2")], 5)
    ledger.close()
    again = Ledger(tmp_path / "sponsored.sqlite")
    again.open()
    assert again.spent("a", 5) == 80
    assert again.charge([click("r1"), click("r3"), click("r4")], 5) == [0, 40, 0]
    again.close()


def test_a_failed_write_charges_nothing(ledger):
    assert ledger.charge([click("r1")], 5) == [40]
    with pytest.raises(Exception, match="CHECK"):
        ledger.charge([click("r2"), click("r3", price=-1)], 5)
    assert ledger.spent("a", 5) == 40
    assert ledger.charge([click("r2")], 5) == [40]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.sampled_from("ab"), st.integers(1, 50)), max_size=60),
    st.integers(1, 200),
)
def test_a_day_never_costs_more_than_the_budget_and_one_click(tmp_path_factory, clicks, budget):
    made = Ledger(tmp_path_factory.mktemp("ledger") / "s.sqlite")
    made.open()
    for ranking, campaign, price in clicks:
        made.charge([Click(f"r{ranking}", "cup", campaign, price, budget)], 1)
    for campaign in "ab":
        assert made.spent(campaign, 1) < budget + 50
    sums = {each.campaign_id: each.micros for each in read_charges(path_of(made))}
    assert {c: made.spent(c, 1) for c in sums} == sums
    made.close()


def test_an_acknowledged_charge_survives_a_kill(tmp_path):
    path = tmp_path / "sponsored.sqlite"
    program = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from services.orchestrator.sponsored.ledger import Click, Ledger

        ledger = Ledger(Path(sys.argv[1]))
        ledger.open()
        for number in range(10_000):
            ledger.charge([Click(f"r{number}", "cup", "a", 7, 10**9)], 1)
            print(number, flush=True)
        """
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = [int(process.stdout.readline()) for _ in range(25)][-1]
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read().splitlines()
    process.wait()
    process.stdout.close()
    acknowledged = max([acknowledged, *(int(line) for line in rest if line.isdigit())])
    again = Ledger(path)
    again.open()
    # One that was written and not acknowledged is the click's all the same, and charged once.
    assert again.spent("a", 1) in (7 * (acknowledged + 1), 7 * (acknowledged + 2))
    assert again.charge([Click(f"r{n}", "cup", "a", 7, 10**9) for n in range(20)], 1) == [0] * 20
    again.close()


def test_charges_as_a_table(ledger, tmp_path, capsys):
    ledger.charge([click("r1", price=250_000, budget=10**6)], 20_000)
    assert main(["--charges", str(tmp_path / "sponsored.sqlite")]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "day,campaign,clicks,amount",
        "2024-10-04,a,1,0.250000",
    ]
    assert main(["--charges", str(tmp_path / "none")]) == 1
    assert not (tmp_path / "none").exists()
    other = tmp_path / "no.sqlite"
    other.write_text("no database at all, but long enough to be looked at" * 9)
    assert main(["--charges", str(other)]) == 1
    with pytest.raises(ValueError, match="holds no charges"):
        Ledger(other).open()
